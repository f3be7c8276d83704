package tokenstore_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"chiltepin/globus/tokenstore"
	"chiltepin/globus/tokenstore/tokenstoretest"
)

func TestSecretStaysSecret(t *testing.T) {
	t.Parallel()
	type hidden struct {
		token  tokenstore.Token
		secret tokenstore.Secret
		deep   map[string][]tokenstore.Secret
	}
	secret := tokenstore.NewSecret("s3cr3t")
	token := tokenstoretest.Token("x")
	token.AccessToken, token.RefreshToken = secret, secret
	values := map[string]any{
		"secret": secret, "pointer": &secret, "slice": []tokenstore.Secret{secret},
		"token": token, "rows": tokenstore.Rows{"x": token},
		"unexported": hidden{token, secret, map[string][]tokenstore.Secret{"x": {secret}}},
	}
	for name, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T%[1]v"} {
			shown := fmt.Sprintf(verb, value)
			if strings.Contains(shown, "s3cr3t") || strings.Contains(strings.ToLower(shown), "733363723374") {
				t.Errorf("%s of %s shows the token: %s", verb, name, shown)
			}
		}
		encoded, err := json.Marshal(value)
		if err != nil || strings.Contains(string(encoded), "s3cr3t") {
			t.Errorf("JSON of %s: %s, %v", name, encoded, err)
		}
	}
	if got := fmt.Sprintf("%v|%v", secret, tokenstore.Secret{}); got != "[secret]|" {
		t.Errorf("printed as %s", got)
	}
}

func TestSecret(t *testing.T) {
	t.Parallel()
	a, b, none := tokenstore.NewSecret("a"), tokenstore.NewSecret("b"), tokenstore.NewSecret("")
	if a.Reveal() != "a" || none.Reveal() != "" || a.IsZero() || !none.IsZero() {
		t.Error("Reveal or IsZero is wrong")
	}
	if !a.Equal(tokenstore.NewSecret("a")) || a.Equal(b) || a.Equal(none) || !none.Equal(tokenstore.Secret{}) {
		t.Error("Equal is wrong")
	}
	if got := a.Fingerprint(); got != "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb" {
		t.Errorf("Fingerprint: %s", got)
	}
	if got := none.Fingerprint(); got != "" {
		t.Errorf("Fingerprint of none: %s", got)
	}
}

func TestMark(t *testing.T) {
	t.Parallel()
	for token, want := range map[string]string{"": "", "abcdefgh": "e5e088", "zzzzefgh": "e5e088", "gh": "fb2b7f"} {
		if got := tokenstore.NewSecret(token).Mark(); got != want {
			t.Errorf("mark of %q is %q, want %q", token, got, want)
		}
	}
}
