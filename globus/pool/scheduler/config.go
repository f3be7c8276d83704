package scheduler

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"chiltepin/endpointfs"
	"chiltepin/globus/pool/pyyaml"
)

// Script is what parsl submits for one block.
type Script struct {
	// Provider is the class of parsl that submits it, such as SlurmProvider.
	Provider string
	// Submit is the command by which it is submitted.
	Submit string
	// Header is the script up to where the workers start. JOB and SCRIPT stand
	// for names that parsl chooses anew for each block.
	Header string
	// Problem is why the provider would not submit it, or why this program
	// does not know what it would submit.
	Problem string
}

// addProblem notes the first thing that the provider would refuse.
func (s *Script) addProblem(format string, args ...any) {
	if s.Problem == "" {
		s.Problem = fmt.Sprintf(format, args...)
	}
}

// ProviderConfig is the provider's part of a user endpoint's configuration: the
// keywords that its class of parsl is given.
type ProviderConfig map[string]pyyaml.Value

// Text is a keyword as Python formats it, but "" for None.
func (c ProviderConfig) Text(name string) string {
	if c[name].Kind == pyyaml.Null {
		return ""
	}
	return c.Format(name, "")
}

// Format is a keyword as Python's format has it, or def where it is left out.
func (c ProviderConfig) Format(name, def string) string {
	if c[name].Kind == "" {
		return def
	}
	return c[name].Format()
}

// commonKeywords are what every class of parsl can be given.
func commonKeywords() []string {
	return []string{"type", "launcher", "nodes_per_block", "init_blocks", "min_blocks", "max_blocks", "parallelism", "worker_init", "cmd_timeout"}
}

// Script reads the configuration of a user endpoint and returns what parsl
// submits for a block of it. The classes are those of parsl 2026.10.26.
func (l List) Script(config string) (Script, error) {
	var doc struct {
		Engine struct {
			Provider yaml.Node `yaml:"provider"`
		} `yaml:"engine"`
	}
	if err := yaml.Unmarshal([]byte(config), &doc); err != nil {
		return Script{}, &endpointfs.FormatError{File: "the rendered configuration", Problem: strings.TrimPrefix(err.Error(), "yaml: "), Remedy: "correct the template: what it makes of these options is not YAML"}
	}
	node := &doc.Engine.Provider
	if node.Kind == 0 {
		return Script{Problem: "the template sets no provider, and blocks run on the endpoint's own host"}, nil
	}
	given := ProviderConfig{}
	var order []string
	for i := 0; i+1 < len(node.Content); i += 2 {
		name := node.Content[i].Value
		given[name] = pyyaml.ValueOf(node.Content[i+1], 1)
		order = append(order, name)
	}
	class := given["type"].Written
	s, ok := l.OfClass(class)
	if !ok {
		return Script{Provider: class, Problem: fmt.Sprintf("what %s submits is not known to this program", cmp.Or(class, "a provider without type"))}, nil
	}
	script := s.Script(given)
	script.Provider = class
	takes := append(commonKeywords(), s.Options().Keywords...)
	for _, name := range order {
		if !slices.Contains(takes, name) {
			script.Problem = fmt.Sprintf("%s takes no %s", class, name)
			break
		}
	}
	return script, nil
}
