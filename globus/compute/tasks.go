package compute

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Function is a Python function to be registered.
type Function struct {
	// Name is its name in Source, which defines it and nothing else that
	// matters.
	Name, Source string
	Description  string
}

// RegisterFunction asks POST /v3/functions and returns the function's UUID. The
// source goes as it is, by the SDK's strategy PureSourceTextInspect, so that it
// runs under any Python.
func (c *Client) RegisterFunction(ctx context.Context, f Function) (string, error) {
	var answer struct {
		ID string `json:"function_uuid"`
	}
	err := c.postJSON(ctx, "/v3/functions", map[string]any{
		"function_name": f.Name, "function_code": packArguments("st\n" + f.Name + ":" + f.Source),
		"description": f.Description, "meta": map[string]any{"serde_identifier": "st\n"},
	}, &answer)
	if err == nil && uuid.Validate(answer.ID) != nil {
		err = fmt.Errorf("registering the function %s: the answer names none", f.Name)
	}
	return answer.ID, err
}

// DeleteFunction asks DELETE /v2/functions/{id}.
func (c *Client) DeleteFunction(ctx context.Context, id string) error {
	if err := uuid.Validate(id); err != nil {
		return fmt.Errorf("deleting function %q: its id is not a UUID", id)
	}
	return c.callJSON(ctx, http.MethodDelete, "/v2/functions/"+id, nil, nil)
}

// Submission is one task for one endpoint.
type Submission struct {
	// Function is the UUID of a registered function, Args what it gets.
	Function string
	Args     []any
	// Config are the options of the endpoint's template, Runtime what is told
	// of the submitter's environment: together they choose the user endpoint.
	Config, Runtime map[string]any
	// Resources are for an MPI application, nil for other tasks.
	Resources map[string]any
}

// Submitted is a task that the service has taken.
type Submitted struct{ Task, Group string }

// Submit asks POST /v3/endpoints/{id}/submit. The service answers when the user
// endpoint is up, which may take a minute. It is never asked twice: a task
// whose answer got lost may run all the same.
func (c *Client) Submit(ctx context.Context, endpoint string, s Submission) (Submitted, error) {
	if err := uuid.Validate(endpoint); err != nil {
		return Submitted{}, fmt.Errorf("submitting to endpoint %q: its id is not a UUID", endpoint)
	}
	args, err := json.Marshal(append([]any{}, s.Args...))
	if err != nil {
		return Submitted{}, fmt.Errorf("submitting to endpoint %s: %w", endpoint, err)
	}
	// By the SDK's strategy JSONData: the arguments, and no keywords.
	payload := packArguments("11\n"+string(args)) + packArguments("11\n{}")
	body := map[string]any{
		"create_queue": false, "tasks": map[string]any{s.Function: []string{payload}},
		"user_endpoint_config": s.Config, "user_runtime": s.Runtime,
		"result_serializers": []string{"globus_compute_sdk.serialize.JSONData"},
	}
	if s.Resources != nil {
		body["resource_specification"] = s.Resources
	}
	var answer struct {
		Group string              `json:"task_group_id"`
		Tasks map[string][]string `json:"tasks"`
	}
	if err := c.postJSON(ctx, "/v3/endpoints/"+endpoint+"/submit", body, &answer); err != nil {
		return Submitted{}, err
	}
	ids := answer.Tasks[s.Function]
	if len(ids) != 1 || uuid.Validate(ids[0]) != nil {
		return Submitted{}, fmt.Errorf("submitting to endpoint %s: the answer names no task", endpoint)
	}
	return Submitted{Task: ids[0], Group: answer.Group}, nil
}

// Task is what is known of a task.
type Task struct {
	// Done is true when it has ended; then exactly one of Result and Exception
	// is set.
	Done bool
	// Result is what it returned, decoded, or nil where another serializer than
	// JSON was used.
	Result any
	// Exception is the traceback of a task that failed.
	Exception string
}

// Task asks GET /v2/tasks/{id}.
func (c *Client) Task(ctx context.Context, id string) (Task, error) {
	if err := uuid.Validate(id); err != nil {
		return Task{}, fmt.Errorf("asking about task %q: its id is not a UUID", id)
	}
	var answer struct {
		Status    string  `json:"status"`
		Result    *string `json:"result"`
		Exception *string `json:"exception"`
	}
	if err := c.callJSON(ctx, http.MethodGet, "/v2/tasks/"+id, nil, &answer); err != nil {
		return Task{}, err
	}
	switch {
	case answer.Exception != nil:
		return Task{Done: true, Exception: *answer.Exception}, nil
	case answer.Result != nil:
		t := Task{Done: true}
		if data, ok := strings.CutPrefix(*answer.Result, "11\n"); ok {
			if err := json.Unmarshal([]byte(data), &t.Result); err != nil {
				return Task{}, fmt.Errorf("reading the result of task %s: %w", id, err)
			}
		}
		return t, nil
	case answer.Status == "failed":
		return Task{Done: true, Exception: "the service calls it failed, and does not say why"}, nil
	}
	return Task{}, nil
}

// packArguments is pack_buffers of globus_compute_sdk/serialize/utils.py for one buffer:
// its length counts characters.
func packArguments(buffer string) string {
	return fmt.Sprintf("%d\n%s", utf8.RuneCountInString(buffer), buffer)
}

// postJSON does one POST with a JSON body, which is never sent twice.
func (c *Client) postJSON(ctx context.Context, path string, in, out any) error {
	data, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("preparing POST %s: %w", path, err)
	}
	// A reader that cannot be had again keeps the request from being retried.
	return c.doRequest(ctx, http.MethodPost, path, nil, io.NopCloser(bytes.NewReader(data)), out)
}
