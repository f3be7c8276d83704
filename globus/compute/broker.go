package compute

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
)

// Broker is where the service's AMQP broker is.
type Broker struct {
	Host string
	Port int
	// TLS is true when it is spoken to over TLS.
	TLS bool
}

// Address returns host and port as dialing wants them.
func (b Broker) Address() string { return net.JoinHostPort(b.Host, strconv.Itoa(b.Port)) }

// Broker asks GET /v2/get_amqp_result_connection_url, as every executor of the
// SDK does, where the broker is. The password in the answer is dropped here.
// Endpoints are told the same host when they register.
func (c *Client) Broker(ctx context.Context) (Broker, error) {
	var answer struct {
		URL string `json:"connection_url"`
	}
	if err := c.callJSON(ctx, http.MethodGet, "/v2/get_amqp_result_connection_url", nil, &answer); err != nil {
		return Broker{}, err
	}
	return parseBroker(answer.URL)
}

// parseBroker keeps of a connection URL what is no secret. Its error holds
// nothing of it.
func parseBroker(text string) (Broker, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "amqp" && u.Scheme != "amqps" {
		return Broker{}, errors.New("asking for the broker: the answer is no address of one")
	}
	b := Broker{Host: u.Hostname(), Port: 5672, TLS: u.Scheme == "amqps"}
	if b.TLS {
		b.Port = 5671
	}
	if p := u.Port(); p != "" {
		n, err := strconv.Atoi(p)
		if err != nil || n < 1 || n > 65535 {
			return Broker{}, errors.New("asking for the broker: its address has no port that can be one")
		}
		b.Port = n
	}
	return b, nil
}
