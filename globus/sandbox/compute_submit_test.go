package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus/sandbox/broker"
)

// submit sends one task for each payload.
func (b *bench) submit(p *puppet, function, more string, payloads ...string) (int, map[string]any) {
	b.t.Helper()
	list, err := json.Marshal(payloads)
	if err != nil {
		b.t.Fatal(err)
	}
	body := fmt.Sprintf(`{"create_queue":true,"tasks":{%q:%s}%s}`, function, list, more)
	return b.do(b.token, "POST", "/v3/endpoints/"+p.id+"/submit", body)
}

func ids(t *testing.T, answer map[string]any, function string) []string {
	t.Helper()
	var out []string
	tasks, _ := answer["tasks"].(map[string]any)
	list, ok := tasks[function].([]any)
	if !ok {
		t.Fatalf("no tasks in %v", answer)
	}
	for _, id := range list {
		out = append(out, id.(string))
	}
	return out
}

func TestTasks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{})
		p := b.register(templateEndpoint)
		p.online()
		f, boom := b.function("4\ncode"), b.function("boom")
		status, answer := b.submit(p, f, `,"resource_specification":{"num_nodes":2},"result_serializers":["a.B"]`, "1\na", "1\nb")
		if status != 200 || answer["endpoint_id"] != p.id {
			t.Fatalf("submit: %d %v", status, answer)
		}
		group := answer["task_group_id"].(string)

		// What the SDK does: ask where results are, and read them there.
		where := b.must("GET", "/v2/get_amqp_result_connection_url", "")
		queue := where["queue_prefix"].(string) + group
		got := map[string]string{}
		if _, err := b.broker.Subscribe(queue, func(m broker.Message) {
			var r resultMessage
			if err := unpackMessage(m.Body, "result", &r); err != nil || m.Properties.Timestamp.IsZero() {
				t.Errorf("result %s at %s: %v", m.Body, m.Properties.Timestamp, err)
			}
			got[r.TaskID] = r.Data
		}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		tasks := ids(t, answer, f)
		if diff := cmp.Diff(map[string]string{tasks[0]: "4\ncode1\na", tasks[1]: "4\ncode1\nb"}, got); diff != "" {
			t.Errorf("results (-want +got):\n%s", diff)
		}

		// And what its Client does: poll.
		_, answer = b.submit(p, boom, `,"task_group_id":"`+group+`"`, "x")
		synctest.Wait()
		failed := ids(t, answer, boom)[0]
		one := b.must("GET", "/v2/tasks/"+failed, "")
		if one["status"] != "failed" || one["exception"] != "boomx" || one["result"] != nil {
			t.Errorf("the failed task = %v", one)
		}
		batch := b.must("POST", "/v2/batch_status", `{"task_ids":["`+tasks[0]+`","`+failed+`","unknown"]}`)
		results := batch["results"].(map[string]any)
		if len(results) != 2 || results[tasks[0]].(map[string]any)["result"] != "4\ncode1\na" {
			t.Errorf("batch = %v", batch)
		}
		listed := b.must("GET", "/v2/taskgroup/"+group, "")["tasks"].([]any)
		if len(listed) != 3 {
			t.Errorf("the group has %v", listed)
		}
		if n := len(p.commands); n != 2 {
			t.Errorf("%d start commands, want one for each submission", n)
		}
	})
}

func TestTaskMessage(t *testing.T) {
	t.Parallel()
	b := newBench(t, Options{})
	// Without a template the endpoint runs the tasks itself.
	p := b.register(`{"endpoint_name":"old","metadata":{}}`)
	source := b.must("POST", "/v3/functions", `{"function_name":"f","function_code":"def f(): return 'é'","serialized":false}`)["function_uuid"].(string)
	got := make(chan broker.Message, 1)
	if _, err := b.broker.Subscribe(p.id+".tasks", func(m broker.Message) { got <- m }); err != nil {
		t.Fatal(err)
	}
	status, answer := b.submit(p, source, "", "2\nxx")
	if status != 200 {
		t.Fatalf("submit: %d %v", status, answer)
	}
	m := <-got
	task := ids(t, answer, source)[0]
	want := "\x01" + `{"message_type":"task","data":{"task_id":"` + task + `","container_id":null,"container":null,"task_buffer":"24\nst\nf:def f(): return 'é'2\nxx"}}`
	if diff := cmp.Diff(want, string(m.Body)); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	headers := map[string]any{"function_uuid": source, "task_uuid": task, "resource_specification": "null"}
	if diff := cmp.Diff(headers, m.Properties.Headers); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

func TestUserEndpointsAreStable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		second := Identity{ID: "22222222-2222-4222-8222-222222222222", Username: "also me", Linked: []string{Researcher().ID}}
		b := newBench(t, Options{Identities: []Identity{Researcher(), second}})
		p := b.register(templateEndpoint)
		p.online()
		f := b.function("f")
		target := func(more string) string {
			t.Helper()
			status, answer := b.submit(p, f, more, "x")
			if status != 200 {
				t.Fatalf("submit %s: %d %v", more, status, answer)
			}
			synctest.Wait()
			for _, task := range b.State().Tasks {
				if task.ID == ids(t, answer, f)[0] {
					return task.UserEndpoint
				}
			}
			t.Fatal("the task is gone")
			return ""
		}
		one := target(`,"user_endpoint_config":{"a":1,"b":{"c":2}},"user_runtime":{"v":"3.11"}`)
		same := target(`,"user_runtime":{"v":"3.11"},"user_endpoint_config":{"b":{"c":2},"a":1}`)
		config := target(`,"user_endpoint_config":{"a":2,"b":{"c":2}},"user_runtime":{"v":"3.11"}`)
		runtime := target(`,"user_endpoint_config":{"a":1,"b":{"c":2}},"user_runtime":{"v":"3.12"}`)
		b.token = tokenOf(b.Sandbox, second.ID)
		person := target(`,"user_endpoint_config":{"a":1,"b":{"c":2}},"user_runtime":{"v":"3.11"}`)
		if one != same {
			t.Error("the order of members makes another user endpoint")
		}
		seen := map[string]bool{one: true, config: true, runtime: true, person: true}
		if len(seen) != 4 {
			t.Errorf("configuration, runtime and identity make %d user endpoints, want 4", len(seen))
		}
		c := p.commands[0]
		kwargs := c["kwargs"].(map[string]any)
		want := map[string]any{"a": 1.0, "b": map[string]any{"c": 2.0}}
		if diff := cmp.Diff(want, kwargs["user_opts"]); diff != "" || kwargs["name"] != "uep."+p.id+"."+one {
			t.Errorf("the command is for %v with (-want +got):\n%s", kwargs["name"], diff)
		}
		if c["command"] != "cmd_start_endpoint" || c["globus_effective_identity"] != Researcher().ID || len(c["globus_identity_set"].([]any)) != 2 {
			t.Errorf("command = %v", c)
		}
	})
}

func TestSubmitFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{})
		p := b.register(templateEndpoint)
		f := b.function("f")
		check := func(what, detail string, wait time.Duration) {
			t.Helper()
			began := time.Now()
			status, body := b.submit(p, f, "", "x")
			if status != http.StatusUnprocessableEntity || body["detail"] != "Request payload failed validation: "+detail {
				t.Errorf("%s: %d %v", what, status, body)
			}
			if took := time.Since(began); took != wait {
				t.Errorf("%s took %s, want %s", what, took, wait)
			}
		}
		check("offline", "endpoint "+p.id+" is offline", 20*time.Second)
		p.online()
		p.behave("(SystemExit) 73", false)
		check("a start that fails", "(SystemExit) 73", 0)
		p.behave("", true)
		check("a start that never ends", "the user endpoint did not start in time", 55*time.Second)
		p.behave("", false)
		if status, body := b.submit(p, f, "", "x"); status != 200 {
			t.Errorf("after all that: %d %v", status, body)
		}
		b.must("PUT", "/v3/endpoints/"+p.id, `{"endpoint_name":"mesa","allowed_functions":[],"metadata":{"user_config_template":"x"}}`)
		if status, body := b.submit(p, f, "", "x"); status != 403 || body["code"] != "FUNCTION_NOT_PERMITTED" {
			t.Errorf("a function that is not allowed: %d %v", status, body)
		}
	})
}

// A submission that comes before the endpoint's first heartbeat waits for it.
func TestSubmitWaitsForTheFirstHeartbeat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{})
		p := b.register(templateEndpoint)
		f := b.function("f")
		up := make(chan struct{})
		time.AfterFunc(5*time.Second, func() {
			p.online()
			close(up)
		})
		began := time.Now()
		if status, body := b.submit(p, f, "", "x"); status != 200 || time.Since(began) != 5*time.Second {
			t.Errorf("%d %v after %s", status, body, time.Since(began))
		}
		<-up // it has more to do than the first heartbeat
	})
}

// Many submitters at once: nothing is lost, doubled or given to another.
func TestManySubmitters(t *testing.T) {
	t.Parallel()
	b := newBench(t, Options{})
	p := b.register(templateEndpoint)
	p.online()
	f := b.function("f")
	const submitters, tasks = 8, 20
	var all sync.WaitGroup
	for i := range submitters {
		all.Go(func() {
			for j := range tasks {
				payload := fmt.Sprintf("%d.%d", i, j)
				status, answer := b.submit(p, f, fmt.Sprintf(`,"user_endpoint_config":{"pool":%d}`, i%3), payload)
				if status != 200 {
					t.Errorf("submit: %d %v", status, answer)
					return
				}
				id := ids(t, answer, f)[0]
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
				_, err := b.Await(ctx, 0, func(e Entry) bool { return e.IsEvent("result", "") && e.Task == id })
				cancel()
				if err != nil {
					t.Errorf("waiting for the result: %v", err)
					return
				}
				if got := b.must("GET", "/v2/tasks/"+id, "")["result"]; got != "f"+payload {
					t.Errorf("result = %v, want f%s", got, payload)
				}
			}
		})
	}
	all.Wait()
	if n := len(b.State().UserEndpoints); n != 3 {
		t.Errorf("%d user endpoints, want 3", n)
	}
	// The last heartbeats may still be under way.
	var left []broker.QueueState
	for range 15_000 {
		left = slices.DeleteFunc(b.State().Queues, func(q broker.QueueState) bool {
			return q.Ready+q.Unacked == 0 || strings.Contains(q.Name, ".results.")
		})
		if len(left) == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("queues that do not empty: %+v", left)
}
