package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"runtime/debug"
	"strings"
)

// HTTPError is an error with what the user is told about it.
type HTTPError struct {
	Code int            // HTTP status; 0 means 500
	Msg  string         // what is wrong, in a sentence without a full stop
	Hint string         // what to do about it
	More map[string]any // further fields of the answer
	Err  error          // the cause, for the log only
}

func (e *HTTPError) Error() string {
	if e.Err != nil {
		return e.Msg + ": " + e.Err.Error()
	}
	return e.Msg
}

func (e *HTTPError) Unwrap() error { return e.Err }

// badRequest is an HTTPError for what the client can put right.
func badRequest(msg, hint string) *HTTPError {
	return &HTTPError{Code: http.StatusBadRequest, Msg: msg, Hint: hint}
}

// handle turns a handler that returns errors into one that answers them. A
// handler that has begun its answer returns nil.
func (s *Server) handle(h func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			s.answerError(w, r, err)
		}
	}
}

func (s *Server) answerError(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil && errors.Is(err, r.Context().Err()) {
		return // nobody is there to read it
	}
	var e *HTTPError
	if !errors.As(err, &e) {
		e = &HTTPError{Msg: "something went wrong in Kubestage", Hint: "the terminal in which it runs says what", Err: err}
	}
	if e.Code == 0 {
		e.Code = http.StatusInternalServerError
	}
	if e.Code >= 500 && e.Err != nil {
		s.Logf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if !strings.HasPrefix(r.URL.Path, "/api/") && strings.Contains(r.Header.Get("Accept"), "text/html") {
		h.Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(e.Code)
		fmt.Fprintf(w, "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>Kubestage</title><h1>%s</h1><p>%s</p><p><a href=\"/\">Kubestage</a></p></html>\n",
			html.EscapeString(http.StatusText(e.Code)), html.EscapeString(strings.Trim(e.Msg+". "+e.Hint, ". ")+"."))
		return
	}
	answer := map[string]any{"error": e.Msg}
	if e.Hint != "" {
		answer["hint"] = e.Hint
	}
	for k, v := range e.More {
		answer[k] = v
	}
	writeJSON(w, e.Code, answer)
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(v) // an error means that the client is gone
}

// recoverPanics answers a panic like any other error of ours.
func (s *Server) recoverPanics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch p := recover(); p {
			case nil:
			case http.ErrAbortHandler:
				panic(p)
			default:
				s.answerError(w, r, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// logWriter gives the complaints of http.Server to Logf.
type logWriter func(format string, args ...any)

func (f logWriter) Write(p []byte) (int, error) {
	f("%s", strings.TrimRight(string(p), "\n"))
	return len(p), nil
}
