package tools

import (
	"cmp"
	"fmt"
	"strings"

	"chiltepin/tools/operation"

	"chiltepin/globus/endpoint"
)

// sideBySide puts the directories and the registrations into one list.
func sideBySide(dir string, pairs []endpoint.Pair) EndpointList {
	out := EndpointList{ConfigDir: dir, Endpoints: []EndpointSummary{}, RemoteOnly: []RegistrationSummary{}}
	for _, p := range pairs {
		r := RegistrationSummary{ID: p.ID, Why: operation.Clean(p.Why)}
		if p.Registered != nil {
			r.Name, r.Status, r.Host = operation.Clean(p.Registered.Name), operation.Clean(p.Registered.Word), operation.Clean(p.Registered.Host)
		}
		for _, f := range p.Findings {
			r.Findings = append(r.Findings, string(f))
		}
		if p.Local == nil {
			out.RemoteOnly = append(out.RemoteOnly, r)
			continue
		}
		e := endpointSummary(*p.Local)
		if p.ID != "" {
			e.Registration = &r
		}
		out.Endpoints = append(out.Endpoints, e)
	}
	return out
}

// writeRemote says whether the service was asked.
func (l EndpointList) writeRemote() bool { return l.RemoteOnly != nil }

// writeSideBySide writes a row an endpoint: name, UUID, status here, status at
// the service, what is odd; and below the rows why.
func (l EndpointList) writeSideBySide(p *operation.Printer) error {
	type row struct{ name, id, here, there, odd, why string }
	var rows []row
	for _, e := range l.Endpoints {
		r := row{name: operation.Clean(e.Name), id: cmp.Or(e.ID, "None"), here: e.Status, there: "-"}
		if e.Registration != nil {
			r.there, r.odd, r.why = cmp.Or(e.Registration.Status, "-"), strings.Join(e.Registration.Findings, ","), e.Registration.Why
		}
		if e.misleading && e.Reason != "" {
			r.why = strings.TrimSuffix(operation.Clean(e.Reason)+"; "+r.why, "; ")
		}
		rows = append(rows, r)
	}
	for _, e := range l.RemoteOnly {
		rows = append(rows, row{name: operation.Clean(e.Name), id: e.ID, here: "-", there: cmp.Or(e.Status, "-"), odd: strings.Join(e.Findings, ","), why: e.Why})
	}
	if len(rows) == 0 {
		p.Printf("No endpoints are configured, and none are registered\n")
		return nil
	}
	width := 0
	if p.Terminal {
		width = len("endpoint-name")
	}
	for _, r := range rows {
		width = max(width, len([]rune(r.name)))
	}
	var b strings.Builder
	if p.Terminal {
		b.WriteString(p.Paint("2", fmt.Sprintf("%-*s %-36s %-12s %-7s", width, "endpoint-name", "endpoint-uuid", "here", "service")) + "\n")
	}
	for _, r := range rows {
		here := paintStatus(p, r.here) + strings.Repeat(" ", max(0, 12-len(r.here)))
		line := fmt.Sprintf("%-*s %-36s %s %-7s", width, r.name, operation.Clean(r.id), here, r.there)
		if r.odd != "" {
			line += " " + p.Paint("33", r.odd)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	for _, r := range rows {
		if r.why != "" {
			fmt.Fprintf(&b, "%s: %s\n", cmp.Or(r.name, r.id), r.why)
		}
	}
	_, err := p.Write([]byte(b.String()))
	return err
}
