package tools

import "context"

// Consent asks the person behind ctx about q and returns nil for a yes. An
// operation asks before it holds any lock, for a person takes time, and asks
// again when it is run again: a face may have to end the call to ask.
func Consent(ctx context.Context, q Question) error { return consent(ctx, q) }

// Prompt returns the way to show a login URL to the person behind ctx, nil
// where there is none.
func Prompt(ctx context.Context) func(ctx context.Context, url string) (code string, err error) {
	return prompt(ctx)
}

// Show returns the way to put a login URL before the person behind ctx without
// a terminal, nil where there is none.
func Show(ctx context.Context) func(ctx context.Context, url string) error { return show(ctx) }

// Emit hands out one piece of a result ahead of its end; nothing happens where
// the face takes none.
func Emit(ctx context.Context, v any) error {
	if emit := emitter(ctx); emit != nil {
		return emit(v)
	}
	return nil
}
