package sandbox

import (
	"net/http"
	"strconv"
	"time"

	"chiltepin/globus/sandbox/broker"
)

type task struct {
	id, function, group, endpoint, userEndpoint, owner string
	submitted, completed                               time.Time
	result                                             *resultMessage
}

func (t *task) statusWord() string {
	switch {
	case t.result == nil:
		return "pending"
	case t.result.Error != nil:
		return "failed"
	}
	return "success"
}

func (t *task) describeTask() map[string]any {
	v := map[string]any{"task_id": t.id, "status": t.statusWord()}
	if t.result == nil {
		return v
	}
	v["completion_t"] = strconv.FormatFloat(unixSeconds(t.completed), 'f', -1, 64)
	if t.result.Details != nil {
		v["details"] = t.result.Details
	}
	if t.result.Error != nil {
		v["exception"] = t.result.Data
	} else {
		v["result"] = t.result.Data
	}
	return v
}

type taskGroup struct {
	id, owner string
	queue     bool // results go to the broker too
	tasks     []string
}

// queuePrefix begins the names of the result queues of one identity.
func queuePrefix(identity string) string { return identity + ".results." }

// receiveResult takes one message of the results queue and passes it on, unchanged,
// to whoever submitted the task.
func (c *compute) receiveResult(m broker.Message) {
	var res resultMessage
	if err := unpackMessage(m.Body, "result", &res); err != nil {
		c.s.recordEntry(Entry{Kind: "event", Event: "bad result", RoutingKey: m.RoutingKey, Error: err.Error()})
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t, ok := c.tasks[res.TaskID]
	e := Entry{Kind: "event", Event: "result", Task: res.TaskID, Bytes: len(m.Body)}
	if !ok {
		e.Error = "no such task"
		c.s.recordEntry(e)
		return
	}
	again := t.result != nil // an endpoint that lost our acknowledgement sends twice
	t.result, t.completed = &res, c.s.clock.now()
	e.Endpoint, e.UserEndpoint, e.Detail = t.endpoint, t.userEndpoint, t.statusWord()
	if group := c.groups[t.group]; group.queue && !again {
		p := m.Properties
		p.Timestamp = t.completed
		if err := c.s.broker.Publish("", queuePrefix(t.owner)+t.group, p, m.Body); err != nil {
			e.Error = err.Error()
		}
	}
	c.s.recordEntry(e)
	c.notifyWaiters()
}

func (c *compute) handleGetTask(w http.ResponseWriter, r *http.Request, t token) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := r.PathValue("id")
	task, ok := c.tasks[id]
	if !ok || task.owner != t.identity {
		writeComputeError(w, r, http.StatusNotFound, "TASK_NOT_FOUND", "Task "+id+" does not exist")
		return
	}
	writeJSON(w, http.StatusOK, task.describeTask())
}

func (c *compute) handleBatchStatus(w http.ResponseWriter, r *http.Request, t token) {
	var in struct {
		TaskIDs []string `json:"task_ids"`
	}
	if !readJSON(w, r, &in) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	results := map[string]any{}
	for _, id := range in.TaskIDs {
		if task, ok := c.tasks[id]; ok && task.owner == t.identity {
			results[id] = task.describeTask()
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"response": "batch", "results": results})
}

func (c *compute) handleGetTaskGroup(w http.ResponseWriter, r *http.Request, t token) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := r.PathValue("id")
	g, ok := c.groups[id]
	if !ok || g.owner != t.identity {
		writeComputeError(w, r, http.StatusNotFound, "TASK_GROUP_NOT_FOUND", "Task group "+id+" does not exist")
		return
	}
	tasks := []any{}
	for _, task := range g.tasks {
		tasks = append(tasks, map[string]any{
			"id": task, "created_at": c.tasks[task].submitted.UTC().Format("2006-01-02T15:04:05.000000"),
		})
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"taskgroup_id": g.id, "create_websockets_queue": g.queue, "tasks": tasks,
	})
}

// handleResultURL gives the caller a new password to read its result queues with;
// connections under the old one stay.
func (c *compute) handleResultURL(w http.ResponseWriter, r *http.Request, t token) {
	password := newSecret("")
	user := "results-" + t.identity
	c.s.broker.AddUser(user, password, queuePrefix(t.identity)+"*")
	writeJSON(w, http.StatusOK, map[string]any{
		"queue_prefix": queuePrefix(t.identity), "connection_url": c.s.net.amqpURL(user, password),
	})
}
