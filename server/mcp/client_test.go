package mcp_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	mcpgo "github.com/mark3labs/mcp-go/mcp"

	"chiltepin/server/mcp"
)

// TestClient: mcp-go's own client finds, calls and reads what is offered, and
// answers what a person is asked.
func TestClient(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	things := &shelf{text: map[string]string{"mesa": "as it was"}}
	in, out, done := serveOver(ctx, mcp.Options{Resources: things.resources(), Guides: testGuides()})
	c := client.NewClient(transport.NewIO(out, in, io.NopCloser(strings.NewReader(""))), client.WithElicitationHandler(agree{}))
	if err := c.Start(ctx); err != nil {
		t.Fatal(err)
	}
	hello := mcpgo.InitializeRequest{}
	hello.Params.ProtocolVersion = mcpgo.LATEST_LEGACY_PROTOCOL_VERSION
	hello.Params.ClientInfo = mcpgo.Implementation{Name: "test", Version: "1"}
	if res, err := c.Initialize(ctx, hello); err != nil || res.ServerInfo.Name != "chiltepin" {
		t.Fatalf("initialize: %+v, %v", res, err)
	}
	list, err := c.ListTools(ctx, mcpgo.ListToolsRequest{})
	if err != nil || len(list.Tools) != 7 {
		t.Fatalf("%d tools are listed, %v; want 7", len(list.Tools), err)
	}
	call := mcpgo.CallToolRequest{}
	call.Params.Name, call.Params.Arguments = "thing_drop", map[string]any{"name": "mesa"}
	res, err := c.CallTool(ctx, call)
	if err != nil || res.IsError || string(res.RawStructuredContent) != `{"name":"mesa"}` {
		t.Errorf("thing_drop: %+v, %v", res, err)
	}
	read := mcpgo.ReadResourceRequest{}
	read.Params.URI = "test://thing/mesa/text"
	content, err := c.ReadResource(ctx, read)
	if err != nil || len(content.Contents) != 1 || content.Contents[0].(mcpgo.TextResourceContents).Text != "as it was" {
		t.Errorf("%s: %+v, %v", read.Params.URI, content, err)
	}
	guide := mcpgo.GetPromptRequest{}
	guide.Params.Name, guide.Params.Arguments = "mend", map[string]string{"name": "mesa"}
	prompt, err := c.GetPrompt(ctx, guide)
	if err != nil || len(prompt.Messages) != 1 {
		t.Errorf("mend: %+v, %v", prompt, err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

// agree is a person who types the name.
type agree struct{}

func (agree) Elicit(context.Context, mcpgo.ElicitationRequest) (*mcpgo.ElicitationResult, error) {
	return &mcpgo.ElicitationResult{ElicitationResponse: mcpgo.ElicitationResponse{Action: mcpgo.ElicitationResponseActionAccept, Content: map[string]any{"name": "mesa"}}}, nil
}
