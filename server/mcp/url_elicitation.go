package mcp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/mark3labs/mcp-go/mcp"

	"chiltepin/tools/operation"
)

// visitKey is the name of an address in an input-required result.
const visitKey = "visit"

// showAddress puts an address before the person, through a client that can. The call
// ends to do so, and runs again with what the person said, which is only
// whether they will go there: what they do there never passes through here.
func (c *call) showAddress(_ context.Context, address string) error {
	refusal := &operation.Error{Code: operation.CodeRefused, Message: "nothing was done: the person did not want to open the address", Next: operation.Do("ask the person to log in at a terminal of theirs")}
	if g := c.granted; g != nil && g.ticket.Address == sumOfAddress(address) {
		switch g.action {
		case mcp.ElicitationResponseActionAccept:
			return nil
		case mcp.ElicitationResponseActionDecline:
			return refusal
		}
		return errors.New("the person was not asked, or did not answer")
	}
	if !c.canElicit(mcp.ElicitationModeURL) {
		return errors.New("the client cannot show an address")
	}
	c.asking.Lock()
	defer c.asking.Unlock()
	c.address = address
	return refusal
}

// askToVisit ends this round with the address; see [call.askPerson].
func (c *call) askToVisit(address string) (*mcp.CallToolResult, error) {
	t := ticket{Operation: c.tool.Name, Arguments: digestArguments(c.args), Address: sumOfAddress(address)}
	state, err := c.seal.sealState(t)
	if err != nil {
		return nil, err
	}
	return inputRequired(state, visitKey, mcp.ElicitationParams{
		Mode:          mcp.ElicitationModeURL,
		Message:       "Open this page to log in to Globus. If it ends with a code, bring the code back to the assistant.",
		URL:           address,
		ElicitationID: t.Address[:16],
	}), nil
}

func sumOfAddress(address string) string {
	sum := sha256.Sum256([]byte(address))
	return hex.EncodeToString(sum[:])
}
