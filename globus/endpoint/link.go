package endpoint

import (
	"strings"
	"time"

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
	// LinkRefused: the broker does not accept the password, and the daemon ends
	// by itself.
	LinkRefused LinkState = "refused"
)

// linkTail is how much of the log's end is looked at. A daemon without a
// connection has little else to write about.
const linkTail = 256 << 10

// link reads the end of the endpoint's log. A log that cannot be read says
// nothing.
func (m *Manager) link(ep *endpointfs.Endpoint) Link {
	size, err := ep.Log().Size()
	if err != nil {
		return Link{}
	}
	return linkFrom(ep, max(0, size-linkTail))
}

// linkFrom reads the endpoint's log from an offset.
func linkFrom(ep *endpointfs.Endpoint, offset int64) Link {
	data, _, err := ep.Log().ReadFrom(offset, linkTail)
	if err != nil {
		return Link{}
	}
	return readLink(splitLines(string(data)))
}

// readLink goes through the lines of the log (rabbit_mq/result_publisher.py,
// the same in releases 4.6 to 4.19). The lines of a failure name no cause, but
// how long it took to fail tells one from another.
func readLink(lines []string) Link {
	var l Link
	var opened, failed time.Time
	for _, line := range lines {
		switch {
		case strings.HasPrefix(line, "=====") && strings.Contains(line, " begins: "):
			l = Link{}
		case l.State == LinkRefused:
		case strings.Contains(line, "invalid credentials; unrecoverable"):
			l = Link{State: LinkRefused, Cause: "the broker refused the password that the service gave the endpoint, and the daemon ends", Remedy: "start it again: each start gets a new one; if it stays so, the service has trouble of its own", Lines: []string{line}}
		case !strings.Contains(line, "ResultPublisher<"):
		case strings.Contains(line, "Ready to send results"):
			l = Link{State: LinkUp}
		case strings.Contains(line, "Opening connection to AMQP service"):
			opened = lineTime(line)
			if l.State != LinkDown {
				l = Link{State: LinkOpening}
			}
		case strings.Contains(line, "Failed to open connection"):
			failed = lineTime(line)
			l.State = LinkDown
			l.Lines = append(l.Lines, line)
			l.Cause, l.Remedy = openFailed(failed.Sub(opened), opened.IsZero() || failed.IsZero())
		case strings.Contains(line, "Connection closed: "), strings.Contains(line, "Unable to sustain "), strings.Contains(line, "Channel closed "):
			l.State = LinkDown
			l.Lines = append(l.Lines, line)
			l.Cause, l.Remedy = brokerCloses, brokerClosesRemedy
		}
	}
	l.Lines = lastOf(l.Lines, 3)
	return l
}

// lineTime is when a line was written, zero for a line that does not say.
func lineTime(line string) time.Time {
	const layout = "2006-01-02 15:04:05,000000"
	t, err := time.ParseInLocation(layout, line[:min(len(layout), len(line))], time.Local)
	if err != nil {
		return time.Time{}
	}
	return t
}

// The causes of a broken connection. The daemon gives a connection 10 seconds
// to be made and 15 to be answered (pika's defaults); a refusal comes at once.
const (
	brokerRefuses = "connections to the broker fail at once: its port refuses them, or there is no way to it"
	brokerSilent  = "nothing answers at the broker's port: something in between drops what is sent there"
	brokerCloses  = "the broker ends the connection each time it is made"

	brokerUnreachableRemedy = "have the way to the broker opened: port 5671, or 443 with \"amqp_port: 443\" in config.yaml; chiltepin doctor tries it"
	brokerClosesRemedy      = "see chiltepin doctor; if the way to the broker is open, the service has trouble of its own"

	refusedWithin = 5 * time.Second
)

func openFailed(after time.Duration, unknown bool) (cause, remedy string) {
	switch {
	case unknown:
		return "", brokerUnreachableRemedy
	case after < refusedWithin:
		return brokerRefuses, brokerUnreachableRemedy
	}
	return brokerSilent, brokerUnreachableRemedy
}
