package spell_test

import (
	"strings"
	"testing"

	"chiltepin/endpointfs/spell"
)

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"same", "same", 0}, {"kitten", "sitting", 3},
		{"partiton", "partition", 1}, {"ab", "ba", 2}, {strings.Repeat("a", 41), "a", 40},
	} {
		if got := spell.Distance(tt.a, tt.b); got != tt.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if back := spell.Distance(tt.b, tt.a); back != tt.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", tt.b, tt.a, back, tt.want)
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"endpoint/list", "endpoint/start", "endpoint/stop"}
	for word, want := range map[string]string{"endpoint/lst": "endpoint/list", "ENDPOINT/STOP": "endpoint/stop", "endpoint/delete": "", "": ""} {
		if got := spell.Nearest(word, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
