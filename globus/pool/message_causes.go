package pool

import (
	"strings"

	"chiltepin/globus/next"
	"chiltepin/globus/pool/scheduler"
)

// explainMessages turns the words of a scheduler, a shell or the daemon into a
// cause and into what to do, by the name of the option. messages are lines, the
// most telling last. The zero value stands for words that mean nothing here.
func (r *probe) explainMessages(messages []string, seen scheduler.Detection) scheduler.Explanation {
	text := strings.ToLower(strings.Join(messages, "\n"))
	if e := r.m.schedulers().Explain(text, seen); e.Cause != "" {
		return e
	}
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(text, p) {
				return true
			}
		}
		return false
	}
	explain := func(cause string, step next.Step) scheduler.Explanation {
		return scheduler.Explanation{Cause: cause, Next: []next.Step{step}}
	}
	switch {
	case has("command not found", "no such file or directory", "module: not found", "lmod has detected"):
		return explain(blockCommandMissing, next.Do("correct environment; globus-compute-endpoint must be on the PATH of the workers"))
	case has("is not of type", "additional properties", "is not one of", "does not match", "failed validating", "is less than the minimum"):
		return explain("the endpoint's schema refuses the options", r.checkStep())
	case has("is undefined"):
		return explain("the endpoint's template needs a variable that Chiltepin does not send", next.Do("give it a default in the template"))
	case has("jinja2"):
		return explain("the endpoint's template is broken", r.renderStep("see the error"))
	case has("no space left", "disk quota"):
		return explain("the disk or its quota is full", next.Do("make room in the home directory"))
	}
	return scheduler.Explanation{}
}

// blockCommandMissing is the cause when the shell of a block does not find a
// command.
const blockCommandMissing = "a command of the block is not found"

// checkStep and renderStep are steps that look closer at the pool.
func (r *probe) checkStep() next.Step {
	return checkFile(r.path, "see which option is wrong")
}

func (r *probe) renderStep(why string) next.Step {
	return next.Call(next.PoolRender, next.Args{"file": r.path, "name": r.Pool.Name}, why)
}
