package tokenstore

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What json.dumps of Python 3.11 makes of the same values.
func TestAppendJSON(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"b":1,"a":[true,false,null],"c":{}}`: `{"b": 1, "a": [true, false, null], "c": {}}`,
		`{"a":1,"b":2,"a":3}`:                  `{"a": 3, "b": 2}`,
		`"é€𝄞"`:                                `"\u00e9\u20ac\ud834\udd1e"`,
		`"\u0000\u001f\u007f\b\f\n\r\t\"\\\/"`: `"\u0000\u001f\u007f\b\f\n\r\t\"\\/"`,
		`[1.50, -0, 12345678901234567890]`:     `[1.50, -0, 12345678901234567890]`,
		`[]`:                                   `[]`,
	} {
		value, err := parseJSON([]byte(in))
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := string(appendJSON(nil, value)); got != want {
			t.Errorf("%s became %s, want %s", in, got, want)
		}
	}
}

func TestParseJSONRefuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"", "{", "[1,", `{"a"}`, "1 2", "\"\xff\"", "{'a': 1}", `{"a": 1,}`, "[1]]", "nul"} {
		if value, err := parseJSON([]byte(in)); err == nil {
			t.Errorf("%q was read as %v", in, value)
		}
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	const good = `{"resource_server": "r", "identity_id": "i", "scope": "s t", "access_token": "a", "refresh_token": "f", "expires_at_seconds": 5, "token_type": "Bearer"}`
	token := decodeToken([]byte(good))
	if token.Problem != nil {
		t.Fatal(token.Problem)
	}
	if got := string(token.encodeJSON()); got != good {
		t.Errorf("%s came back as %s", good, got)
	}
	for in, want := range map[string]string{
		`{"resource_server": "r", "scope": "s", "access_token": "a", "expires_at_seconds": 5.5}`:                       "expires_at_seconds must be an integer",
		`{"resource_server": "r", "scope": "s", "access_token": "a", "expires_at_seconds": "5"}`:                       "expires_at_seconds must be an integer",
		`{"resource_server": "r", "scope": "s", "access_token": "a"}`:                                                  "expires_at_seconds must be an integer",
		`{"resource_server": "r", "scope": null, "access_token": "a", "expires_at_seconds": 5}`:                        "scope must be a string",
		`{"resource_server": "r", "scope": "s", "access_token": 7, "expires_at_seconds": 5}`:                           "access_token must be a string",
		`{"resource_server": "r", "scope": "s", "access_token": "a", "refresh_token": false, "expires_at_seconds": 5}`: "refresh_token must be a string",
		`[]`:  "not a JSON object",
		`{"r`: "not JSON: unexpected EOF",
	} {
		token := decodeToken([]byte(in))
		if token.Problem == nil || token.Problem.Error() != want {
			t.Errorf("%s: problem %v, want %s", in, token.Problem, want)
		}
	}
	null := decodeToken([]byte(`{"resource_server": "r", "identity_id": null, "scope": "s", "access_token": "a", "refresh_token": null, "expires_at_seconds": 5, "token_type": null, "more": {"b": [1]}}`))
	want := Token{ResourceServer: "r", Scope: "s", AccessToken: NewSecret("a"), ExpiresAt: 5, Extra: map[string]string{"more": `{"b": [1]}`}}
	if diff := cmp.Diff(want, null); diff != "" || null.Problem != nil {
		t.Error(null.Problem, diff)
	}
}

// FuzzJSON: what is read and written reads the same and writes the same.
func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"data": {"DEFAULT": {"r": {"scope": "a b", "expires_at_seconds": 5}}}, "format_version": "2.0"}`))
	f.Add([]byte(`["\ud834\udd1e", 1e400, -0.0, {"": null}]`))
	f.Add([]byte(`{"a": `))
	f.Fuzz(func(t *testing.T, data []byte) {
		value, err := parseJSON(data)
		if err != nil {
			if value != nil {
				t.Fatalf("an error and a value: %v", value)
			}
			return
		}
		once := appendJSON(nil, value)
		again, err := parseJSON(once)
		if err != nil {
			t.Fatalf("%q was written as %q, which does not read: %v", data, once, err)
		}
		if diff := cmp.Diff(value, again, cmp.AllowUnexported(orderedObject{})); diff != "" {
			t.Fatal(diff)
		}
	})
}

// FuzzToken: a row either has a problem or comes back the same.
func FuzzToken(f *testing.F) {
	f.Add([]byte(`{"resource_server": "r", "scope": "s", "access_token": "a", "expires_at_seconds": 5, "x": [1, {"y": 2}]}`))
	f.Add([]byte(`{"resource_server": "r", "scope": "s", "access_token": "a", "refresh_token": "", "expires_at_seconds": 1e3}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		token := decodeToken(data)
		if token.Problem != nil {
			return
		}
		again := decodeToken(token.encodeJSON())
		if again.Problem != nil || !token.Equal(again) {
			t.Fatalf("%q came back as %q (%v)", data, token.encodeJSON(), again.Problem)
		}
	})
}
