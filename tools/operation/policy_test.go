package operation_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"chiltepin/tools/operation"

	"github.com/google/go-cmp/cmp"

	"chiltepin/endpointfs/spell"
)

type placeArgs struct {
	Name      string `json:"name,omitempty" jsonschema:"name"`
	ConfigDir string `json:"config_dir,omitempty" jsonschema:"directory"`
}

type placeResult struct {
	ConfigDir string `json:"config_dir" jsonschema:"directory"`
}

// policyCatalog has one operation of each effect, and one that destroys when
// its argument says so.
func policyCatalog() *operation.Catalog {
	op := func(name, set string, effect operation.Effect) *operation.Tool {
		return operation.Define(operation.Spec{Name: name, Toolset: set, Effect: effect}, func(_ context.Context, in placeArgs) (placeResult, error) {
			return placeResult{in.ConfigDir}, nil
		})
	}
	return operation.NewCatalog(op("login", "", operation.Idempotent), op("thing.list", "", operation.Reads), op("thing.make", "", operation.Changes), op("thing.drop", "", operation.Destroys), op("engine.install", operation.ToolsetAdmin, operation.Idempotent)).SuggestBy(spell.Nearest)
}

func names(o *operation.Offer) (list []string) {
	for t := range o.All() {
		list = append(list, t.Name)
	}
	return list
}

func TestOffer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		policy operation.Policy
		want   []string
	}{
		{"Default", operation.Policy{}, []string{"login", "thing.list", "thing.make", "thing.drop"}},
		{"ReadOnly", operation.Policy{ReadOnly: true, Toolsets: []string{"all"}}, []string{"thing.list"}},
		{"NoDestructive", operation.Policy{NoDestructive: true}, []string{"login", "thing.list", "thing.make"}},
		{"Tools", operation.Policy{Tools: []string{"thing_list", "thing.drop", "engine.install"}}, []string{"thing.list", "thing.drop", "engine.install"}},
		{"ToolsUnderReadOnly", operation.Policy{ReadOnly: true, Tools: []string{"thing_list", "thing.drop"}}, []string{"thing.list"}},
		{"Toolset", operation.Policy{Toolsets: []string{"admin"}}, []string{"login", "engine.install"}},
		{"AllToolsets", operation.Policy{Toolsets: []string{"all"}}, []string{"login", "thing.list", "thing.make", "thing.drop", "engine.install"}},
	} {
		o, err := tt.policy.Offer(policyCatalog())
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if d := cmp.Diff(tt.want, names(o)); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
	}
}

func TestOfferUnknown(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]operation.Policy{
		`tools: there is no tool "thing_lst"; did you mean thing.list?`:           {Tools: []string{"thing_lst"}},
		`toolsets: there is no toolset "moon"; known are admin, core, thing, all`: {Toolsets: []string{"moon"}},
	} {
		_, err := p.Offer(policyCatalog())
		var e *operation.Error
		if !errors.As(err, &e) || e.Code != operation.CodeInvalid || e.Message != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestOfferCall: what is not offered is not called either, whoever asks.
func TestOfferCall(t *testing.T) {
	t.Parallel()
	c := policyCatalog()
	for why, p := range map[string]operation.Policy{
		"the server was started with --read-only":              {ReadOnly: true},
		"the server was started with --no-destructive":         {NoDestructive: true},
		"the server was started with --tools, without it":      {Tools: []string{"thing.list"}},
		"its toolset thing is not among those that the server": {Toolsets: []string{"admin"}},
	} {
		o, err := p.Offer(c)
		if err != nil {
			t.Fatal(err)
		}
		if got, said := o.Lookup("thing.drop"); got != nil || !strings.HasPrefix(said, why) {
			t.Errorf("Lookup: %v, %q, want nil, %q", got, said, why)
		}
		_, err = o.Call(t.Context(), c.Lookup("thing.drop"), nil)
		var e *operation.Error
		if !errors.As(err, &e) || e.Code != operation.CodeRefused || !strings.Contains(e.Message, why) {
			t.Errorf("Call: %v, want a refusal: %s", err, why)
		}
	}
}

type mendArgs struct {
	Mend      bool   `json:"mend,omitempty" jsonschema:"mend"`
	ConfigDir string `json:"config_dir,omitempty" jsonschema:"directory"`
}

// TestReadOnlyWithoutASwitch: what changes something only when it is told to is
// offered to a reader without the switch, and refused with it.
func TestReadOnlyWithoutASwitch(t *testing.T) {
	t.Parallel()
	c := operation.NewCatalog(operation.Define(operation.Spec{Name: "look", Effect: operation.Idempotent, ChangesBy: "mend"}, func(_ context.Context, in mendArgs) (placeResult, error) {
		return placeResult{ConfigDir: in.ConfigDir}, nil
	}))
	look := c.Lookup("look")
	for _, policy := range []operation.Policy{{ReadOnly: true}, {ReadOnly: true, ConfigDir: "/fixed"}} {
		o, err := policy.Offer(c)
		if err != nil {
			t.Fatal(err)
		}
		if schema := string(o.InputSchema(look)); strings.Contains(schema, "mend") || strings.Contains(schema, "config_dir") {
			t.Errorf("%+v: the schema is %s", policy, schema)
		}
		if _, err := o.Call(t.Context(), look, json.RawMessage(`{}`)); err != nil {
			t.Errorf("%+v: %v", policy, err)
		}
		for _, args := range []string{`{"mend":true}`, `{"mend":false}`} {
			var e *operation.Error
			if _, err := o.Call(t.Context(), look, json.RawMessage(args)); !errors.As(err, &e) || e.Code != operation.CodeRefused {
				t.Errorf("%+v: %s: %v", policy, args, err)
			}
		}
	}
	o, err := operation.Policy{}.Offer(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Call(t.Context(), look, json.RawMessage(`{"mend":true}`)); err != nil || !strings.Contains(string(o.InputSchema(look)), "mend") {
		t.Errorf("without a policy: %v", err)
	}
}

// TestOfferConsent: under NoDestructive nobody can consent.
func TestOfferConsent(t *testing.T) {
	t.Parallel()
	asked := operation.NewCatalog(operation.Define(operation.Spec{Name: "thing.stop", Effect: operation.Idempotent}, func(ctx context.Context, _ placeArgs) (placeResult, error) {
		return placeResult{}, operation.Consent(ctx, operation.Question{Operation: "thing.stop"})
	}))
	for _, tt := range []struct {
		policy operation.Policy
		want   operation.Code
	}{{operation.Policy{}, ""}, {operation.Policy{NoDestructive: true}, operation.CodeRefused}} {
		o, err := tt.policy.Offer(asked)
		if err != nil {
			t.Fatal(err)
		}
		ctx := operation.WithConsent(t.Context(), func(context.Context, operation.Question) error { return nil })
		_, err = o.Call(ctx, asked.Lookup("thing.stop"), nil)
		var e *operation.Error
		if got := operation.Code(""); errors.As(err, &e) {
			got = e.Code
			if got != tt.want {
				t.Errorf("%+v: %v, want %q", tt.policy, err, tt.want)
			}
		} else if got != tt.want {
			t.Errorf("%+v: %v, want %q", tt.policy, err, tt.want)
		}
	}
}

func TestOfferConfigDir(t *testing.T) {
	t.Parallel()
	c := policyCatalog()
	o, err := operation.Policy{ConfigDir: "/fixed/"}.Offer(c)
	if err != nil {
		t.Fatal(err)
	}
	list := c.Lookup("thing.list")
	for args, want := range map[string]string{
		``:                                     `{"config_dir":"/fixed"}`,
		`{}`:                                   `{"config_dir":"/fixed"}`,
		`{"name":"x"}`:                         `{"config_dir":"/fixed"}`,
		`{"config_dir":"/fixed"}`:              `{"config_dir":"/fixed"}`,
		`{"config_dir":"/other"}`:              `config_dir: the server was started for one directory, and a call cannot name another; leave it out`,
		`{"config_dir":"/fixed/../other"}`:     `config_dir: the server was started for one directory, and a call cannot name another; leave it out`,
		`{"config_dir":"/o","config_dir":"/"}`: `config_dir: the server was started for one directory, and a call cannot name another; leave it out`,
		`{"config_dir":7}`:                     `config_dir: the server was started for one directory, and a call cannot name another; leave it out`,
		`{"Config_Dir":"/other"}`:              `Config_Dir: no such field; known are name`,
		`[]`:                                   `arguments: want an object, got a list`,
		`null`:                                 `arguments: want an object, got null`,
	} {
		res, err := o.Call(t.Context(), list, json.RawMessage(args))
		got := string(res.JSON)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", args, got, want)
		}
	}
	if s := string(o.InputSchema(list)); strings.Contains(s, "config_dir") || !strings.Contains(s, `"name"`) {
		t.Errorf("the schema shows the directory: %s", s)
	}
	if s := string(list.InputSchema()); !strings.Contains(s, "config_dir") {
		t.Errorf("the schema of the operation itself was changed: %s", s)
	}
}
