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
	// listens is true when its commands come in.
	listens bool
}

// settled is false while the next line may make all the difference.
func (l Link) settled() bool {
	return l.State != LinkOpening && (l.State != LinkMute || l.listens)
}

// broken says whether heartbeats go out no more.
func (l Link) broken() bool {
	return l.State == LinkDown || l.State == LinkRefused || l.State == LinkMute
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
	// LinkMute: the broker does not accept the password for heartbeats, and the
	// daemon does not try again. It lives on when the connection by which its
	// commands come was made before the password became void.
	LinkMute LinkState = "mute"
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
	data, _, err := ep.Log().ReadFrom(max(0, size-linkTail), linkTail)
	if err != nil {
		return Link{}
	}
	return readLink(splitLines(string(data)))
}

// linkOf reads what a daemon has written to the endpoint's log since its
// launch. others is true when other programs have written to it as well.
func linkOf(ep *endpointfs.Endpoint, d *daemon) (l Link, others bool) {
	own, others, err := d.wrote(ep)
	if err != nil {
		return Link{}, false
	}
	return readLink(splitLines(string(own))), others
}

// readLink goes through the lines of the log (rabbit_mq/result_publisher.py and
// command_queue_subscriber.py, the same in releases 4.6 to 4.19). The lines of a failure name no cause, but
// how long it took to fail tells one from another.
func readLink(lines []string) Link {
	var l Link
	var opened, failed time.Time
	for _, line := range lines {
		switch {
		case strings.HasPrefix(line, "=====") && strings.Contains(line, " begins: "):
			l = Link{}
		case l.State == LinkRefused:
		case strings.Contains(line, "CommandQueueSubscriber<") && strings.Contains(line, invalidCredentials):
			l = Link{State: LinkRefused, Cause: "the broker refused the password that the service gave the endpoint, and the daemon ends", Remedy: "start it again: each start gets a new one; if it stays so, the service has trouble of its own", Lines: []string{line}}
		case strings.Contains(line, "CommandQueueSubscriber<") && strings.Contains(line, "Awaiting messages from queue"):
			l.listens = true
		case !strings.Contains(line, "ResultPublisher<"), l.State == LinkMute:
		case strings.Contains(line, invalidCredentials):
			l = Link{State: LinkMute, Cause: "the broker refused the password for its heartbeats, and the daemon does not try again", Remedy: "restart it: each start gets a new password", Lines: []string{line}, listens: l.listens}
		case strings.Contains(line, "Ready to send results"):
			l = Link{State: LinkUp, listens: l.listens}
		case strings.Contains(line, "Opening connection to AMQP service"):
			opened = lineTime(line)
			if l.State != LinkDown {
				l = Link{State: LinkOpening, listens: l.listens}
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

// invalidCredentials is how a connection's thread says that it gives up.
const invalidCredentials = "invalid credentials; unrecoverable"

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
