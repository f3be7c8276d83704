package pool

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/google/uuid"

	"chiltepin/globus/next"
	"chiltepin/globus/pool/pyyaml"
	"chiltepin/globus/pool/scheduler"
)

// Check returns what is wrong with the file by itself, in its order: options
// that are not known, of the wrong type, out of range, at odds with each other,
// or ignored. schedulers are the providers that a pool can name. Whether an
// endpoint is there is [Checker]'s affair.
func (f File) Check(schedulers scheduler.List) []Problem {
	options := schedulers.Catalogue()
	known := map[string]scheduler.Option{}
	for _, o := range options {
		known[o.Name] = o
	}
	all := append([]Problem(nil), f.Problems...)
	for _, p := range f.Pools {
		_, given := p.Options["provider"]
		c := poolCheck{pool: p, options: options, known: known, schedulers: schedulers, source: newSource(p.providerName(), given, schedulers)}
		c.checkEachOption()
		if !p.Base {
			c.checkCombinations()
		}
		all = append(all, c.found...)
	}
	sortProblems(all)
	return all
}

// poolCheck is the check of one pool.
type poolCheck struct {
	pool Pool
	// options is the catalogue, known the same by name.
	options    []scheduler.Option
	known      map[string]scheduler.Option
	schedulers scheduler.List
	// source is where the blocks of the pool come from.
	source blockSource
	found  []Problem
	// faulty are the options that have an error already.
	faulty map[string]bool
}

// addProblem adds a problem at an option's value, or at its name where it is
// ignored as a whole. remedy is what to do, one sentence.
func (c *poolCheck) addProblem(name string, s Severity, remedy, format string, args ...any) {
	c.addProblemNext(name, s, doOnly(remedy), format, args...)
}

// addProblemNext is addProblem with steps that an operation helps with.
func (c *poolCheck) addProblemNext(name string, s Severity, steps []next.Step, format string, args ...any) {
	o := c.pool.Options[name]
	p := Problem{Line: o.Line, Column: o.Column, Pool: c.pool.Name, Option: name, Severity: s, Message: fmt.Sprintf(format, args...), Next: steps}
	if s != Error || o.Line == 0 {
		p.Line, p.Column = o.KeyLine, o.KeyColumn
	}
	if p.Line == 0 {
		p.Line, p.Column = c.pool.Line, c.pool.Column
	}
	c.found = append(c.found, p)
}

// checkEachOption looks at every option by itself.
func (c *poolCheck) checkEachOption() {
	for _, name := range c.pool.Order {
		o, ok := c.known[name]
		if !ok {
			c.reportUnknown(name)
			continue
		}
		v := c.pool.Options[name].Value
		switch o.Kind {
		case pyyaml.Bool:
			c.checkBool(name, v)
		case pyyaml.Int:
			c.checkNumber(o, v)
		case pyyaml.List:
			c.checkEnvironment(v)
		default:
			c.checkText(o, v)
		}
	}
}

func (c *poolCheck) reportUnknown(name string) {
	o := c.pool.Options[name]
	p := Problem{Line: o.KeyLine, Column: o.KeyColumn, Pool: c.pool.Name, Option: name, Severity: Error,
		Message: fmt.Sprintf("there is no option %s; Chiltepin ignores it silently", name), Next: doOnly("remove it")}
	if near := nearestOption(name, c.options); near != "" {
		p.Next = doOnly(fmt.Sprintf("did you mean %s?", near))
	}
	c.found = append(c.found, p)
}

func (c *poolCheck) checkBool(name string, v pyyaml.Value) {
	switch {
	case v.Kind == pyyaml.Bool:
	case v.Kind == pyyaml.Text && (foldName(v.Written) == "true" || foldName(v.Written) == "false" || foldName(v.Written) == "yes" || foldName(v.Written) == "no"):
		c.addProblem(name, Error, "write "+foldName(v.Written)+" without quotation marks", "%s is the text %q, and should be true or false; any text counts as true", name, v.Written)
	default:
		c.addProblem(name, Error, "write true or false, or remove the line", "%s is %s, and should be true or false", name, v.Kind.WithArticle())
	}
}

func (c *poolCheck) checkNumber(o scheduler.Option, v pyyaml.Value) {
	switch {
	case v.Kind == pyyaml.Null && o.Name != "init_blocks" && o.Name != "min_blocks" && o.Name != "max_blocks" && o.Name != "nodes_per_block":
	case v.Kind == pyyaml.Null:
		c.addProblem(o.Name, Error, "give a number, or remove the line", "%s has no value, and an empty value is not the default", o.Name)
	case v.Kind == pyyaml.Text && regexp.MustCompile(`^\s*\d+\s*$`).MatchString(v.Written):
		c.addProblem(o.Name, Error, "write "+strings.TrimSpace(v.Written)+" without quotation marks", "%s is the text %q, and should be a number", o.Name, v.Written)
	case v.Kind != pyyaml.Int:
		c.addProblem(o.Name, Error, fmt.Sprintf("write a whole number, %d or more", o.Min), "%s is %s, and should be a whole number", o.Name, c.describeValue(v))
	case v.Int < o.Min:
		c.addProblem(o.Name, Error, fmt.Sprintf("write %d or more", o.Min), "%s is %d, and should be %d or more", o.Name, v.Int, o.Min)
	}
}

// describeValue is a value in a message.
func (c *poolCheck) describeValue(v pyyaml.Value) string {
	switch v.Kind {
	case pyyaml.Float, pyyaml.Bool, pyyaml.Date:
		return v.Written
	case pyyaml.Text:
		return fmt.Sprintf("%q", v.Written)
	}
	return v.Kind.WithArticle()
}

// checkEnvironment looks at environment, which Python Chiltepin joins line by line.
func (c *poolCheck) checkEnvironment(v pyyaml.Value) {
	const name = "environment"
	switch v.Kind {
	case pyyaml.List:
	case pyyaml.Text:
		c.addProblem(name, Error, `write it as a list: each command on a line of its own that begins with "- "`, "environment is one text, and Chiltepin would put each letter of it on a line of its own")
		return
	default:
		c.addProblem(name, Error, `write a list, each command on a line of its own that begins with "- ", or remove the line`, "environment is %s, and should be a list of shell commands", v.Kind.WithArticle())
		return
	}
	for _, item := range v.Items {
		if item.Kind == pyyaml.Text {
			continue
		}
		p := Problem{Line: item.Line, Column: item.Column, Pool: c.pool.Name, Option: name, Severity: Error,
			Message: fmt.Sprintf("a command of environment is %s, and should be a text", item.Kind.WithArticle()), Next: doOnly("put the command in quotation marks")}
		c.found = append(c.found, p)
	}
}

func (c *poolCheck) checkText(o scheduler.Option, v pyyaml.Value) {
	if o.Name == "walltime" {
		c.checkWalltime(v)
		return
	}
	if o.Name == "endpoint" {
		c.checkEndpointID(v)
		return
	}
	switch {
	case v.Kind == pyyaml.Text:
	case v.Kind == pyyaml.Null && len(o.Words) == 0:
		return
	case v.Kind == pyyaml.Null:
		c.addProblem(o.Name, Error, "give "+joinOr(o.Words)+", or remove the line", "%s has no value, and an empty value is not the default", o.Name)
		return
	case v.Kind == pyyaml.Int && c.source.options.Verbatim:
		c.addProblem(o.Name, Note, "quotation marks make it a text", "%s is the number %s; %s takes it all the same", o.Name, v.Written, c.source.facts.Title)
		return
	case v.Kind == pyyaml.Int || v.Kind == pyyaml.Float || v.Kind == pyyaml.Bool || v.Kind == pyyaml.Date:
		c.addProblem(o.Name, Error, fmt.Sprintf("write %q, with quotation marks", v.Written), "%s is %s for YAML, and should be a text", o.Name, v.Kind.WithArticle())
		return
	default:
		c.addProblem(o.Name, Error, "write one word", "%s is %s, and should be a text", o.Name, v.Kind.WithArticle())
		return
	}
	if len(o.Words) == 0 {
		if strings.ContainsAny(v.Written, "\n\r") || strings.TrimSpace(v.Written) != v.Written {
			c.addProblem(o.Name, Error, "write the name alone", "%s has spaces around it or a line break in it", o.Name)
		}
		return
	}
	for _, w := range o.Words {
		if v.Written == w {
			return
		}
	}
	remedy := "write " + joinOr(o.Words)
	if near := nearestWord(o, v.Written); near != "" {
		remedy = fmt.Sprintf("did you mean %s?", near)
	}
	c.addProblem(o.Name, Error, remedy, "%s is %q, and should be %s", o.Name, v.Written, joinOr(o.Words))
}

func (c *poolCheck) checkEndpointID(v pyyaml.Value) {
	switch {
	case v.Kind == pyyaml.Null || v.Kind == pyyaml.Text && v.Written == "":
		c.addProblemNext("endpoint", Error, []next.Step{listEndpoints(), next.Do("give the UUID of an endpoint, or remove the line")}, "endpoint has no value, and the tasks would run where the workflow runs")
	case v.Kind != pyyaml.Text:
		c.addProblem("endpoint", Error, `write the UUID in quotation marks`, "endpoint is %s, and should be the UUID of an endpoint", v.Kind.WithArticle())
	default:
		if _, err := uuid.Parse(v.Written); err != nil || len(v.Written) != 36 {
			c.addProblemNext("endpoint", Error, []next.Step{listEndpoints(), next.Do("give the UUID of an endpoint")}, "endpoint is %q, and should be the UUID of an endpoint", v.Written)
		}
	}
}

// checkWalltime looks at a time. It is "HH:MM:SS" for parsl (wtime_to_minutes in parsl/utils.py); PBS
// Professional gets the text as it is.
func (c *poolCheck) checkWalltime(v pyyaml.Value) {
	const name = "walltime"
	verbatim := c.source.options.Verbatim
	switch {
	case v.Kind == pyyaml.Null && verbatim:
	case v.Kind == pyyaml.Null:
		c.addProblem(name, Error, "give a time, or remove the line", "walltime has no value, and an empty value is not the default")
	case v.Kind == pyyaml.Int && strings.Contains(v.Written, ":"):
		severity := Error
		if verbatim {
			severity = Warning
		}
		c.addProblem(name, severity, fmt.Sprintf("write %q, with quotation marks", v.Written), "without quotation marks %s is the number %d for YAML", v.Written, v.Int)
	case v.Kind == pyyaml.Int:
		c.addProblem(name, Error, fmt.Sprintf("write \"%02d:%02d:00\", with quotation marks, if minutes were meant", v.Int/60, v.Int%60), "walltime is the number %d, and should be a time such as \"01:00:00\"", v.Int)
	case v.Kind != pyyaml.Text:
		c.addProblem(name, Error, `write a time such as "01:00:00", with quotation marks`, "walltime is %s, and should be a time", v.Kind.WithArticle())
	case !regexp.MustCompile(c.known[name].Pattern).MatchString(v.Written):
		c.addProblem(name, Error, "write HH:MM:SS in quotation marks"+guessWalltime(v.Written), "walltime is %q, and should be a time such as \"01:00:00\"", v.Written)
	case regexp.MustCompile(`^0+:0?0:`).MatchString(v.Written):
		c.addProblem(name, Error, `write "00:01:00" or more`, "walltime is under a minute: a scheduler refuses that, or takes it for no limit")
	}
}

// listEndpoints is the step that shows the UUIDs.
func listEndpoints() next.Step {
	return next.Call(next.EndpointList, nil, "see which endpoints there are, and their UUIDs")
}

// guessWalltime guesses a walltime that was written another way.
func guessWalltime(s string) string {
	if m := regexp.MustCompile(`^(\d+)-(\d+):(\d+):(\d+)$`).FindStringSubmatch(s); m != nil {
		var d, h int
		fmt.Sscan(m[1], &d)
		fmt.Sscan(m[2], &h)
		return fmt.Sprintf(`: "%02d:%s:%s"`, 24*d+h, m[3], m[4])
	}
	if m := regexp.MustCompile(`^(\d+)\s*(h|m|min|hours?|minutes?)$`).FindStringSubmatch(s); m != nil {
		var n int
		fmt.Sscan(m[1], &n)
		if m[2][0] == 'h' {
			return fmt.Sprintf(`: "%02d:00:00"`, n)
		}
		return fmt.Sprintf(`: "%02d:%02d:00"`, n/60, n%60)
	}
	if regexp.MustCompile(`^\d{1,2}:\d{2}$`).MatchString(s) {
		return fmt.Sprintf(`: "%s:00" for hours and minutes, "00:%s" for minutes and seconds`, s, s)
	}
	return ""
}

func joinOr(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " or " + words[n-1]
	}
	return strings.Join(words, "")
}
