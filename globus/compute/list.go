package compute

import (
	"context"
	"net/http"
	"net/url"
)

// Summary is one line of the list of endpoints.
type Summary struct {
	ID          string `json:"uuid"`
	Name        string `json:"name"`
	DisplayName string `json:"display_name"`
	// Owner is the identity that registered it.
	Owner string `json:"owner"`
}

// List asks GET /v2/endpoints for the endpoints that the caller has the given
// role for: "owner" or "any". An empty role leaves the choice to the service,
// which takes it for "owner".
func (c *Client) List(ctx context.Context, role string) ([]Summary, error) {
	query := url.Values{}
	if role != "" {
		query.Set("role", role)
	}
	var list []Summary
	err := c.callJSON(ctx, http.MethodGet, "/v2/endpoints", query, &list)
	return list, err
}
