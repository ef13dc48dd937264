package recording

import (
	"time"
)

// What a file says first.
const (
	Format  = "kubestage-recording"
	Version = 1
)

// Extension ends the name of a recording's file.
const Extension = ".kubestage"

// Header says what a recording is. Write sets Format, Version, Events and the
// times.
type Header struct {
	Format     string    `json:"format"`
	Version    int       `json:"version"`
	MadeBy     string    `json:"madeBy,omitempty"` // the program, as in "Kubestage 0.1.0"
	Made       time.Time `json:"made"`
	Title      string    `json:"title,omitempty"`
	Kubernetes string    `json:"kubernetes,omitempty"` // version of the cluster, where it is known
	Source     string    `json:"source"`               // what fed the log: sandbox, cluster, or recording when it was taken from one

	Log     string      `json:"log"`              // ID of the log it was taken from
	First   uint64      `json:"first"`            // the numbers there of the first
	Last    uint64      `json:"last"`             // and the last event that was asked for
	Story   string      `json:"story,omitempty"`  // when it is one story: its ID there
	Origin  [][2]uint64 `json:"origin,omitempty"` // runs of numbers there, [first, how many], in the order of the recording
	Scene   string      `json:"scene,omitempty"`  // when it is the run of one: the namespace it ran in
	Since   uint64      `json:"since,omitempty"`  // the log had let go of what came before this; objects that were not written since are missing
	Carried int         `json:"carried"`          // so many events at the beginning tell what was there before
	Events  int         `json:"events"`           // all, with those
	Ends    string      `json:"ends"`             // one of the End constants

	Start time.Time `json:"start"` // of the first event that is not carried in
	End   time.Time `json:"end"`   // the latest
}

// Why a recording ends.
const (
	EndAsked     = "asked"     // here it was to end
	EndNewest    = "newest"    // with what was then the newest event
	EndSettled   = "settled"   // the story is over
	EndUnsettled = "unsettled" // the story was still going on
)

// Limits bound what reading a file may cost, and what is written.
type Limits struct {
	Bytes  int // of all lines
	Line   int // of one
	Events int
}

// DefaultLimits let a recording hold what a log keeps by default.
var DefaultLimits = Limits{Bytes: 256 << 20, Line: 16 << 20, Events: 1_000_000}
