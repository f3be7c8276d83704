package tools

import (
	"cmp"
	"strings"
	"time"

	"chiltepin/tools/operation"
)

// WriteText tells what the login came to.
func (l LoginReport) WriteText(p *operation.Printer) error {
	switch l.Outcome {
	case "pending":
		p.Printf("The login waits for a person:\n\n  %s\n\n%s\n", operation.Clean(l.Pending.URL), sayNext(l.Pending.Next))
		return nil
	case "already_logged_in":
		p.Printf("Logged in already%s\n", asWhom(l.Identity))
	default:
		p.Printf("Logged in%s\n", asWhom(l.Identity))
	}
	l.writeServices(p)
	return nil
}

// WriteText tells who is logged in, for what and until when.
func (a Account) WriteText(p *operation.Printer) error {
	if a.LoggedIn {
		p.Printf("Logged in%s\n", asWhom(a.Identity))
	} else {
		p.Printf("Not logged in to every service\n")
	}
	a.writeServices(p)
	for _, s := range a.Services {
		writePrograms(p, s.Programs)
	}
	return nil
}

// writePrograms says which programs, as they are started now, cannot refresh
// the tokens; those with the same next step are put together.
func writePrograms(p *operation.Printer, list []ProgramView) {
	names := map[string][]string{}
	for _, v := range list {
		if v.LoggedIn && v.Until != nil {
			names[sayNext(v.Next)] = append(names[sayNext(v.Next)], v.Program)
		}
	}
	for _, v := range list {
		do := sayNext(v.Next)
		if len(names[do]) > 0 && v.Until != nil {
			p.Printf("%s: until %s only; to refresh the tokens after that, %s\n", strings.Join(names[do], " and "), v.Until.Local().Format(time.DateTime), do)
			delete(names, do)
		}
	}
}

func (a Account) writeServices(p *operation.Printer) {
	if a.Identity != nil {
		for _, i := range a.Identity.Linked {
			p.Printf("  linked    %s\n", operation.Clean(cmp.Or(i.Username, i.ID)))
		}
	}
	if a.Shared {
		p.Printf("  shared    this directory has no token store of its own; the login of the default directory serves it\n")
	}
	for _, s := range a.Services {
		if !s.LoggedIn {
			p.Printf("  %-9s not logged in%s\n", s.Service, reasonSuffix(s.Problem))
			continue
		}
		p.Printf("  %-9s %s\n", s.Service, tokensLifetime(s.Tokens))
		if s.Demand != "" {
			p.Printf("            its policy asks for a login with %s\n", operation.Clean(s.Demand))
		}
	}
}

func asWhom(id *Identity) string {
	if id == nil {
		return ""
	}
	return " as " + operation.Clean(cmp.Or(id.Username, id.ID))
}

func reasonSuffix(problem string) string {
	if problem == "" {
		return ""
	}
	return ": " + operation.Clean(problem)
}

// tokensLifetime says until when the tokens of one service serve.
func tokensLifetime(tokens []TokenSummary) string {
	var first time.Time
	for _, t := range tokens {
		if t.Refreshable {
			return "logged in, renewed by itself"
		}
		if first.IsZero() || t.Expires.Before(first) {
			first = t.Expires
		}
	}
	if first.IsZero() {
		return "logged in"
	}
	return "logged in until " + first.Local().Format(time.DateTime)
}

// WriteText tells what became of the tokens.
func (l LogoutReport) WriteText(p *operation.Printer) error {
	revoked, removed := 0, 0
	for _, t := range l.Tokens {
		if t.Revoked {
			revoked++
		}
		if t.Removed {
			removed++
		}
	}
	if len(l.Tokens) == 0 {
		p.Printf("Nobody was logged in\n")
	} else {
		p.Printf("Logged out: %d tokens revoked, %d removed\n", revoked, removed)
	}
	for _, t := range l.Tokens {
		if t.Problem == "" {
			continue
		}
		until := ""
		if t.ValidUntil != nil && !t.Revoked {
			until = ", valid until " + t.ValidUntil.Local().Format(time.DateTime)
		}
		p.Printf("  %s token for %s: %s%s\n", t.Kind, operation.Clean(t.ResourceServer), operation.Clean(t.Problem), until)
	}
	if l.Shared && len(l.Tokens) > 0 {
		p.Printf("  this login served the default directory too, and every other one without a token store of its own\n")
	}
	for _, left := range l.Left {
		p.Printf("  left alone: tokens of another client for %d services, in %s\n", left.Tokens, operation.Clean(left.Store))
	}
	return nil
}

// WriteText tells which runtime would be taken, and why the others would not.
func (s RuntimeStatus) WriteText(p *operation.Printer) error {
	switch {
	case s.Runtime == nil:
		p.Printf("No globus-compute-endpoint was found\n")
	case s.Outcome == "installed":
		p.Printf("Installed %s\n", s.Runtime.describePlace())
	case s.Outcome == "already_installed":
		p.Printf("Installed already: %s\n", s.Runtime.describePlace())
	default:
		p.Printf("%s\n", s.Runtime.describePlace())
	}
	for _, c := range s.Candidates {
		state := "usable"
		if !c.Usable {
			state = operation.Clean(c.Problem)
		}
		p.Printf("  %s %s (%s): %s\n", operation.Clean(c.Path), c.Version, c.Source, state)
	}
	return nil
}

func (r *RuntimeReference) describePlace() string {
	return strings.TrimSpace("globus-compute-endpoint "+r.Version) + ", " + operation.Clean(r.Path) + " (" + r.Source + ")"
}
