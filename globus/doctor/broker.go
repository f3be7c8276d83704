package doctor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"chiltepin/globus"
	"chiltepin/globus/compute"
	"chiltepin/globus/next"
)

// dialTimeout is as long as the daemon gives a connection to the broker.
const dialTimeout = 10 * time.Second

// checkBroker opens a connection to the AMQP broker as far as its first word, at the
// port that each endpoint will use. It goes through no proxy, as the daemon
// does not.
func (v *examination) checkBroker(ctx context.Context) []Finding {
	if v.o.Offline || v.SettingErr != nil || v.reachCompute(ctx) != nil {
		return skippedFinding("the address of the broker is not known without the service")
	}
	client, err := v.authorizedClient(ctx)
	if err != nil {
		return skippedFinding("the address of the broker is not known without a login")
	}
	askCtx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	where, err := client.Broker(askCtx)
	if err != nil {
		return skippedFinding("the service did not give the address of the broker: " + err.Error())
	}
	var all []Finding
	seen := map[int]error{}
	try := func(port int) error {
		at := where
		at.Port = port
		if _, done := seen[port]; !done {
			seen[port] = awaitGreeting(ctx, at)
		}
		return seen[port]
	}
	ports := map[int]string{where.Port: "the service's port"}
	for _, ep := range v.listEndpoints() {
		if c, err := ep.Config(); err == nil && c.AMQPPort != 0 {
			ports[c.AMQPPort] = "amqp_port of endpoint " + ep.Name()
		}
	}
	for _, port := range slices.Sorted(maps.Keys(ports)) {
		why, err := ports[port], try(port)
		if err == nil {
			continue
		}
		step := next.Do(fmt.Sprintf("ask the administrators to allow connections to %s, port %d", where.Host, port))
		if where.TLS && port != 443 && try(443) == nil {
			step = next.Do("add \"amqp_port: 443\" to config.yaml of each endpoint, for port 443 is open, and restart them")
		}
		all = append(all, Finding{Subject: fmt.Sprintf("%s:%d", where.Host, port), Verdict: Failed, Evidence: fmt.Sprintf("%s: %v", why, err), Next: []next.Step{step}})
	}
	if len(all) == 0 {
		return okFinding(where.Address() + " answers")
	}
	return all
}

// errEnds is a broker, or something before it, that closes every connection.
var errEnds = errors.New("the broker accepts the connection and closes it at once")

// awaitGreeting does what a client does first, and waits for the broker's first frame.
func awaitGreeting(ctx context.Context, at compute.Broker) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var conn net.Conn
	var err error
	if at.TLS {
		conn, err = (&tls.Dialer{}).DialContext(ctx, "tcp", at.Address())
	} else {
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", at.Address())
	}
	switch {
	case isTimeout(err):
		return fmt.Errorf("nothing answered for %s: something on the way, such as a firewall, drops the packets", dialTimeout)
	case errors.Is(err, unix.ECONNRESET):
		return errEnds
	case err != nil:
		return &globus.NetworkError{Host: "the broker", Attempts: 1, Err: err}
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	// AMQP 0-9-1 begins with this; the answer is the frame of
	// connection.start, or the protocol that is wanted instead.
	if _, err := io.WriteString(conn, "AMQP\x00\x00\x09\x01"); err != nil {
		return errEnds
	}
	first := make([]byte, 1)
	switch _, err := io.ReadFull(conn, first); {
	case isTimeout(err):
		return fmt.Errorf("the broker accepts the connection and sends nothing for %s", dialTimeout)
	case err != nil: // its end, or a reset
		return errEnds
	case first[0] != 1 && first[0] != 'A':
		return errors.New("what answers at the broker's port does not speak AMQP")
	}
	return nil
}

func isTimeout(err error) bool {
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout()
}
