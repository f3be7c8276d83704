package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"chiltepin/globus/sandbox/broker"
)

// Snapshot is what the sandbox knows at one moment, for its state page and for
// tests. It holds no secret.
type Snapshot struct {
	Now           time.Time           `json:"now"`
	ClockOffset   string              `json:"clock_offset"`
	Settings      map[string]any      `json:"settings"`
	Identities    []Identity          `json:"identities"`
	Clients       []ApplicationState  `json:"clients"`
	Tokens        []TokenState        `json:"tokens"`
	Endpoints     []EndpointState     `json:"endpoints"`
	UserEndpoints []UserEndpointState `json:"user_endpoints"`
	Tasks         []TaskState         `json:"tasks"`
	Queues        []broker.QueueState `json:"queues"`
}

// ApplicationState is a registered application.
type ApplicationState struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	Confidential bool   `json:"confidential"`
}

// TokenState is an issued token, by label.
type TokenState struct {
	Label    string    `json:"label"`
	Client   string    `json:"client_id"`
	Identity string    `json:"identity"`
	Server   string    `json:"resource_server"`
	Scopes   []string  `json:"scopes"`
	Expires  time.Time `json:"expires"`
	Revoked  bool      `json:"revoked"`
	Live     bool      `json:"live"`
}

// EndpointState is a registered endpoint.
type EndpointState struct {
	ID            string    `json:"id"`
	Name          string    `json:"name"`
	DisplayName   string    `json:"display_name"`
	Owner         string    `json:"owner"`
	MultiUser     bool      `json:"multi_user"`
	Online        bool      `json:"online"`
	Registrations int       `json:"registrations"`
	LastHeartbeat time.Time `json:"last_heartbeat,omitzero"`
	LockedUntil   time.Time `json:"locked_until,omitzero"`
}

// UserEndpointState is a user endpoint that was asked for.
type UserEndpointState struct {
	ID            string    `json:"id"`
	Endpoint      string    `json:"endpoint"`
	Owner         string    `json:"owner"`
	Online        bool      `json:"online"`
	Starts        int       `json:"start_commands"`
	Failed        string    `json:"failed,omitempty"`
	LastHeartbeat time.Time `json:"last_heartbeat,omitzero"`
}

// TaskState is a submitted task.
type TaskState struct {
	ID           string    `json:"id"`
	Function     string    `json:"function"`
	Endpoint     string    `json:"endpoint"`
	UserEndpoint string    `json:"user_endpoint,omitempty"`
	Group        string    `json:"task_group"`
	Status       string    `json:"status"`
	Submitted    time.Time `json:"submitted"`
	Completed    time.Time `json:"completed,omitzero"`
}

// State returns a copy of what the sandbox knows.
func (s *Sandbox) State() Snapshot {
	v := Snapshot{
		Now: s.clock.now(), ClockOffset: s.clock.aheadBy().String(),
		Settings: describeSettings(s.settings.currentValues()), Queues: s.broker.Queues(),
	}
	s.auth.describeTo(&v)
	s.compute.describeTo(&v)
	return v
}

func (s *Sandbox) handleState(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, s.State())
}

func (a *auth) describeTo(v *Snapshot) {
	a.mu.Lock()
	defer a.mu.Unlock()
	v.Identities = append(v.Identities, a.identities...)
	for _, c := range a.clients {
		v.Clients = append(v.Clients, ApplicationState{ID: c.ID, Name: c.Name, Confidential: c.Secret != ""})
	}
	slices.SortFunc(v.Clients, func(x, y ApplicationState) int { return cmp.Compare(x.ID, y.ID) })
	for _, t := range a.issueOrder {
		v.Tokens = append(v.Tokens, TokenState{
			Label: t.label, Client: t.client, Identity: t.identity, Server: t.server, Scopes: t.scopes,
			Expires: t.expires, Revoked: t.revoked, Live: t.isLive(v.Now),
		})
	}
}

func (c *compute) describeTo(v *Snapshot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.endpoints {
		v.Endpoints = append(v.Endpoints, EndpointState{
			ID: e.id, Name: e.doc.Name, DisplayName: e.doc.shownName(), Owner: e.owner, MultiUser: e.doc.MultiUser,
			Online: c.isOnline(&e.liveness), Registrations: e.times, LastHeartbeat: e.liveness.last, LockedUntil: e.locked,
		})
	}
	slices.SortFunc(v.Endpoints, func(x, y EndpointState) int { return cmp.Compare(x.ID, y.ID) })
	for _, u := range c.userEndpoints {
		v.UserEndpoints = append(v.UserEndpoints, UserEndpointState{
			ID: u.id, Endpoint: u.endpoint, Owner: u.owner, Online: c.isOnline(&u.liveness), Starts: u.starts,
			Failed: u.liveness.failed, LastHeartbeat: u.liveness.last,
		})
	}
	slices.SortFunc(v.UserEndpoints, func(x, y UserEndpointState) int { return cmp.Compare(x.ID, y.ID) })
	for _, t := range c.tasks {
		v.Tasks = append(v.Tasks, TaskState{
			ID: t.id, Function: t.function, Endpoint: t.endpoint, UserEndpoint: t.userEndpoint, Group: t.group,
			Status: t.statusWord(), Submitted: t.submitted, Completed: t.completed,
		})
	}
	slices.SortFunc(v.Tasks, func(x, y TaskState) int { return x.Submitted.Compare(y.Submitted) })
}
