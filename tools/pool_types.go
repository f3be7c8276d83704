package tools

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"chiltepin/globus/pool"
	"chiltepin/tools/operation"
)

// PoolCheck is what was found in a Chiltepin configuration.
type PoolCheck struct {
	File      string         `json:"file" jsonschema:"the file"`
	OK        bool           `json:"ok" jsonschema:"true when there is no error; warnings and notes are none"`
	Pools     []PoolSummary  `json:"pools" jsonschema:"the pools, in the order of the file"`
	Endpoints []PoolEndpoint `json:"endpoints" jsonschema:"the endpoints that they name"`
	Problems  []PoolProblem  `json:"problems" jsonschema:"what was found, in the order of the file"`
}

// PoolSummary is one pool of a file.
type PoolSummary struct {
	Name     string `json:"name" jsonschema:"its name"`
	Line     int    `json:"line" jsonschema:"the line of its name, from 1"`
	Endpoint string `json:"endpoint,omitempty" jsonschema:"UUID of its endpoint; absent for a pool that runs where the workflow runs"`
}

// PoolEndpoint is an endpoint that pools name.
type PoolEndpoint struct {
	ID      string `json:"id" jsonschema:"its UUID"`
	Name    string `json:"name,omitempty" jsonschema:"its name, where it is known"`
	Here    bool   `json:"here" jsonschema:"true when it is one of this configuration directory"`
	Status  string `json:"status,omitempty" jsonschema:"its status by the evidence here, or the service's word"`
	Problem string `json:"problem,omitempty" jsonschema:"why it could not be asked about"`
}

// PoolProblem is one thing that was found.
type PoolProblem struct {
	Line     int              `json:"line" jsonschema:"line in the file, from 1"`
	Column   int              `json:"column" jsonschema:"column in the line, from 1"`
	Pool     string           `json:"pool,omitempty" jsonschema:"the pool"`
	Option   string           `json:"option,omitempty" jsonschema:"its option"`
	Severity string           `json:"severity" enum:"error,warning,note" jsonschema:"error: tasks will not run, or not as written; warning: something does nothing; note: nothing to fix"`
	Message  string           `json:"message" jsonschema:"what is wrong"`
	Next     []operation.Next `json:"next,omitempty" jsonschema:"what to do about it, the best first"`
}

// Verdict is the code of a file with errors.
func (c PoolCheck) Verdict() operation.Code {
	if c.OK {
		return ""
	}
	return operation.CodeInvalid
}

// poolCheck puts a report into the words of the wire.
func poolCheck(path string, r pool.Report) PoolCheck {
	out := PoolCheck{File: path, OK: pool.Worst(r.Problems) != pool.Error, Pools: []PoolSummary{}, Endpoints: []PoolEndpoint{}, Problems: []PoolProblem{}}
	for _, p := range r.File.Pools {
		out.Pools = append(out.Pools, PoolSummary{Name: operation.Clean(p.Name), Line: p.Line, Endpoint: operation.Clean(p.Endpoint())})
	}
	for _, t := range r.Endpoints {
		out.Endpoints = append(out.Endpoints, poolEndpoint(t))
	}
	slices.SortFunc(out.Endpoints, func(a, b PoolEndpoint) int { return cmp.Compare(a.ID, b.ID) })
	for _, p := range r.Problems {
		out.Problems = append(out.Problems, poolProblem(p))
	}
	return out
}

func poolEndpoint(t pool.EndpointLookup) PoolEndpoint {
	e := PoolEndpoint{ID: t.ID, Name: operation.Clean(t.Name), Here: t.Here, Status: operation.Clean(t.State)}
	switch {
	case t.Missing:
		e.Problem = "no endpoint has this UUID"
	case t.Problem != nil:
		e.Problem = operation.Clean(t.Problem.Error())
	}
	return e
}

func poolProblem(p pool.Problem) PoolProblem {
	return PoolProblem{Line: p.Line, Column: p.Column, Pool: operation.Clean(p.Pool), Option: operation.Clean(p.Option), Severity: string(p.Severity), Message: operation.Clean(p.Message), Next: nextSteps(p.Next)}
}

// WriteText writes a line a problem, as compilers do and editors understand,
// the remedy below it, and how many there are.
func (c PoolCheck) WriteText(p *operation.Printer) error {
	file := filepath.Base(c.File)
	count := map[string]int{}
	for _, x := range c.Problems {
		count[x.Severity]++
		where := x.Message
		if x.Pool != "" {
			where = x.Pool + ": " + x.Message
		}
		p.Printf("%s:%d:%d: %s: %s\n", operation.Clean(file), x.Line, x.Column, paintSeverity(p, x.Severity), where)
		for _, n := range x.Next {
			p.Printf("    %s\n", n)
		}
	}
	words := []string{pluralize(len(c.Pools), "pool")}
	for _, severity := range []string{"error", "warning", "note"} {
		if n := count[severity]; n > 0 {
			words = append(words, pluralize(n, severity))
		}
	}
	if len(c.Problems) == 0 {
		words = append(words, "nothing wrong")
	}
	p.Printf("%s: %s\n", operation.Clean(file), strings.Join(words, ", "))
	return nil
}

func paintSeverity(p *operation.Printer, word string) string {
	switch word {
	case "error":
		return p.Paint("31", word)
	case "warning":
		return p.Paint("33", word)
	}
	return word
}

func pluralize(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// PoolSchema is the JSON Schema of a Chiltepin configuration.
type PoolSchema struct {
	Schema map[string]any `json:"schema" jsonschema:"the JSON Schema of a Chiltepin configuration"`
}

// WriteText writes the schema alone, so that it can be put into a file.
func (s PoolSchema) WriteText(p *operation.Printer) error {
	b, err := json.MarshalIndent(s.Schema, "", "  ")
	if err != nil {
		return err
	}
	_, err = p.Write(append(b, '\n'))
	return err
}
