package daemon

import (
	"strings"
	"time"

	"chiltepin/globus/next"
)

// Connection is what the daemon's log says, since the daemon's last beginning,
// about the connection to the broker by which its heartbeats go out. A daemon
// without one retries for hours, alive and unheard.
type Connection struct {
	State ConnectionState
	// Cause is why it is broken; empty when the log shows no cause that is
	// known.
	Cause string
	// Next is what to do about it. A step that is about the endpoint does not
	// name it.
	Next []next.Step
	// Lines are the log lines that show it.
	Lines []string
	// Listens is true when its commands come in.
	Listens bool
}

// IsSettled is false while the next line may make all the difference.
func (c Connection) IsSettled() bool {
	return c.State != ConnectionOpening && (c.State != ConnectionMute || c.Listens)
}

// IsBroken says whether heartbeats go out no more.
func (c Connection) IsBroken() bool {
	return c.State == ConnectionDown || c.State == ConnectionRefused || c.State == ConnectionMute
}

// ConnectionState is how far the connection has come.
type ConnectionState string

// The states of a connection.
const (
	// ConnectionUnknown: the log does not say.
	ConnectionUnknown ConnectionState = ""
	// ConnectionOpening: it is being made, and nothing has failed yet.
	ConnectionOpening ConnectionState = "opening"
	// ConnectionUp: it was made, and nothing was said since.
	ConnectionUp ConnectionState = "up"
	// ConnectionDown: it failed or was lost, and was not made since.
	ConnectionDown ConnectionState = "down"
	// ConnectionRefused: the broker does not accept the password, and the
	// daemon ends by itself.
	ConnectionRefused ConnectionState = "refused"
	// ConnectionMute: the broker does not accept the password for heartbeats,
	// and the daemon does not try again. It lives on when the connection by
	// which its commands come was made before the password became void.
	ConnectionMute ConnectionState = "mute"
)

// ConnectionTail is how much of a log's end is enough for [ParseConnection]. A
// daemon without a connection has little else to write about.
const ConnectionTail = 256 << 10

// ParseConnection goes through the lines of the log
// (rabbit_mq/result_publisher.py and command_queue_subscriber.py, the same in
// releases 4.6 to 4.19). The lines of a failure name no cause, but how long it
// took to fail tells one from another.
func ParseConnection(lines []string) Connection {
	var c Connection
	var opened, failed time.Time
	for _, line := range lines {
		switch {
		case strings.HasPrefix(line, "=====") && strings.Contains(line, " begins: "):
			c = Connection{}
		case c.State == ConnectionRefused:
		case strings.Contains(line, "CommandQueueSubscriber<") && strings.Contains(line, invalidCredentials):
			c = Connection{State: ConnectionRefused, Cause: "the broker refused the password that the service gave the endpoint, and the daemon shuts down", Next: newPassword(next.EndpointStart), Lines: []string{line}}
		case strings.Contains(line, "CommandQueueSubscriber<") && strings.Contains(line, awaitingMessages):
			c.Listens = true
		case !strings.Contains(line, "ResultPublisher<"), c.State == ConnectionMute:
		case strings.Contains(line, invalidCredentials):
			c = Connection{State: ConnectionMute, Cause: "the broker refused the password for its heartbeats, and the daemon does not try again", Next: newPassword(next.EndpointRestart), Lines: []string{line}, Listens: c.Listens}
		case strings.Contains(line, "Ready to send results"):
			c = Connection{State: ConnectionUp, Listens: c.Listens}
		case strings.Contains(line, "Opening connection to AMQP service"):
			opened = parseLineTime(line)
			if c.State != ConnectionDown {
				c = Connection{State: ConnectionOpening, Listens: c.Listens}
			}
		case strings.Contains(line, "Failed to open connection"):
			failed = parseLineTime(line)
			c.State = ConnectionDown
			c.Lines = append(c.Lines, line)
			c.Cause = explainOpenFailure(failed.Sub(opened), opened.IsZero() || failed.IsZero())
			c.Next = openTheWay()
		case strings.Contains(line, "Connection closed: "), strings.Contains(line, "Unable to sustain "), strings.Contains(line, "Channel closed "):
			c.State = ConnectionDown
			c.Lines = append(c.Lines, line)
			c.Cause = "the broker closes the connection each time it is made"
			c.Next = []next.Step{next.Call(next.Doctor, nil, "see whether the broker can be reached; if it can, the service is in trouble itself")}
		}
	}
	c.Lines = c.Lines[max(0, len(c.Lines)-3):]
	return c
}

const (
	// invalidCredentials is how a connection's thread says that it gives up.
	invalidCredentials = "invalid credentials; unrecoverable"
	// awaitingMessages is what a thread logs that its commands come to.
	awaitingMessages = "Awaiting messages from queue"
)

// newPassword is what helps against a password that the broker refuses.
func newPassword(op next.Operation) []next.Step {
	return []next.Step{next.Call(op, nil, "get a new broker password, which each start does; if the broker refuses that one too, the service is in trouble itself")}
}

// openTheWay is what helps where the broker cannot be reached.
func openTheWay() []next.Step {
	return []next.Step{
		next.Do("have the firewall let connections to the broker through: port 5671, or 443 with \"amqp_port: 443\" in config.yaml"),
		next.Call(next.Doctor, nil, "test the connection to the broker"),
	}
}

// refusedWithin is how long a refused connection takes at most. The daemon
// gives a connection 10 seconds to be made and 15 to be answered (pika's
// defaults); a refusal comes at once.
const refusedWithin = 5 * time.Second

// explainOpenFailure tells the cause by how long it took to fail.
func explainOpenFailure(after time.Duration, unknown bool) string {
	switch {
	case unknown:
		return ""
	case after < refusedWithin:
		return "connections to the broker fail at once: its port refuses them, or there is no network route to it"
	}
	return "the broker's port does not answer: a firewall in between drops the packets"
}
