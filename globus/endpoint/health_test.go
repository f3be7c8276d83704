package endpoint

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/endpointfs/log"
)

// TestTrouble: what is wrong with a daemon that runs is said once there is
// reason to, and not before.
func TestTrouble(t *testing.T) {
	t.Parallel()
	const at = "2026-11-26 01:16:14,582880 INFO MainProcess-7 Thread-4-1 x:1 run ResultPublisher<✗; o:0; t:0> "
	const mute = at + "[invalid credentials; unrecoverable] X\n"
	const up, opening, down = at + "Ready to send results to exchange: heartbeats\n", at + "Opening connection to AMQP service.\n", at + "Failed to open connection - (X)\n"
	offline, online, unasked := &ServiceView{Word: "offline"}, &ServiceView{Word: "online", Online: true}, &ServiceView{Problem: errors.New("no login")}
	old, fresh := time.Now().Add(-time.Minute), time.Now()
	running := func(p ProcessEvidence) *ProcessEvidence { p.PID, p.Proven, p.Phase = 7, true, Up; return &p }
	for name, tt := range map[string]struct {
		log     string
		began   time.Time
		view    *ServiceView
		process *ProcessEvidence
		want    string
	}{
		"heard":                  {up, old, online, running(ProcessEvidence{}), ""},
		"nobody was asked":       {up, old, nil, running(ProcessEvidence{}), ""},
		"nobody could be asked":  {up, old, unasked, running(ProcessEvidence{}), ""},
		"up and not heard":       {up, old, offline, running(ProcessEvidence{}), "the daemon is alive, but the service receives no heartbeats from it"},
		"not heard yet":          {up, fresh, offline, running(ProcessEvidence{}), ""},
		"a log that says little": {"", old, offline, running(ProcessEvidence{}), "the daemon is alive, but the service receives no heartbeats from it"},
		"opening":                {opening, old, offline, running(ProcessEvidence{}), "the daemon is alive, but has not reached the broker yet: it has sent no heartbeat"},
		"opening at first":       {opening, fresh, offline, running(ProcessEvidence{}), ""},
		"down":                   {down, fresh, nil, running(ProcessEvidence{}), "the daemon is alive, but has no connection to the broker: it sends no heartbeats and gets no tasks"},
		"mute":                   {mute, fresh, nil, running(ProcessEvidence{}), "the daemon is alive, but sends no heartbeats: the broker refused the password for its heartbeats, and the daemon does not try again"},
		"suspended":              {up, fresh, online, running(ProcessEvidence{Suspended: true}), "the daemon is suspended: it sends no heartbeats and takes no tasks"},
		"of somebody else":       {down, old, offline, &ProcessEvidence{PID: 7}, ""},
	} {
		d := endpointfs.Open(t.TempDir())
		if err := os.Mkdir(filepath.Join(d.Path(), "mesa"), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(d.Path(), "mesa", "config.yaml"), "debug: true\n")
		write(t, filepath.Join(d.Path(), "mesa", "endpoint.log"), tt.log)
		ep, err := d.Endpoint("mesa")
		if err != nil {
			t.Fatal(err)
		}
		got := (&Manager{Dir: d}).findTrouble(ep, Evidence{Process: tt.process, Log: &log.Marker{Kind: log.Begins, Time: tt.began}}, verdict{State: Running}, tt.view)
		problem := ""
		if got != nil {
			problem = got.Problem
			if len(got.Next) == 0 {
				t.Errorf("%s: nothing to do", name)
			}
		}
		if problem != tt.want {
			t.Errorf("%s: %q, want %q", name, problem, tt.want)
		}
	}
}
