package broker

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"chiltepin/globus/runtime/runtimetest"
)

func TestBrokerContractPika(t *testing.T) {
	t.Parallel()
	runContract(t, startBroker(t, ServerConfig{}), drivePika)
}

// drivePika is the driver over pika, of the release that comes with the
// newest daemon.
func drivePika(t *testing.T, target amqpTarget, stories [][]string) [][][]string {
	t.Helper()
	env := runtimetest.Env(t, runtimetest.Newest)
	task, err := json.Marshal(map[string]any{"address": target.address, "password": amqpPassword, "stories": stories})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), env.Python, "-I", "testdata/pika_driver.py")
	cmd.Stdin = strings.NewReader(string(task))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("running the stories over pika: %v", err)
	}
	var seen [][][]string
	if err := json.Unmarshal(out, &seen); err != nil {
		t.Fatalf("reading what pika saw: %v", err)
	}
	return seen
}
