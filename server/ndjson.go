package server

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// ndjson is an answer of one JSON value a line, each sent at once.
type ndjson struct {
	mu sync.Mutex // one line at a time
	w  http.ResponseWriter
	rc *http.ResponseController
}

// lineWait is how long a client may take to make room for one line.
const lineWait = 10 * time.Second

// newNDJSON begins such an answer, which may take as long as it likes.
func newNDJSON(w http.ResponseWriter) *ndjson {
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Cache-Control", "no-store")
	rc := http.NewResponseController(w)
	// The deadline for reading the request would end the answer too: net/http
	// takes it for the client going away.
	rc.SetReadDeadline(time.Time{})
	w.WriteHeader(http.StatusOK)
	return &ndjson{w: w, rc: rc}
}

// send writes one line. An error means that the client is gone.
func (n *ndjson) send(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.rc.SetWriteDeadline(time.Now().Add(lineWait))
	if _, err := n.w.Write(append(line, '\n')); err != nil {
		return err
	}
	return n.rc.Flush()
}
