package tools

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"chiltepin/tools/operation"

	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"
)

// TestEndpointWatch: the list comes first, then each change, in the words of
// every other face and with what others wrote made safe.
func TestEndpointWatch(t *testing.T) {
	t.Parallel()
	watch := All((&fakeEndpoints{}).services()).Lookup("endpoint.watch")
	event := watch.EventSchema()
	var schema jsonschema.Schema
	if err := schema.UnmarshalJSON(event); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var got []string
	var text bytes.Buffer
	ctx = operation.WithEmit(ctx, func(r operation.Result) error {
		got = append(got, string(r.JSON))
		if err := r.WriteText(&operation.Printer{Writer: &text}); err != nil {
			t.Error(err)
		}
		if len(got) == 5 {
			cancel()
		}
		return nil
	})
	var e *operation.Error
	if _, err := watch.Call(ctx, nil); !errors.As(err, &e) || e.Code != operation.CodeCanceled {
		t.Errorf("ended with %v, want canceled", err)
	}
	const mesa = `{"name":"mesa","id":"12345678-1234-1234-1234-123456789abc","status":"Running","reason":"seen"}`
	const gone = `{"name":"mesa","id":"12345678-1234-1234-1234-123456789abc","status":"Disconnected","reason":"gone\\u{1b}[31m"}`
	want := []string{
		`{"config_dir":"/etc/gc","endpoints":[` + mesa + `,{"name":"a-longer-name","status":"Initialized"}]}`,
		`{"config_dir":"/etc/gc","name":"mesa","change":"status","before":` + mesa + `,"endpoint":` + gone + `}`,
		`{"config_dir":"/etc/gc","name":"a-longer-name","change":"registration","before":{"name":"a-longer-name","status":"Initialized"},"endpoint":{"name":"a-longer-name","id":"12345678-1234-1234-1234-123456789abc","status":"Initialized"}}`,
		`{"config_dir":"/etc/gc","name":"mesa","change":"removed","before":` + gone + `}`,
		`{"config_dir":"/etc/gc","name":"mesa","change":"added","endpoint":` + mesa + `}`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	lines := strings.Split(text.String(), "\n")
	if d := cmp.Diff([]string{
		"mesa Disconnected (was Running)",
		"a-longer-name Initialized (registered as 12345678-1234-1234-1234-123456789abc)",
		"mesa removed", "mesa added: Running", ""}, lines[len(lines)-5:]); d != "" {
		t.Errorf("for people (-want +got):\n%s", d)
	}
}

// TestEndpointWatchAnsweredOnce: where an answer is given once it is refused,
// and a face that cannot go on does not offer it.
func TestEndpointWatchAnsweredOnce(t *testing.T) {
	t.Parallel()
	c := All((&fakeEndpoints{}).services())
	var e *operation.Error
	if _, err := c.Lookup("endpoint.watch").Call(t.Context(), nil); !errors.As(err, &e) || e.Code != operation.CodeInvalid || sayNext(e.Next) != "to see them once: endpoint.list" {
		t.Errorf("got %v, want invalid with a next step", err)
	}
	for follows, offered := range map[bool]bool{true: true, false: false} {
		o, err := (operation.Policy{Follows: follows}).Offer(c)
		if err != nil {
			t.Fatal(err)
		}
		if tool, why := o.Lookup("endpoint.watch"); (tool != nil) != offered || offered == (why != "") {
			t.Errorf("follows %v: offered %v, %q", follows, tool != nil, why)
		}
	}
	if _, err := c.Lookup("endpoint.watch").Call(operation.WithEmit(t.Context(), keep), []byte(`{"config_dir":7}`)); !errors.As(err, &e) || e.Code != operation.CodeInvalid {
		t.Errorf("got %v, want invalid", err)
	}
	failing := All((&fakeEndpoints{err: errors.New("unreadable")}).services()).Lookup("endpoint.watch")
	if _, err := failing.Call(operation.WithEmit(t.Context(), keep), nil); err == nil {
		t.Error("a directory that cannot be read was followed")
	}
}

func keep(operation.Result) error { return nil }
