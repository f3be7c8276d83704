package auth

import (
	"context"
	"crypto"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"chiltepin/globus"
	"chiltepin/globus/tokenstore"
)

// clockLeeway is how far clocks may differ, as in IDTokenDecoder of globus_sdk.
const clockLeeway = 5 * time.Minute

// verifyIDToken checks an ID token and returns whom it identifies. It checks
// the signature, by the published keys and with an asymmetric algorithm that
// the service lists; the audience, which is the client that asked; the nonce,
// if there is one (PKCE binds the response to the request too); the times, with
// five minutes of leeway; and, unlike globus_sdk, the issuer, which must be the
// one that the configuration of the service names. The issuer is not compared
// with the address that was asked: GLOBUS_SDK_SERVICE_URL_AUTH may have changed
// that.
func (a authority) verifyIDToken(ctx context.Context, token tokenstore.Secret, clientID, nonce string) (Identity, error) {
	published, err := a.fetchOpenIDConfiguration(ctx)
	if err != nil {
		return Identity{}, fmt.Errorf("checking who logged in: %w", err)
	}
	verifier := oidc.NewVerifier(published.issuer, &oidc.StaticKeySet{PublicKeys: published.keys}, &oidc.Config{
		ClientID:             clientID,
		SupportedSigningAlgs: published.algorithms,
		SkipExpiryCheck:      true, // checked below, with leeway
		SkipIssuerCheck:      published.issuer == "",
	})
	checked, err := verifier.Verify(ctx, token.Reveal())
	if err != nil {
		return Identity{}, &UnexpectedResponseError{Problem: "its ID token is not valid: " + strings.TrimPrefix(err.Error(), "oidc: ")}
	}
	var claims struct {
		NotBefore float64 `json:"nbf"`
		Username  string  `json:"preferred_username"`
		Name      string  `json:"name"`
	}
	if err := checked.Claims(&claims); err != nil {
		return Identity{}, &UnexpectedResponseError{Problem: "its ID token is not valid: " + err.Error()}
	}
	now := time.Now()
	switch {
	case now.After(checked.Expiry.Add(clockLeeway)):
		return Identity{}, &UnexpectedResponseError{Problem: "its ID token expired at " + checked.Expiry.UTC().Format(time.RFC3339) + "; is this machine's clock right?"}
	case now.Add(clockLeeway).Unix() < int64(claims.NotBefore):
		return Identity{}, &UnexpectedResponseError{Problem: "its ID token is not valid yet; is this machine's clock right?"}
	case checked.Nonce != "" && checked.Nonce != nonce:
		return Identity{}, &UnexpectedResponseError{Problem: "its ID token belongs to another login"}
	case checked.Subject == "":
		return Identity{}, &UnexpectedResponseError{Problem: "its ID token names no identity"}
	}
	return Identity{ID: checked.Subject, Username: claims.Username, Name: claims.Name}, nil
}

// openIDConfiguration is what the service publishes about its ID tokens.
type openIDConfiguration struct {
	issuer     string
	algorithms []string
	keys       []crypto.PublicKey
}

func (a authority) fetchOpenIDConfiguration(ctx context.Context) (openIDConfiguration, error) {
	var p openIDConfiguration
	configuration, err := url.Parse(a.url + "/.well-known/openid-configuration")
	if err != nil {
		return p, err
	}
	var said struct {
		Issuer     string   `json:"issuer"`
		Keys       string   `json:"jwks_uri"`
		Algorithms []string `json:"id_token_signing_alg_values_supported"`
	}
	if err := a.getJSON(ctx, configuration, &said); err != nil {
		return p, err
	}
	p.issuer = said.Issuer
	for _, algorithm := range said.Algorithms {
		if slices.Contains([]string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512}, algorithm) {
			p.algorithms = append(p.algorithms, algorithm)
		}
	}
	if len(p.algorithms) == 0 {
		p.algorithms = []string{oidc.RS512}
	}
	keys, err := configuration.Parse(said.Keys) // a URL, or a path on the same host
	if err != nil || said.Keys == "" || !isTrustedKeysURL(keys, configuration) {
		return p, &UnexpectedResponseError{Problem: "its OpenID configuration names no usable jwks_uri"}
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := a.getJSON(ctx, keys, &set); err != nil {
		return p, err
	}
	for _, raw := range set.Keys {
		// Keys of an unknown type are skipped.
		var key jose.JSONWebKey
		if key.UnmarshalJSON(raw) == nil && key.IsPublic() {
			p.keys = append(p.keys, key.Key)
		}
	}
	return p, nil
}

// getJSON fetches a document.
func (a authority) getJSON(ctx context.Context, from *url.URL, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, from.String(), nil)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "application/json")
	resp, err := a.http.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := globus.ResponseError("auth", resp); err != nil {
		return err
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		return &UnexpectedResponseError{Problem: from.Path + " is not the expected JSON"}
	}
	return nil
}

// isTrustedKeysURL refuses to fetch keys without TLS, unless the service itself
// is used without TLS.
func isTrustedKeysURL(keys, service *url.URL) bool {
	return keys.Host != "" && (keys.Scheme == "https" || keys.Scheme == "http" && service.Scheme == "http")
}
