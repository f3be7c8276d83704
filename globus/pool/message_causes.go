package pool

import (
	"strings"

	"chiltepin/globus/next"
	"chiltepin/globus/pool/scheduler"
)

// explainMessages turns the words of a scheduler, a shell or the daemon into a
// cause and into what to do, by the name of the option. messages are lines, the
// most telling last. The zero value stands for words that mean nothing here.
func explainMessages(schedulers scheduler.List, messages []string, seen scheduler.Detection) scheduler.Explanation {
	text := strings.ToLower(strings.Join(messages, "\n"))
	if e := schedulers.Explain(text, seen); e.Cause != "" {
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
		return explain(blockCommandMissing, next.Do("mend environment; globus-compute-endpoint must be on the PATH of the workers"))
	case has("is not of type", "additional properties", "is not one of", "does not match", "failed validating", "is less than the minimum"):
		return explain("the endpoint's schema refuses the options", next.Do("chiltepin pool check names the option"))
	case has("is undefined"):
		return explain("the endpoint's template wants a variable that Chiltepin does not send", next.Do("give it a default in the template"))
	case has("jinja2"):
		return explain("the endpoint's template is broken", next.Do("chiltepin pool render shows the error"))
	case has("no space left", "disk quota"):
		return explain("the disk or its quota is full", next.Do("make room in the home directory"))
	}
	return scheduler.Explanation{}
}

// blockCommandMissing is the cause when the shell of a block does not find a
// command.
const blockCommandMissing = "a command of the block is not found"
