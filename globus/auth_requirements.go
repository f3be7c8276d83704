package globus

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// Requirements is what a policy asks of a login beyond what it was: the
// authorization_parameters of globus_sdk/gare. The zero value asks for nothing.
type AuthRequirements struct {
	// Message is the service's own sentence for the person.
	Message string `json:"message,omitempty"`
	// Identities, Policies and Domains are those that the session must have.
	Identities []string `json:"identities,omitempty"`
	Policies   []string `json:"policies,omitempty"`
	Domains    []string `json:"domains,omitempty"`
	// MFA asks for a second factor, Login for a new sign-in.
	MFA   bool `json:"mfa,omitempty"`
	Login bool `json:"login,omitempty"`
	// Scopes are those that the tokens must have.
	Scopes []string `json:"scopes,omitempty"`
}

// IsZero is true when nothing is asked.
func (d AuthRequirements) IsZero() bool {
	return len(d.Identities)+len(d.Policies)+len(d.Domains)+len(d.Scopes) == 0 && !d.MFA && !d.Login
}

// String says what is asked, as the end of a sentence.
func (d AuthRequirements) String() string {
	var parts []string
	add := func(what string, list []string) {
		if len(list) > 0 {
			parts = append(parts, what+" "+strings.Join(list, " or "))
		}
	}
	add("an identity of", d.Domains)
	add("the identity", d.Identities)
	add("what the policy demands:", d.Policies)
	add("consent to", d.Scopes)
	if d.MFA {
		parts = append(parts, "a second factor")
	}
	if d.Login {
		parts = append(parts, "a new sign-in")
	}
	return strings.Join(parts, " and ")
}

// Join is a demand that meets both.
func (d AuthRequirements) Join(e AuthRequirements) AuthRequirements {
	union := func(a, b []string) []string {
		a = slices.Clone(a)
		for _, s := range b {
			if !slices.Contains(a, s) {
				a = append(a, s)
			}
		}
		return a
	}
	if d.Message == "" {
		d.Message = e.Message
	}
	d.Identities, d.Policies = union(d.Identities, e.Identities), union(d.Policies, e.Policies)
	d.Domains, d.Scopes = union(d.Domains, e.Domains), union(d.Scopes, e.Scopes)
	d.MFA, d.Login = d.MFA || e.MFA, d.Login || e.Login
	return d
}

// maxRequirements bounds how much of a stranger's demand is believed.
const maxRequirements = 20

// ParseAuthRequirements reads the demand in the body of a refusal; the zero value where
// there is none. A list may be one string with commas, as older services send
// it.
func ParseAuthRequirements(body []byte) AuthRequirements {
	var said struct {
		Parameters map[string]json.RawMessage `json:"authorization_parameters"`
	}
	if json.Unmarshal(body, &said) != nil || said.Parameters == nil {
		return AuthRequirements{}
	}
	list := func(name string) []string {
		var words []string
		if json.Unmarshal(said.Parameters[name], &words) != nil {
			var one string
			_ = json.Unmarshal(said.Parameters[name], &one) // what is neither asks for nothing
			words = strings.Split(one, ",")
		}
		var found []string
		for _, word := range words {
			if word = cleanWords(word, "", 300); word != "" && len(found) < maxRequirements {
				found = append(found, word)
			}
		}
		return found
	}
	text := func(name string) (s string) {
		_ = json.Unmarshal(said.Parameters[name], &s)
		return cleanWords(s, "", 300)
	}
	var mfa bool
	_ = json.Unmarshal(said.Parameters["session_required_mfa"], &mfa)
	return AuthRequirements{
		Message:    text("session_message"),
		Identities: list("session_required_identities"),
		Policies:   list("session_required_policies"),
		Domains:    list("session_required_single_domain"),
		Scopes:     list("required_scopes"),
		MFA:        mfa,
		Login:      text("prompt") == "login",
	}
}

// AuthRequirementsIn reads the demand out of the address of an authorize page, such as
// the daemon prints when a policy has refused it.
func AuthRequirementsIn(address string) AuthRequirements {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || !strings.HasSuffix(u.Path, "/v2/oauth2/authorize") {
		return AuthRequirements{}
	}
	q := u.Query()
	parameters := map[string]any{"session_required_mfa": strings.EqualFold(q.Get("session_required_mfa"), "true")}
	for _, name := range []string{"session_message", "session_required_identities", "session_required_policies", "session_required_single_domain", "prompt"} {
		parameters[name] = q.Get(name)
	}
	body, err := json.Marshal(map[string]any{"authorization_parameters": parameters})
	if err != nil {
		return AuthRequirements{}
	}
	return ParseAuthRequirements(body)
}
