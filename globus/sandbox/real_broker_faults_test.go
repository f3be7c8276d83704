package sandbox_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/sandbox"
)

// TestRealBrokerFaults: the daemon takes the broker's faults for what they
// are to be.
func TestRealBrokerFaults(t *testing.T) {
	t.Parallel()
	t.Run("a task is not acknowledged", func(t *testing.T) {
		t.Parallel()
		r := newReal(t, runtimetest.Newest)
		r.env = append(r.env, r.box.ClientCredentials()...)
		id, stopped := r.start()
		type answer struct {
			out string
			err error
		}
		done := make(chan answer, 1)
		go func() {
			out, err := r.run("python", "-c", `
from globus_compute_sdk import Executor
with Executor(endpoint_id="`+id+`", user_endpoint_config={"pool": "one"}) as ex:
    print("answer", ex.submit(len, "four").result(timeout=900))
`)
			done <- answer{out, err}
		}()
		start := r.box.Await(10*time.Minute, "the command to start a user endpoint", func(e sandbox.Entry) bool {
			return e.IsEvent("start command", id)
		})
		r.box.OrderBroker(sandbox.BrokerFault{Kind: "close", Method: "basic.ack", User: start.UserEndpoint, Times: 1})
		if got := <-done; got.err != nil || !strings.Contains(got.out, "answer 4") {
			t.Errorf("%v\n%s", got.err, got.out)
		}
		deliveries := 0 // the answer may come before the user endpoint is back
		r.box.Await(5*time.Minute, "the task delivered again", func(e sandbox.Entry) bool {
			if e.Method == "basic.deliver" && e.Queue == start.UserEndpoint+".tasks" {
				deliveries++
			}
			return deliveries == 2
		})
		r.stop(stopped)
	})
	t.Run("the password is refused", func(t *testing.T) {
		t.Parallel()
		r := newReal(t, runtimetest.Newest)
		r.env = append(r.env, r.box.ClientCredentials()...)
		r.box.OrderBroker(sandbox.BrokerFault{Kind: "auth"})
		cmd := exec.CommandContext(t.Context(), r.py.Bin("globus-compute-endpoint"), "start", "mesa")
		cmd.Env = r.env
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // it signals its whole group when it stops
		out, _ := cmd.CombinedOutput()                       // the signal reaches itself: what it exits with says nothing
		log, err := os.ReadFile(filepath.Join(r.dir, "endpoint.log"))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(log), "[invalid credentials; unrecoverable]") {
			t.Errorf("the daemon takes it for something else:\n%s\n%s", out, log)
		}
	})
}
