// Package sandbox tests the whole program as a stranger would: the built
// binary, its page, its data directory, the processes it leaves. Components are
// killed, directories are damaged, and other users try to get in. `make test`
// builds the binary and names it in KUBESTAGE_BINARY; without that, and
// elsewhere than on Linux, these tests are skipped.
package sandbox
