package auth

import (
	"context"
	"encoding/json"
	"net/http"

	"chiltepin/globus"
	"chiltepin/globus/tokenstore"
)

// maxLinkedIdentities limits how many identities of a response are used.
const maxLinkedIdentities = 50

// fetchLinkedIdentities asks for all identities of the person, including the
// one of the token.
func (a authority) fetchLinkedIdentities(ctx context.Context, token tokenstore.Secret) ([]Identity, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url+"/v2/oauth2/userinfo", nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+token.Reveal())
	r.Header.Set("Accept", "application/json")
	resp, err := a.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if err := globus.ResponseError("auth", resp); err != nil {
		return nil, err
	}
	var said struct {
		Set []struct {
			ID       string `json:"sub"`
			Username string `json:"username"`
			Name     string `json:"name"`
		} `json:"identity_set"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&said); err != nil {
		return nil, &UnexpectedResponseError{Problem: "/v2/oauth2/userinfo is not the expected JSON"}
	}
	var list []Identity
	for _, one := range said.Set {
		if one.ID != "" && len(list) < maxLinkedIdentities {
			list = append(list, Identity{ID: one.ID, Username: one.Username, Name: one.Name})
		}
	}
	return list, nil
}
