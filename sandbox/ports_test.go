package sandbox

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

func TestPortsAreKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ports.json")
	names := []string{"a", "b", "c"}
	first, err := keepPorts(file, names, 0)
	if err != nil {
		t.Fatal(err)
	}
	if first["a"] == first["b"] || first["a"] < firstPort || first["a"] > lastPort {
		t.Fatalf("ports %v", first)
	}
	again, err := keepPorts(file, names, 0)
	if err != nil || again["a"] != first["a"] || again["b"] != first["b"] || again["c"] != first["c"] {
		t.Errorf("%v became %v (%v)", first, again, err)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:"+strconv.Itoa(first["b"]))
	if err != nil {
		t.Fatal(err)
	}
	moved, err := keepPorts(file, names, 50*time.Millisecond)
	if err != nil || moved["a"] != first["a"] || moved["b"] == first["b"] || moved["c"] != first["c"] {
		t.Errorf("with %d taken, %v became %v (%v)", first["b"], first, moved, err)
	}
	// One that gets free while we wait is kept.
	taken := moved["c"]
	l2, err := net.Listen("tcp4", "127.0.0.1:"+strconv.Itoa(taken))
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(50*time.Millisecond, func() { l2.Close() })
	if waited, err := keepPorts(file, names, 5*time.Second); err != nil || waited["c"] != taken {
		t.Errorf("did not wait for %d: %v (%v)", taken, waited, err)
	}
	l.Close()
	for _, bad := range []string{"garbage", `{"a":1,"b":70000,"c":-4}`, `{"a":20001,"b":20001,"c":20001}`} {
		if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := keepPorts(file, names, 0)
		if err != nil || p["a"] == p["b"] || p["b"] == p["c"] || p["a"] < firstPort || p["b"] < firstPort {
			t.Errorf("%s: %v (%v)", bad, p, err)
		}
	}
}
