package sandbox

import (
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
