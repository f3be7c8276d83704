package tokenstore_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/tokenstore"
	"chiltepin/globus/tokenstore/tokenstoretest"
)

// python runs testdata/store.py with the real globus_sdk.
func python(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	command := exec.Command(runtimetest.Env(t, runtimetest.Newest).Python, append([]string{"testdata/store.py"}, args...)...)
	command.Stdin = strings.NewReader(stdin)
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("store.py %q: %v", args, err)
	}
	return string(out)
}

const tokensAsPython = `{"auth.globus.org": {"resource_server": "auth.globus.org", "identity_id": "3c5a1f5e-9d55-4f6e-b6a5-0d9a35ee5f8d", "scope": "openid urn:globus:auth:scope:auth.globus.org:manage_projects", "access_token": "access-auth.globus.org", "refresh_token": "refresh-auth.globus.org", "expires_at_seconds": 1793654321, "token_type": "Bearer"}, "funcx_service": {"resource_server": "funcx_service", "scope": "openid urn:globus:auth:scope:auth.globus.org:manage_projects", "access_token": "\u00e9\ud834\udd1e\"", "expires_at_seconds": 0}}`

func tokens() tokenstore.Rows {
	bare := tokenstoretest.Token("funcx_service")
	bare.IdentityID, bare.TokenType, bare.ExpiresAt = "", "", 0
	bare.AccessToken, bare.RefreshToken = tokenstore.NewSecret("é𝄞\""), tokenstore.Secret{}
	return tokenstore.Rows{"auth.globus.org": tokenstoretest.Token("auth.globus.org"), "funcx_service": bare}
}

func TestPythonInterop(t *testing.T) {
	t.Parallel()
	for kind, open := range map[string]func(string) tokenstore.Store{
		"sqlite": func(path string) tokenstore.Store { return tokenstore.NewSQLite(path) },
		"json":   func(path string) tokenstore.Store { return tokenstore.NewJSON(path) },
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			directory := t.TempDir()
			ours, theirs := filepath.Join(directory, "ours"), filepath.Join(directory, "theirs")
			put := func(path string) {
				t.Helper()
				err := open(path).Update(t.Context(), "user/production", func(rows tokenstore.Rows) error {
					clear(rows)
					for server, token := range tokens() {
						rows[server] = token
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			put(ours)
			if diff := cmp.Diff(tokensAsPython, python(t, "", kind, ours, "user/production", "read")); diff != "" {
				t.Error("Python reads what was written here:", diff)
			}
			python(t, tokensAsPython, kind, theirs, "user/production", "write")
			rows, err := open(theirs).Read(t.Context(), "user/production")
			if diff := cmp.Diff(tokens(), rows); diff != "" || err != nil {
				t.Error("read here what Python wrote:", err, diff)
			}
			raw := python(t, "", kind, theirs, "", "raw")
			if diff := cmp.Diff(raw, python(t, "", kind, ours, "", "raw")); diff != "" {
				t.Error("the two files differ:", diff)
			}
			python(t, "", kind, ours, "user/production", "rewrite")
			put(theirs)
			for _, path := range []string{ours, theirs} {
				if diff := cmp.Diff(raw, python(t, "", kind, path, "", "raw")); diff != "" {
					t.Errorf("%s changed by being rewritten: %s", filepath.Base(path), diff)
				}
			}
		})
	}
}
