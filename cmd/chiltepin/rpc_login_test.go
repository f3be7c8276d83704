package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	"chiltepin/globus/sandbox/sandboxtest"
)

// TestRPCLoginShown is an editor on the person's own machine: it is asked to
// open one address, and the login comes back by itself.
func TestRPCLoginShown(t *testing.T) {
	t.Parallel()
	box, home := sandboxtest.Start(t), t.TempDir()
	log := filepath.Join(home, "log.jsonl")
	s := startServer(t, home, box.Env(), "rpc", "--trace", "--log-level", "debug", "--log-file", log)
	s.result(t, "initialize", `{"processId":null,"capabilities":{"window":{"showDocument":{"support":true}}}}`, nil)
	s.send(t, `{"jsonrpc":"2.0","id":"login","method":"login","params":{}}`+"\n")
	m, _ := s.next(t)
	var show struct {
		Params struct {
			URI      string
			External bool
		}
	}
	if err := json.Unmarshal([]byte(s.seen[len(s.seen)-1]), &show); err != nil || m.Method != "window/showDocument" || !show.Params.External {
		t.Fatalf("it says %s", s.seen[len(s.seen)-1])
	}
	s.send(t, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"success":true}}`+"\n", m.ID))
	if page, err := box.NewBrowser().Visit(show.Params.URI); err != nil || page.Status != 200 || page.URL.Hostname() != "127.0.0.1" {
		t.Errorf("the browser ends at %v with %d, %v", page.URL, page.Status, err)
	}
	var p pendingLogin
	if err := json.Unmarshal(s.answer(t, `"login"`).Result, &p); err != nil || p.Outcome != "logged_in" {
		t.Errorf("answered %s", s.seen[len(s.seen)-1])
	}
	if n := box.SignIns(); n != 1 {
		t.Errorf("%d sign-ins, want 1", n)
	}
	s.in.Close()
	s.finish(t)
	quiet(t, box, home, s, log)
}

// TestRPCLoginByPaste is a script on a login node, whose person has a browser
// elsewhere and brings the codes.
func TestRPCLoginByPaste(t *testing.T) {
	t.Parallel()
	box, home := sandboxtest.Start(t), t.TempDir()
	log := filepath.Join(home, "log.jsonl")
	s := startServer(t, home, append(box.Env(), "SSH_CONNECTION=192.0.2.1 1 192.0.2.2 22"), "rpc", "--trace", "--log-level", "debug", "--log-file", log)
	browser := box.NewBrowser()
	var p pendingLogin
	s.result(t, "login", `{}`, &p)
	for i := 0; p.Outcome == "pending" && i < 3; i++ {
		page, err := browser.Visit(p.Pending.URL)
		if err != nil {
			t.Fatal(err)
		}
		args := fmt.Sprintf(`{"flow":%q,"code":%q}`, p.Pending.Flow, page.URL.Query().Get("code"))
		p = pendingLogin{}
		s.result(t, "login", args, &p)
	}
	if n := box.SignIns(); p.Outcome != "logged_in" || n != 1 {
		t.Errorf("%+v after %d sign-ins", p, n)
	}
	s.in.Close()
	s.finish(t)
	quiet(t, box, home, s, log)
}
