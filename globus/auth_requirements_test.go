package globus

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseAuthRequirements(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]struct {
		demand AuthRequirements
		words  string
	}{
		`{"code":"AuthorizationRequired","authorization_parameters":{"session_message":"more\n please","session_required_single_domain":["a.example","b.example"],"session_required_mfa":true,"prompt":"login"}}`: {
			AuthRequirements{Message: "more please", Domains: []string{"a.example", "b.example"}, MFA: true, Login: true}, "an identity of a.example or b.example and a second factor and a new sign-in"},
		`{"authorization_parameters":{"session_required_identities":"x,y","session_required_policies":["p"],"required_scopes":["s"]}}`: {
			AuthRequirements{Identities: []string{"x", "y"}, Policies: []string{"p"}, Scopes: []string{"s"}}, "the identity x or y and what the policy demands: p and consent to s"},
		`{"authorization_parameters":{"session_required_mfa":"yes","session_required_identities":5,"prompt":"none","session_required_single_domain":[]}}`: {},
		`{"authorization_parameters":null}`: {},
		`{"code":"FORBIDDEN"}`:              {},
		`nonsense`:                          {},
	} {
		got := ParseAuthRequirements([]byte(body))
		if diff := cmp.Diff(want.demand, got); diff != "" || got.String() != want.words || got.IsZero() != (want.words == "") {
			t.Errorf("%s: %q %s", body, got.String(), diff)
		}
	}
}

func TestAuthRequirementsIn(t *testing.T) {
	t.Parallel()
	const page = "https://auth.globus.org/v2/oauth2/authorize?client_id=x&session_required_mfa=True&session_required_single_domain=a.example%2Cb.example&session_message=More"
	if diff := cmp.Diff(AuthRequirements{Message: "More", MFA: true, Domains: []string{"a.example", "b.example"}}, AuthRequirementsIn("  "+page+" ")); diff != "" {
		t.Error(diff)
	}
	for _, other := range []string{"", "https://auth.globus.org/v2/oauth2/authorize?client_id=x", "https://evil.example/x?session_required_mfa=True", "Aborted!"} {
		if d := AuthRequirementsIn(other); !d.IsZero() {
			t.Errorf("%s: %v", other, d)
		}
	}
}

func TestAuthRequirementsJoin(t *testing.T) {
	t.Parallel()
	got := AuthRequirements{Message: "one", Domains: []string{"a"}, MFA: true}.Join(AuthRequirements{Message: "two", Domains: []string{"b", "a"}, Scopes: []string{"s"}})
	if diff := cmp.Diff(AuthRequirements{Message: "one", Domains: []string{"a", "b"}, MFA: true, Scopes: []string{"s"}}, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzAuthRequirements: whatever a service says, what is believed is bounded and one line.
func FuzzAuthRequirements(f *testing.F) {
	f.Add([]byte(`{"authorization_parameters":{"session_required_single_domain":["a","b"],"session_message":"x"}}`))
	f.Add([]byte(`{"authorization_parameters":{"session_required_identities":"a,,b"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		d := ParseAuthRequirements(body)
		if n := len(d.Identities) + len(d.Policies) + len(d.Domains) + len(d.Scopes); n > 4*maxRequirements || len(d.String()) > 1500*maxRequirements*4 {
			t.Fatalf("%d demands", n)
		}
		for _, r := range d.Message + d.String() {
			if r < ' ' {
				t.Fatalf("%q", d)
			}
		}
		if d.IsZero() != (d.String() == "") {
			t.Fatalf("%+v is %q", d, d.String())
		}
	})
}
