// Package server shows a log to browsers and lets its one user type kubectl
// commands. It serves any log: it does not know whether events come from the
// sandbox, an attached cluster or a recording.
//
//	GET  /                        to /en/ or /ko/
//	GET  /{lang}/                 the stage
//	GET  /{lang}/chapter/{id}     a chapter beside the stage
//	GET  /{lang}/book, /{lang}/glossary, /{lang}/search?q   around the chapters
//	GET  /{lang}/row/{id}         to whatever is about a row of the outline, as in 4.2.1-etcd
//	GET  /{lang}/progress         what a learner has done and written
//	GET  /{lang}/notes            a person's own notes
//	GET  /assets/…                built files, by hashed name
//	GET  /healthz, /readyz        is the server there; is the cluster
//	GET  /api/events?after&limit  events as newline-delimited JSON
//	GET  /api/stream?after        events as they happen, over a websocket
//	GET  /api/state?at            what there was at an event: objects, components, links
//	GET  /api/stories?after&limit  what grew out of what: stories, and GET /api/stories/{id}
//	GET  /api/objects/{uid}/history  the events about one object, and who wrote it
//	     …&recording=ID           any of these five asks a recording instead of the log
//	POST /api/kubectl             runs one kubectl command
//	GET  /api/terminal            runs one in a terminal, over a websocket; see terminal.go
//	POST /api/complete            how a command line could go on
//	GET  /api/book                terms, and which row is about what
//	POST /api/scenes/{id}/run …   see scenes.go
//	GET  /api/progress …          see learner.go
//	GET  /api/record, /api/recordings …   see recordings.go
//
// # The stream
//
// GET /api/stream sends text frames, each one JSON object:
//
//	{"type": "hello", "protocol": 1, "log", "first", "last", "source", "now"}   first of all
//	{"type": "events", "events": […]}         in order, without holes, at most every 20 ms
//	{"type": "gap", "first", "last"}          see below
//	{"type": "ping", "now", "last"}           every 5 s
//
// The client sends nothing. Close codes: 1008 with "too slow: reconnect with
// after=SEQ" for a client that does not receive what is sent, and for one that
// sends a message; 1001 when Kubestage stops. Reconnecting with after=SEQ
// loses nothing.
//
// # The console
//
// POST /api/kubectl takes {"command", "stdin", "lang"} and answers with one JSON
// object a line: {"stream": "stdout" or "stderr", "data"} as it is printed, and
// at last {"exit"}. Ending the request ends the command. What the console does
// not run is answered with 400 and the reason (see policy.go). Exit codes of
// our own: 124 took too long, 125 could not be started, 137 was ended.
//
// # Errors
//
// A handler returns its error. Whatever it returns becomes, in one place, a
// status, a JSON object {"error", "hint"} (or a plain page for people), and,
// when the cause is ours, a line in the log. Hints say what to do.
//
// # Numbers that are gone
//
// Readers name the last event they have: after=SEQ. When the events that follow
// are no longer kept, or SEQ is not of this log at all because Kubestage was
// started anew, GET /api/events answers 410 with {"error", "hint", "first",
// "last"}, and the websocket sends {"type": "gap", "first", "last"} and goes on
// with event `first`. Readers then forget what they have. Silence never means
// that something was left out. A reader who reconnects adds log=ID, from the
// hello or the header Kubestage-Log, so that a number of an earlier log is
// never taken for one of this.
//
// # Who may use it
//
// The console acts as cluster-admin, so every request has to come from the user
// who started Kubestage (see admit.go): on Linux the kernel says which user
// owns the other end of a loopback connection; elsewhere, and beyond loopback,
// a link with a key sets a cookie. Requests that another web site made are
// refused by Host, Origin and Sec-Fetch-Site.
package server
