package compute

import (
	"context"
	"net/http"
	"net/url"
)

// Version is what the service runs and what it accepts.
type Version struct {
	// API is the version of the web service itself.
	API string `json:"api"`
	// MinSDK and MinEndpoint are the oldest releases of globus-compute-sdk and
	// globus-compute-endpoint that it works with.
	MinSDK      string `json:"min_sdk_version"`
	MinEndpoint string `json:"min_ep_version"`
}

// Version asks GET /v2/version?service=all, as every start of the daemon does
// (globus_compute_sdk/sdk/client.py version_check).
func (c *Client) Version(ctx context.Context) (Version, error) {
	var v Version
	err := c.callJSON(ctx, http.MethodGet, "/v2/version", url.Values{"service": {"all"}}, &v)
	return v, err
}
