package tools

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"chiltepin/tools/operation"
)

// WriteText writes the three columns of Python Chiltepin: name, UUID, status.
// A UUID is never wrapped or cut. Where the word would mislead, as with a
// daemon that is suspended or runs elsewhere, the reason follows it. The heading
// is for people: it is left out where a program reads, unless it was asked for.
func (l EndpointList) WriteText(p *operation.Printer) error {
	if l.writeRemote() {
		return l.writeSideBySide(p)
	}
	if len(l.Endpoints) == 0 {
		p.Printf("No endpoints are configured\n")
		return nil
	}
	const heading, uuid = "endpoint-name", 36
	width := 0
	for _, e := range l.Endpoints {
		width = max(width, len([]rune(operation.Clean(e.Name))))
	}
	var b strings.Builder
	if p.Terminal || l.heading {
		width = max(width, len(heading))
		fmt.Fprintf(&b, "%s\n", p.Paint("2", fmt.Sprintf("%-*s %-*s %s", width, heading, uuid, "endpoint-uuid", "status")))
	}
	for _, e := range l.Endpoints {
		id := e.ID
		if id == "" {
			id = "None"
		}
		status := paintStatus(p, e.Status)
		if e.misleading && e.Reason != "" {
			status += ": " + operation.Clean(e.Reason)
		}
		fmt.Fprintf(&b, "%-*s %-*s %s\n", width, operation.Clean(e.Name), uuid, operation.Clean(id), status)
	}
	_, err := p.Write([]byte(b.String()))
	return err
}

// paintStatus colours the word by how much it wants attention.
func paintStatus(p *operation.Printer, word string) string {
	switch word {
	case "Running":
		return p.Paint("32", word)
	case "Starting", "Stopping", "Unknown":
		return p.Paint("33", word)
	case "Disconnected":
		return p.Paint("31", word)
	}
	return word
}

// WriteText writes what happened, the status and the evidence behind it.
func (s EndpointStatus) WriteText(p *operation.Printer) error {
	name := operation.Clean(s.Name)
	switch s.Outcome {
	case "started":
		p.Printf("Endpoint %s is running\n", name)
	case "restarted":
		p.Printf("Endpoint %s was restarted and is running\n", name)
	case "already_running":
		p.Printf("Endpoint %s is running already\n", name)
	case "stopped":
		p.Printf("Endpoint %s is stopped\n", name)
	case "not_running":
		p.Printf("Endpoint %s is not running\n", name)
	default:
		p.Printf("%s  %s\n", name, paintStatus(p, s.Status))
	}
	row := func(label, text string) {
		if text != "" {
			p.Printf("  %-9s %s\n", label, operation.Clean(text))
		}
	}
	row("uuid", s.ID)
	row("status", statusRow(s))
	s.Evidence.writeRows(row)
	if s.Service != nil {
		row("service", cmp.Or(s.Service.Status, "not asked: "+s.Service.Problem))
	}
	if t := s.Trouble; t != nil {
		row("trouble", t.Problem)
		for _, n := range t.Next {
			row("next", n.String())
		}
	}
	for _, n := range s.Next {
		row("next", n.String())
	}
	for _, u := range s.UserEndpoints {
		text := u.ID + "  " + u.Status
		if u.Outstanding != nil {
			text += fmt.Sprintf(", %d tasks outstanding", *u.Outstanding)
		}
		row("user", text)
		row("", u.poolText())
		row("", u.idleText())
	}
	if s.Runtime != nil {
		row("runtime", strings.TrimSpace(fmt.Sprintf("%s %s (%s)", s.Runtime.Path, s.Runtime.Version, s.Runtime.Source)))
	}
	row("directory", s.Path)
	return nil
}

// poolText is the pool of a user endpoint in a line.
func (u UserEndpoint) poolText() string {
	if len(u.Options) == 0 && u.Workers == nil && u.BlocksRunning == nil {
		return ""
	}
	var words []string
	for _, name := range []string{"provider", "partition", "queue", "account", "mpi", "nodes_per_block", "cores_per_node", "max_blocks", "walltime"} {
		if value := u.Options[name]; value != "" {
			words = append(words, name+" "+value)
		}
	}
	for _, n := range []struct {
		count *int
		what  string
	}{{u.BlocksRunning, "block"}, {u.BlocksPending, "pending block"}, {u.Workers, "worker"}} {
		if n.count != nil && (*n.count > 0 || n.what != "pending block") {
			words = append(words, pluralize(*n.count, n.what))
		}
	}
	return "pool: " + strings.Join(words, ", ")
}

// idleText is when a user endpoint stops by itself.
func (u UserEndpoint) idleText() string {
	if u.SoftLimitSeconds == nil || u.HardLimitSeconds == nil {
		return ""
	}
	span := func(s float64) string { return (time.Duration(s) * time.Second).String() }
	limits := fmt.Sprintf("after %s without work, or %s without a task that moves", span(*u.SoftLimitSeconds), span(*u.HardLimitSeconds))
	if u.StopsInSeconds != nil {
		return "idle, stops in " + span(*u.StopsInSeconds) + " (" + limits + ")"
	}
	return "stops " + limits
}

// statusRow repeats the word where the first line said something else, and
// gives the reason.
func statusRow(s EndpointStatus) string {
	if s.Outcome == "" {
		return s.Reason
	}
	return strings.TrimSuffix(s.Status+": "+s.Reason, ": ")
}

func (e Evidence) writeRows(row func(label, text string)) {
	if f := e.PIDFile; f != nil {
		if f.Problem != "" {
			row("pid file", f.Problem)
		} else {
			row("pid file", fmt.Sprintf("pid %d, touched %.0f s ago", f.PID, f.AgeSeconds))
		}
	}
	if pr := e.Process; pr != nil {
		state := "not alive"
		if pr.Alive {
			state = "alive"
		}
		row("process", strings.TrimSuffix(fmt.Sprintf("%d %s, %s", pr.PID, state, pr.Why), ", "))
	}
	if r := e.Recorded; r != nil && r.Host != e.Here.Host {
		row("started on", r.Host)
	}
	if l := e.Log; l != nil {
		row("log", l.Marker+" "+l.Time.Format(time.DateTime))
	}
}

// WriteText names the directory, the files and the next step.
func (c EndpointConfiguration) WriteText(p *operation.Printer) error {
	if c.Scheduler != nil {
		p.Printf("Scheduler: %s (%s)\n", c.Scheduler.Name, c.Scheduler.Why)
	}
	for _, name := range []string{"provider", "partition", "queue", "account"} {
		if value := c.Defaults[name]; value != "" {
			p.Printf("Default %s: %s\n", name, operation.Clean(value))
		}
	}
	if c.Preview {
		p.Printf("Nothing was written: this is how endpoint %s would be configured\n", operation.Clean(c.Name))
		return nil
	}
	p.Printf("Configured endpoint %s in %s\n", operation.Clean(c.Name), operation.Clean(c.Path))
	for _, f := range c.Files {
		p.Printf("  %s\n", f)
	}
	for _, n := range c.Next {
		p.Printf("Next: %s\n", n)
	}
	return nil
}

// WriteText tells each step.
func (d EndpointDeletion) WriteText(p *operation.Printer) error {
	p.Printf("Deleted endpoint %s\n", operation.Clean(d.Name))
	for _, s := range d.Steps {
		text := s.Outcome
		if s.Detail != "" {
			text += " (" + operation.Clean(s.Detail) + ")"
		}
		p.Printf("  %s: %s\n", s.Step, text)
	}
	return nil
}

// WriteText writes the records as they stand in the file, made safe to show.
func (l LogPage) WriteText(p *operation.Printer) error {
	var b strings.Builder
	for _, line := range l.Lines {
		for text := range strings.SplitSeq(line.Text, "\n") {
			b.WriteString(paintLevel(p, line.Level, operation.Clean(text)))
			b.WriteByte('\n')
		}
	}
	_, err := p.Write([]byte(b.String()))
	return err
}

func paintLevel(p *operation.Printer, level, text string) string {
	switch level {
	case "ERROR", "CRITICAL":
		return p.Paint("31", text)
	case "WARNING":
		return p.Paint("33", text)
	case "DEBUG":
		return p.Paint("2", text)
	}
	return text
}
