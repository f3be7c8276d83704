package compute

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"chiltepin/globus"
)

// Clock asks GET /v2/version and returns what the service's clock said when it
// answered, to the second. It needs no login.
func (c *Client) Clock(ctx context.Context) (time.Time, error) {
	address := strings.TrimRight(c.BaseURL, "/") + "/v2/version?" + url.Values{"service": {"all"}}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return time.Time{}, fmt.Errorf("asking for the time: %w", err)
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(r)
	if err != nil {
		return time.Time{}, err
	}
	defer resp.Body.Close()
	if err := globus.ResponseError("compute", resp); err != nil {
		return time.Time{}, err
	}
	at, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return time.Time{}, fmt.Errorf("asking for the time: the answer does not say it")
	}
	return at, nil
}
