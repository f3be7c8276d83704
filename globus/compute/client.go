// Package compute speaks the web API of Globus Compute, as far as the life of
// an endpoint and the proof of a resource pool need it: version, status, list,
// metadata, lock, delete; functions and tasks.
//
// It never registers an endpoint, which is the daemon's own affair, and it
// never signs a request: who does is the affair of the [http.Client] it is
// given. A refusal is a [*globus.Error]; a service that could not be reached is
// a [*globus.NetworkError].
package compute

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"chiltepin/globus"
)

// Client asks one Compute service. It is safe for concurrent use.
type Client struct {
	// HTTP signs and sends; nil is [http.DefaultClient], which signs nothing.
	HTTP *http.Client
	// BaseURL is the address of the service, such as
	// [globus.Environment.ComputeURL].
	BaseURL string
}

// callJSON does one request and decodes its answer into out, which may be nil.
func (c *Client) callJSON(ctx context.Context, method, path string, query url.Values, out any) error {
	return c.doRequest(ctx, method, path, query, nil, out)
}

// doRequest is [Client.callJSON] with a JSON body, which may be nil.
func (c *Client) doRequest(ctx context.Context, method, path string, query url.Values, body io.Reader, out any) error {
	address := strings.TrimRight(c.BaseURL, "/") + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return fmt.Errorf("preparing %s %s: %w", method, path, err)
	}
	r.Header.Set("Accept", "application/json")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := globus.ResponseError("compute", resp); err != nil {
		return err
	}
	if out == nil {
		return nil
	}
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(resp.Body); err != nil {
		return &globus.ForeignResponseError{Request: method + " " + path, Err: err}
	}
	if err := json.Unmarshal(answer.Bytes(), out); err != nil {
		return &globus.ForeignResponseError{Request: method + " " + path, Err: err}
	}
	return nil
}

// callEndpoint does one request about the endpoint id. An id that is none is
// refused here, for an empty one would address all of them.
func (c *Client) callEndpoint(ctx context.Context, method, version, id, what string, out any) error {
	if _, err := uuid.Parse(id); err != nil || len(id) != 36 {
		return fmt.Errorf("asking about endpoint %q: its id is not a UUID", id)
	}
	return c.callJSON(ctx, method, "/"+version+"/endpoints/"+id+what, nil, out)
}
