package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"chiltepin/globus/sandbox/amqp"
)

// userEndpoint is the process that a core endpoint starts for one submitter,
// configuration and runtime.
type userEndpoint struct {
	id, endpoint, owner string
	config, runtime     json.RawMessage
	password            string // one for life: old releases never hear of a new one
	starts              int    // commands sent
	liveness            liveness
}

// userEndpointSpace is the namespace of the UUIDs of user endpoints, which depend
// on endpoint, submitter, configuration and runtime only.
var userEndpointSpace = uuid.MustParse("5d3b1a3e-5b63-4d0a-9a35-6a2f7c1d9e10")

// startUserEndpoint sends the core endpoint the command to start (or keep) the
// user endpoint for this submission and waits until its heartbeat says that it
// is up. The command goes out each time: it is what revives one that stopped.
// why is the error for the submitter.
func (c *compute) startUserEndpoint(r *http.Request, e *endpoint, t token, in *submission) (u *userEndpoint, why string) {
	settings := c.s.settings.currentValues()
	config, runtime := canonicalJSON(in.UserConfig), canonicalJSON(in.UserRuntime)
	if why := c.waitOnline(r, e, settings.OnlineGrace); why != "" {
		return nil, why
	}
	name := fmt.Sprintf("%s\n%s\n%s\n%s", e.id, t.identity, config, runtime)
	id := uuid.NewSHA1(userEndpointSpace, []byte(name)).String()

	c.mu.Lock()
	u, ok := c.userEndpoints[id]
	if !ok {
		u = &userEndpoint{id: id, endpoint: e.id, owner: t.identity, config: config, runtime: runtime, password: newSecret("")}
		c.userEndpoints[id] = u
		_ = c.s.broker.DeclareQueue(id + ".tasks") // the name holds the id
	}
	u.starts++
	u.liveness.failed = ""
	body, err := c.startCommand(e, u, t)
	now := c.s.clock.now()
	c.mu.Unlock()
	if err != nil {
		return nil, err.Error()
	}
	p := amqp.Properties{ContentType: "application/json", Timestamp: now, DeliveryMode: 2}
	if err := c.s.broker.Publish("", e.id+".commands", p, body); err != nil {
		return nil, err.Error()
	}
	c.s.recordEntry(Entry{Kind: "event", Event: "start command", Endpoint: e.id, UserEndpoint: id, Identity: t.identity})
	return u, c.waitUserEndpoint(r, u, settings.StartTimeout)
}

// startCommand is what the core endpoint reads from its command queue. The
// caller holds mu.
func (c *compute) startCommand(e *endpoint, u *userEndpoint, t token) ([]byte, error) {
	identities := []any{}
	username := ""
	for _, i := range c.s.auth.linkedIdentities(t.identity) {
		if i.ID == t.identity {
			username = i.Username
		}
		identities = append(identities, map[string]any{
			"sub": i.ID, "username": i.Username, "name": i.Name, "email": i.Email,
		})
	}
	url := c.admitToBroker(u.id, u.password)
	return json.Marshal(map[string]any{
		"command": "cmd_start_endpoint",
		"args":    []any{},
		"kwargs": map[string]any{
			"name": "uep." + e.id + "." + u.id,
			"amqp_creds": map[string]any{
				"endpoint_id":          u.id,
				"task_queue_info":      readQueueInfo(url, u.id+".tasks"),
				"result_queue_info":    writeQueueInfo(url, resultQueue, u.id),
				"heartbeat_queue_info": writeQueueInfo(url, heartbeatQueue, u.id),
			},
			"user_opts":    u.config,
			"user_runtime": u.runtime,
		},
		"globus_effective_identity": t.identity,
		"globus_identity_set":       identities,
		"globus_username":           username,
	})
}

func (c *compute) waitOnline(r *http.Request, e *endpoint, grace time.Duration) (why string) {
	return c.waitUntil(r, grace, func() (bool, string) {
		if _, there := c.endpoints[e.id]; !there {
			return true, "endpoint " + e.id + " was deleted"
		}
		return c.isOnline(&e.liveness), ""
	}, "endpoint "+e.id+" is offline")
}

func (c *compute) waitUserEndpoint(r *http.Request, u *userEndpoint, limit time.Duration) (why string) {
	return c.waitUntil(r, limit, func() (bool, string) {
		return c.isOnline(&u.liveness) || u.liveness.failed != "", u.liveness.failed
	}, "the user endpoint did not start in time")
}

// waitUntil calls done, with mu held, at every change until it returns true, and
// returns its reason, or late when the time is up.
func (c *compute) waitUntil(r *http.Request, limit time.Duration, done func() (bool, string), late string) string {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		c.mu.Lock()
		yes, why := done()
		changed := c.changed
		c.mu.Unlock()
		if yes {
			return why
		}
		select {
		case <-changed:
		case <-timer.C:
			return late
		case <-r.Context().Done():
			return "the client closed the connection"
		case <-c.s.closing:
			return "the sandbox is closing"
		}
	}
}

// canonicalJSON writes JSON with sorted members, so that equal configurations have
// one text; nothing and null are the empty object.
func canonicalJSON(raw json.RawMessage) json.RawMessage {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil || v == nil {
		return json.RawMessage("{}")
	}
	out, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage("{}")
	}
	return out
}
