// Package recording keeps a part of a log in one file and plays it again where
// no cluster is.
//
// # The file
//
// A recording is gzip over lines of JSON, so that `zcat` shows what is in it:
//
//	{"format":"kubestage-recording","version":1,"title":…}   the Header
//	{"seq":1,"kind":"etcd",…}                                 the events, as in docs/events.md
//	…
//	{"end":{"events":62,"sha256":"…"}}                        over all bytes before this line
//
// Nothing follows the last line. A file that ends early, has a wrong sum, or has
// anything behind its end is refused before the first event is played. Version
// is raised when an older reader would misunderstand a newer file; fields are
// added without that, and readers pass on what they do not know: a replay's
// lines are the recorded lines, byte for byte. Reading is bounded by Limits,
// whatever a file says about itself.
//
// # Numbers
//
// A recording is a log of its own: its events are numbered from 1 without
// holes, and its log ID follows from its sum, so that two replays of one file
// are the same log. Header.Origin says which numbers the events had in the log
// they were taken from. A cause that was not recorded keeps its How and gets the
// number 0: there was one, and it is not here.
//
// # What was there before
//
// A stage draws the fold of all events, but a recording begins in the middle.
// So it first carries in what was so at its beginning, the way a log does that
// is started on a cluster with objects in it: the newest etcd event of each
// object that existed, told as `range` ("was there already when the log
// began"); of an attached cluster the newest watch event that holds the object,
// told as `listed`; and, as they were, the newest event of each component, link
// and source, and who had a watch open. These are the first Header.Carried
// events. They keep their times and their evidence: all of it was observed, none
// is made up. Only what the log no longer tells, and package state still knows,
// is told without a time of its own and as inferred.
//
// # Stories
//
// A recording of a story has the story's events, everything that caused them
// (their causes, the causes of those, and so on), the spans of the requests
// among them, and what was there before. Other stories of the same time are left out.
//
// # Secrets
//
// A log holds no value of a Secret and no token. Write looks again, at every
// event, and makes no file when it finds what looks like one: see Leak.
package recording
