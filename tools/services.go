package tools

import (
	"context"
	"encoding/json"

	"chiltepin/tools/operation"

	"chiltepin/endpointfs/spell"
	"chiltepin/globus/progress"
)

// Services is what the operations are done with. Each is made when a call
// needs it, for the configuration directory that the call names ("" is the
// default one), so that a call which only lists files opens nothing else.
type Services struct {
	Endpoints func(ctx context.Context, at Place) (Endpoints, error)
	Accounts  func(ctx context.Context, configDir string) (Accounts, error)
	Runtimes  func(ctx context.Context, explicit string) (Runtimes, error)
	Doctors   func(ctx context.Context, at Place) (Doctors, error)
	// Journal is where operations that may change something are noted; nil is
	// nowhere.
	Journal func(ctx context.Context, configDir string) (Journal, error)
	Pools   func(ctx context.Context, at Place) (Pools, error)
}

// Place is where and with what a call works.
type Place struct {
	// ConfigDir is the configuration directory, "" for the default one.
	ConfigDir string
	// Runtime is the globus-compute-endpoint named by the caller, "" to look
	// for one.
	Runtime string
}

// All returns the catalogue of every operation, done with s.
func All(s Services) *operation.Catalog {
	var list []*operation.Tool
	list = append(list, accountTools(s)...)
	list = append(list, endpointTools(s)...)
	list = append(list, poolTools(s)...)
	list = append(list, runtimeTools(s)...)
	list = append(list, doctorTools(s)...)
	list = append(list, journalTools(s)...)
	for _, t := range list {
		t.Wrap(withCodes)
		t.Wrap(withProgress)
		if s.Journal != nil {
			t.Wrap(withJournal(t, s.Journal))
		}
	}
	return operation.NewCatalog(list...).SuggestBy(spell.Nearest)
}

// withCodes gives the errors of the floors below their code, sentence and next
// step.
func withCodes(do operation.Handler) operation.Handler {
	return func(ctx context.Context, args json.RawMessage) (any, error) {
		value, err := do(ctx, args)
		if err != nil {
			return nil, Classify(err)
		}
		return value, nil
	}
}

// withProgress hands on what the floors below report to whoever watches the call.
func withProgress(do operation.Handler) operation.Handler {
	return func(ctx context.Context, args json.RawMessage) (any, error) {
		if watch := operation.ProgressOf(ctx); watch != nil {
			ctx = progress.With(ctx, func(e progress.Event) { watch(operation.Progress(e)) })
		}
		return do(ctx, args)
	}
}
