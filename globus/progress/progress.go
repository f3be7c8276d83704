// Package progress carries what an operation is doing, while it does it, from
// the packages that do the work to whoever is watching.
//
// The watcher travels in the context. Nothing here prints, and reporting
// without a watcher costs one context lookup.
package progress

import "context"

// Event is one thing that happened on the way to a result.
type Event struct {
	// Stage is a stable lower-case word for programs, such as "launching".
	Stage string
	// Text is one sentence for people, without a full stop.
	Text string
	// Done and Total count units of work where they are known, zero otherwise.
	Done, Total int64
}

type key struct{}

// With returns a context whose events go to watch. watch may be called from
// several goroutines and must not block for long.
func With(ctx context.Context, watch func(Event)) context.Context {
	return context.WithValue(ctx, key{}, watch)
}

// Report hands an event to the watcher of ctx, if there is one.
func Report(ctx context.Context, e Event) {
	if watch, ok := ctx.Value(key{}).(func(Event)); ok && watch != nil {
		watch(e)
	}
}
