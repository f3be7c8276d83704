package endpointfs

import (
	"encoding/json"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"chiltepin/endpointfs/internal/pytext"
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
		id := pytext.CanonicalUUID(s)
		if id != "" && (len(id) != 36 || pytext.CanonicalUUID(id) != id || pytext.CanonicalUUID("urn:uuid:"+id) != id) {
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
		s, problem := parseLaunchRecord(data)
		if problem != "" {
			if s != (LaunchRecord{}) {
				t.Errorf("%+v and %q", s, problem)
			}
			return
		}
		out, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		again, problem := parseLaunchRecord(out)
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
