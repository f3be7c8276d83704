package compute

import (
	"context"
	"encoding/json"
	"net/http"
)

// Delete asks DELETE /v2/endpoints/{id}, which ends the registration. One that
// is gone already is an error for which [globus.IsNotFound] is true. A success
// is believed only when it is said in the service's own form, an object.
func (c *Client) Delete(ctx context.Context, id string) error {
	var answer struct {
		Result json.RawMessage `json:"result"`
	}
	return c.callEndpoint(ctx, http.MethodDelete, "v2", id, "", &answer)
}
