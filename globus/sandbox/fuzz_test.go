package sandbox

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplitScopes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text    string
		grants  map[string]string
		unknown string
	}{
		{"openid email openid", map[string]string{"auth.globus.org": "openid email"}, ""},
		{computeScope, map[string]string{"funcx_service": computeScope}, ""},
		{"urn:globus:auth:scope:transfer.api.globus.org:all[*https://auth.globus.org/scopes/x/data_access *y] openid",
			map[string]string{"transfer.api.globus.org": "urn:globus:auth:scope:transfer.api.globus.org:all", "auth.globus.org": "openid"}, ""},
		{"https://auth.globus.org/scopes/ca1e2fbf/academy_exchange", map[string]string{"ca1e2fbf": "https://auth.globus.org/scopes/ca1e2fbf/academy_exchange"}, ""},
		{"urn:globus:auth:scope:x https://auth.globus.org/scopes/x nonsense", map[string]string{}, "urn:globus:auth:scope:x https://auth.globus.org/scopes/x nonsense"},
	}
	for _, tt := range tests {
		grants, unknown := splitScopes(tt.text)
		got := map[string]string{}
		for _, g := range grants {
			got[g.server] = strings.Join(g.scopes, " ")
		}
		if diff := cmp.Diff(tt.grants, got); diff != "" || strings.Join(unknown, " ") != tt.unknown {
			t.Errorf("%q: unknown %q, (-want +got):\n%s", tt.text, unknown, diff)
		}
	}
}

// Every scope that comes out went in, once, and is either known or unknown.
func FuzzSplitScopes(f *testing.F) {
	f.Add("openid " + computeScope)
	f.Add("a[b[c] d] *e ]")
	f.Fuzz(func(t *testing.T, text string) {
		grants, unknown := splitScopes(text)
		seen := map[string]bool{}
		for _, g := range grants {
			for _, s := range g.scopes {
				if seen[s] || !strings.Contains(text, s) && !strings.ContainsAny(text, "[]") || resourceServerOf(s) != g.server {
					t.Errorf("%q gives %q for %q", text, s, g.server)
				}
				seen[s] = true
			}
		}
		for _, s := range unknown {
			if resourceServerOf(s) != "" || strings.ContainsAny(s, "[]") {
				t.Errorf("%q: %q is called unknown", text, s)
			}
		}
	})
}

// What pack wrote, unpack reads back; what unpack refuses leaves an error.
func FuzzMessagepack(f *testing.F) {
	f.Add([]byte("\x01{\"message_type\":\"result\",\"data\":{\"task_id\":\"x\",\"data\":\"y\"}}"))
	f.Add([]byte("\x01{}"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, body []byte) {
		var got resultMessage
		if err := unpackMessage(body, "result", &got); err != nil {
			return
		}
		again, err := packMessage("result", map[string]any{
			"task_id": got.TaskID, "data": got.Data, "details": got.Details, "error_details": errorDetails(got),
		})
		if err != nil {
			t.Fatal(err)
		}
		var back resultMessage
		if err := unpackMessage(again, "result", &back); err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		if diff := cmp.Diff(got, back); diff != "" {
			t.Errorf("(-first +second):\n%s", diff)
		}
	})
}

func errorDetails(r resultMessage) any {
	if r.Error == nil {
		return nil
	}
	return map[string]any{"code": r.Error.Code, "user_message": r.Error.UserMessage}
}

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

func TestMaskerShortensAndLabels(t *testing.T) {
	t.Parallel()
	m := newMasker()
	m.labelSecret("access", "topsecret")
	got := m.maskValue("", map[string]any{
		"token": "never made here", "note": "topsecret", "text": strings.Repeat("é", 200), "code": "",
		"deep": map[string]any{"a": map[string]any{"b": map[string]any{"c": map[string]any{"d": 1}}}},
		"list": []any{"topsecret", 1.0}, "lines": "a\nb",
	}, 0)
	want := map[string]any{
		"token": "unknown", "note": "access#1", "text": "<200 characters>", "code": "",
		"deep": map[string]any{"a": map[string]any{"b": map[string]any{"c": "<1 members>"}}},
		"list": []any{"access#1", 1.0}, "lines": "<3 characters>",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
