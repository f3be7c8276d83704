package endpoint

import (
	"regexp"
	"strings"

	"chiltepin/endpointfs"
)

// Link is what the daemon's log says, since the daemon's last beginning, about
// the connection to the broker by which its heartbeats go out. A daemon retries
// for hours, alive and unheard.
type Link struct {
	State LinkState
	// Cause is why it is broken, and Remedy what to do about it; Cause is empty
	// when the log shows none that is known.
	Cause, Remedy string
	// Lines are the log lines that show it.
	Lines []string
}

// LinkState is how far the connection has come.
type LinkState string

// The states of a connection.
const (
	// LinkUnknown: the log does not say.
	LinkUnknown LinkState = ""
	// LinkOpening: it is being made, and nothing has failed yet.
	LinkOpening LinkState = "opening"
	// LinkUp: it was made, and nothing was said since.
	LinkUp LinkState = "up"
	// LinkDown: it failed or was lost, and was not made since.
	LinkDown LinkState = "down"
)

// linkTail is how much of the log's end is looked at. A daemon without a
// connection has little else to write about.
const linkTail = 256 << 10

// link reads the end of the endpoint's log. A log that cannot be read says
// nothing.
func (m *Manager) link(ep *endpointfs.Endpoint) Link {
	log := ep.Log()
	size, err := log.Size()
	if err != nil {
		return Link{}
	}
	data, _, err := log.ReadFrom(max(0, size-linkTail), linkTail)
	if err != nil {
		return Link{}
	}
	return readLink(splitLines(string(data)))
}

// readLink goes through the lines of the log (rabbit_mq/result_publisher.py,
// the same in releases 4.6 to 4.19).
func readLink(lines []string) Link {
	var l Link
	for _, line := range lines {
		switch {
		case strings.HasPrefix(line, "=====") && strings.Contains(line, " begins: "):
			l = Link{}
		case !strings.Contains(line, "ResultPublisher<"):
		case strings.Contains(line, "Ready to send results"):
			l = Link{State: LinkUp}
		case strings.Contains(line, "Opening connection to AMQP service"):
			if l.State != LinkDown {
				l = Link{State: LinkOpening}
			}
		case strings.Contains(line, "Failed to open connection"), strings.Contains(line, "Connection closed: "),
			strings.Contains(line, "Unable to sustain "), strings.Contains(line, "Channel closed "):
			l.State = LinkDown
			l.Lines = append(l.Lines, line)
		}
	}
	l.Lines = lastOf(l.Lines, 3)
	if l.State == LinkDown {
		text := strings.Join(l.Lines, "\n")
		for _, s := range links() {
			if regexp.MustCompile(s.all[0]).MatchString(text) {
				l.Cause, l.Remedy = s.cause, s.remedy
				break
			}
		}
	}
	return l
}

// links are the causes of a broken connection, as [signatures] are those of a
// daemon's end.
func links() []signature {
	const firewall = "have the way to the broker opened: port 5671, or 443 with \"amqp_port: 443\" in config.yaml; then: chiltepin endpoint restart"
	return []signature{
		{"broker-port-closed", []string{`ConnectionRefusedError`}, "the broker's port refuses connections", firewall},
		{"broker-blocked", []string{`TCP connection attempt timed out|SocketConnectTimeout|No route to host|Network is unreachable`}, "nothing answers at the broker's port: something in between drops what is sent there", firewall},
		{"broker-silent", []string{`StackTimeout|Timeout during AMQP handshake|HandshakeTimeout`}, "the broker takes the connection and then says nothing, or something in between keeps its words", firewall},
	}
}
