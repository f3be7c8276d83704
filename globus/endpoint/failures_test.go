package endpoint

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"chiltepin/endpointfs"
	"chiltepin/endpointfs/log"
)

// recorded returns what a real daemon left of a failure: how it ended, its log
// and what it printed.
func recorded(t *testing.T, name string) (status string, log, printed []string) {
	t.Helper()
	a, err := txtar.ParseFile(filepath.Join("testdata", "failures", name+".txtar"))
	if err != nil {
		t.Fatalf("%v; record it with: make record", err)
	}
	parts := map[string]string{}
	for _, f := range a.Files {
		parts[f.Name] = string(f.Data)
	}
	return strings.TrimSpace(parts["status"]), splitLines(parts["endpoint.log"]), splitLines(parts["printed"])
}

// TestSignatures wants each row of the table to be what a real daemon's record
// of its name is told as, and no record without a row.
func TestSignatures(t *testing.T) {
	t.Parallel()
	var names []string
	for _, s := range signatures() {
		names = append(names, s.name)
		status, log, printed := recorded(t, s.name)
		if got := diagnose(slices.Concat(log, printed)); got.name != s.name {
			t.Errorf("%s is told as %q, want %q", s.name, got.cause, s.cause)
		}
		if status == "lives" {
			t.Errorf("%s: the daemon lives", s.name)
		}
	}
	for name := range links() {
		names = append(names, name)
	}
	files, err := filepath.Glob(filepath.Join("testdata", "failures", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if name := strings.TrimSuffix(filepath.Base(f), ".txtar"); !slices.Contains(names, name) {
			t.Errorf("%s is the record of no row", f)
		}
	}
}

// links are the records of daemons that live without a connection to the
// broker, with the cause that each is to be told as.
func links() map[string]string {
	return map[string]string{
		"broker-port-closed": "connections to the broker fail at once: its port refuses them, or there is no way to it",
		"broker-refused":     "connections to the broker fail at once: its port refuses them, or there is no way to it",
		"broker-blocked":     "nothing answers at the broker's port: something in between drops what is sent there",
		"broker-silent":      "nothing answers at the broker's port: something in between drops what is sent there",
		"broker-closes":      "the broker ends the connection each time it is made",
		"broker-mute":        "the broker refused the password for its heartbeats, and the daemon does not try again",
	}
}

// TestLinks wants a daemon that nobody hears to be told with its cause.
func TestLinks(t *testing.T) {
	t.Parallel()
	for name, cause := range links() {
		status, log, _ := recorded(t, name)
		l := readLink(log)
		broken := l.State == LinkDown || l.State == LinkMute
		if status != "lives" || !broken || l.Cause != cause || l.Remedy == "" || len(l.Lines) == 0 {
			t.Errorf("%s: status %s, %s, %q", name, status, l.State, l.Cause)
		}
	}
}

// TestLinkStates follows a connection through its life.
func TestLinkStates(t *testing.T) {
	t.Parallel()
	const at = "2026-11-26 01:16:14,582880 INFO MainProcess-7 Thread-4-1 x:1 run ResultPublisher<✗; o:0; t:0> "
	const begins = "========== Core Endpoint begins: 6a1f0e3c-9c2d-4b6e-8a50-0d0f5c9a7e11"
	for _, tt := range []struct {
		want LinkState
		log  []string
	}{
		{LinkUnknown, nil},
		{LinkUnknown, []string{"2026-11-26 01:16:14,582880 INFO x CommandQueueSubscriber<✗; pid=7> Failed to open connection - (X)"}},
		{LinkOpening, []string{begins, at + "Opening connection to AMQP service."}},
		{LinkUp, []string{begins, at + "Opening connection to AMQP service.", at + "Ready to send results to exchange: heartbeats"}},
		{LinkDown, []string{begins, at + "Opening connection to AMQP service.", at + "Failed to open connection - (AMQPConnectionError) "}},
		{LinkDown, []string{begins, at + "Ready to send results to exchange: heartbeats", at + "Connection closed: (320, 'CONNECTION_FORCED')", at + "Opening connection to AMQP service."}},
		{LinkUp, []string{at + "Failed to open connection - (X)", at + "Opening connection to AMQP service.", at + "Ready to send results to exchange: heartbeats"}},
		{LinkUnknown, []string{at + "Failed to open connection - (X)", begins}},
		{LinkMute, []string{at + "[invalid credentials; unrecoverable] X", at + "Opening connection to AMQP service."}},
		{LinkRefused, []string{at + "[invalid credentials; unrecoverable] X", "x CommandQueueSubscriber<✗; pid=7> [invalid credentials; unrecoverable] X", at + "Ready to send results"}},
	} {
		if got := readLink(tt.log); got.State != tt.want {
			t.Errorf("%q, want %q: %v", got.State, tt.want, tt.log)
		}
	}
}

// TestExitStatuses holds with which status the daemon leaves which failure.
func TestExitStatuses(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"identity-unknown": "0", "login-expired": "65", "login-refused": "77", "login-missing": "1", "another-runs": "73",
		"registration-locked": "69", "registration-gone": "69", "registration-refused": "65",
		"answer-401": "1", "answer-403": "1", "answer-500": "1", "service-unreachable": "75", "config-invalid": "1",
	} {
		if status, _, _ := recorded(t, name); status != want {
			t.Errorf("%s: exit status %s, want %s", name, status, want)
		}
	}
}

// What nobody has seen before is given no cause: its lines are shown as they
// are.
func TestUnknownFailure(t *testing.T) {
	t.Parallel()
	if s := diagnose([]string{"Traceback (most recent call last):", "RuntimeError: something new"}); s.name != "" {
		t.Errorf("told as %q", s.cause)
	}
}

// Whatever a log says, a broken connection is shown by lines, and one that is
// not broken by none.
func FuzzReadLink(f *testing.F) {
	for name := range links() {
		a, err := txtar.ParseFile(filepath.Join("testdata", "failures", name+".txtar"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(a.Files[1].Data))
	}
	f.Add("ResultPublisher<")
	f.Fuzz(func(t *testing.T, text string) {
		l := readLink(splitLines(text))
		broken := l.State == LinkDown || l.State == LinkRefused || l.State == LinkMute
		if broken != (len(l.Lines) > 0) || len(l.Lines) > 3 || !broken && l.Cause != "" {
			t.Errorf("%+v", l)
		}
	})
}

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
		"up and not heard":       {up, old, offline, running(ProcessEvidence{}), "the daemon lives, but the service hears nothing of it"},
		"not heard yet":          {up, fresh, offline, running(ProcessEvidence{}), ""},
		"a log that says little": {"", old, offline, running(ProcessEvidence{}), "the daemon lives, but the service hears nothing of it"},
		"opening":                {opening, old, offline, running(ProcessEvidence{}), "the daemon lives, but has not reached the broker yet: no heartbeat has gone out"},
		"opening at first":       {opening, fresh, offline, running(ProcessEvidence{}), ""},
		"down":                   {down, fresh, nil, running(ProcessEvidence{}), "the daemon lives, but has no connection to the broker: no heartbeat goes out, and no task comes in"},
		"mute":                   {mute, fresh, nil, running(ProcessEvidence{}), "the daemon lives, but nobody hears it: no heartbeat goes out: the broker refused the password for its heartbeats, and the daemon does not try again"},
		"suspended":              {up, fresh, online, running(ProcessEvidence{Suspended: true}), "the daemon is suspended: no heartbeat goes out, and no task is taken"},
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
		got := (&Manager{Dir: d}).trouble(ep, Evidence{Process: tt.process, Log: &log.Marker{Kind: log.Begins, Time: tt.began}}, verdict{State: Running}, tt.view)
		problem := ""
		if got != nil {
			problem = got.Problem
			if got.Remedy == "" {
				t.Errorf("%s: no remedy", name)
			}
		}
		if problem != tt.want {
			t.Errorf("%s: %q, want %q", name, problem, tt.want)
		}
	}
}
