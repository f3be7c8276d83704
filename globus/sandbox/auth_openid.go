package sandbox

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"sync"
)

const jwksPath = "/jwk.json"

// signingKey is made when it is first needed: most tests never sign.
type signingKey struct {
	once sync.Once
	make func() (*rsa.PrivateKey, error) // nil for a new one
	key  *rsa.PrivateKey
	err  error
}

func (k *signingKey) getOrCreate() (*rsa.PrivateKey, error) {
	k.once.Do(func() {
		if k.make == nil {
			k.make = NewSigningKey
		}
		k.key, k.err = k.make()
	})
	return k.key, k.err
}

// NewSigningKey makes a key that ID tokens can be signed with.
func NewSigningKey() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) }

func (a *auth) handleOpenIDConfiguration(w http.ResponseWriter, r *http.Request) {
	base := "https://" + AuthHost
	if isLoopback(requestHost(r)) {
		base = "http://" + r.Host
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                base,
		"authorization_endpoint":                base + "/v2/oauth2/authorize",
		"token_endpoint":                        base + "/v2/oauth2/token",
		"revocation_endpoint":                   base + "/v2/oauth2/token/revoke",
		"userinfo_endpoint":                     base + "/v2/oauth2/userinfo",
		"jwks_uri":                              base + jwksPath,
		"id_token_signing_alg_values_supported": []string{"RS512"},
		"response_types_supported":              []string{"code"},
		"subject_types_supported":               []string{"public"},
		"scopes_supported":                      []string{"openid", "email", "profile"},
		"code_challenge_methods_supported":      []string{"S256"},
		"grant_types_supported":                 []string{"authorization_code", "refresh_token", "client_credentials"},
	})
}

func (a *auth) handleJWKS(w http.ResponseWriter, r *http.Request) {
	key, err := a.key.getOrCreate()
	if err != nil {
		writeAuthError(w, r, http.StatusInternalServerError, "INTERNAL_ERROR", err.Error())
		return
	}
	b64 := base64.RawURLEncoding.EncodeToString
	writeJSON(w, http.StatusOK, map[string]any{"keys": []any{map[string]any{
		"kty": "RSA", "alg": "RS512", "use": "sig", "kid": "sandbox",
		"n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes()),
	}}})
}

// signIDToken is a signed OpenID token that says who logged in to client.
func (a *auth) signIDToken(client, identity, nonce string) (string, error) {
	key, err := a.key.getOrCreate()
	if err != nil {
		return "", fmt.Errorf("making the signing key: %w", err)
	}
	now := a.s.clock.now()
	claims := map[string]any{
		"iss": "https://" + AuthHost, "aud": client, "sub": identity,
		"iat": now.Unix(), "exp": now.Add(a.s.settings.currentValues().AccessLifetime).Unix(),
	}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	set := a.linkedIdentities(identity)
	if len(set) > 0 {
		claims["preferred_username"], claims["name"] = set[0].Username, set[0].Name
	}
	head, err := json.Marshal(map[string]string{"alg": "RS512", "typ": "JWT", "kid": "sandbox"})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	b64 := base64.RawURLEncoding.EncodeToString
	text := b64(head) + "." + b64(body)
	sum := sha512.Sum512([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA512, sum[:])
	if err != nil {
		return "", fmt.Errorf("signing an ID token: %w", err)
	}
	return text + "." + b64(sig), nil
}
