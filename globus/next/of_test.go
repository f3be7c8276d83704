package next_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus/next"
)

type (
	stepError     struct{ error }
	sentenceError struct {
		error
		what string
	}
)

func (stepError) Next() []next.Step { return []next.Step{next.Call(next.Login, nil, "")} }

func (e sentenceError) Next() string { return e.what }

func (e sentenceError) Unwrap() error { return e.error }

func TestOf(t *testing.T) {
	t.Parallel()
	plain := errors.New("plain")
	login := []next.Step{{Operation: "login"}}
	for name, row := range map[string]struct {
		err  error
		want []next.Step
	}{
		"nil":                 {nil, nil},
		"nothing to say":      {plain, nil},
		"steps":               {stepError{plain}, login},
		"wrapped":             {fmt.Errorf("starting: %w", stepError{plain}), login},
		"a sentence":          {sentenceError{plain, "make room"}, []next.Step{{Why: "make room"}}},
		"the outer one":       {sentenceError{stepError{plain}, "make room"}, []next.Step{{Why: "make room"}}},
		"the outer one, mute": {sentenceError{stepError{plain}, ""}, nil},
		"the first that says": {errors.Join(plain, stepError{plain}, sentenceError{plain, "make room"}), login},
	} {
		if diff := cmp.Diff(row.want, next.Of(row.err)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
