package operation_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chiltepin/endpointfs/spell"
	"chiltepin/tools/operation"
)

type strangerArgs struct {
	Name      string `json:"name,omitempty" jsonschema:"name"`
	Program   string `json:"program,omitempty" wire:"-" jsonschema:"what is run"`
	Wipe      bool   `json:"wipe,omitempty" jsonschema:"wipe"`
	ConfigDir string `json:"config_dir,omitempty" jsonschema:"directory"`
}

type strangerResult struct {
	Program   string           `json:"program"`
	ConfigDir string           `json:"config_dir"`
	Next      []operation.Next `json:"next,omitempty"`
}

// strangerCatalog has one operation, which says what it was called with and asks
// before it wipes.
func strangerCatalog() *operation.Catalog {
	return operation.NewCatalog(operation.Define(operation.Spec{Name: "thing.run", Summary: "Run", Doc: "Runs --program, by --wipe.", Effect: operation.Idempotent, DestroysBy: []string{"wipe"}}, func(ctx context.Context, in strangerArgs) (strangerResult, error) {
		if in.Wipe {
			if err := operation.Consent(ctx, operation.Question{Operation: "thing.run", Subject: "run"}); err != nil {
				return strangerResult{}, err
			}
		}
		return strangerResult{Program: in.Program, ConfigDir: in.ConfigDir, Next: operation.Call("thing.run", map[string]any{"name": "x"}, "see")}, nil
	})).SuggestBy(spell.Nearest)
}

// offerCall calls thing.run under a policy, by somebody who consents to everything.
func offerCall(t *testing.T, p operation.Policy, args string) string {
	t.Helper()
	c := strangerCatalog()
	o, err := p.Offer(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx := operation.WithConsent(t.Context(), func(context.Context, operation.Question) error { return nil })
	ctx = operation.WithWording(ctx, &operation.Wording{
		Lookup: c.Lookup, Takes: o.Takes,
		Say: func(t *operation.Tool, args map[string]any, host, user string) operation.Words {
			return operation.CallWords("tool", t.Name, "arguments", args, host, user)
		},
	})
	res, err := o.Call(ctx, c.Lookup("thing.run"), json.RawMessage(args))
	if err != nil {
		e := operation.AsError(err)
		return string(e.Code) + " " + e.Message
	}
	return string(res.JSON)
}

// TestPersonsField: what becomes a program is not shown to a client, not taken
// from one, and has the value that the person gave the server.
func TestPersonsField(t *testing.T) {
	t.Parallel()
	const refusal = "refused program: only the person who runs the server decides this; leave it out"
	for _, tt := range []struct {
		policy     operation.Policy
		args, want string
	}{
		{operation.Policy{}, `{"program":"/bin/bash"}`, refusal},
		{operation.Policy{}, `{"program":""}`, refusal},
		{operation.Policy{}, `{"program":7}`, refusal},
		{operation.Policy{ReadOnly: true, Tools: []string{"thing.run"}}, `{"program":"/bin/bash"}`, "refused thing.run is not offered here: the server was started with --read-only"},
		{operation.Policy{Settings: map[string]string{"program": "/opt/it"}}, `{"program":"/bin/bash"}`, refusal},
		{operation.Policy{}, `{}`, `{"program":"","config_dir":"","next":[{"arguments":{"name":"x"},"tool":"thing.run","why":"see"}]}`},
		{operation.Policy{Settings: map[string]string{"program": "/opt/it", "name": "no", "other": "no"}}, ``, `{"program":"/opt/it","config_dir":"","next":[{"arguments":{"name":"x"},"tool":"thing.run","why":"see"}]}`},
		{operation.Policy{}, `{"progam":"/bin/bash"}`, "invalid progam: no such field; known are name, wipe"},
	} {
		if got := offerCall(t, tt.policy, tt.args); got != tt.want {
			t.Errorf("%+v: %s\n got %s\nwant %s", tt.policy, tt.args, got, tt.want)
		}
	}
	o, err := operation.Policy{}.Offer(strangerCatalog())
	if err != nil {
		t.Fatal(err)
	}
	run, _ := o.Lookup("thing.run")
	if s := string(o.InputSchema(run)); strings.Contains(s, "program") || !strings.Contains(s, "wipe") {
		t.Errorf("the schema is %s", s)
	}
	if got := run.Prose(); got != "Runs --program, by wipe." {
		t.Errorf("the prose is %q", got)
	}
}

// TestDestroysBy: a field with which something is destroyed is neither shown nor
// taken where nothing may be, before anything runs, whoever would consent.
func TestDestroysBy(t *testing.T) {
	t.Parallel()
	p := operation.Policy{NoDestructive: true}
	const refusal = "refused wipe: it destroys what cannot be had back, and the server was started with --no-destructive; leave it out"
	if got := offerCall(t, p, `{"wipe":true}`); got != refusal {
		t.Errorf("got %s", got)
	}
	if got := offerCall(t, operation.Policy{}, `{"wipe":true}`); !strings.HasPrefix(got, `{"program"`) {
		t.Errorf("without a policy, with consent: %s", got)
	}
	o, err := p.Offer(strangerCatalog())
	if err != nil {
		t.Fatal(err)
	}
	run, _ := o.Lookup("thing.run")
	if s := string(o.InputSchema(run)); strings.Contains(s, "wipe") {
		t.Errorf("the schema is %s", s)
	}
	if !run.MayAsk() {
		t.Error("it does not ask")
	}
}

// TestConfigRoots: a call names a directory only at or below one that the person
// named, however the path is written and wherever links lead.
func TestConfigRoots(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	root, outside := filepath.Join(top, "root"), filepath.Join(top, "outside")
	for _, dir := range []string{root, outside, filepath.Join(root, "in")} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"out": outside, "within": "in", "dangling": filepath.Join(top, "nothing")} {
		if err := os.Symlink(to, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(root, filepath.Join(top, "alias")); err != nil {
		t.Fatal(err)
	}
	real := func(path string) (string, error) {
		rest := ""
		for {
			if real, err := filepath.EvalSymlinks(path); err == nil {
				return filepath.Join(real, rest), nil
			} else if _, there := os.Lstat(path); there == nil {
				return "", err
			}
			path, rest = filepath.Dir(path), filepath.Join(filepath.Base(path), rest)
		}
	}
	for dir, allowed := range map[string]bool{
		root:                        true,
		root + "/":                  true,
		root + "/in":                true,
		root + "/new/er":            true,
		root + "/within":            true,
		root + "/within/x":          true,
		outside:                     false,
		top:                         false,
		root + "er":                 false,
		root + "/../outside":        false,
		root + "/in/..":             false,
		root + "/out":               false,
		root + "/out/x":             false,
		root + "/dangling":          false,
		filepath.Join(top, "alias"): false,
		"root":                      false,
		"~/x":                       false,
		"":                          false,
	} {
		args, err := json.Marshal(map[string]string{"config_dir": dir})
		if err != nil {
			t.Fatal(err)
		}
		got := offerCall(t, operation.Policy{ConfigRoots: []string{root}, RealPath: real}, string(args))
		want, _ := json.Marshal(filepath.Clean(dir))
		if ok := strings.Contains(got, `"config_dir":`+string(want)+`,"next":[{"arguments":{"config_dir":`+string(want)); ok != allowed {
			t.Errorf("%q: %s, want allowed %v", dir, got, allowed)
		}
		if refused := strings.HasPrefix(got, "refused config_dir: ") || strings.HasPrefix(got, "invalid config_dir: "); refused == allowed {
			t.Errorf("%q: %s", dir, got)
		}
	}
	if got := offerCall(t, operation.Policy{ConfigRoots: []string{"/"}, RealPath: real}, `{"config_dir":"/any/where"}`); !strings.Contains(got, `"config_dir":"/any/where"`) {
		t.Errorf("below /: %s", got)
	}
	// The server's own directory is allowed as well, and is that of a call that
	// names none.
	own := operation.Policy{ConfigDir: outside, ConfigRoots: []string{root}, RealPath: real}
	for _, args := range []string{`{}`, `{"config_dir":"` + outside + `"}`} {
		if got := offerCall(t, own, args); !strings.HasPrefix(got, `{"program":"","config_dir":"`+outside+`"`) {
			t.Errorf("%s: %s", args, got)
		}
	}
	// Without roots a call that names a directory is refused, and no step names
	// one either.
	if got := offerCall(t, operation.Policy{}, `{"config_dir":"`+root+`"}`); got != "refused config_dir: the server was started for one directory, and a call cannot name another; leave it out" {
		t.Errorf("without roots: %s", got)
	}
	if got := offerCall(t, operation.Policy{ConfigDir: outside}, `{}`); !strings.HasSuffix(got, `"next":[{"arguments":{"name":"x"},"tool":"thing.run","why":"see"}]}`) {
		t.Errorf("with a directory of the server: %s", got)
	}
	if _, err := (operation.Policy{ConfigRoots: []string{root}}).Offer(strangerCatalog()); err == nil {
		t.Error("roots without a way to resolve links")
	}
	if _, err := (operation.Policy{ConfigRoots: []string{"rel"}, RealPath: real}).Offer(strangerCatalog()); err == nil {
		t.Error("a relative root")
	}
}
