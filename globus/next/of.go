package next

// Of returns what to do about err as the first error of its chain says that
// can: by Next() []Step, or by Next() string, a sentence where no operation
// helps. Errors that are joined are asked in their order.
func Of(err error) []Step {
	steps, _ := askChain(err)
	return steps
}

func askChain(err error) (steps []Step, told bool) {
	switch e := err.(type) {
	case interface{ Next() []Step }:
		return e.Next(), true
	case interface{ Next() string }:
		return sentenceStep(e.Next()), true
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return askChain(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			if steps, told := askChain(one); told {
				return steps, true
			}
		}
	}
	return nil, false
}

func sentenceStep(what string) []Step {
	if what == "" {
		return nil
	}
	return []Step{Do(what)}
}
