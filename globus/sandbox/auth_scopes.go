package sandbox

import "strings"

// The services that a token may be for: Globus calls them resource servers.
const (
	authResourceServer     = "auth.globus.org"
	computeResourceServer  = "funcx_service"
	transferResourceServer = "transfer.api.globus.org"
	academyResourceServer  = "ca1e2fbf-4e73-40a6-b2ab-c9458e5fcf99"

	computeScopes = "https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/"
	computeScope  = computeScopes + "all"
)

// resourceServerOf is the service that scope belongs to, "" for a scope that
// does not have the form of one. Compute's is known by an old name.
func resourceServerOf(scope string) string {
	switch scope {
	case "openid", "profile", "email":
		return authResourceServer
	}
	if rest, ok := strings.CutPrefix(scope, "urn:globus:auth:scope:"); ok {
		server, name, _ := strings.Cut(rest, ":")
		if server == "" || name == "" {
			return ""
		}
		return server
	}
	if strings.HasPrefix(scope, computeScopes) && scope != computeScopes {
		return computeResourceServer
	}
	if rest, ok := strings.CutPrefix(scope, "https://auth.globus.org/scopes/"); ok {
		server, name, _ := strings.Cut(rest, "/")
		if server == "" || name == "" {
			return ""
		}
		return server
	}
	return ""
}

// scopeGrant is the scopes of one service, in the order they were asked for.
type scopeGrant struct {
	server string
	scopes []string
}

// splitScopes sorts a scope parameter by service, dropping repetitions and the
// bracketed dependent scopes, and returns those of no known form in unknown.
func splitScopes(text string) (grants []scopeGrant, unknown []string) {
	seen := map[string]bool{}
	for _, scope := range topScopes(text) {
		if seen[scope] {
			continue
		}
		seen[scope] = true
		server := resourceServerOf(scope)
		if server == "" {
			unknown = append(unknown, scope)
			continue
		}
		at := -1
		for i := range grants {
			if grants[i].server == server {
				at = i
			}
		}
		if at < 0 {
			grants = append(grants, scopeGrant{server: server})
			at = len(grants) - 1
		}
		grants[at].scopes = append(grants[at].scopes, scope)
	}
	return grants, unknown
}

// topScopes lists the scopes of text without what stands in brackets:
// "a[b *c] d" is a, d. A leading * marks an optional scope.
func topScopes(text string) []string {
	flat := make([]byte, 0, len(text))
	depth := 0
	for i := range len(text) {
		switch c := text[i]; {
		case c == '[':
			depth++
		case c == ']':
			depth = max(depth-1, 0)
		case depth == 0:
			flat = append(flat, c)
		}
	}
	var out []string
	for _, scope := range strings.Fields(string(flat)) {
		if scope = strings.TrimPrefix(scope, "*"); scope != "" {
			out = append(out, scope)
		}
	}
	return out
}
