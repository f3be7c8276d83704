package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chiltepin/globus/sandbox/sandboxtest"
	"chiltepin/tools/operation"
)

// pendingLogin is what a call of login gave.
type pendingLogin struct {
	Outcome string
	Pending struct {
		Flow, URL string
		Next      []operation.Next
	}
	Error struct{ Code, Message string }
}

func (c called) login(t *testing.T) (p pendingLogin) {
	t.Helper()
	if err := json.Unmarshal(c.StructuredContent, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestMCPLoginByPaste is an assistant on a login node whose person has a
// browser elsewhere and brings two codes, which appear nowhere.
func TestMCPLoginByPaste(t *testing.T) {
	t.Parallel()
	box, home := sandboxtest.Start(t), t.TempDir()
	log := filepath.Join(home, "log.jsonl")
	s := startMCP(t, home, append(box.Env(), "SSH_CONNECTION=192.0.2.1 1 192.0.2.2 22"), "--trace", "--log-level", "debug", "--log-file", log)
	s.send(t, legacyHello)
	p := s.call(t, "1", "login", "{}").login(t)
	if p.Outcome != "pending" || p.Pending.Flow == "" || !strings.Contains(fmt.Sprint(p.Pending.Next), "copy the code that the page shows") {
		t.Fatalf("%+v", p)
	}
	if w := s.call(t, "2", "whoami", "{}"); w.code(t) != "not_logged_in" {
		t.Errorf("whoami meanwhile: %s", w.StructuredContent)
	}
	bad := s.call(t, "3", "login", fmt.Sprintf(`{"flow":%q,"code":"mistyped"}`, p.Pending.Flow)).login(t)
	if bad.Error.Code != "refused" || !strings.Contains(bad.Error.Message, "the code was not accepted") {
		t.Errorf("%+v", bad)
	}
	browser := box.NewBrowser()
	for i := 0; p.Outcome == "pending" && i < 3; i++ {
		page, err := browser.Visit(p.Pending.URL)
		if err != nil {
			t.Fatal(err)
		}
		code := page.URL.Query().Get("code")
		p = s.call(t, fmt.Sprint(10+i), "login", fmt.Sprintf(`{"flow":%q,"code":%q}`, p.Pending.Flow, code)).login(t)
	}
	if p.Outcome != "logged_in" {
		t.Fatalf("%+v", p)
	}
	if n := box.SignIns(); n != 1 {
		t.Errorf("%d sign-ins, want 1", n)
	}
	if w := s.call(t, "20", "whoami", "{}"); w.IsError {
		t.Errorf("whoami: %s", w.StructuredContent)
	}
	s.in.Close()
	s.finish(t)
	quiet(t, box, home, s, log)
}

// quiet fails on a secret in anything that a server said or wrote, but for the
// stores.
func quiet(t *testing.T, box *sandboxtest.Box, home string, s *mcpServer, log string) {
	t.Helper()
	text, err := os.ReadFile(log)
	if err != nil || len(text) == 0 {
		t.Fatal(err)
	}
	said := map[string]string{"the log": string(text), "stdout": strings.Join(s.seen, "")}
	if b, err := os.ReadFile(s.stderr); err == nil {
		said["stderr"] = string(b)
	}
	own, err := filepath.Glob(filepath.Join(home, ".globus_compute", ".chiltepin", "*"))
	if err != nil || len(own) == 0 {
		t.Fatal(own, err)
	}
	for _, file := range own {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		said[file] = string(b)
	}
	for what, text := range said {
		if leaks := box.Leaks(text); len(leaks) > 0 {
			t.Errorf("%s shows %v", what, leaks)
		}
	}
}

// TestMCPLoginByURL is an assistant on the person's own machine that can show
// an address, in both eras: the login comes back by itself.
func TestMCPLoginByURL(t *testing.T) {
	t.Parallel()
	for _, modern := range []bool{false, true} {
		t.Run(fmt.Sprintf("modern=%v", modern), func(t *testing.T) {
			t.Parallel()
			box, home := sandboxtest.Start(t), t.TempDir()
			log := filepath.Join(home, "log.jsonl")
			s := startMCP(t, home, box.Env(), "--trace", "--log-level", "debug", "--log-file", log)
			browser := box.NewBrowser()
			visited := make(chan error, 1)
			open := func(params json.RawMessage) {
				var q struct{ Mode, URL, Message string }
				if err := json.Unmarshal(params, &q); err != nil || q.Mode != "url" {
					t.Errorf("%s %v", params, err)
				}
				if u, err := url.Parse(q.URL); err != nil || !strings.HasPrefix(u.Query().Get("redirect_uri"), "http://127.0.0.1:") {
					t.Errorf("the address is %s", q.URL)
				}
				go func() {
					page, err := browser.Visit(q.URL)
					if err == nil && page.Status != 200 {
						err = fmt.Errorf("the page answered %d: %s", page.Status, page.Text)
					}
					visited <- err
				}()
			}
			var p pendingLogin
			if modern {
				const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"elicitation":{"url":{}}}}`
				c := s.ask(t, "1", "tools/call", `{"name":"login",`+meta+`}`).called(t)
				var q struct{ Params json.RawMessage }
				if err := json.Unmarshal(c.InputRequests["visit"], &q); err != nil || c.RequestState == "" {
					t.Fatalf("%+v", c)
				}
				open(q.Params)
				p = s.ask(t, "2", "tools/call", fmt.Sprintf(`{"name":"login","requestState":%q,"inputResponses":{"visit":{"action":"accept"}},%s}`, c.RequestState, meta)).called(t).login(t)
			} else {
				s.send(t, strings.Replace(legacyHello, `"capabilities":{}`, `"capabilities":{"elicitation":{"url":{}}}`, 1))
				s.send(t, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"login"}}`+"\n")
				for p.Outcome == "" {
					m, ok := s.next(t)
					if !ok {
						t.Fatal("the server ended")
					}
					switch {
					case m.Method == "elicitation/create":
						open(m.Params)
						s.send(t, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"action":"accept"}}`+"\n", m.ID))
					case string(m.ID) == "1":
						p = m.called(t).login(t)
					}
				}
			}
			if err := <-visited; err != nil {
				t.Error(err)
			}
			// A slow machine may have been handed the handle.
			for i := 0; p.Outcome == "pending" && i < 3; i++ {
				p = s.call(t, fmt.Sprint(30+i), "login", fmt.Sprintf(`{"flow":%q}`, p.Pending.Flow)).login(t)
			}
			if p.Outcome != "logged_in" {
				t.Errorf("%+v", p)
			}
			if n := box.SignIns(); n != 1 {
				t.Errorf("%d sign-ins, want 1", n)
			}
			s.in.Close()
			s.finish(t)
			quiet(t, box, home, s, log)
		})
	}
}

// TestMCPLoginOpensABrowser is an assistant on a machine with a browser: it is
// opened with nothing that is of use to who sees it, and the call waits for it.
func TestMCPLoginOpensABrowser(t *testing.T) {
	t.Parallel()
	box, home := sandboxtest.Start(t), t.TempDir()
	log, opener, opened := filepath.Join(home, "log.jsonl"), filepath.Join(home, "opener"), filepath.Join(home, "opened")
	script := "#!/bin/sh\n{ sed -n 's/.*href=\"\\([^\"]*\\)\".*/\\1/p' \"${1#file://}\"; env; echo ARGV=\"$1\"; } >" + opened + ".part\nmv " + opened + ".part " + opened + "\n"
	if err := os.WriteFile(opener, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	s := startMCP(t, home, append(box.Env(), "BROWSER="+opener, "ACADEMY_GLOBUS_CLIENT_SECRET=hush"), "--trace", "--log-level", "debug", "--log-file", log)
	s.send(t, legacyHello)
	s.send(t, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"login"}}`+"\n")
	var words []string
	for deadline := time.Now().Add(5 * time.Minute); len(words) == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no browser was opened")
		}
		b, _ := os.ReadFile(opened) // not there yet
		if strings.Contains(string(b), "hush") {
			t.Error("the browser got a secret")
		}
		words = strings.Fields(string(b))
		if len(words) > 0 && !strings.Contains(string(b), "ARGV=file:///") {
			t.Errorf("the arguments of the browser show the address")
		}
	}
	u, err := url.Parse(words[0])
	if err != nil || u.Hostname() != "127.0.0.1" || u.RawQuery != "" {
		t.Fatalf("opened with %q", words[0])
	}
	if page, err := box.NewBrowser().Visit(words[0]); err != nil || page.Status != 200 {
		t.Fatal(page.Text, err)
	}
	p := s.answer(t, "1").called(t).login(t)
	for i := 0; p.Outcome == "pending" && i < 3; i++ { // a slow machine
		p = s.call(t, fmt.Sprint(2+i), "login", fmt.Sprintf(`{"flow":%q}`, p.Pending.Flow)).login(t)
	}
	if p.Outcome != "logged_in" || box.SignIns() != 1 {
		t.Errorf("%+v, %d sign-ins", p, box.SignIns())
	}
	s.in.Close()
	s.finish(t)
	quiet(t, box, home, s, log)
}
