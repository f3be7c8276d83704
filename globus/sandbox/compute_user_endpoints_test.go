package sandbox

import (
	"encoding/json"
	"testing"
)

// Equal JSON has one canonical text, and it is a fixed point.
func FuzzCanonical(f *testing.F) {
	f.Add([]byte(`{"b":1.50,"a":[null,{"d":"é","c":12345678901234567890}]}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		once := canonicalJSON(raw)
		if !json.Valid(once) {
			t.Fatalf("%q gives %q", raw, once)
		}
		if twice := canonicalJSON(once); string(once) != string(twice) {
			t.Errorf("%q, then %q", once, twice)
		}
	})
}
