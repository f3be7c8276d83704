package mcp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"chiltepin/tools/operation"
)

// consentKey is the name of the question in an input-required result.
const consentKey = "consent"

// grant is what a person answered, and to what.
type grant struct {
	ticket ticket
	action mcp.ElicitationResponseAction
	typed  string
}

// decideConsent decides about a question of the operation. Only three things say
// yes: a host that confirms by itself, and it was started to be trusted with
// that; or a person who typed the name, in an answer to this very question.
func (c *call) decideConsent(_ context.Context, q operation.Question) error {
	if c.opts.Consent == ConsentHost && !q.Late {
		return nil
	}
	if g := c.granted; g != nil && g.ticket.Address == "" && g.ticket.Operation == q.Operation && g.ticket.Subject == q.Subject && g.ticket.ID == q.ID && g.ticket.ConfigDir == q.ConfigDir {
		switch {
		case g.action != mcp.ElicitationResponseActionAccept:
			return operation.Declined(q)
		case strings.TrimSpace(g.typed) != q.Subject:
			return &operation.Error{Code: operation.CodeRefused, Message: fmt.Sprintf("nothing was done: what was typed is not the name %q", q.Subject), Next: q.AskPerson()}
		}
		return nil
	}
	refusal := &operation.Error{Code: operation.CodeRefused, Message: "nothing was done: this needs the word of a person, and this client cannot ask one", Next: q.AskPerson()}
	if c.canElicit(mcp.ElicitationModeForm) {
		c.asking.Lock()
		c.question = &q
		c.asking.Unlock()
		return refusal.Because(operation.ErrPostponed)
	}
	return refusal
}

// mustAsk is true if the operation ended with err because a person must be asked
// first.
func (c *call) mustAsk(err error) bool {
	c.asking.Lock()
	defer c.asking.Unlock()
	return err != nil && !errors.Is(err, context.Canceled) && (c.question != nil || c.address != "")
}

// askPerson ends this round with what is to be asked. A client of the new era
// puts it to its person and calls again; one of the old is sent the question
// as a request of ours, and the operation runs again with its answer.
func (c *call) askPerson() (*mcp.CallToolResult, error) {
	if c.question == nil {
		return c.askToVisit(c.address)
	}
	q := *c.question
	state, err := c.seal.sealState(ticket{Operation: q.Operation, Arguments: digestArguments(c.args), Subject: q.Subject, ID: q.ID, ConfigDir: q.ConfigDir})
	if err != nil {
		return nil, err
	}
	return inputRequired(state, consentKey, mcp.ElicitationParams{
		Mode:    c.formMode(),
		Message: fmt.Sprintf("%s\n\nType the name %q to agree. Declining leaves everything as it is.", q.Text, q.Subject),
		RequestedSchema: map[string]any{
			"type": "object",
			"properties": map[string]any{
				"name": map[string]any{"type": "string", "title": "Name", "description": "type " + q.Subject + " to agree"},
			},
			"required": []string{"name"},
		},
	}), nil
}

// formMode is the word for a form where the revision has one.
func (c *call) formMode() string {
	if c.hasSince(mcp.ProtocolVersion20251125) {
		return mcp.ElicitationModeForm
	}
	return ""
}

// redeemState looks at the answer that came with this round. A state that is not
// ours, not of this call, expired or spent ends the request; an answer that
// is missing has the question asked again.
func (c *call) redeemState() *mcp.JSONRPCErrorDetails {
	if c.round.RequestState == "" {
		return nil
	}
	t, err := c.seal.openState(c.round.RequestState)
	if err != nil {
		return fault(mcp.INVALID_PARAMS, err.Error())
	}
	if t.Operation != c.tool.Name || t.Arguments != digestArguments(c.args) {
		return fault(mcp.INVALID_PARAMS, "requestState belongs to another call; call again without it")
	}
	key := consentKey
	if t.Address != "" {
		key = visitKey
	}
	res := elicitationIn(c.round.InputResponses, key)
	if res == nil {
		return nil
	}
	if err := c.seal.spendState(t); err != nil {
		return fault(mcp.INVALID_PARAMS, err.Error())
	}
	g := &grant{ticket: t, action: res.Action}
	if fields, ok := res.Content.(map[string]any); ok {
		g.typed, _ = fields["name"].(string)
	}
	c.granted = g
	return nil
}

// digestArguments tells arguments apart, and not the ways to write them.
func digestArguments(args json.RawMessage) string {
	dec := json.NewDecoder(bytes.NewReader(args))
	dec.UseNumber()
	var v any = map[string]any{}
	if err := dec.Decode(&v); err != nil {
		v = map[string]any{}
	}
	b, err := json.Marshal(v)
	if err != nil {
		b = args
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
