package web

import (
	"strings"
	"testing"
)

// TestContrast measures every two colours that lie on each other, in each theme.
func TestContrast(t *testing.T) {
	themes := Themes()
	if len(themes) != 3 {
		t.Fatalf("%d themes are in tokens.css, want light, dark and projector", len(themes))
	}
	for _, theme := range themes {
		for _, p := range Pairs {
			if got := theme.Contrast(p); !(got >= p.Need) { // also of NaN
				t.Errorf("%s: %s %s on %s %s has a contrast of %.2f, needs %.1f",
					theme.Name, p.Above, theme.Colours[p.Above], p.Under, theme.Colours[p.Under], got, p.Need)
			}
		}
	}
}

func TestContrastOfKnownColours(t *testing.T) {
	theme := Theme{Colours: map[string]string{"black": "#000000", "white": "#ffffff", "grey": "#767676"}}
	for _, c := range []struct {
		above, want string
	}{{"black", "21.0"}, {"white", "1.0"}, {"grey", "4.5"}} {
		if got := theme.Ratio(Pair{Above: c.above, Under: "white"}); got != c.want {
			t.Errorf("%s on white has %s, want %s", c.above, got, c.want)
		}
	}
}

// TestTypeSizes holds what is promised: on a screen of 1280 by 720 the picture
// is drawn at 0.86 or more, so that nothing is under 12 pixels, and a
// projector's texts are larger.
func TestTypeSizes(t *testing.T) {
	sizes := TypeSizes()
	if len(sizes) != 5 {
		t.Fatalf("tokens.css has %d sizes of text, want 5", len(sizes))
	}
	for _, s := range sizes {
		if len(s.Near) < 2 || s.Near < "14" || s.Far <= s.Near {
			t.Errorf("%s is %s, on a projector %s: want 14 or more, and more on a projector", s.Name, s.Near, s.Far)
		}
	}
	if strings.Contains(tokensCSS, "rgb(") {
		t.Error("colours are written as #rrggbb, so that they can be measured")
	}
}
