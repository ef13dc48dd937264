// Package dashboard starts the built program as people start it and looks at
// it from outside: its page, its data directory, its processes in /proc (so it
// is for Linux). Tests and measurements of the whole use it; it imports nothing
// of the program.
package dashboard
