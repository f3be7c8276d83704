package daemon

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
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
	return strings.TrimSpace(parts["status"]), SplitLines(parts["endpoint.log"]), SplitLines(parts["printed"])
}

// TestFailurePatterns wants each row of the table to be what a real daemon's record
// of its name is told as, and no record without a row.
func TestFailurePatterns(t *testing.T) {
	t.Parallel()
	var names []string
	for _, s := range failurePatterns() {
		names = append(names, s.name)
		status, log, printed := recorded(t, s.name)
		if got := FindFailure(slices.Concat(log, printed)); got.Name != s.name {
			t.Errorf("%s is told as %q, want %q", s.name, got.Cause, s.cause)
		}
		if status == "lives" {
			t.Errorf("%s: the daemon lives", s.name)
		}
	}
	for name := range brokenConnections() {
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

// brokenConnections are the records of daemons that live without a connection to the
// broker, with the cause that each is to be told as.
func brokenConnections() map[string]string {
	return map[string]string{
		"broker-port-closed": "connections to the broker fail at once: its port refuses them, or there is no network route to it",
		"broker-refused":     "connections to the broker fail at once: its port refuses them, or there is no network route to it",
		"broker-blocked":     "the broker's port does not answer: a firewall in between drops the packets",
		"broker-silent":      "the broker's port does not answer: a firewall in between drops the packets",
		"broker-closes":      "the broker closes the connection each time it is made",
		"broker-mute":        "the broker refused the password for its heartbeats, and the daemon does not try again",
	}
}

// TestBrokenConnections wants a daemon without heartbeats to be shown with its cause.
func TestBrokenConnections(t *testing.T) {
	t.Parallel()
	for name, cause := range brokenConnections() {
		status, log, _ := recorded(t, name)
		l := ParseConnection(log)
		broken := l.State == ConnectionDown || l.State == ConnectionMute
		if status != "lives" || !broken || l.Cause != cause || len(l.Next) == 0 || len(l.Lines) == 0 {
			t.Errorf("%s: status %s, %s, %q", name, status, l.State, l.Cause)
		}
	}
}

// TestConnectionStates follows a connection through its life.
func TestConnectionStates(t *testing.T) {
	t.Parallel()
	const at = "2026-11-26 01:16:14,582880 INFO MainProcess-7 Thread-4-1 x:1 run ResultPublisher<✗; o:0; t:0> "
	const begins = "========== Core Endpoint begins: 6a1f0e3c-9c2d-4b6e-8a50-0d0f5c9a7e11"
	for _, tt := range []struct {
		want ConnectionState
		log  []string
	}{
		{ConnectionUnknown, nil},
		{ConnectionUnknown, []string{"2026-11-26 01:16:14,582880 INFO x CommandQueueSubscriber<✗; pid=7> Failed to open connection - (X)"}},
		{ConnectionOpening, []string{begins, at + "Opening connection to AMQP service."}},
		{ConnectionUp, []string{begins, at + "Opening connection to AMQP service.", at + "Ready to send results to exchange: heartbeats"}},
		{ConnectionDown, []string{begins, at + "Opening connection to AMQP service.", at + "Failed to open connection - (AMQPConnectionError) "}},
		{ConnectionDown, []string{begins, at + "Ready to send results to exchange: heartbeats", at + "Connection closed: (320, 'CONNECTION_FORCED')", at + "Opening connection to AMQP service."}},
		{ConnectionUp, []string{at + "Failed to open connection - (X)", at + "Opening connection to AMQP service.", at + "Ready to send results to exchange: heartbeats"}},
		{ConnectionUnknown, []string{at + "Failed to open connection - (X)", begins}},
		{ConnectionMute, []string{at + "[invalid credentials; unrecoverable] X", at + "Opening connection to AMQP service."}},
		{ConnectionRefused, []string{at + "[invalid credentials; unrecoverable] X", "x CommandQueueSubscriber<✗; pid=7> [invalid credentials; unrecoverable] X", at + "Ready to send results"}},
	} {
		if got := ParseConnection(tt.log); got.State != tt.want {
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
	if s := FindFailure([]string{"Traceback (most recent call last):", "RuntimeError: something new"}); s.Name != "" {
		t.Errorf("told as %q", s.Cause)
	}
}

// Whatever a log says, a broken connection is shown by lines, and one that is
// not broken by none.
func FuzzParseConnection(f *testing.F) {
	for name := range brokenConnections() {
		a, err := txtar.ParseFile(filepath.Join("testdata", "failures", name+".txtar"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(a.Files[1].Data))
	}
	f.Add("ResultPublisher<")
	f.Fuzz(func(t *testing.T, text string) {
		l := ParseConnection(SplitLines(text))
		broken := l.State == ConnectionDown || l.State == ConnectionRefused || l.State == ConnectionMute
		if broken != (len(l.Lines) > 0) || len(l.Lines) > 3 || !broken && l.Cause != "" {
			t.Errorf("%+v", l)
		}
	})
}
