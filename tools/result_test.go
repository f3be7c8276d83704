package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chiltepin/endpointfs"
	"chiltepin/endpointfs/log"
	"chiltepin/globus"
	"chiltepin/globus/auth"
	"chiltepin/globus/endpoint"
	"chiltepin/globus/next"
	"chiltepin/globus/runtime"
	"chiltepin/globus/tokenstore"
	"chiltepin/tools/operation"
)

// TestResults holds the bytes that every face shows, and that each is as its
// output schema says.
func TestResults(t *testing.T) {
	t.Parallel()
	const status = `"name":"mesa","id":"12345678-1234-1234-1234-123456789abc","status":"Running","reason":"seen"`
	const proof = `"path":"/etc/gc/mesa","evidence":{"pid_file":{"pid":7,"age_seconds":4.3},"process":{"pid":7,"alive":true,"proven":true,"why":"its title\\u{1b}[31m","title":"Globus"},"here":{"host":"login1","boot_id":"b"}}`
	for _, tt := range []struct{ tool, args, want string }{
		{"endpoint.list", `{}`, `{"config_dir":"/etc/gc","endpoints":[{` + status + `},{"name":"a-longer-name","status":"Initialized"}]}`},
		{"endpoint.list", `{"remote":true}`, `{"config_dir":"/etc/gc","endpoints":[{` + status + `,"registration":{"name":"mesa","id":"12345678-1234-1234-1234-123456789abc","status":"online","host":"login1"}},{"name":"a-longer-name","status":"Initialized"}],"remote_only":[{"name":"old\\u{1b}[31m","id":"87654321-1234-1234-1234-123456789abc","status":"offline","host":"login1","findings":["orphaned"],"why":"nobody has it"}]}`},
		{"endpoint.prune", `{"dry_run":true}`, `{"outcome":"planned","plan":[{"kind":"registration","name":"old","id":"87654321-1234-1234-1234-123456789abc","why":"nobody has it"}],"kept":[{"step":"registration away","outcome":"stays","detail":"it runs on login2"}]}`},
		{"endpoint.prune", `{}`, `{"outcome":"pruned","plan":[{"kind":"registration","name":"old","id":"87654321-1234-1234-1234-123456789abc","why":"nobody has it"}],"kept":[{"step":"registration away","outcome":"stays","detail":"it runs on login2"}],"steps":[{"step":"registration 87654321-1234-1234-1234-123456789abc","outcome":"removed"}]}`},
		{"endpoint.status", `{"name":"mesa"}`, `{` + status + `,` + proof + `}`},
		{"endpoint.start", `{"name":"mesa"}`, `{` + status + `,"outcome":"started",` + proof + `}`},
		{"endpoint.stop", `{"name":"mesa"}`, `{` + status + `,"outcome":"stopped",` + proof + `}`},
		{"endpoint.restart", `{"name":"mesa"}`, `{` + status + `,"outcome":"restarted",` + proof + `}`},
		{"endpoint.configure", `{"name":"mesa"}`, `{"name":"mesa","path":"/etc/gc/mesa","files":["config.yaml"],"next":[{"arguments":{"name":"mesa"},"operation":"endpoint.start"}]}`},
		{"endpoint.delete", `{"name":"mesa","force":true}`, `{"name":"mesa","id":"12345678-1234-1234-1234-123456789abc","steps":[{"step":"directory","outcome":"done"}]}`},
		{"endpoint.logs", `{"name":"mesa"}`, `{"file":"/etc/gc/mesa/endpoint.log","lines":[{"time":"1970-01-01T00:00:09Z","level":"INFO","text":"first\n\\u{202e}second"}],"cursor":"c","more":false}`},
	} {
		fake := &fakeEndpoints{log: log.Page{Cursor: "c", Records: []log.Record{{Time: time.Unix(9, 0), Level: "INFO", Text: "first\n\u202esecond"}}}}
		ctx := operation.WithConsent(t.Context(), func(context.Context, operation.Question) error { return nil })
		tool := All(fake.services()).Lookup(tt.tool)
		res, err := tool.Call(ctx, json.RawMessage(tt.args))
		if err != nil {
			t.Errorf("%s: %v", tt.tool, err)
			continue
		}
		if diff := cmp.Diff(tt.want, string(res.JSON)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.tool, diff)
		}
		conforms(t, tool, res.JSON)
	}
}

// conforms validates a result against its output schema.
func conforms(t *testing.T, tool *operation.Tool, result json.RawMessage) {
	t.Helper()
	resolved, err := tool.Output().Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(result, &v); err != nil {
		t.Fatal(err)
	}
	if err := resolved.Validate(v); err != nil {
		t.Errorf("%s: the result is not what its schema says: %v", tool.Name, err)
	}
}

func TestListText(t *testing.T) {
	t.Parallel()
	list := EndpointList{Endpoints: []EndpointSummary{
		{Name: "mesa", ID: fakeID, Status: "Running"},
		{Name: "a-much-longer-name", Status: "Initialized"},
	}}
	for _, tt := range []struct {
		name    string
		printer operation.Printer
		list    EndpointList
		want    string
	}{
		{"Program", operation.Printer{}, list, "" +
			"mesa               12345678-1234-1234-1234-123456789abc Running\n" +
			"a-much-longer-name None                                 Initialized\n"},
		{"Terminal", operation.Printer{Terminal: true}, list, "" +
			"endpoint-name      endpoint-uuid                        status\n" +
			"mesa               12345678-1234-1234-1234-123456789abc Running\n" +
			"a-much-longer-name None                                 Initialized\n"},
		{"None", operation.Printer{Terminal: true}, EndpointList{}, "No endpoints are configured\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			tt.printer.Writer = &b
			if err := tt.list.WriteText(&tt.printer); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, b.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A word that would mislead does not stand alone, in either kind of list.
func TestListTellsWhy(t *testing.T) {
	t.Parallel()
	at := func(name string, state endpoint.State, reason string) endpoint.Status {
		return endpoint.Status{Name: name, State: state, Reason: reason}
	}
	suspended := at("mesa", endpoint.Running, "process 7 is its daemon; it is suspended\x1b[31m")
	suspended.Evidence.Process = &endpoint.ProcessEvidence{PID: 7, Proven: true, Suspended: true}
	elsewhere := at("far", endpoint.Running, "it was launched on login1")
	elsewhere.Host = "login1"
	list := []endpoint.Status{at("ok", endpoint.Running, "process 8 is its daemon"), suspended, elsewhere,
		at("odd", endpoint.Unknown, "permission denied"), at("off", endpoint.Stopped, "there is no daemon.pid")}
	var pairs []endpoint.Pair
	for i := range list {
		pairs = append(pairs, endpoint.Pair{Local: &list[i]})
	}
	for _, tt := range []struct {
		name string
		list EndpointList
		want string
	}{
		{"Local", endpointList(&fakeEndpoints{}, list), "" +
			"ok   None                                 Running\n" +
			"mesa None                                 Running: process 7 is its daemon; it is suspended\\u{1b}[31m\n" +
			"far  None                                 Running: it was launched on login1\n" +
			"odd  None                                 Unknown: permission denied\n" +
			"off  None                                 Stopped\n"},
		{"Remote", sideBySide("/etc/gc", pairs), "" +
			"ok   None                                 Running      -\n" +
			"mesa None                                 Running      -\n" +
			"far  None                                 Running      -\n" +
			"odd  None                                 Unknown      -\n" +
			"off  None                                 Stopped      -\n" +
			"mesa: process 7 is its daemon; it is suspended\\u{1b}[31m\n" +
			"far: it was launched on login1\n" +
			"odd: permission denied\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			if err := tt.list.WriteText(&operation.Printer{Writer: &b}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, b.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestLogsDefaultsAreSmall(t *testing.T) {
	t.Parallel()
	fake := &fakeEndpoints{}
	logs := All(fake.services()).Lookup("endpoint.logs")
	for _, args := range []string{`{"name":"mesa"}`, `{"name":"mesa","tail":500}`} {
		if _, err := logs.Call(t.Context(), json.RawMessage(args)); err != nil {
			t.Fatal(err)
		}
	}
	if q := fake.asked[0].Query; q.Tail != 20 || q.MaxBytes != 3072 {
		t.Errorf("asked for %+v", q)
	}
	if q := fake.asked[1].Query; q.Tail != 500 || q.MaxBytes != 1<<20 {
		t.Errorf("asked for %+v", q)
	}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		code operation.Code
		next string
	}{
		{errors.New("odd"), operation.CodeInternal, "report it, with what the log of level debug says"},
		{&endpointfs.NameError{Name: "..", Problem: "no", Remedy: "choose another"}, operation.CodeInvalid, "choose another"},
		{&endpointfs.FormatError{File: "f", Problem: "p", Remedy: "mend it"}, operation.CodeInvalid, "mend it"},
		{&endpointfs.NotFoundError{Name: "x", Dir: "/d"}, operation.CodeNotFound, "to see which endpoints there are: endpoint.list\nto make it: endpoint.configure {\"name\":\"x\"}"},
		{&endpointfs.NotFoundError{Name: "../x", Dir: "/d"}, operation.CodeNotFound, "to see which endpoints there are: endpoint.list"},
		{&endpointfs.NotFoundError{Name: "x", Dir: "/d", Leftover: true}, operation.CodeNotFound, "look into the directory, and remove or rename it before configuring an endpoint of that name"},
		{&endpointfs.ExistsError{Name: "x", Path: "/d/x"}, operation.CodeAlreadyExists, "choose another name\nto see the one that is there: endpoint.status {\"name\":\"x\"}"},
		{&endpointfs.LockedError{Name: "x"}, operation.CodeConflict, "wait until that operation has ended, and try again\nto see how far it is: endpoint.status {\"name\":\"x\"}"},
		{&tokenstore.StoreFormatError{Path: "/s"}, operation.CodeInternal, "move /s away\nto write a new one: login"},
		{&auth.LoginError{Service: "compute", Reason: "none"}, operation.CodeNotLoggedIn, "login"},
		{&endpoint.TimeoutError{Name: "x", Operation: "starting", NextSteps: []next.Step{next.Do("wait")}}, operation.CodeTimeout, "wait"},
		{&globus.NetworkError{Host: "h", Err: errors.New("refused")}, operation.CodeUnavailable, ""},
		{&globus.Error{Status: 503}, operation.CodeUnavailable, ""},
		{&globus.Error{Status: http.StatusForbidden, Code: "FORBIDDEN"}, operation.CodeRefused, ""},
		{&globus.Error{Status: http.StatusForbidden, Requirements: globus.AuthRequirements{MFA: true}}, operation.CodeNotLoggedIn, "login"},
		{&auth.DeniedError{Reason: "access_denied"}, operation.CodeRefused, "to try again, and allow everything that the page lists: login"},
		{&auth.ExpiredError{Services: []string{"compute"}}, operation.CodeTimeout, "login"},
		{&auth.ReplacedError{}, operation.CodeConflict, "to see who is logged in: whoami"},
		{&auth.IntrusionError{}, operation.CodeRefused, `to log in by a code that Globus shows: login {"method":"paste"}`},
		{&auth.PortError{Port: 8765, Err: errors.New("in use")}, operation.CodeConflict, "to log in by a code that Globus shows: login {\"method\":\"paste\"}\nchoose another port"},
		{auth.ErrNoFlow, operation.CodeInvalid, "to begin another login: login"},
		{&runtime.NoRuntimeError{}, operation.CodeUnsupported, ""},
		{&endpoint.RunningError{Name: "x", Operation: "deleting"}, operation.CodeConflict, ""},
		{errors.Join(&endpointfs.LostError{Name: "x", Why: "it was not renewed"}, context.Canceled), operation.CodeConflict, "try again\nto see how far it came: endpoint.status {\"name\":\"x\"}"},
		{&endpoint.ElsewhereError{Name: "x", Host: "login2"}, operation.CodeConflict, ""},
		{&endpoint.DaemonError{Name: "x", ExitStatus: 65, NextSteps: []next.Step{next.Do("look")}}, operation.CodeFailed, "look"},
		{&endpoint.DeleteError{Name: "x", Err: &globus.NetworkError{Host: "h", Err: errors.New("refused")}}, operation.CodeUnavailable, ""},
		{context.Canceled, operation.CodeCanceled, ""},
		{context.DeadlineExceeded, operation.CodeTimeout, ""},
		{&endpoint.InterruptedError{Name: "x", Err: context.Canceled, NextSteps: []next.Step{next.Do("again")}}, operation.CodeCanceled, "again"},
		{&endpoint.DeleteError{Name: "x", Err: fmt.Errorf("nothing was removed: %w", &auth.LoginError{Service: "compute", Reason: "none"})}, operation.CodeNotLoggedIn, "login"},
		{&endpoint.DeleteError{Name: "x", Err: fmt.Errorf("nothing was removed: %w", &globus.NetworkError{Host: "h", Err: errors.New("refused")})}, operation.CodeUnavailable, "try again later; removing only the files is possible too, and leaves the registration at the service"},
		{&globus.Error{Status: http.StatusUnauthorized, Code: "invalid_client"}, operation.CodeRefused, "check GLOBUS_COMPUTE_CLIENT_ID and GLOBUS_COMPUTE_CLIENT_SECRET"},
		{fs.ErrPermission, operation.CodeRefused, "see who may read and write there, or use another configuration directory"},
		{&fs.PathError{Op: "open", Path: "/d/x", Err: fs.ErrPermission}, operation.CodeRefused, "see who may read and write /d/x, or use another configuration directory"},
		{&fs.PathError{Op: "open", Path: "/d", Err: syscall.ENOTDIR}, operation.CodeInvalid, "name a directory as the configuration directory"},
	} {
		got := Classify(fmt.Errorf("doing: %w", tt.err))
		if got.Code != tt.code || tt.next != "" && sayNext(got.Next) != tt.next || len(got.Next) == 0 || !strings.HasPrefix(got.Message, "doing: ") {
			t.Errorf("%T: code %s, next %q, message %q; want %s, %q", tt.err, got.Code, sayNext(got.Next), got.Message, tt.code, tt.next)
		}
	}
	if got := Classify(fmt.Errorf("following: %w", context.Canceled)); got.Message != "following: interrupted" {
		t.Errorf("message %q, want a person's word", got.Message)
	}
	if Classify(nil) != nil {
		t.Error("nil is no error")
	}
	e := Classify(&endpoint.DaemonError{Name: "x", ExitStatus: 65, Meaning: "refused", Lines: []string{"\x1b[2Jboom"}})
	if e.Data == nil || *e.Data.ExitStatus != 65 || e.Data.Meaning != "refused" || e.Data.Lines[0] != `\u{1b}[2Jboom` {
		t.Errorf("data %+v", e.Data)
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain, with accents é and tabs\t":   "plain, with accents é and tabs\t",
		"\x1b[31mred\x07":                    `\u{1b}[31mred\u{7}`,
		"a\u202eb\u200bc\u2066d\u00adx\r\ny": `a\u{202e}b\u{200b}c\u{2066}d\u{ad}x\u{d}\u{a}y`,
		"\xff":                               `\u{fffd}`,
	} {
		if got := operation.Clean(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}
