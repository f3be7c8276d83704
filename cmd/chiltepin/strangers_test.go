package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// strangerCalls are what a client that is led by a stranger sends, to run a
// program or a text of its choice: the wire name and the arguments, in which
// HOME and TRAP stand for paths. The trap leaves the file sprung when it is run.
func strangerCalls() [][2]string {
	return [][2]string{
		{"endpoint.start", `{"name":"mesa","config_dir":"HOME/q;touch HOME/sprung;#","runtime":"/bin/bash"}`},
		{"endpoint.start", `{"name":"mesa","runtime":"TRAP"}`},
		{"endpoint.start", `{"name":"mesa","config_dir":"HOME/q;touch HOME/sprung;#"}`},
		{"endpoint.restart", `{"name":"mesa","runtime":"TRAP"}`},
		{"doctor", `{"runtime":"TRAP"}`},
		{"doctor", `{"offline":true,"runtime":"TRAP"}`},
		{"pool.render", `{"file":"HOME/pools.yaml","name":"small","runtime":"TRAP"}`},
		{"runtime.status", `{"runtime":"TRAP"}`},
		{"runtime.install", `{"python":"TRAP"}`},
		{"logout", `{"force":true,"all":true}`},
		{"endpoint.list", `{"config_dir":"HOME/other"}`},
	}
}

// TestClientsChooseNoProgram sends them to each server in each of its modes: all
// are refused, what lists the operations does not show the fields, and nothing is
// run or made.
func TestClientsChooseNoProgram(t *testing.T) {
	t.Parallel()
	for _, mode := range [][]string{{}, {"--read-only"}, {"--no-destructive"}, {"-c", "HOME/fixed"}, {"-c", "HOME/fixed", "--read-only"}} {
		for _, face := range []string{"mcp", "rpc"} {
			t.Run(face+strings.Join(mode, ""), func(t *testing.T) {
				t.Parallel()
				home := t.TempDir()
				trap := filepath.Join(t.TempDir(), "globus-compute-endpoint")
				if err := os.WriteFile(trap, []byte("#!/bin/sh\ntouch "+filepath.Join(home, "sprung")+"\n"), 0o755); err != nil {
					t.Fatal(err)
				}
				fill := strings.NewReplacer("HOME", home, "TRAP", trap)
				args := []string{face, "--toolsets", "all"}
				for _, word := range mode {
					args = append(args, fill.Replace(word))
				}
				s := startServer(t, home, nil, args...)
				list := "rpc.discover"
				if face == "mcp" {
					s.send(t, legacyHello)
					s.answer(t, "0")
					list = "tools/list"
				}
				s.ask(t, "100", list, `{}`)
				for _, field := range []string{`"runtime":{"type":"string"`, `"name":"runtime","summary"`, `"python":{"type":"string","description":"the Python`, `"name":"python"`, `"config_dir":{"type":"string","description":"another`, `"name":"config_dir"`} {
					if strings.Contains(s.seen[len(s.seen)-1], field) {
						t.Errorf("%s shows %s", list, field)
					}
				}
				for i, c := range strangerCalls() {
					method, params := strings.ReplaceAll(c[0], ".", "/"), fill.Replace(c[1])
					if face == "mcp" {
						method = "tools/call"
						params = fmt.Sprintf(`{"name":%q,"arguments":%s}`, strings.ReplaceAll(c[0], ".", "_"), params)
					}
					m := s.ask(t, fmt.Sprint(i+1), method, params)
					var said struct{ Result struct{ IsError bool } }
					if err := json.Unmarshal([]byte(s.seen[len(s.seen)-1]), &said); err != nil {
						t.Fatal(err)
					}
					if m.Error == nil && !said.Result.IsError {
						t.Errorf("%s %s went through: %s", c[0], params, s.seen[len(s.seen)-1])
					}
				}
				s.in.Close()
				s.finish(t)
				if made, err := filepath.Glob(filepath.Join(home, "*")); err != nil || len(made) > 0 {
					t.Errorf("something was done: %v %v", made, err)
				}
			})
		}
	}
}
