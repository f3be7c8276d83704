package compute

import (
	"context"
	"net/http"
)

// Delete asks DELETE /v2/endpoints/{id}, which ends the registration. One that
// is gone already is an error for which [globus.IsNotFound] is true.
func (c *Client) Delete(ctx context.Context, id string) error {
	return c.endpoint(ctx, http.MethodDelete, "v2", id, "", nil)
}
