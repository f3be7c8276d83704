package sandbox

import (
	"bytes"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"
)

// compute is the web service: what it keeps of endpoints, functions and tasks,
// and the queues it shares with them.
type compute struct {
	s *Sandbox

	mu            sync.Mutex
	changed       chan struct{} // closed and replaced when liveness or a task changes
	endpoints     map[string]*endpoint
	userEndpoints map[string]*userEndpoint
	functions     map[string]*function
	tasks         map[string]*task
	groups        map[string]*taskGroup
	cancels       []func()
}

// The queues that endpoints publish to. Their routing keys tell endpoints
// apart: "<id>.heartbeats", "<id>.results".
const (
	heartbeatQueue = "heartbeats"
	resultQueue    = "results"
	taskExchange   = "tasks"
)

func newCompute(s *Sandbox) *compute {
	c := &compute{
		s: s, changed: make(chan struct{}),
		endpoints: map[string]*endpoint{}, userEndpoints: map[string]*userEndpoint{},
		functions: map[string]*function{}, tasks: map[string]*task{}, groups: map[string]*taskGroup{},
	}
	must := func(err error) {
		if err != nil {
			panic("sandbox: an empty broker refuses a declaration: " + err.Error())
		}
	}
	must(s.broker.declareExchange(taskExchange, "direct"))
	for queue, deliver := range map[string]func(message){heartbeatQueue: c.heartbeat, resultQueue: c.result} {
		must(s.broker.declareExchange(queue, "topic"))
		must(s.broker.declareQueue(queue))
		must(s.broker.bind(queue, queue, "#"))
		cancel, err := s.broker.subscribe(queue, deliver)
		must(err)
		c.cancels = append(c.cancels, cancel)
	}
	return c
}

func (c *compute) close() {
	for _, cancel := range c.cancels {
		cancel()
	}
}

func (c *compute) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/version", c.version)
	signed := func(pattern string, h func(http.ResponseWriter, *http.Request, token)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			t, status, why := c.s.auth.bearer(r, computeResourceServer, computeScope)
			switch status {
			case http.StatusOK:
				if demand := c.s.auth.unmet(c.s.settings.get().Policy, t); demand != nil {
					stepUp(w, r, demand)
					return
				}
				h(w, r, t)
			case http.StatusForbidden:
				computeError(w, r, status, "FORBIDDEN", why)
			default:
				computeError(w, r, status, "UNAUTHENTICATED", why)
			}
		})
	}
	signed("POST /v3/endpoints", c.register)
	signed("PUT /v3/endpoints/{id}", c.update)
	signed("DELETE /v3/endpoints/{id}", c.deleteEndpoint)
	signed("DELETE /v2/endpoints/{id}", c.deleteEndpoint)
	signed("GET /v2/endpoints", c.listEndpoints)
	signed("GET /v2/endpoints/{id}", c.endpointMetadata)
	signed("GET /v2/endpoints/{id}/status", c.endpointStatus)
	signed("POST /v3/endpoints/{id}/lock", c.lockEndpoint)
	signed("POST /v2/endpoints/{id}/lock", c.lockEndpoint)
	signed("GET /v3/endpoints/{id}/allowed_functions", c.allowedFunctions)
	signed("POST /v3/functions", c.registerFunction)
	signed("POST /v2/functions", c.registerFunction)
	signed("GET /v2/functions/{id}", c.getFunction)
	signed("DELETE /v2/functions/{id}", c.deleteFunction)
	signed("POST /v3/endpoints/{id}/submit", c.submit)
	signed("GET /v2/tasks/{id}", c.getTask)
	signed("POST /v2/batch_status", c.batchStatus)
	signed("GET /v2/taskgroup/{id}", c.getTaskGroup)
	signed("GET /v2/get_amqp_result_connection_url", c.resultURL)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		computeError(w, r, http.StatusNotFound, "RESOURCE_NOT_FOUND", "no such resource: "+r.URL.Path)
	})
	return mux
}

// version needs no token. Asked for one service it answers a bare string.
func (c *compute) version(w http.ResponseWriter, r *http.Request) {
	const api = "1.0.0-sandbox"
	if r.URL.Query().Get("service") != "all" {
		writeJSON(w, http.StatusOK, api)
		return
	}
	minimum := c.s.settings.get().MinimumVersion
	writeJSON(w, http.StatusOK, map[string]any{
		"api": api, "git_sha": "0000000000000000000000000000000000000000",
		"min_sdk_version": minimum, "min_ep_version": minimum,
	})
}

// notify wakes whoever waits for a change. The caller holds mu.
func (c *compute) notify() {
	close(c.changed)
	c.changed = make(chan struct{})
}

func computeErrorBody(status int, code, detail string) map[string]any {
	return map[string]any{
		"status": "Failed", "code": code, "error_args": []any{},
		"http_status_code": status, "detail": detail, "reason": detail,
	}
}

func computeError(w http.ResponseWriter, r *http.Request, status int, code, detail string) {
	note(r).Error = code + ": " + detail
	writeJSON(w, status, computeErrorBody(status, code, detail))
}

// stepUp refuses a token whose login does not meet the policy, as a Globus Auth
// Requirements Error (GARE).
func stepUp(w http.ResponseWriter, r *http.Request, demand map[string]any) {
	const code, why = "AUTHORIZATION_REQUIRED", "the policy of this service asks for more"
	note(r).Error = code + ": " + why
	body := computeErrorBody(http.StatusForbidden, code, why)
	body["authorization_parameters"] = demand
	writeJSON(w, http.StatusForbidden, body)
}

// readJSON decodes the body into v or answers 422, as the real service does
// for a body that does not fit.
func readJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	d := json.NewDecoder(bytes.NewReader(exchangeOf(r).body))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		invalid(w, r, err.Error())
		return false
	}
	return true
}

func invalid(w http.ResponseWriter, r *http.Request, why string) {
	computeError(w, r, http.StatusUnprocessableEntity, "SEMANTICALLY_INVALID", "Request payload failed validation: "+why)
}

func isUUID(s string) bool {
	_, err := uuid.Parse(s)
	return err == nil && len(s) == 36
}

func unixSeconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }
