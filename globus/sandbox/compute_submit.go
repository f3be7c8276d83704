package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"chiltepin/globus/sandbox/amqp"
)

// maxTask is the service's limit on one submission.
const maxTask = 10 << 20

type submission struct {
	CreateQueue   bool                `json:"create_queue"`
	TaskGroupID   string              `json:"task_group_id"`
	Tasks         map[string][]string `json:"tasks"`
	Resources     json.RawMessage     `json:"resource_specification"`
	UserConfig    json.RawMessage     `json:"user_endpoint_config"`
	UserRuntime   json.RawMessage     `json:"user_runtime"`
	ResultFormats []any               `json:"result_serializers"`
}

// handleSubmit takes a batch of tasks for one endpoint. For an endpoint that works
// from a template it first sees to it that the user endpoint for this caller,
// configuration and runtime is up; like the real service it answers no sooner.
func (c *compute) handleSubmit(w http.ResponseWriter, r *http.Request, t token) {
	var in submission
	if len(httpExchangeOf(r).body) > maxTask {
		writeComputeError(w, r, http.StatusRequestEntityTooLarge, "PAYLOAD_TOO_LARGE", "the submission is over 10 MiB")
		return
	}
	if !readJSON(w, r, &in) {
		return
	}
	c.mu.Lock()
	e, ok := c.findEndpoint(w, r)
	if ok {
		ok = c.checkSubmission(w, r, t, e, &in)
	}
	if !ok {
		c.mu.Unlock()
		return
	}
	group, ok := c.findTaskGroup(w, r, t, &in)
	templates := e.doc.usesTemplate()
	c.mu.Unlock()
	if !ok {
		return
	}
	target := e.id
	if templates {
		u, why := c.startUserEndpoint(r, e, t, &in)
		if why != "" {
			writeInvalid(w, r, why)
			return
		}
		target = u.id
		entryOf(r).UserEndpoint = u.id
	}
	ids, err := c.enqueueTasks(e.id, target, t, group, &in)
	if err != nil {
		writeComputeError(w, r, http.StatusInternalServerError, "INTERNAL_ERROR", err.Error())
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"request_id": uuid.NewString(), "task_group_id": group.id, "endpoint_id": e.id, "tasks": ids,
	})
}

// checkSubmission checks caller, functions and shape. The caller holds mu.
func (c *compute) checkSubmission(w http.ResponseWriter, r *http.Request, t token, e *endpoint, in *submission) bool {
	if !e.doc.MultiUser && !c.isOwner(t.identity, e) {
		writeComputeError(w, r, http.StatusForbidden, "ENDPOINT_ACCESS_FORBIDDEN", "the endpoint belongs to another identity")
		return false
	}
	if len(in.Tasks) == 0 {
		writeInvalid(w, r, "tasks: at least one is required")
		return false
	}
	for id := range in.Tasks {
		if _, ok := c.functions[id]; !ok {
			writeComputeError(w, r, http.StatusNotFound, "FUNCTION_NOT_FOUND", "Function "+id+" does not exist")
			return false
		}
		if e.doc.Allowed != nil && !slices.Contains(e.doc.Allowed, id) {
			writeComputeError(w, r, http.StatusForbidden, "FUNCTION_NOT_PERMITTED", "Function "+id+" not permitted on endpoint "+e.id)
			return false
		}
	}
	return true
}

// findTaskGroup finds or makes the task group, and its queue. The caller holds mu.
func (c *compute) findTaskGroup(w http.ResponseWriter, r *http.Request, t token, in *submission) (*taskGroup, bool) {
	g := &taskGroup{id: uuid.NewString(), owner: t.identity}
	if in.TaskGroupID != "" {
		known, ok := c.groups[in.TaskGroupID]
		if !ok || known.owner != t.identity {
			writeComputeError(w, r, http.StatusNotFound, "TASK_GROUP_NOT_FOUND", "Task group "+in.TaskGroupID+" does not exist")
			return nil, false
		}
		g = known
	}
	c.groups[g.id] = g
	if in.CreateQueue && !g.queue {
		g.queue = true
		_ = c.s.broker.DeclareQueue(queuePrefix(g.owner) + g.id) // the name is new
	}
	return g, true
}

// enqueueTasks publishes the tasks to the queue of the endpoint that will run them
// and returns their ids by function, in the order given.
func (c *compute) enqueueTasks(core, target string, t token, g *taskGroup, in *submission) (map[string][]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ids := map[string][]string{}
	for fid, payloads := range in.Tasks {
		f, ok := c.functions[fid]
		if !ok {
			continue // deleted while the endpoint started
		}
		for _, payload := range payloads {
			one := &task{
				id: uuid.NewString(), function: fid, group: g.id, endpoint: core,
				owner: t.identity, submitted: c.s.clock.now(),
			}
			if target != core {
				one.userEndpoint = target
			}
			body, err := packMessage("task", taskMessage{TaskID: one.id, Buffer: f.doc.packedCode() + payload})
			if err != nil {
				return nil, err
			}
			c.tasks[one.id] = one
			g.tasks = append(g.tasks, one.id)
			ids[fid] = append(ids[fid], one.id)
			if err := c.s.broker.Publish("", target+".tasks", taskProperties(one, in), body); err != nil {
				return nil, err
			}
			c.s.recordEntry(Entry{
				Kind: "event", Event: "task", Task: one.id, Endpoint: core, UserEndpoint: one.userEndpoint,
				Identity: t.identity, Detail: f.doc.Name, Bytes: len(body),
			})
		}
	}
	return ids, nil
}

func taskProperties(t *task, in *submission) amqp.Properties {
	resources := "null"
	if len(in.Resources) > 0 {
		resources = string(in.Resources)
	}
	headers := map[string]any{
		"function_uuid": t.function, "task_uuid": t.id, "resource_specification": resources,
	}
	if len(in.ResultFormats) > 0 {
		headers["result_serializers"] = in.ResultFormats
	}
	return amqp.Properties{ContentType: "application/json", DeliveryMode: 2, Timestamp: t.submitted, Headers: headers}
}
