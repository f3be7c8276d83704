package rpc_test

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"chiltepin/tools/operation"

	"chiltepin/endpointfs/spell"
)

// The operations below do nothing real. Each shows one thing that an
// operation can do to its client.

type noArgs struct{}

type thingArgs struct {
	Name      string             `json:"name" cli:"arg" example:"mesa" jsonschema:"name of the thing"`
	Timeout   operation.Duration `json:"timeout,omitempty" jsonschema:"how long"`
	ConfigDir string             `json:"config_dir,omitempty" cli:"c,config" jsonschema:"directory"`
}

type thing struct {
	Name   string `json:"name" jsonschema:"name of the thing"`
	Status string `json:"status" jsonschema:"what it does"`
}

type thingChange struct {
	Name string `json:"name" jsonschema:"which one"`
}

func define[In, Out any](name string, effect operation.Effect, do func(context.Context, In) (Out, error)) *operation.Tool {
	return operation.Define(operation.Spec{Name: name, Title: "The " + name, Summary: "Do " + name, Doc: "It does --timeout.", Effect: effect,
		Errors: []operation.Code{operation.CodeNotFound}, Examples: []string{"chiltepin " + name, "chiltepin thing wait --timeout 3s mesa"}}, do)
}

// bench is the things of one test and what was done to them.
type bench struct {
	mu   sync.Mutex
	done []string
	tell chan string // what a watch tells
}

func (b *bench) did(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done = append(b.done, what)
}

func (b *bench) waitFor(ctx context.Context, in thingArgs) (thing, error) {
	b.did("begins " + in.Name)
	report(ctx, "waiting", "waiting for "+in.Name)
	select {
	case <-ctx.Done():
		b.did("gives up " + in.Name)
		return thing{}, ctx.Err()
	case <-time.After(cmp.Or(time.Duration(in.Timeout), 3*time.Second)):
	}
	report(ctx, "seen", in.Name+" was seen")
	b.did("ends " + in.Name)
	return thing{in.Name, "<Running>"}, nil
}

func (b *bench) drop(ctx context.Context, in thingArgs) (thing, error) {
	err := operation.Consent(ctx, operation.Question{Operation: "thing.drop", Subject: in.Name, Text: "Drop it?"})
	return thing{in.Name, "dropped"}, err
}

func (b *bench) catalog() *operation.Catalog {
	watch := operation.Spec{Name: "thing.watch", Title: "Watch", Summary: "Watch things", Doc: "It goes on.", Effect: operation.Reads, Event: "thing.changed", EventOf: thingChange{}}
	return operation.NewCatalog(
		define("thing.show", operation.Reads, func(_ context.Context, in thingArgs) (thing, error) {
			if in.Name != "mesa" {
				return thing{}, &operation.Error{Code: operation.CodeNotFound, Message: fmt.Sprintf("no thing named %q", in.Name), Next: operation.Call("thing.list", nil, "")}
			}
			return thing{in.Name, "<Running>"}, nil
		}),
		define("thing.slow", operation.Reads, func(context.Context, noArgs) (thing, error) {
			time.Sleep(5 * time.Second) // a file system that hangs
			return thing{"slow", "seen"}, nil
		}),
		define("thing.wait", operation.Idempotent, b.waitFor),
		define("thing.look", operation.Reads, b.waitFor),
		define("thing.drop", operation.Destroys, b.drop),
		define("thing.crash", operation.Changes, func(context.Context, noArgs) (thing, error) { panic("secret words") }),
		define("thing.log", operation.Reads, func(ctx context.Context, in thingArgs) (thing, error) {
			return thing{in.Name, "logged"}, nil
		}),
		define("admin.look", operation.Reads, func(context.Context, noArgs) (thing, error) { return thing{"admin", "seen"}, nil }),
		define("login", operation.Idempotent, func(ctx context.Context, _ noArgs) (thing, error) {
			show := operation.Show(ctx)
			if show == nil {
				return thing{"login", "pending"}, nil
			}
			if err := show(ctx, "https://auth.example.org/authorize?a=1&b=2"); err != nil {
				return thing{}, &operation.Error{Code: operation.CodeUnavailable, Message: err.Error()}
			}
			return thing{"login", "shown"}, nil
		}),
		operation.Define(watch, func(ctx context.Context, in thingArgs) (thing, error) {
			if in.Name == "none" {
				return thing{}, &operation.Error{Code: operation.CodeNotFound, Message: "there is none"}
			}
			emit := func(v any) error { return operation.Emit(ctx, v) }
			if err := emit(thing{in.Name, "watched"}); err != nil {
				return thing{}, err
			}
			for {
				select {
				case name := <-b.tell:
					if err := emit(thingChange{name}); err != nil {
						return thing{}, err
					}
				case <-ctx.Done():
					return thing{}, ctx.Err()
				}
			}
		}),
	).SuggestBy(spell.Nearest)
}
