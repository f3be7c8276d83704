package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// endpoint is a registration.
type endpoint struct {
	id, owner  string
	doc        registration
	registered time.Time
	times      int // registered, the first included
	locked     time.Time
	liveness   liveness
}

// registration is what a daemon sends of itself.
type registration struct {
	Name          string         `json:"endpoint_name"`
	DisplayName   string         `json:"display_name"`
	MultiUser     bool           `json:"multi_user"`
	Public        bool           `json:"public"`
	HighAssurance bool           `json:"high_assurance"`
	Allowed       []string       `json:"allowed_functions"`
	Policy        string         `json:"authentication_policy"`
	Subscription  string         `json:"subscription_uuid"`
	Admins        []string       `json:"admins"`
	Metadata      map[string]any `json:"metadata"`
}

// usesTemplate reports whether the endpoint starts user endpoints from a template;
// one of an old release, with its engine in config.yaml, runs tasks itself.
func (d *registration) usesTemplate() bool {
	template, ok := d.Metadata["user_config_template"].(string)
	return ok && template != ""
}

func (c *compute) handleRegister(w http.ResponseWriter, r *http.Request, t token) {
	var doc registration
	if !readJSON(w, r, &doc) || !doc.checkName(w, r) {
		return
	}
	e := &endpoint{id: uuid.NewString(), owner: t.identity}
	c.mu.Lock()
	c.endpoints[e.id] = e
	answer := c.recordRegistration(e, doc)
	c.mu.Unlock()
	entryOf(r).Endpoint = e.id
	writeJSON(w, http.StatusOK, answer)
}

func (c *compute) handleUpdate(w http.ResponseWriter, r *http.Request, t token) {
	var doc registration
	if !readJSON(w, r, &doc) || !doc.checkName(w, r) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.findOwnEndpoint(w, r, t)
	if !ok {
		return
	}
	if c.s.clock.now().Before(e.locked) {
		writeComputeError(w, r, http.StatusLocked, "ENDPOINT_LOCKED", "endpoint "+e.id+" is locked until "+e.locked.UTC().Format(time.RFC3339))
		return
	}
	writeJSON(w, http.StatusOK, c.recordRegistration(e, doc))
}

func (d *registration) checkName(w http.ResponseWriter, r *http.Request) bool {
	if d.Name == "" {
		writeInvalid(w, r, "endpoint_name: field required")
		return false
	}
	return true
}

// recordRegistration records the registration, gives the endpoint its queues and a fresh
// password, and returns what the daemon gets. The caller holds mu.
func (c *compute) recordRegistration(e *endpoint, doc registration) map[string]any {
	e.doc, e.registered = doc, c.s.clock.now()
	e.times++
	// The declarations cannot clash: the names hold the endpoint's id.
	_ = c.s.broker.DeclareQueue(e.id + ".commands")
	_ = c.s.broker.DeclareQueue(e.id + ".tasks")
	url := c.admitToBroker(e.id, newSecret(""))
	answer := map[string]any{
		"endpoint_id":          e.id,
		"warnings":             []any{},
		"command_queue_info":   readQueueInfo(url, e.id+".commands"),
		"heartbeat_queue_info": writeQueueInfo(url, heartbeatQueue, e.id),
		"result_queue_info":    writeQueueInfo(url, resultQueue, e.id),
		"task_queue_info":      readQueueInfo(url, e.id+".tasks"),
	}
	return answer
}

// admitToBroker makes the broker admit an endpoint under its id and password,
// and returns the URL to connect to. Connections that are open stay.
func (c *compute) admitToBroker(id, password string) string {
	c.s.broker.AddUser(id, password, id+".*", heartbeatQueue, resultQueue, taskExchange)
	return c.s.net.amqpURL(id, password)
}

func readQueueInfo(url, queue string) map[string]any {
	return map[string]any{"connection_url": url, "queue": queue, "exchange": taskExchange}
}

func writeQueueInfo(url, queue, id string) map[string]any {
	return map[string]any{
		"connection_url": url, "exchange": queue, "queue": queue,
		"queue_publish_kwargs": map[string]any{
			"exchange": queue, "routing_key": id + "." + queue, "mandatory": true,
			"properties": map[string]any{"delivery_mode": 2},
		},
	}
}

// findEndpoint returns the endpoint of the request's path, findOwnEndpoint one that
// the caller may change. They answer when they return false; the caller holds mu.
func (c *compute) findEndpoint(w http.ResponseWriter, r *http.Request) (*endpoint, bool) {
	id := r.PathValue("id")
	if !isUUID(id) {
		writeInvalid(w, r, "endpoint_uuid: value is not a valid uuid")
		return nil, false
	}
	id = strings.ToLower(id)
	entryOf(r).Endpoint = id
	e, ok := c.endpoints[id]
	if !ok {
		writeComputeError(w, r, http.StatusNotFound, "ENDPOINT_NOT_FOUND", "Endpoint "+id+" does not exist")
		return nil, false
	}
	return e, true
}

func (c *compute) findOwnEndpoint(w http.ResponseWriter, r *http.Request, t token) (*endpoint, bool) {
	e, ok := c.findEndpoint(w, r)
	if !ok {
		return nil, false
	}
	if !c.isOwner(t.identity, e) {
		writeComputeError(w, r, http.StatusForbidden, "ENDPOINT_ACCESS_FORBIDDEN", "the endpoint belongs to another identity")
		return nil, false
	}
	return e, true
}

func (c *compute) isOwner(identity string, e *endpoint) bool {
	if identity == e.owner || slices.Contains(e.doc.Admins, identity) {
		return true
	}
	return slices.ContainsFunc(c.s.auth.linkedIdentities(identity), func(i Identity) bool { return i.ID == e.owner })
}

func (c *compute) handleDelete(w http.ResponseWriter, r *http.Request, t token) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.findOwnEndpoint(w, r, t)
	if !ok {
		return
	}
	c.removeFromBroker(e.id)
	delete(c.endpoints, e.id)
	for id, u := range c.userEndpoints {
		if u.endpoint == e.id {
			c.removeFromBroker(id)
			delete(c.userEndpoints, id)
		}
	}
	c.notifyWaiters()
	writeJSON(w, http.StatusOK, map[string]any{"result": 302})
}

// removeFromBroker removes the user, the connections and the queues of an
// endpoint.
func (c *compute) removeFromBroker(id string) {
	c.s.broker.DropUser(id)
	c.s.broker.CloseConnections(id)
	_ = c.s.broker.DeleteQueue(id + ".commands")
	_ = c.s.broker.DeleteQueue(id + ".tasks")
}

// handleLock drops the endpoint's broker user and connections, and refuses
// registrations for a while.
func (c *compute) handleLock(w http.ResponseWriter, r *http.Request, t token) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.findOwnEndpoint(w, r, t)
	if !ok {
		return
	}
	e.locked = c.s.clock.now().Add(c.s.settings.currentValues().LockFor)
	c.s.broker.DropUser(e.id)
	c.s.broker.CloseConnections(e.id)
	var until any = unixSeconds(e.locked)
	if strings.HasPrefix(r.URL.Path, "/v2/") {
		until = e.locked.UTC().Format("2006-01-02T15:04:05.000000")
	}
	writeJSON(w, http.StatusOK, map[string]any{"endpoint_id": e.id, "lock_expiration_timestamp": until})
}

func (c *compute) handleAllowedFunctions(w http.ResponseWriter, r *http.Request, t token) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.findEndpoint(w, r)
	if !ok {
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"endpoint_id": e.id, "restricted": e.doc.Allowed != nil, "functions": append([]string{}, e.doc.Allowed...),
	})
}
