package broker

import (
	"slices"
	"strings"
)

// exchange routes messages to queues. The broker's lock guards it.
type exchange struct {
	name       string
	kind       string // direct, topic or fanout
	durable    bool
	autoDelete bool
	internal   bool
	bindings   []binding
}

type binding struct {
	queue *queue
	key   string
}

// addBinding adds a binding, once.
func (x *exchange) addBinding(q *queue, key string) {
	if b := (binding{q, key}); !slices.Contains(x.bindings, b) {
		x.bindings = append(x.bindings, b)
	}
}

// bindingMatches reports whether a message with key goes to the binding's queue.
func (x *exchange) bindingMatches(b binding, key string) bool {
	switch x.kind {
	case "fanout":
		return true
	case "topic":
		return matchTopic(splitTopic(b.key), splitTopic(key))
	}
	return b.key == key
}

// splitTopic splits a key at its dots; an empty one has no word.
func splitTopic(key string) []string {
	if key == "" {
		return nil
	}
	return strings.Split(key, ".")
}

// matchTopic compares word by word: "*" is any one word, "#" any number. It
// computes the table row by row, since backtracking is slow with many "#".
func matchTopic(pattern, words []string) bool {
	// reach[i] tells whether the pattern so far can end before words[i].
	reach := make([]bool, len(words)+1)
	reach[0] = true
	for _, p := range pattern {
		next := make([]bool, len(words)+1)
		for i := range reach {
			switch {
			case p == "#":
				next[i] = reach[i] || i > 0 && next[i-1]
			case i > 0:
				next[i] = reach[i-1] && (p == "*" || p == words[i-1])
			}
		}
		reach = next
	}
	return reach[len(words)]
}

// routeMessage adds m to every queue that a binding leads to, once to each, and
// returns their number.
func (b *Server) routeMessage(x *exchange, m Message) int {
	if x.name == "" {
		q := b.queueByName[m.RoutingKey]
		if q == nil {
			return 0
		}
		q.addMessage(m)
		q.deliverReady()
		return 1
	}
	var to []*queue
	for _, bd := range x.bindings {
		if x.bindingMatches(bd, m.RoutingKey) && !slices.Contains(to, bd.queue) {
			to = append(to, bd.queue)
		}
	}
	for _, q := range to {
		q.addMessage(m)
		q.deliverReady()
	}
	return len(to)
}

// removeBindings removes the bindings that gone reports, and an auto-delete
// exchange with its last one.
func (b *Server) removeBindings(x *exchange, gone func(binding) bool) {
	before := len(x.bindings)
	x.bindings = slices.DeleteFunc(x.bindings, gone)
	if x.autoDelete && before > 0 && len(x.bindings) == 0 {
		delete(b.exchanges, x.name)
	}
}
