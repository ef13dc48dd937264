//go:build !unix

package program

func newPages(n int) ([]byte, error) { return make([]byte, n), nil }

func freePages([]byte) {}
