// Package book plays every scene of the book against a real cluster, through the
// doors a learner has: before it is tried, no checkpoint is passed; the scene
// runs, each of its facts is reached and each of its assertions is true; the
// solution passes and what is wrong does not; and every kubectl line of the text
// is run. It prints which row of the outline is taught by which chapter, and
// whether that holds.
//
//	make test-sandbox                                  builds the program and runs this with the rest
//	go test -tags nosandbox ./e2e/book -run RealScenes -args -address http://127.0.0.1:7766 -only etcd
//
// The second is an author's: it uses a dashboard that runs, one chapter at a time,
// and with -record writes the chapter's recording.
package book
