package main

import "testing"

func TestSize(t *testing.T) {
	for text, want := range map[string]size{"64MiB": 64 << 20, "64m": 64 << 20, "256MB": 256 << 20, "1GiB": 1 << 30, "1g": 1 << 30, "8192K": 8 << 20, "67108864": 64 << 20} {
		var s size
		if err := s.Set(text); err != nil || s != want {
			t.Errorf("%s is %d, %v; want %d", text, s, err, want)
		}
	}
	for _, text := range []string{"", "MiB", "-1MiB", "1.5GiB", "3MiB", "64MBi", "64 MiB", "x", "0", "99999999999GiB"} {
		s := size(7)
		if err := s.Set(text); err == nil || s != 7 {
			t.Errorf("%q is taken for %d", text, s)
		}
	}
}
