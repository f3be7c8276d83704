package compute

import (
	"context"
	"net/http"
)

// Lock asks POST /v3/endpoints/{id}/lock: for a while the service drops the
// endpoint's connections and refuses its registration, which makes a daemon on
// another machine stop.
func (c *Client) Lock(ctx context.Context, id string) error {
	return c.callEndpoint(ctx, http.MethodPost, "v3", id, "/lock", nil)
}
