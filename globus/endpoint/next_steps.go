package endpoint

import (
	"maps"
	"strings"

	"chiltepin/globus/next"
)

// withName returns the steps with the endpoint's name where a step is about an
// endpoint and does not say which.
func withName(steps []next.Step, name string) []next.Step {
	var named []next.Step
	for _, s := range steps {
		if strings.HasPrefix(string(s.Operation), "endpoint.") && s.Operation != next.EndpointList && s.Args["name"] == nil {
			s.Args = maps.Clone(s.Args)
			if s.Args == nil {
				s.Args = next.Args{}
			}
			s.Args["name"] = name
		}
		named = append(named, s)
	}
	return named
}
