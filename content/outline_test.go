package content

import (
	"strings"
	"testing"
	"testing/fstest"
)

// The outline is a promise: no row of it is lost, whatever is rewritten.
func TestOutlineIsWhole(t *testing.T) {
	o := whole(t).Outline
	waves, covered := map[int]int{}, 0
	for _, p := range o.Parts {
		covered += p.Covered()
		for _, r := range p.Rows {
			waves[r.Wave]++
		}
	}
	if waves[1] != 60 || waves[2] != 99 || waves[3] != 35 {
		t.Errorf("rows by wave: %v; there were 60, 99 and 35, 194 in all", waves)
	}
	for _, id := range []string{"4.2.1-etcd", "11.3", "A7-keyspace", "T3-pod", "O2-objects-controllers", "K3-portforward"} {
		if _, ok := o.Row(id); !ok {
			t.Errorf("row %s is gone; notes link to it", id)
		}
	}
	if r, _ := o.Row("5.2"); len(r.Chapters) == 0 || r.Chapters[0].ID != "pod-birth" {
		t.Error("row 5.2 does not lead to the chapter that covers it")
	}
	t.Logf("%d of 194 rows have a chapter", covered)
}

func TestOutlineRefuses(t *testing.T) {
	for name, c := range map[string]struct{ file, old, with, want string }{
		"an unknown row":  {"chapters/pod-birth/scene.yaml", `covers: ["5.2"]`, `covers: ["5.2", "99"]`, `"99", which the outline does not have`},
		"no row":          {"chapters/pod-birth/scene.yaml", `covers: ["5.2"]`, `covers: []`, "covers no row"},
		"a row twice":     {"outline.yaml", `{id: "4.1", wave: 1`, `{id: "4", wave: 1`, `"4" is there twice`},
		"a missing title": {"outline.yaml", `en: "Main components"`, `en: ""`, "lacks its id or a title"},
		"a fourth wave":   {"outline.yaml", `{id: "4.2", wave: 1`, `{id: "4.2", wave: 4`, "wave 4"},
	} {
		t.Run(name, func(t *testing.T) {
			book := bookOf(t)
			text := string(book[c.file].Data)
			if !strings.Contains(text, c.old) {
				t.Fatalf("%s does not have %s", c.file, c.old)
			}
			book[c.file] = &fstest.MapFile{Data: []byte(strings.Replace(text, c.old, c.with, 1))}
			if _, err := LoadFrom(book); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}
