package sandbox

import (
	"path"
	"slices"
	"strings"
	"time"

	"chiltepin/globus/sandbox/broker"
)

// Entry is one line of the journal: a request that was answered, an AMQP
// method that crossed a connection, or an event that a service noticed. Tokens
// and codes appear only as labels such as "access#3".
type Entry struct {
	Seq  int       `json:"seq"`
	Time time.Time `json:"time"`
	// Kind is "http", "amqp" or "event".
	Kind string `json:"kind"`

	// A request.
	Method   string         `json:"method,omitempty"` // an AMQP method too: "basic.publish"
	Host     string         `json:"host,omitempty"`
	Path     string         `json:"path,omitempty"`
	Query    map[string]any `json:"query,omitempty"`
	Body     map[string]any `json:"body,omitempty"`
	Status   int            `json:"status,omitempty"`
	Seconds  float64        `json:"seconds,omitempty"`
	Agent    string         `json:"agent,omitempty"`
	Token    string         `json:"token,omitempty"`     // label of the bearer token
	ClientID string         `json:"client_id,omitempty"` // whose request or token it was
	Identity string         `json:"identity,omitempty"`
	Grant    string         `json:"grant,omitempty"`  // grant type of a token request
	PKCE     bool           `json:"pkce,omitempty"`   // the code was bound to a challenge that was met
	Issued   []string       `json:"issued,omitempty"` // labels of the tokens in the answer
	Revoked  []string       `json:"revoked,omitempty"`
	Error    string         `json:"error,omitempty"`
	Fault    string         `json:"fault,omitempty"` // the fault that struck

	// An AMQP method. Direction is "in" (from the client) or "out".
	Direction  string `json:"direction,omitempty"`
	Connection string `json:"connection,omitempty"` // label such as "conn#2"
	User       string `json:"user,omitempty"`
	Channel    uint16 `json:"channel,omitempty"`
	Exchange   string `json:"exchange,omitempty"`
	RoutingKey string `json:"routing_key,omitempty"`
	Queue      string `json:"queue,omitempty"`
	Bytes      int    `json:"bytes,omitempty"` // of the message body

	// An event: "heartbeat", "online", "offline", "task", "result", …
	Event        string `json:"event,omitempty"`
	Endpoint     string `json:"endpoint,omitempty"`
	UserEndpoint string `json:"user_endpoint,omitempty"`
	Task         string `json:"task,omitempty"`
	Detail       string `json:"detail,omitempty"`
}

// recordBrokerEvent writes what the broker reports to the journal.
func (s *Sandbox) recordBrokerEvent(e broker.ConnectionEvent) {
	s.recordEntry(Entry{
		Time: e.Time, Kind: "amqp", Method: e.Method, Status: e.Status, Fault: e.Fault,
		Direction: e.Direction, Connection: e.Connection, User: e.User, Channel: e.Channel,
		Exchange: e.Exchange, RoutingKey: e.RoutingKey, Queue: e.Queue, Bytes: e.Bytes,
		Event: e.Event, Detail: e.Detail,
	})
}

// IsRequest reports whether e is an answered request of method ("" for any) to
// path, a pattern in which * stands for any run without a slash.
func (e Entry) IsRequest(method, pattern string) bool {
	if e.Kind != "http" || method != "" && !strings.EqualFold(method, e.Method) {
		return false
	}
	ok, err := path.Match(pattern, e.Path)
	return ok && err == nil
}

// IsEvent reports whether e is an event of that name about that endpoint or user
// endpoint ("" for any).
func (e Entry) IsEvent(name, endpoint string) bool {
	return e.Kind == "event" && e.Event == name &&
		(endpoint == "" || endpoint == e.Endpoint || endpoint == e.UserEndpoint)
}

// Unrevoked returns the labels of the access and refresh tokens that entries
// show issued and not revoked, in order of issue.
func Unrevoked(entries []Entry) []string {
	var left []string
	for _, e := range entries {
		for _, label := range e.Issued {
			if !strings.HasPrefix(label, "code#") {
				left = append(left, label)
			}
		}
		for _, label := range e.Revoked {
			left = slices.DeleteFunc(left, func(l string) bool { return l == label })
		}
	}
	return left
}
