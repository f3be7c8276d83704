package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"chiltepin/tools/operation"

	"github.com/google/go-cmp/cmp"
)

// FuzzSeal holds that a ticket comes back as it was sealed, once, and that
// nothing but what was sealed is ever taken for a ticket.
func FuzzSeal(f *testing.F) {
	f.Add("endpoint.delete", "mesa", "/home/me/.globus_compute", "AAAA", 0)
	f.Add("", "\x00", "é", "", 40)
	f.Fuzz(func(t *testing.T, operation, subject, dir, other string, at int) {
		s, err := newSealer()
		if err != nil {
			t.Fatal(err)
		}
		want := ticket{Operation: strings.ToValidUTF8(operation, ""), Subject: strings.ToValidUTF8(subject, ""), ConfigDir: strings.ToValidUTF8(dir, "")}
		state, err := s.sealState(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.openState(state)
		if err != nil {
			t.Fatal(err)
		}
		want.Serial, want.Expires = got.Serial, got.Expires
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-sealed +opened):\n%s", diff)
		}
		if s.spendState(got) != nil || !errors.Is(s.spendState(got), errUsed) {
			t.Error("a ticket is good once")
		}
		changed := []byte(state)
		i := uint(at) % uint(len(changed))
		changed[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[uint(at)%26]
		for _, forged := range []string{string(changed), other, state + "A", state[1:]} {
			if forged == state {
				continue
			}
			if _, err := s.openState(forged); !errors.Is(err, errForged) {
				t.Errorf("open(%q) = %v", forged, err)
			}
		}
	})
}

// FuzzServe sends one line of anything between a handshake and a last request:
// every line that comes back is a message, the last request is answered once,
// and the server ends with its input.
func FuzzServe(f *testing.F) {
	for _, seed := range []string{
		`{"jsonrpc":"2.0","id":2,"method":"tools/list"}`,
		`{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"thing_look","arguments":{"n":1}}}`,
		`{"jsonrpc":"2.0","id":-1,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`,
		`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}`,
		`[{"jsonrpc":"2.0","id":3,"method":"ping"}]`,
		`{"id":null}`, `{`, `nul`,
	} {
		f.Add(seed)
	}
	type args struct {
		N int `json:"n,omitempty" jsonschema:"a number"`
	}
	catalog := operation.NewCatalog(operation.Define(operation.Spec{Name: "thing.look", Summary: "Look", Doc: "Looks.", Effect: operation.Reads},
		func(_ context.Context, in args) (args, error) { return in, nil }))
	f.Fuzz(func(t *testing.T, line string) {
		line = strings.NewReplacer("\n", " ", "\r", " ").Replace(line)
		if first := strings.TrimLeft(line, " \t\xef\xbb\xbf"); first != "" && (first[0] == 'C' || first[0] == 'c') {
			return // a header, which may take what follows for its body
		}
		in := `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"f","version":"1"}}}` + "\n" +
			line + "\n" + `{"jsonrpc":"2.0","id":"the last","method":"ping"}`
		var out bytes.Buffer
		if err := Serve(t.Context(), Options{Catalog: catalog, In: strings.NewReader(in), Out: &out, Version: "f"}); err != nil {
			t.Fatalf("Serve: %v", err)
		}
		answered := 0
		for text := range strings.Lines(out.String()) {
			var m struct {
				JSONRPC string          `json:"jsonrpc"`
				ID      json.RawMessage `json:"id"`
			}
			if err := json.Unmarshal([]byte(text), &m); err != nil || m.JSONRPC != "2.0" {
				t.Fatalf("no message: %q", text)
			}
			if string(m.ID) == `"the last"` {
				answered++
			}
		}
		if answered != 1 && !strings.Contains(line, "the last") {
			t.Errorf("the last request has %d answers after %q:\n%s", answered, line, out.String())
		}
	})
}
