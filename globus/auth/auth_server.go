package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"chiltepin/globus"
	"chiltepin/globus/tokenstore"
)

// authority is Globus Auth, the OAuth2 authorization server.
type authority struct {
	url  string
	http *http.Client
}

// codePageURI is the page of Globus Auth that shows the code to the person.
func (a authority) codePageURI() string { return a.url + "/v2/web/auth-code" }

func (a authority) oauthConfig(c oauthClient, redirect string, scopes []string) *oauth2.Config {
	return &oauth2.Config{
		ClientID:     c.id,
		ClientSecret: c.secret.Reveal(),
		Endpoint: oauth2.Endpoint{
			AuthURL:   a.url + "/v2/oauth2/authorize",
			TokenURL:  a.url + "/v2/oauth2/token",
			AuthStyle: oauth2.AuthStyleInParams,
		},
		RedirectURL: redirect,
		Scopes:      scopes,
	}
}

func (a authority) withHTTPClient(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, a.http)
}

// authorization is a request for consent that a person was sent to and that has
// not been answered yet.
type authorization struct {
	config *oauth2.Config
	// verifier is the PKCE code verifier.
	verifier tokenstore.Secret
	// state comes back with a redirect, nonce in the ID token.
	state, nonce string
	// cookie must be sent by the browser that comes back; "" accepts any
	// browser.
	cookie string
	// url is the address that the person opens.
	url string
}

// newAuthorization prepares an authorization; random supplies verifier, state
// and nonce. It always asks for refresh tokens: without them a login ends after
// two days. A person who is signed in to Globus in the browser need not sign in
// again, unless the policy of a service requires it.
func (a authority) newAuthorization(c oauthClient, redirect string, group []requiredTokens, label string, random io.Reader) (*authorization, error) {
	var words [3]string
	for i := range words {
		var err error
		if words[i], err = randomText(random, 32); err != nil {
			return nil, err
		}
	}
	z := &authorization{config: a.oauthConfig(c, redirect, requestedScopes(group)), verifier: tokenstore.NewSecret(words[0]), state: words[1], nonce: words[2]}
	options := []oauth2.AuthCodeOption{
		oauth2.S256ChallengeOption(words[0]),
		oauth2.SetAuthURLParam("access_type", "offline"),
		oauth2.SetAuthURLParam("nonce", z.nonce),
		oauth2.SetAuthURLParam("prefill_named_grant", label),
	}
	for name, value := range sessionParameters(joinDemands(group)) {
		options = append(options, oauth2.SetAuthURLParam(name, value))
	}
	z.url = z.config.AuthCodeURL(z.state, options...)
	return z, nil
}

// sessionParameters are the parameters that ask Globus Auth for what policies
// require: globus_sdk/gare.
func sessionParameters(d globus.AuthRequirements) map[string]string {
	said := map[string]string{
		"session_required_identities":    strings.Join(d.Identities, ","),
		"session_required_policies":      strings.Join(d.Policies, ","),
		"session_required_single_domain": strings.Join(d.Domains, ","),
	}
	if d.MFA {
		said["session_required_mfa"] = "true"
	}
	if d.Login {
		said["prompt"] = "login"
	}
	if !d.IsZero() {
		said["session_message"] = d.Message
	}
	maps.DeleteFunc(said, func(_, value string) bool { return value == "" })
	return said
}

// redeemCode exchanges an authorization code for tokens.
func (a authority) redeemCode(ctx context.Context, z *authorization, code string) (*tokenResponse, error) {
	token, err := z.config.Exchange(a.withHTTPClient(ctx), code, oauth2.VerifierOption(z.verifier.Reveal()))
	if err != nil {
		err = errorOfRefusal(err, code, z.verifier.Reveal())
		if status := globus.StatusOf(err); status >= 400 && status < 500 {
			return nil, &CodeError{Err: fmt.Errorf("it is mistyped, too old, already used, or of another login: %w", err)}
		}
		return nil, err
	}
	if state, ok := token.Extra("state").(string); ok && state != "" && state != z.state {
		return nil, &CodeError{Err: errors.New("it belongs to another login")}
	}
	return parseTokenResponse(token)
}

// requestClientTokens gets tokens for the client itself (client credentials).
func (a authority) requestClientTokens(ctx context.Context, c oauthClient, scopes []string) (*tokenResponse, error) {
	config := clientcredentials.Config{
		ClientID: c.id, ClientSecret: c.secret.Reveal(), Scopes: scopes,
		TokenURL: a.url + "/v2/oauth2/token", AuthStyle: oauth2.AuthStyleInHeader,
	}
	token, err := config.Token(a.withHTTPClient(ctx))
	if err != nil {
		return nil, errorOfRefusal(err, c.secret.Reveal())
	}
	return parseTokenResponse(token)
}

// refreshToken gets a new access token, and sometimes a new refresh token.
func (a authority) refreshToken(ctx context.Context, c oauthClient, token tokenstore.Secret) (*tokenResponse, error) {
	source := a.oauthConfig(c, "", nil).TokenSource(a.withHTTPClient(ctx), &oauth2.Token{RefreshToken: token.Reveal()})
	fresh, err := source.Token()
	if err != nil {
		return nil, errorOfRefusal(err, token.Reveal(), c.secret.Reveal())
	}
	return parseTokenResponse(fresh)
}

// revokeToken revokes a token. Revoking one that has expired is no error.
func (a authority) revokeToken(ctx context.Context, c oauthClient, token tokenstore.Secret) error {
	form := url.Values{"token": {token.Reveal()}}
	if c.secret.IsZero() {
		form.Set("client_id", c.id)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url+"/v2/oauth2/token/revoke", strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("preparing the revocation: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	if !c.secret.IsZero() {
		r.SetBasicAuth(url.QueryEscape(c.id), url.QueryEscape(c.secret.Reveal()))
	}
	resp, err := a.http.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return removeSecrets(globus.ResponseError("auth", resp), token.Reveal())
}

// errorOfRefusal turns an error of package oauth2 into a [*globus.Error],
// without the secrets that were sent, in case the service repeated one.
func errorOfRefusal(err error, secrets ...string) error {
	failed, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		if _, ok := errors.AsType[*url.Error](err); ok {
			return err
		}
		return removeSecrets(&UnexpectedResponseError{Problem: strings.TrimPrefix(err.Error(), "oauth2: ")}, secrets...)
	}
	resp := *failed.Response
	resp.Body = io.NopCloser(bytes.NewReader(failed.Body))
	if err := globus.ResponseError("auth", &resp); err != nil {
		return removeSecrets(err, secrets...)
	}
	return removeSecrets(&UnexpectedResponseError{Problem: "status 200 with error " + failed.ErrorCode}, secrets...)
}

// removeSecrets removes secrets from the texts of an error.
func removeSecrets(err error, secrets ...string) error {
	clean := func(s *string) {
		for _, secret := range secrets {
			if len(secret) > 3 {
				*s = strings.ReplaceAll(*s, secret, "…")
			}
		}
	}
	if e, ok := errors.AsType[*globus.Error](err); ok {
		clean(&e.Message)
		clean(&e.Code)
	}
	if e, ok := errors.AsType[*UnexpectedResponseError](err); ok {
		clean(&e.Problem)
	}
	return err
}
