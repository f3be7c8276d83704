package rpc_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"chiltepin/server/rpc"
)

// TestLogMessage: what is logged as worth attention is shown to an editor's
// person, without what a panic said; a script is told nothing beside its
// answers.
func TestLogMessage(t *testing.T) {
	t.Parallel()
	const crash = `{"jsonrpc":"2.0","id":2,"method":"thing/crash"}`
	const shown = `{"jsonrpc":"2.0","method":"window/logMessage","params":{"message":"operation panicked","type":1}}`
	for hello, want := range map[string]int{`{"jsonrpc":"2.0","id":1,"method":"initialize"}` + "\n": 1, "": 0} {
		var out, log bytes.Buffer
		ctx := zerolog.New(zerolog.SyncWriter(&log)).WithContext(t.Context())
		if err := rpc.Serve(ctx, rpc.Options{Catalog: (&bench{}).catalog(), In: strings.NewReader(hello + crash), Out: &out, Version: "test"}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(out.String(), shown); got != want || strings.Count(out.String(), "logMessage") != want || strings.Contains(out.String(), "secret words") {
			t.Errorf("with %q it sent %s", hello, out.String())
		}
		if !strings.Contains(log.String(), "secret words") {
			t.Error("the log does not say what happened")
		}
	}
}
