//go:build !unix

package store

import "testing"

func postgresURL(t *testing.T) string {
	t.Helper()
	t.Skip("these tests start PostgreSQL on unix only")
	return ""
}
