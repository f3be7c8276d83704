package rpc_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"chiltepin/tools/operation"

	"chiltepin/server/rpc"
)

// FuzzSession: whatever a client sends, what comes back are messages, each
// request is answered once under its id, and the server ends well or as exit
// asks it to.
func FuzzSession(f *testing.F) {
	for _, seed := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"thing/show","params":{"name":"mesa"}}`,
		`{"jsonrpc":"2.0","id":"a","method":"initialize","params":{"processId":1,"capabilities":{"window":{"showDocument":{"support":true}}}}}` + "\n" + `{"jsonrpc":"2.0","id":-2,"method":"thing/show"}`,
		`{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}` + "\n" + `{"jsonrpc":"2.0","method":"$/setTrace","params":{"value":"verbose"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"thing/drop","params":{"name":"mesa","confirm":"mesa","workDoneToken":1,"partialResultToken":"x"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"shutdown"}` + "\n" + `{"jsonrpc":"2.0","method":"exit"}`,
		`{"jsonrpc":"2.0","id":1,"method":"workspace/executeCommand","params":{"command":"chiltepin.thing.show","arguments":[{}]}}`,
		`{"jsonrpc":"2.0","id":1,"method":"thing/watch","params":{"name":"none"}}` + "\n" + `{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":1}}`,
		"Content-Length: 44\r\n\r\n" + `{"jsonrpc":"2.0","id":1,"method":"shutdown"}`,
		`{"jsonrpc":"2.0","id":1,"result":{}}`,
	} {
		f.Add([]byte(seed))
	}
	things := &bench{tell: make(chan string)}
	var quick []*operation.Tool // the slow ones would only be waited for
	for t := range things.catalog().All() {
		if t.Name != "thing.wait" && t.Name != "thing.look" && t.Name != "thing.slow" && t.Name != "login" {
			quick = append(quick, t)
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var out bytes.Buffer
		err := rpc.Serve(t.Context(), rpc.Options{Catalog: operation.NewCatalog(quick...), In: bytes.NewReader(in), Out: &out, Version: "test", Limit: 4096})
		if err != nil && err != rpc.ErrNoShutdown {
			t.Fatalf("Serve: %v", err)
		}
		text := out.String()
		headers := strings.HasPrefix(text, "Content-Length: ")
		for text != "" {
			if headers {
				_, text, _ = strings.Cut(text, "\r\n\r\n")
			}
			dec := json.NewDecoder(strings.NewReader(text))
			var m struct {
				JSONRPC string          `json:"jsonrpc"`
				ID      json.RawMessage `json:"id"`
				Method  string          `json:"method"`
				Result  json.RawMessage `json:"result"`
				Error   *struct {
					Code    int    `json:"code"`
					Message string `json:"message"`
				} `json:"error"`
			}
			if err := dec.Decode(&m); err != nil {
				t.Fatalf("sent %.300q: %v", text, err)
			}
			answer := m.Result != nil != (m.Error != nil) && m.ID != nil
			if m.JSONRPC != "2.0" || m.Method == "" != answer || m.Error != nil && (m.Error.Code == 0 || m.Error.Message == "" || strings.Contains(m.Error.Message, "secret words")) {
				t.Fatalf("sent %.300q", text)
			}
			text = strings.TrimPrefix(text[dec.InputOffset():], "\n")
		}
	})
}
