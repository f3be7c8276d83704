package pool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"

	"chiltepin/globus/pool/pyyaml"
)

// File is a Chiltepin configuration that has been read.
type File struct {
	// Pools are the entries in the order of the file.
	Pools []Pool
	// Problems are what kept some of it from being read.
	Problems []Problem
}

// Pool is one entry.
type Pool struct {
	Name         string
	Line, Column int
	// Options are by name; Order is that of the file.
	Options map[string]Setting
	Order   []string
	// Base is true for an entry that others merge into theirs (<<: *name): it
	// is a part of pools, and none by itself.
	Base bool
}

// Setting is one option of an entry, with its value.
type Setting struct {
	pyyaml.Value
	// KeyLine and KeyColumn are those of its name.
	KeyLine, KeyColumn int
}

// Pool returns the entry of that name.
func (f File) Pool(name string) (Pool, bool) {
	for _, p := range f.Pools {
		if p.Name == name {
			return p, true
		}
	}
	return Pool{}, false
}

// Names returns the names of the pools.
func (f File) Names() []string {
	var names []string
	for _, p := range f.Pools {
		if !p.Base {
			names = append(names, p.Name)
		}
	}
	return names
}

// maxMerges bounds entries that merge others that merge others.
const maxMerges = 10

// Parse reads a configuration as PyYAML's safe_load does, with the place of
// everything. It never fails: what cannot be read is a problem.
func Parse(data []byte) File {
	var f File
	doc, problem := parseDocument(data)
	if problem != nil {
		f.Problems = append(f.Problems, *problem)
		return f
	}
	if doc == nil {
		return f
	}
	if kind := pyyaml.KindOf(doc); kind != pyyaml.Mapping {
		if kind != pyyaml.Null {
			f.Problems = append(f.Problems, Problem{Line: doc.Line, Column: doc.Column, Severity: Error,
				Message: fmt.Sprintf("the file is %s, and should be names of pools with their options", kind.WithArticle()), Next: doOnly(`begin with "name:" and indent the options below it`)})
		}
		return f
	}
	merged := mergedNodes(doc)
	seen := map[string]int{}
	for i := 0; i+1 < len(doc.Content); i += 2 {
		key, value := doc.Content[i], pyyaml.FollowAlias(doc.Content[i+1])
		if key.ShortTag() == "!!merge" {
			f.addProblem(Problem{Line: key.Line, Column: key.Column, Severity: Error, Message: "<< at the top of the file merges pools into it, not options into a pool", Next: doOnly("write << inside an entry")})
			continue
		}
		name, ok := f.readPoolName(key)
		if !ok {
			continue
		}
		if first, twice := seen[name]; twice {
			f.addProblem(Problem{Line: key.Line, Column: key.Column, Pool: name, Severity: Error,
				Message: fmt.Sprintf("pool %s is defined twice, first in line %d; only this one counts", name, first), Next: doOnly("give one of them another name, or remove it")})
		}
		seen[name] = key.Line
		if kind := pyyaml.KindOf(value); kind != pyyaml.Mapping {
			// A list with an anchor is what other entries refer to.
			if value.Anchor == "" || kind != pyyaml.List {
				f.addProblem(Problem{Line: key.Line, Column: key.Column, Pool: name, Severity: Error,
					Message: fmt.Sprintf("pool %s is %s, and should be options", name, kind.WithArticle()), Next: doOnly(`indent its options below the name, one "option: value" a line`)})
			}
			continue
		}
		p := Pool{Name: name, Line: key.Line, Column: key.Column, Options: map[string]Setting{}, Base: merged[value]}
		f.collectOptions(&p, value, 0)
		f.Pools = append(f.Pools, p)
	}
	return f
}

func (f *File) addProblem(p Problem) { f.Problems = append(f.Problems, p) }

// readPoolName is the name of an entry, which must be a text.
func (f *File) readPoolName(key *yaml.Node) (string, bool) {
	node := pyyaml.FollowAlias(key)
	kind := pyyaml.KindOf(node)
	if kind != pyyaml.Text || node.Value == "" {
		f.addProblem(Problem{Line: key.Line, Column: key.Column, Severity: Error,
			Message: fmt.Sprintf("the name of a pool is %s, and should be a text", kind.WithArticle()), Next: doOnly("put it in quotation marks")})
		return "", false
	}
	return node.Value, true
}

// collectOptions puts the options of a mapping into p; what is merged yields to what
// stands there itself.
func (f *File) collectOptions(p *Pool, m *yaml.Node, depth int) {
	if depth > maxMerges { // an alias may stand for what it is in
		return
	}
	own := map[string]int{}
	for i := 0; i+1 < len(m.Content); i += 2 {
		key := pyyaml.FollowAlias(m.Content[i])
		if key.ShortTag() == "!!merge" || pyyaml.KindOf(key) == pyyaml.Mapping || pyyaml.KindOf(key) == pyyaml.List {
			continue
		}
		if first, twice := own[key.Value]; twice && depth == 0 {
			f.addProblem(Problem{Line: m.Content[i].Line, Column: m.Content[i].Column, Pool: p.Name, Option: key.Value, Severity: Error,
				Message: fmt.Sprintf("%s is given twice, first in line %d; only this one counts", key.Value, first), Next: doOnly("remove one of them")})
		}
		own[key.Value] = m.Content[i].Line
		p.setOption(m.Content[i], m.Content[i+1], key.Value, depth == 0)
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].ShortTag() != "!!merge" {
			continue
		}
		from := pyyaml.FollowAlias(m.Content[i+1])
		list := []*yaml.Node{from}
		if from.Kind == yaml.SequenceNode {
			list = from.Content
		}
		for _, n := range list {
			if n = pyyaml.FollowAlias(n); n.Kind == yaml.MappingNode {
				f.collectOptions(p, n, depth+1)
			}
		}
	}
}

// setOption sets an option that is not set yet, or, of the entry itself, the last.
func (p *Pool) setOption(key, value *yaml.Node, name string, own bool) {
	_, there := p.Options[name]
	if there && !own {
		return
	}
	if !there {
		p.Order = append(p.Order, name)
	}
	p.Options[name] = Setting{Value: pyyaml.ValueOf(value, 2), KeyLine: key.Line, KeyColumn: key.Column}
}

// mergedNodes are the mappings that some entry merges.
func mergedNodes(doc *yaml.Node) map[*yaml.Node]bool {
	merged := map[*yaml.Node]bool{}
	for i := 1; i < len(doc.Content); i += 2 {
		m := pyyaml.FollowAlias(doc.Content[i])
		if m.Kind != yaml.MappingNode {
			continue
		}
		for j := 0; j+1 < len(m.Content); j += 2 {
			if m.Content[j].ShortTag() != "!!merge" {
				continue
			}
			from := pyyaml.FollowAlias(m.Content[j+1])
			merged[from] = true
			for _, n := range from.Content {
				merged[pyyaml.FollowAlias(n)] = true
			}
		}
	}
	return merged
}

// parseDocument returns the only document of the data, nil for an empty one.
func parseDocument(data []byte) (*yaml.Node, *Problem) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) || err == nil && len(doc.Content) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, syntaxProblem(data, err)
	}
	err = dec.Decode(&more)
	if err == nil {
		return nil, &Problem{Line: max(more.Line, 1), Column: max(more.Column, 1), Severity: Error, Message: "the file holds more than one YAML document", Next: doOnly("remove the line --- and what follows it")}
	}
	if !errors.Is(err, io.EOF) {
		return nil, syntaxProblem(data, err)
	}
	return pyyaml.FollowAlias(doc.Content[0]), nil
}

// syntaxProblem places an error of the YAML library, which gives a line only,
// and counts some of them from 0.
func syntaxProblem(data []byte, err error) *Problem {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	p := &Problem{Line: 1, Column: 1, Severity: Error, Message: "it is not YAML: " + text, Next: doOnly("correct this line or the one before it: texts with special characters need quotation marks, and only spaces indent")}
	lines := bytes.Split(data, []byte("\n"))
	if m := regexp.MustCompile(`^line (\d+): (?s)(.*)`).FindStringSubmatch(text); m != nil {
		p.Message = "it is not YAML: " + m[2]
		p.Line, _ = strconv.Atoi(m[1])
		if p.Line > len(lines) {
			p.Line = len(lines)
		}
	}
	// PyYAML and the library agree that a tab never indents; where there is
	// one, it is to blame.
	for i := max(p.Line-2, 0); i < min(p.Line+1, len(lines)); i++ {
		indent := lines[i][:len(lines[i])-len(bytes.TrimLeft(lines[i], " \t"))]
		if tab := bytes.IndexByte(indent, '\t'); tab >= 0 && strings.Contains(text, "cannot start any token") {
			p.Line, p.Column = i+1, tab+1
			p.Message, p.Next = "it is not YAML: a tab indents the line", doOnly("indent with spaces")
			return p
		}
	}
	if p.Line >= 1 && p.Line <= len(lines) {
		line := string(lines[p.Line-1])
		if at := strings.IndexFunc(line, func(r rune) bool { return !unicode.IsSpace(r) }); at >= 0 {
			p.Column = at + 1
		}
	}
	return p
}
