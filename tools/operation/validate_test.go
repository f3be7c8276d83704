package operation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"chiltepin/endpointfs/spell"

	"github.com/google/go-cmp/cmp"
)

type sampleArgs struct {
	Name    string   `json:"name" cli:"arg" jsonschema:"name of the thing"`
	Color   string   `json:"color,omitempty" enum:"red,green" jsonschema:"its colour"`
	Count   int      `json:"count,omitempty" min:"1" max:"9" jsonschema:"how many"`
	Code    string   `json:"code,omitempty" pattern:"^[a-z]+$" example:"abc" jsonschema:"letters"`
	Force   bool     `json:"force,omitempty" jsonschema:"do it anyway"`
	Labels  []string `json:"labels,omitempty" enum:"x,y" jsonschema:"marks"`
	Timeout Duration `json:"timeout,omitempty" jsonschema:"how long"`
}

type sampleResult struct {
	Got sampleArgs `json:"got" jsonschema:"what was given"`
}

func sampleTool() *Tool {
	tool := Define(Spec{Name: "sample.echo", Effect: Reads}, func(_ context.Context, in sampleArgs) (sampleResult, error) {
		return sampleResult{in}, nil
	})
	NewCatalog(tool).SuggestBy(spell.Nearest)
	return tool
}

func TestCallSaysWhatToMend(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ args, want string }{
		{`{}`, `name: is required (name of the thing)`},
		{``, `name: is required (name of the thing)`},
		{`null`, `arguments: want an object, got null`},
		{`[1]`, `arguments: want an object, got a list`},
		{`{"name":`, `arguments: the JSON ends too early`},
		{`{"name":"a"} x`, `arguments: something follows the JSON object`},
		{`{"name":"a","name":"b"}`, `arguments: "name" is given twice`},
		{`{name:1}`, `arguments: not JSON at byte 1`},
		{`{"nmae":"a"}`, `nmae: no such field; did you mean name?`},
		{`{"name":7}`, `name: want a text, got 7`},
		{`{"name":null}`, `name: want a text, got null`},
		{`{"name":"a","colour":"red"}`, `colour: no such field; did you mean color?`},
		{`{"name":"a","zzzzzz":1}`, `zzzzzz: no such field; known are name, color, count, code, force, labels, timeout`},
		{`{"name":"a","color":"blue"}`, `color: want one of red, green, got "blue"`},
		{`{"name":"a","count":0}`, `count: want a whole number from 1 to 9, got 0`},
		{`{"name":"a","count":1.5}`, `count: want a whole number from 1 to 9, got 1.5`},
		{`{"name":"a","count":1e1000}`, `count: want a whole number from 1 to 9, got 1e1000`},
		{`{"name":"a","count":"3"}`, `count: want a whole number from 1 to 9, got "3"`},
		{`{"name":"a","code":"A"}`, `code: want a text such as "abc", got "A"`},
		{`{"name":"a","force":"yes"}`, `force: want true or false, got "yes"`},
		{`{"name":"a","labels":"x"}`, `labels: want a list, got "x"`},
		{`{"name":"a","labels":["x","z"]}`, `labels[1]: want one of x, y, got "z"`},
		{`{"name":"a","timeout":"soon"}`, `timeout: want a duration such as "90s", got "soon"`},
		{`{"name":"a","timeout":90}`, `timeout: want a duration such as "90s", got 90`},
		{`{"name":"a\u001b[31m","color":"\u001b"}`, `color: want one of red, green, got "\x1b"`},
	} {
		_, err := sampleTool().Call(t.Context(), json.RawMessage(tt.args))
		var e *Error
		if !errors.As(err, &e) || e.Code != CodeInvalid || e.Message != tt.want {
			t.Errorf("Call(%s)\n got %v\nwant %s", tt.args, err, tt.want)
		}
	}
}

func TestCallGivesOneObject(t *testing.T) {
	t.Parallel()
	res, err := sampleTool().Call(t.Context(), json.RawMessage(`{"name":"<a&b>","count":9,"timeout":"1m30s"}`))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"got":{"name":"<a&b>","count":9,"timeout":"1m30s"}}`
	if string(res.JSON) != want {
		t.Errorf("got %s, want %s", res.JSON, want)
	}
}

func TestNestingIsBounded(t *testing.T) {
	t.Parallel()
	args := strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)
	_, err := sampleTool().Call(t.Context(), json.RawMessage(args))
	if err == nil || err.Error() != "arguments: nested deeper than 32" {
		t.Errorf("got %v", err)
	}
}

func TestPanicIsOneCallsError(t *testing.T) {
	t.Parallel()
	tool := Define(Spec{Name: "sample.panic", Effect: Reads}, func(context.Context, struct{}) (sampleResult, error) {
		panic("token=secret")
	})
	_, err := tool.Call(t.Context(), nil)
	var e *Error
	if !errors.As(err, &e) || e.Code != CodeInternal || strings.Contains(e.Message+fmt.Sprint(e.Next), "secret") {
		t.Errorf("got %v", err)
	}
}

// FuzzValidate holds our sentences to the verdict of a JSON Schema library:
// whatever we refuse it refuses, and whatever we accept it accepts and
// decodes. Two differences are meant: a member given twice, and 1.0 for a
// whole number, are refused by us alone.
func FuzzValidate(f *testing.F) {
	for _, seed := range []string{`{"name":"a"}`, `{"name":"a","count":3,"labels":["x"]}`, `{"name":1}`, `{"color":"red"}`, `{"name":"a","timeout":"90s"}`, `[]`, `{"name":"a","count":1.0}`} {
		f.Add([]byte(seed))
	}
	tool := sampleTool()
	resolved, err := tool.input().Resolve(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var v any
		if json.Unmarshal(data, &v) != nil {
			return
		}
		ours, theirs := validator{}.validateObject(tool.input(), data), resolved.Validate(v)
		switch {
		case ours == nil && theirs != nil:
			t.Errorf("%s: accepted, but the schema says %v", data, theirs)
		case ours != nil && theirs == nil && !strings.Contains(ours.Message, "given twice") && !strings.Contains(ours.Message, "whole number") && !strings.Contains(ours.Message, "nested deeper"):
			t.Errorf("%s: refused with %q, but the schema accepts it", data, ours.Message)
		case ours == nil:
			if _, err := tool.run(t.Context(), data); err != nil {
				var e *Error
				// A span of time may match the pattern and still be too long.
				if !errors.As(err, &e) || !strings.Contains(e.Message, "duration") {
					t.Errorf("%s: accepted, but does not decode: %v", data, err)
				}
			}
		}
	})
}

func TestSchemaIsClosedAndDescribed(t *testing.T) {
	t.Parallel()
	const want = `{"type":"object","properties":{"name":{"type":"string","description":"name of the thing"},"color":{"type":"string","description":"its colour","enum":["red","green"]},"count":{"type":"integer","description":"how many","minimum":1,"maximum":9},"code":{"type":"string","description":"letters","examples":["abc"],"pattern":"^[a-z]+$"},"force":{"type":"boolean","description":"do it anyway"},"labels":{"type":"array","description":"marks","items":{"type":"string","enum":["x","y"]}},"timeout":{"type":"string","description":"how long","examples":["90s","2m30s"],"pattern":"^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$"}},"required":["name"],"additionalProperties":false}`
	var got, expected any
	if err := json.Unmarshal(sampleTool().InputSchema(), &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(want), &expected); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(expected, got); diff != "" {
		t.Errorf("schema (-want +got):\n%s", diff)
	}
}
