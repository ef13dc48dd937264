// Package server shows a log to browsers and lets its one user type kubectl
// commands. It serves any log: it does not know whether events come from the
// sandbox, an attached cluster or a recording.
//
//	GET  /                        to /en/ or /ko/
//	GET  /{lang}/                 the stage
//	GET  /{lang}/chapter/{id}     a chapter beside the stage
//	GET  /assets/…                built files, by hashed name
//	GET  /healthz, /readyz        is the server there; is the cluster
//	GET  /api/events?after&limit  events as newline-delimited JSON
//	GET  /api/stream?after        events as they happen, over a websocket
//	POST /api/kubectl             runs one kubectl command
//	POST /api/scenes/{id}/run …   see scenes.go
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
// that something was left out.
//
// # Who may use it
//
// The console acts as cluster-admin, so every request has to come from the user
// who started Kubestage (see admit.go): on Linux the kernel says which user
// owns the other end of a loopback connection; elsewhere, and beyond loopback,
// a link with a key sets a cookie. Requests that another web site made are
// refused by Host, Origin and Sec-Fetch-Site.
package server
