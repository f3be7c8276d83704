package mcp_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"chiltepin/tools/operation"

	"chiltepin/server/mcp"
)

// TestRelieved: a call that took so long that somebody else reads by
// then is answered when it ends, and not with the next message.
func TestRelieved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := define("thing.hang", operation.Reads, func(context.Context, noArgs) (dropped, error) {
			time.Sleep(time.Second) // a file system that hangs
			return dropped{"late"}, nil
		})
		in, send := io.Pipe()
		var out wire
		done := make(chan error, 1)
		go func() {
			done <- mcp.Serve(t.Context(), mcp.Options{Catalog: operation.NewCatalog(slow), In: in, Out: &out, Version: "test"})
		}()
		if _, err := io.WriteString(send, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"thing_hang","arguments":{}}}`+"\n"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := strings.Join(out.news(t), "\n"); !strings.Contains(got, `"name":"late"`) {
			t.Errorf("a second after its end the call is answered %q", got)
		}
		if err := send.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second) // the watchman goes home
	})
}
