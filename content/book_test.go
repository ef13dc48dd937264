package content

import "testing"

func TestEmbeddedBookIsSound(t *testing.T) {
	b, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := b.Chapter("pod-birth"); !ok {
		t.Fatal("the chapter pod-birth is missing")
	}
}
