package runtime

import (
	"path/filepath"
	"strings"
	"testing"
)

const shim = `#!/usr/bin/env bash
set -e
[ -n "$PYENV_DEBUG" ] && set -x

program="${0##*/}"

export PYENV_ROOT="/home/me/.pyenv"
exec "/home/me/.pyenv/libexec/pyenv" exec "$program" "$@"
`

func TestParseScript(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		head string
		want script
	}{
		{"#!/env/bin/python\nimport re\n", script{interpreter: "/env/bin/python"}},
		{"#! /env/bin/python3.12 -sE\r\n", script{interpreter: "/env/bin/python3.12"}},
		{"#!/env/bin/python", script{interpreter: "/env/bin/python"}},
		{"#!/usr/bin/env python3\n", script{interpreter: "python3", lookup: true}},
		{"#!/usr/bin/env -S A=b python3 -I\n", script{interpreter: "python3", lookup: true}},
		{"#!/usr/bin/env /env/bin/python\n", script{interpreter: "/env/bin/python"}},
		{"#!/usr/bin/env\n", script{}},
		{"#!/bin/sh\n'''exec' \"/with space/python\" \"$0\" \"$@\"\n' '''\n", script{interpreter: "/with space/python"}},
		{"#!/bin/sh\n'''exec' '/with space/python' \"$0\" \"$@\"\n' '''\n", script{interpreter: "/with space/python"}},
		{"#!/bin/sh\n'''exec' /long/python \"$0\" \"$@\"\n' '''\n", script{interpreter: "/long/python"}},
		{"#!/bin/sh\n'''exec' \"relative/python\" \"$0\" \"$@\"\n' '''\n", script{interpreter: "/bin/sh"}},
		{"#!/bin/sh\nexec apptainer run endpoint.sif \"$@\"\n", script{interpreter: "/bin/sh"}},
		{shim, script{interpreter: "/usr/bin/env", pyenv: "/home/me/.pyenv"}},
		{strings.ReplaceAll(shim, "/home/me", "home"), script{interpreter: "bash", lookup: true}},
		{"#!python\n", script{}},
		{"#!\n", script{}},
		{"", script{}},
		{"import re\n", script{}},
		{"\x7fELF\x02\x01\x01\x00", script{}},
		{"#!/env/bin/python\nPK\x03\x04\x00", script{}},
	} {
		if got := parseScript([]byte(test.head)); got != test.want {
			t.Errorf("parseScript(%q) = %+v, want %+v", test.head, got, test.want)
		}
	}
}

func FuzzParseScript(f *testing.F) {
	for _, seed := range []string{shim, "#!/env/bin/python\n", "#!/usr/bin/env python3\n", "#!/bin/sh\n'''exec' \"/a b/python\" \"$0\" \"$@\"\n", "#!/env/bin/python\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		s := parseScript(head)
		switch {
		case s == script{}:
			return
		case s.lookup && strings.Contains(s.interpreter, "/"), s.interpreter == "":
			t.Errorf("%+v cannot be looked up", s)
		case strings.ContainsAny(s.interpreter+s.pyenv, "\n\x00"):
			t.Errorf("%+v has what no path has", s)
		case s.pyenv != "" && !filepath.IsAbs(s.pyenv):
			t.Errorf("%+v depends on the working directory", s)
		}
		// What was read off a script, written as the simplest script, reads the same.
		if !s.lookup && s.pyenv == "" && filepath.IsAbs(s.interpreter) && !strings.ContainsAny(s.interpreter, " \t\v\f\r\u0085\u00a0") && filepath.Base(s.interpreter) != "env" {
			if again := parseScript([]byte("#!" + s.interpreter + "\n")); again != s && strings.Fields(s.interpreter)[0] == s.interpreter {
				t.Errorf("%+v is read again as %+v", s, again)
			}
		}
	})
}
