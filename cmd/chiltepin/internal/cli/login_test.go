package cli

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// A terminal that can gets a link and a picture of the address; another gets
// the address alone.
func TestAddress(t *testing.T) {
	t.Parallel()
	url := "https://auth.globus.org/v2/oauth2/authorize?client_id=7d8b6bed&scope=" + strings.Repeat("x", 500)
	for name, test := range map[string]struct {
		tty           bool
		columns, rows int
		env           map[string]string
		link, picture bool
	}{
		"a pipe":             {false, 0, 0, map[string]string{"TERM": "xterm", "LANG": "C.UTF-8"}, false, false},
		"a large terminal":   {true, 200, 80, map[string]string{"TERM": "xterm", "LANG": "C.UTF-8"}, true, true},
		"a usual terminal":   {true, 80, 24, map[string]string{"TERM": "xterm", "LANG": "C.UTF-8"}, true, false},
		"no UTF-8":           {true, 200, 80, map[string]string{"TERM": "xterm", "LANG": "C"}, true, false},
		"UTF-8 switched off": {true, 200, 80, map[string]string{"TERM": "xterm", "LANG": "C.UTF-8", "LC_ALL": "POSIX"}, true, false},
		"no colours":         {true, 200, 80, map[string]string{"TERM": "xterm", "LANG": "C.UTF-8", "NO_COLOR": "1"}, true, false},
		"a dumb terminal":    {true, 200, 80, map[string]string{"TERM": "dumb", "LANG": "C.UTF-8"}, false, false},
		"the console":        {true, 200, 80, map[string]string{"TERM": "linux", "LANG": "C.UTF-8"}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			c := &command{World: World{
				Stdin: strings.NewReader(" the-code \n"), Stderr: &out, StderrTTY: test.tty, StdinTTY: test.tty,
				StderrSize: func() (int, int) { return test.columns, test.rows },
				Getenv:     func(name string) string { return test.env[name] },
			}}
			code, err := c.askCode(t.Context(), url)
			if err != nil || code != "the-code" {
				t.Errorf("%q, %v", code, err)
			}
			text := out.String()
			if got := strings.Contains(text, "\x1b]8;;"+url+"\x1b\\"+url+"\x1b]8;;\x1b\\"); got != test.link {
				t.Errorf("link: %v, want %v", got, test.link)
			}
			if got := strings.Contains(text, "▀"); got != test.picture {
				t.Errorf("picture: %v, want %v", got, test.picture)
			}
			if !strings.Contains(text, "  "+url+"\n") && !test.link {
				t.Errorf("the address is not on a line of its own:\n%s", text)
			}
			for line := range strings.Lines(text) {
				if strings.Contains(line, "▀") && utf8.RuneCountInString(strings.TrimSuffix(line, "\x1b[0m\n"))-len("\x1b[30;107m") > test.columns {
					t.Errorf("the picture is wider than the terminal: %q", line)
				}
			}
		})
	}
}

// Over ssh the port to forward is named.
func TestShowAddress(t *testing.T) {
	t.Parallel()
	const address = "https://auth.globus.org/v2/oauth2/authorize?redirect_uri=http%3A%2F%2F127.0.0.1%3A8765"
	for connection, want := range map[string]bool{"": false, "1 2 3 4": true} {
		var out bytes.Buffer
		c := &command{World: World{Stderr: &out, Getenv: func(name string) string {
			return map[string]string{"SSH_CONNECTION": connection}[name]
		}}}
		c.showAddress(address)
		if got := strings.Contains(out.String(), "ssh -L 8765:127.0.0.1:8765 "); got != want || !strings.Contains(out.String(), "\n  "+address+"\n") {
			t.Errorf("%q: %s", connection, out.String())
		}
	}
}
