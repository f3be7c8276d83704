package tools

import (
	"context"

	"chiltepin/tools/operation"

	"chiltepin/globus/endpoint"
	"chiltepin/globus/next"
)

// EndpointWatchArgs are the arguments of endpoint.watch.
type EndpointWatchArgs struct{ ConfigDirArg }

// EndpointChange is one endpoint that came, went or is not what it was.
type EndpointChange struct {
	ConfigDir string           `json:"config_dir" jsonschema:"the configuration directory it is in"`
	Name      string           `json:"name" jsonschema:"name of the endpoint"`
	Change    string           `json:"change" enum:"added,removed,status,registration" jsonschema:"what changed; status where the registration changed too"`
	Before    *EndpointSummary `json:"before,omitempty" jsonschema:"what it was; absent when it came"`
	Endpoint  *EndpointSummary `json:"endpoint,omitempty" jsonschema:"what it is; absent when it went"`
}

// WriteText is one line.
func (c EndpointChange) WriteText(p *operation.Printer) error {
	switch {
	case c.Endpoint == nil:
		p.Printf("%s removed\n", c.Name)
	case c.Before == nil:
		p.Printf("%s added: %s\n", c.Name, c.Endpoint.Status)
	case c.Change == "registration":
		p.Printf("%s %s (registered as %s)\n", c.Name, c.Endpoint.Status, orNone(c.Endpoint.ID))
	default:
		p.Printf("%s %s (was %s)\n", c.Name, c.Endpoint.Status, c.Before.Status)
	}
	return nil
}

func orNone(id string) string {
	if id == "" {
		return "nothing"
	}
	return id
}

func defineWatch(s Services) *operation.Tool {
	return operation.Define(operation.Spec{
		Name:    "endpoint.watch",
		Title:   "Watch endpoints",
		Summary: "Tell of endpoints that start, stop, crash, come or go",
		Doc: `Gives the list of endpoints and then, until it is interrupted, every change of one within
two seconds: its status, its registration, that it came or went. Looks at files and
processes of this machine only; while nothing changes that costs next to nothing.`,
		Effect:   operation.Reads,
		Event:    "endpoint.changed",
		EventOf:  EndpointChange{},
		Examples: []string{"chiltepin endpoint watch", "chiltepin endpoint watch --json"},
		Errors:   []operation.Code{operation.CodeRefused},
	}, func(ctx context.Context, in EndpointWatchArgs) (EndpointList, error) {
		return atEndpoints(ctx, s, Place{ConfigDir: in.ConfigDir}, func(eps Endpoints) (EndpointList, error) {
			emit := operation.Emitter(ctx)
			if emit == nil {
				return EndpointList{}, &operation.Error{Code: operation.CodeInvalid, Message: "endpoint.watch streams, and this caller takes one answer only", Next: callOf(next.EndpointList, nil, "see them once")}
			}
			return EndpointList{}, eps.Follow(ctx, func(list []endpoint.Status) error {
				return emit(endpointList(eps, list))
			}, func(c endpoint.Change) error {
				return emit(endpointChange(eps.ConfigDir(), c))
			})
		})
	})
}

func endpointChange(dir string, c endpoint.Change) EndpointChange {
	out := EndpointChange{ConfigDir: dir}
	if c.Before != nil {
		s := endpointSummary(*c.Before)
		out.Name, out.Before, out.Change = s.Name, &s, "removed"
	}
	if c.After != nil {
		s := endpointSummary(*c.After)
		out.Name, out.Endpoint, out.Change = s.Name, &s, "added"
	}
	if c.Before != nil && c.After != nil {
		out.Change = "status"
		if c.Before.State == c.After.State {
			out.Change = "registration"
		}
	}
	return out
}
