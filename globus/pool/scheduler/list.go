package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// List is schedulers in the order in which they are looked for and named.
type List []Scheduler

// Lookup finds a scheduler by its word for the option provider.
func (l List) Lookup(name string) (Scheduler, bool) {
	i := slices.IndexFunc(l, func(s Scheduler) bool { return s.Facts().Name == name })
	if i < 0 {
		return nil, false
	}
	return l[i], true
}

// OfClass finds a scheduler by the class of parsl that submits to it.
func (l List) OfClass(class string) (Scheduler, bool) {
	i := slices.IndexFunc(l, func(s Scheduler) bool { return s.Facts().Class == class })
	if i < 0 {
		return nil, false
	}
	return l[i], true
}

// Names are the words for the option provider.
func (l List) Names() []string {
	var names []string
	for _, s := range l {
		names = append(names, s.Facts().Name)
	}
	return names
}

// Programs are those that submit.
func (l List) Programs() []string {
	var names []string
	for _, s := range l {
		if p := s.Facts().Program; p != "" {
			names = append(names, p)
		}
	}
	return names
}

// Batch are those with a queue.
func (l List) Batch() List {
	return slices.DeleteFunc(slices.Clone(l), func(s Scheduler) bool { return !s.Facts().Batch })
}

// Detect looks for a batch scheduler on this machine: the first that answers.
// It changes nothing. The error is that of ctx.
func (l List) Detect(ctx context.Context, c Commands) (Detection, error) {
	var missing []string
	fails := ""
	for _, s := range l.Batch() {
		found, err := s.Detect(ctx, c)
		if err == nil || ctx.Err() != nil {
			return found, ctx.Err()
		}
		if e, ok := errors.AsType[*ProgramError](err); ok && e.Missing {
			missing = append(missing, e.Name)
		} else if fails == "" {
			fails = "its program is on PATH and gets no answer: " + err.Error()
			if ok {
				fails = fmt.Sprintf("%s is on PATH and gets no answer: %s", e.Name, e.Problem)
			}
		}
	}
	d := Detection{Name: none, Why: fails}
	if fails == "" {
		d.Why = allMissing(missing)
	}
	return d, nil
}

func allMissing(programs []string) string {
	switch len(programs) {
	case 0:
		return "no scheduler is looked for"
	case 1:
		return programs[0] + " is not on PATH"
	case 2:
		return "neither " + programs[0] + " nor " + programs[1] + " is on PATH"
	}
	return "none of " + joinWords(programs, "and") + " is on PATH"
}

// Explain asks the schedulers in their order what words mean. The zero value
// stands for words that none of them knows.
func (l List) Explain(words string, seen Detection) Explanation {
	words = strings.ToLower(words)
	for _, s := range l {
		if e := s.Explain(words, seen); e.Cause != "" {
			return e
		}
	}
	return Explanation{}
}

// PoolOption is the option of a pool that a keyword of a class of parsl stands
// for, "" for a keyword that stands for none. Of a class that no scheduler has
// only what every class takes is known.
func (l List) PoolOption(class, keyword string) string {
	var takes OptionSupport
	if s, ok := l.OfClass(class); ok {
		takes = s.Options()
	}
	if option := takes.Renamed[keyword]; option != "" {
		return option
	}
	for _, o := range l.Catalogue() {
		if o.Name == keyword && o.Block && (!o.Batch || slices.Contains(takes.Takes, keyword)) {
			return keyword
		}
	}
	return ""
}
