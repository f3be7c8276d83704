package sandbox

import (
	"bytes"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"chiltepin/globus/sandbox/broker"
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
	must(s.broker.DeclareExchange(taskExchange, "direct"))
	for queue, deliver := range map[string]func(broker.Message){heartbeatQueue: c.receiveHeartbeat, resultQueue: c.receiveResult} {
		must(s.broker.DeclareExchange(queue, "topic"))
		must(s.broker.DeclareQueue(queue))
		must(s.broker.Bind(queue, queue, "#"))
		cancel, err := s.broker.Subscribe(queue, deliver)
		must(err)
		c.cancels = append(c.cancels, cancel)
	}
	return c
}

func (c *compute) cancelSubscriptions() {
	for _, cancel := range c.cancels {
		cancel()
	}
}

func (c *compute) newHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/version", c.handleVersion)
	signed := func(pattern string, h func(http.ResponseWriter, *http.Request, token)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			t, status, why := c.s.auth.checkBearer(r, computeResourceServer, computeScope)
			switch status {
			case http.StatusOK:
				if demand := c.s.auth.unmetPolicy(c.s.settings.currentValues().Policy, t); demand != nil {
					writePolicyError(w, r, demand)
					return
				}
				h(w, r, t)
			case http.StatusForbidden:
				writeComputeError(w, r, status, "FORBIDDEN", why)
			default:
				writeComputeError(w, r, status, "UNAUTHENTICATED", why)
			}
		})
	}
	signed("POST /v3/endpoints", c.handleRegister)
	signed("PUT /v3/endpoints/{id}", c.handleUpdate)
	signed("DELETE /v3/endpoints/{id}", c.handleDelete)
	signed("DELETE /v2/endpoints/{id}", c.handleDelete)
	signed("GET /v2/endpoints", c.handleList)
	signed("GET /v2/endpoints/{id}", c.handleMetadata)
	signed("GET /v2/endpoints/{id}/status", c.handleStatus)
	signed("POST /v3/endpoints/{id}/lock", c.handleLock)
	signed("POST /v2/endpoints/{id}/lock", c.handleLock)
	signed("GET /v3/endpoints/{id}/allowed_functions", c.handleAllowedFunctions)
	signed("POST /v3/functions", c.handleRegisterFunction)
	signed("POST /v2/functions", c.handleRegisterFunction)
	signed("GET /v2/functions/{id}", c.handleGetFunction)
	signed("DELETE /v2/functions/{id}", c.handleDeleteFunction)
	signed("POST /v3/endpoints/{id}/submit", c.handleSubmit)
	signed("GET /v2/tasks/{id}", c.handleGetTask)
	signed("POST /v2/batch_status", c.handleBatchStatus)
	signed("GET /v2/taskgroup/{id}", c.handleGetTaskGroup)
	signed("GET /v2/get_amqp_result_connection_url", c.handleResultURL)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeComputeError(w, r, http.StatusNotFound, "RESOURCE_NOT_FOUND", "no such resource: "+r.URL.Path)
	})
	return mux
}

// handleVersion needs no token. Asked for one service it answers a bare string.
func (c *compute) handleVersion(w http.ResponseWriter, r *http.Request) {
	const api = "1.0.0-sandbox"
	if r.URL.Query().Get("service") != "all" {
		writeJSON(w, http.StatusOK, api)
		return
	}
	minimum := c.s.settings.currentValues().MinimumVersion
	writeJSON(w, http.StatusOK, map[string]any{
		"api": api, "git_sha": "0000000000000000000000000000000000000000",
		"min_sdk_version": minimum, "min_ep_version": minimum,
	})
}

// notifyWaiters wakes whoever waits for a change. The caller holds mu.
func (c *compute) notifyWaiters() {
	close(c.changed)
	c.changed = make(chan struct{})
}

func computeErrorBody(status int, code, detail string) map[string]any {
	return map[string]any{
		"status": "Failed", "code": code, "error_args": []any{},
		"http_status_code": status, "detail": detail, "reason": detail,
	}
}

func writeComputeError(w http.ResponseWriter, r *http.Request, status int, code, detail string) {
	entryOf(r).Error = code + ": " + detail
	writeJSON(w, status, computeErrorBody(status, code, detail))
}

// writePolicyError refuses a token whose login does not meet the policy, as a Globus Auth
// Requirements Error (GARE).
func writePolicyError(w http.ResponseWriter, r *http.Request, demand map[string]any) {
	const code, why = "AUTHORIZATION_REQUIRED", "the policy of this service asks for more"
	entryOf(r).Error = code + ": " + why
	body := computeErrorBody(http.StatusForbidden, code, why)
	body["authorization_parameters"] = demand
	writeJSON(w, http.StatusForbidden, body)
}

// readJSON decodes the body into v or answers 422, as the real service does
// for a body that does not fit.
func readJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	d := json.NewDecoder(bytes.NewReader(httpExchangeOf(r).body))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		writeInvalid(w, r, err.Error())
		return false
	}
	return true
}

func writeInvalid(w http.ResponseWriter, r *http.Request, why string) {
	writeComputeError(w, r, http.StatusUnprocessableEntity, "SEMANTICALLY_INVALID", "Request payload failed validation: "+why)
}

func isUUID(s string) bool {
	_, err := uuid.Parse(s)
	return err == nil && len(s) == 36
}

func unixSeconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }
