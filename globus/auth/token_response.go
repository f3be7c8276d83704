package auth

import (
	"encoding/base64"
	"fmt"
	"io"
	"math"
	"time"

	"golang.org/x/oauth2"

	"chiltepin/globus/tokenstore"
)

// tokenResponse is the response of Globus Auth to a request for tokens: one or
// several, each for a resource server, and perhaps an ID token.
type tokenResponse struct {
	tokens  tokenstore.Rows
	idToken tokenstore.Secret
}

// parseTokenResponse reads a response: the first token at its top level, the
// others in other_tokens, as OAuthTokenResponse of globus_sdk does.
func parseTokenResponse(token *oauth2.Token) (*tokenResponse, error) {
	now := time.Now()
	top := map[string]any{"access_token": token.AccessToken, "token_type": token.TokenType}
	for _, name := range []string{"resource_server", "scope", "expires_in"} {
		top[name] = token.Extra(name)
	}
	if token.RefreshToken != "" {
		top["refresh_token"] = token.RefreshToken
	}
	g := &tokenResponse{tokens: tokenstore.Rows{}}
	others, ok := token.Extra("other_tokens").([]any)
	if !ok && token.Extra("other_tokens") != nil {
		return nil, &UnexpectedResponseError{Problem: "other_tokens is not a list"}
	}
	for _, one := range append([]any{top}, others...) {
		members, ok := one.(map[string]any)
		if !ok {
			return nil, &UnexpectedResponseError{Problem: "a token is not an object"}
		}
		row, err := parseToken(members, now)
		if err != nil {
			return nil, err
		}
		g.tokens[row.ResourceServer] = row
	}
	id, _ := token.Extra("id_token").(string)
	g.idToken = tokenstore.NewSecret(id)
	return g, nil
}

func parseToken(members map[string]any, now time.Time) (tokenstore.Token, error) {
	var problem error
	text := func(name string, required bool) string {
		s, ok := members[name].(string)
		if problem == nil && (required && s == "" || !ok && members[name] != nil) {
			problem = &UnexpectedResponseError{Problem: fmt.Sprintf("a token without a usable %s", name)}
		}
		return s
	}
	row := tokenstore.Token{
		ResourceServer: text("resource_server", true),
		Scope:          text("scope", false),
		AccessToken:    tokenstore.NewSecret(text("access_token", true)),
		RefreshToken:   tokenstore.NewSecret(text("refresh_token", false)),
		TokenType:      text("token_type", false),
	}
	seconds, ok := members["expires_in"].(float64)
	if problem == nil && (!ok && members["expires_in"] != nil || seconds < 0 || seconds > math.MaxInt32 || math.IsNaN(seconds)) {
		problem = &UnexpectedResponseError{Problem: "a token without a usable expires_in"}
	}
	row.ExpiresAt = now.Unix() + int64(seconds)
	return row, problem
}

// UnexpectedResponseError is a response of Globus Auth that cannot be
// understood.
type UnexpectedResponseError struct {
	// Problem is what is wrong with it. It never contains a secret.
	Problem string
}

// Error says what is wrong.
func (e *UnexpectedResponseError) Error() string {
	return "the response of Globus Auth cannot be understood: " + e.Problem
}

// randomText returns n random bytes in URL-safe base64.
func randomText(random io.Reader, n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("reading random bytes: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}
