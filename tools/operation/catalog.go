package operation

import "iter"

// Catalog is the list of operations. The zero value is empty.
type Catalog struct {
	tools   []*Tool
	index   map[string]*Tool
	suggest Suggester
}

// NewCatalog makes a catalogue of tools, in their order. It panics on a name
// used twice.
func NewCatalog(list ...*Tool) *Catalog {
	c := &Catalog{tools: list, index: make(map[string]*Tool, len(list))}
	for _, t := range list {
		if c.index[t.Name] != nil {
			panic("tools: two operations are named " + t.Name)
		}
		c.index[t.Name] = t
	}
	return c
}

// SuggestBy has the catalogue suggest the word that a misspelled one was meant
// to be: of fields, names of operations, toolsets. It returns c.
func (c *Catalog) SuggestBy(s Suggester) *Catalog {
	c.suggest = s
	for _, t := range c.tools {
		t.suggest = s
	}
	return c
}

// Nearest returns the known word that a misspelled one was meant to be, "" if
// there is none or nobody is there to suggest it.
func (c *Catalog) Nearest(word string, known []string) string { return c.suggest.nearest(word, known) }

// All yields the operations in the order of the catalogue.
func (c *Catalog) All() iter.Seq[*Tool] {
	return func(yield func(*Tool) bool) {
		for _, t := range c.tools {
			if !yield(t) {
				return
			}
		}
	}
}

// Lookup returns the operation of that wire name, or nil.
func (c *Catalog) Lookup(name string) *Tool { return c.index[name] }
