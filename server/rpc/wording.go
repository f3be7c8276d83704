package rpc

import "chiltepin/tools/operation"

// wording says what to do next as a method with its parameters, of those that
// are offered.
func (d *dialect) wording() *operation.Wording {
	return &operation.Wording{
		Lookup: func(name string) *operation.Tool { t, _ := d.offer.Lookup(name); return t },
		Takes:  d.offer.Takes,
		Say: func(t *operation.Tool, args map[string]any, host, user string) operation.Words {
			return operation.CallWords("method", methodName(t.Name), "params", args, host, user)
		},
	}
}
