package endpointfs

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

// A name that passes is one visible entry of a directory, whatever it is
// joined to.
func FuzzCheckName(f *testing.F) {
	for _, s := range []string{"mesa", "", ".", "..", "../x", "a/b", "a b", "-a", strings.Repeat("ü", 128), "a\x00", anID} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if CheckName(name) != nil {
			return
		}
		if !isComponent(name) || filepath.Base(name) != name || filepath.Join("/gc", name) != "/gc/"+name || strings.HasPrefix(name, ".") {
			t.Errorf("%q passed", name)
		}
		if len(lockName(name)) > maxNameBytes {
			t.Errorf("%q has no lock file", name)
		}
		if (CheckNewName(name) == nil) == looksLikeUUID(name) {
			t.Errorf("%q: UUID %v", name, looksLikeUUID(name))
		}
	})
}

// A UUID in canonical form is itself, and stands for what it was made of.
func FuzzCanonicalUUID(f *testing.F) {
	for _, s := range []string{anID, "urn:uuid:{" + strings.ToUpper(anID) + "}", "6a1f0e3c9c2d4b6e8a500d0f5c9a7e11", "x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id := canonicalUUID(s)
		if id != "" && (len(id) != 36 || canonicalUUID(id) != id || canonicalUUID("urn:uuid:"+id) != id) {
			t.Errorf("%q became %q", s, id)
		}
	})
}

// An id xor a problem; and an id is read again from what the daemon writes.
func FuzzEndpointJSON(f *testing.F) {
	for _, s := range []string{`{"endpoint_id": "` + anID + `"}`, "", "{}", "null", "[]", `{"endpoint_id": 1}`, `{"ENDPOINT_ID": "x"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		id, problem := parseEndpointJSON(data)
		if (id == "") == (problem == "") {
			t.Fatalf("id %q, problem %q", id, problem)
		}
		if again, _ := parseEndpointJSON([]byte(`{"endpoint_id": "` + id + `"}`)); again != id {
			t.Errorf("%q was read again as %q", id, again)
		}
	})
}

// A process id that can be, xor a problem of bounded length.
func FuzzPID(f *testing.F) {
	for _, s := range []string{"1\n", "", "-1", "0", "4194304", "4194305", "99999999999999999999", "1 2", "٣", "+5"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		pid, problem := parsePID(data)
		if (pid > 0) == (problem != "") || pid < 0 || pid > maxPID || len(problem) > 400 {
			t.Fatalf("pid %d, problem %q", pid, problem)
		}
		if again, _ := parsePID([]byte(strconv.Itoa(pid) + "\n")); again != pid {
			t.Errorf("%d was read again as %d", pid, again)
		}
	})
}

// A note that is read is written and read again as itself.
func FuzzSidecar(f *testing.F) {
	for _, s := range []string{`{"version":1,"host":"a","pid":1,"start_time":18446744073709551615,"launched":"2026-11-23T08:00:00Z"}`, "{}", "null", `{"version":2}`, `{"version":1,"pid":-1}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, problem := parseSidecar(data)
		if problem != "" {
			if s != (Sidecar{}) {
				t.Errorf("%+v and %q", s, problem)
			}
			return
		}
		out, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		again, problem := parseSidecar(out)
		if !s.Launched.Equal(again.Launched) {
			t.Errorf("%v was read again as %v", s.Launched, again.Launched)
		}
		s.Launched = again.Launched // the same instant in another zone
		if diff := cmp.Diff(s, again); diff != "" || problem != "" {
			t.Error(diff, problem)
		}
	})
}

// Two ids xor no user endpoint, and the ids make the name.
func FuzzLease(f *testing.F) {
	for _, text := range []string{"", "{}", `{"version":1,"token":"a","pid":7}`, `{"version":1,"token":"a","purpose":"starting","pid":7,"host":"h","since":"2026-11-23T08:00:00Z","boot":"b","start":9}`, `{"version":2,"token":"a","pid":7}`, `{"version":1,"token":"a","pid":-1}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, problem := parseLease(data)
		if problem != "" {
			if n != (leaseNote{}) {
				t.Errorf("%+v and %q", n, problem)
			}
			return
		}
		text, err := json.Marshal(n)
		if err != nil {
			return // a year that no JSON text can say
		}
		again, problem := parseLease(text)
		if problem != "" || !again.Since.Equal(n.Since) {
			t.Fatalf("%s: %q, %+v", text, problem, again)
		}
		if again.Since = n.Since; again != n {
			t.Errorf("%+v became %+v", n, again)
		}
	})
}

func FuzzUserEndpointDir(f *testing.F) {
	for _, s := range []string{"uep." + anID + "." + otherID, "uep." + anID, "uep..", "mesa"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		parent, own, ok := parseUserEndpointDir(name)
		if ok != (parent != "" && own != "") {
			t.Fatalf("%q, %q, %v", parent, own, ok)
		}
		if ok && !strings.EqualFold("uep."+parent+"."+own, name) {
			t.Errorf("%q became %q and %q", name, parent, own)
		}
	})
}

// Keys xor an error with a problem, and in no case trouble for who reads them.
func FuzzConfig(f *testing.F) {
	for _, s := range []string{"display_name: mesa\ndebug: true\n", "", "- a", "a: &a {<<: *a}", "<<: [{debug: 1}, x]", "? [a]\n: b", "a: b: c", "heartbeat_period: 1e400", "debug: !!binary x", "---\n---\n", "\x00", "engine: {a: 1}", "admins: [*x]"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, bad := parseMapping(data)
		if bad != nil && (keys != nil || bad.Problem == "" || bad.Line < 0) {
			t.Fatalf("%v and %+v", keys, bad)
		}
		for _, err := range checkKeys("config.yaml", "", keys) {
			if !strings.Contains(err.Error(), ": ") || err.(*FormatError).Line < 1 {
				t.Errorf("%+v", err)
			}
		}
	})
}

// A string that is written as YAML is read as itself.
func FuzzYAMLString(f *testing.F) {
	for _, s := range []string{"", "mesa", "yes", "1:30", "a: b", "\x00\x7f\u0085\u2028\ufeff", "😀", "\n", " x "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.ToValidUTF8(s, "?")
		var got map[string]any
		text := "k: " + yamlString(s) + "\n"
		if err := yaml.Unmarshal([]byte(text), &got); err != nil || got["k"] != s {
			t.Errorf("%q was written as %s and read as %q, %v", s, text, got["k"], err)
		}
		if kindOf(&yaml.Node{Kind: yaml.ScalarNode, Value: s}) != "text" && isPlain(s) {
			t.Errorf("%q is no text without quotation marks", s)
		}
	})
}

// A line of the template that is there, xor none.
func FuzzJinja(f *testing.F) {
	for _, s := range []string{"{{ a }}", "{% if a %}{% endif %}", "{#", "{{ '", "{% raw %}{% endraw %}", "{% set a %}", "{{ {", "}}", "{%-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		line, problem := checkJinja(text)
		if (line > 0) != (problem != "") || line > 1+strings.Count(text, "\n") {
			t.Errorf("line %d: %q", line, problem)
		}
		if !strings.Contains(text, "{") && problem != "" {
			t.Errorf("a plain text: %q", problem)
		}
	})
}

// Whatever is in a log and wherever a page ends: pages read backwards are the
// log, pages read forwards are the log, and no marker is made up.
func FuzzLog(f *testing.F) {
	f.Add([]byte(aLog), uint8(2), uint16(100))
	f.Add([]byte(aLog), uint8(0), uint16(1))
	f.Add([]byte("\n\n\nno time\n\n2026-11-23 08:00:00,000001 INFO x\n\n\n"), uint8(1), uint16(0))
	f.Add([]byte("2026-13-23 08:00:00,000001 INFO x\r\nhalf"), uint8(3), uint16(9))
	f.Fuzz(func(t *testing.T, data []byte, tail uint8, size uint16) {
		if n := len(data); n > 0 && data[n-1] != '\n' {
			data = append(slices.Clone(data), '\n')
		}
		l := logAt(t, string(data))
		pages := func(cursor string, next func(LogPage) string) (lines []LogLine) {
			for range 2 + len(data) {
				page, err := l.Query(t.Context(), LogQuery{Cursor: cursor, Tail: int(tail), MaxBytes: 1 + int(size)})
				if err != nil {
					t.Fatal(err)
				}
				if cursor[0] == 'n' {
					lines = append(lines, page.Lines...)
				} else {
					lines = append(slices.Clone(page.Lines), lines...)
				}
				if cursor = next(page); cursor == "" {
					return lines
				}
			}
			t.Fatal("it does not come to an end")
			return nil
		}
		file, err := os.Open(l.path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		first, err := cursorAt(file, 0, false)
		if err != nil {
			t.Fatal(err)
		}
		last, err := cursorAt(file, int64(len(data)), true)
		if err != nil {
			t.Fatal(err)
		}
		forward := pages(first.String(), func(p LogPage) string {
			if !p.More {
				return ""
			}
			return p.Cursor
		})
		backward := pages(last.String(), func(p LogPage) string { return p.Older })
		if diff := cmp.Diff(forward, backward); diff != "" {
			t.Errorf("forward and backward differ: %s", diff)
		}
		var text strings.Builder
		for _, line := range backward {
			text.WriteString(line.Text + "\n")
			if line.Time.IsZero() != (line.Level == "") {
				t.Errorf("%+v", line)
			}
		}
		if len(data) < maxLine && squeeze(text.String()) != squeeze(string(data)) {
			t.Errorf("the pages are %q, the log is %q", text.String(), data)
		}
		if m, ok, err := l.LastMarker(); err != nil || ok != (len(Markers(data)) > 0) || ok && m.ID != Markers(data)[len(Markers(data))-1].ID {
			t.Errorf("marker %+v, %v, %v", m, ok, err)
		}
	})
}

// squeeze leaves out blank lines, which belong to no record for certain.
func squeeze(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

func FuzzCursor(f *testing.F) {
	f.Add("n.10.10.0123456789abcdef")
	f.Add("o.0.0.cbf29ce484222325")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := parseCursor(s)
		if err != nil {
			return
		}
		if again, err := parseCursor(c.String()); err != nil || again != c {
			t.Errorf("%q became %+v, %v", s, again, err)
		}
	})
}
