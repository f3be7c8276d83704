package compute

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// Availability is the service's view of an endpoint.
type Availability struct {
	// Online is true when the service has heard from the endpoint lately.
	Online bool
	// Word is what the service calls it: "online", "offline".
	Word string
	// Details is what the endpoint last told about itself, undigested; its
	// members depend on the engine. Nil when there is nothing.
	Details json.RawMessage
}

// Status asks GET /v2/endpoints/{id}/status. An endpoint that the service does
// not know is an error for which [globus.IsNotFound] is true.
func (c *Client) Status(ctx context.Context, id string) (Availability, error) {
	var doc struct {
		Status  string          `json:"status"`
		Details json.RawMessage `json:"details"`
	}
	if err := c.callEndpoint(ctx, http.MethodGet, "v2", id, "/status", &doc); err != nil {
		return Availability{}, err
	}
	if doc.Status == "" {
		return Availability{}, fmt.Errorf("reading the status of endpoint %s: the answer names none", id)
	}
	if string(doc.Details) == "null" {
		doc.Details = nil
	}
	return Availability{Online: doc.Status == "online", Word: doc.Status, Details: doc.Details}, nil
}
