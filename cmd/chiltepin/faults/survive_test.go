package faults

import (
	"fmt"
	"testing"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/sandbox/sandboxtest"
)

// TestStrangerSurvives runs every operation again and again on a pid file that
// names a process which is nobody's daemon, or another endpoint's.
func TestStrangerSurvives(t *testing.T) {
	t.Parallel()
	runtimetest.Long(t)
	box := sandboxtest.Start(t)
	rounds := 2
	if *whole {
		rounds = 100
	}
	for _, title := range []string{"python train.py", "Globus Compute Endpoint *(11111111-2222-3333-4444-555555555555, other) [x]"} {
		for _, operation := range append([]string{"stop --now", "delete --force"}, operations...) {
			t.Run(operation+" on "+title, func(t *testing.T) {
				t.Parallel()
				b := newFixture(t, box)
				pid := b.stranger(title).cmd.Process.Pid
				for range rounds {
					b.put("daemon.pid", fmt.Sprintln(pid))
					b.touched("daemon.pid", time.Minute)
					switch operation {
					case "list":
						b.must("endpoint", "list")
					case "stop --now":
						b.must("endpoint", "stop", "--now", "--yes", "mesa")
					case "delete", "delete --force":
						args := []string{"endpoint", "delete", "--yes", "mesa"}
						if operation != "delete" {
							args = append(args, "--force")
						}
						b.must(args...)
						if _, err := endpointfs.Open(b.dir).Configure("mesa", endpointfs.NewEndpoint{Email: "me@example.org"}); err != nil {
							t.Fatal(err)
						}
					default:
						b.must("endpoint", operation, "mesa")
					}
					b.unharmed()
					if t.Failed() {
						return
					}
					if operation == "start" || operation == "restart" {
						b.must("endpoint", "stop", "mesa")
					}
				}
			})
		}
	}
}
