package conformance

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	chiltepin "chiltepin/server/mcp"
)

// One red pixel, and silence.
const (
	pixel   = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
	silence = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQIAAACAgA=="
)

// everyKeyword is the schema that must reach a client with nothing lost.
const everyKeyword = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "$defs": {"address": {"$anchor": "addressDef", "type": "object", "properties": {"street": {"type": "string"}, "city": {"type": "string"}}}},
  "properties": {
    "name": {"type": "string"}, "address": {"$ref": "#/$defs/address"},
    "contactMethod": {"type": "string", "enum": ["phone", "email"]}, "phone": {"type": "string"}, "email": {"type": "string"}
  },
  "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
  "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
  "then": {"required": ["phone"]},
  "else": {"required": ["email"]},
  "additionalProperties": false
}`

type handler = server.ToolHandlerFunc

func tool(name string, arguments ...string) mcp.Tool {
	properties := map[string]any{}
	for _, a := range arguments {
		properties[a] = map[string]any{"type": "string"}
	}
	schema, err := json.Marshal(map[string]any{"type": "object", "properties": properties, "required": arguments, "additionalProperties": false})
	if err != nil || len(arguments) == 0 {
		schema = json.RawMessage(`{"type":"object","additionalProperties":false}`)
	}
	return mcp.NewToolWithRawSchema(name, "What the conformance suite wants of "+name, schema)
}

// addContent adds what only returns content of some kind, and what logs.
func addContent(s *server.MCPServer) {
	returns := func(list ...mcp.Content) handler {
		return func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return &mcp.CallToolResult{Content: list}, nil
		}
	}
	text := mcp.NewTextContent
	embedded := func(uri, mime, body string) mcp.Content {
		return mcp.NewEmbeddedResource(mcp.TextResourceContents{URI: uri, MIMEType: mime, Text: body})
	}
	s.AddTool(tool("test_simple_text"), returns(text("This is a simple text response for testing.")))
	s.AddTool(tool("test_image_content"), returns(mcp.NewImageContent(pixel, "image/png")))
	s.AddTool(tool("test_audio_content"), returns(mcp.NewAudioContent(silence, "audio/wav")))
	s.AddTool(tool("test_embedded_resource"), returns(embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")))
	s.AddTool(tool("test_multiple_content_types"), returns(
		text("Multiple content types test:"),
		mcp.NewImageContent(pixel, "image/png"),
		embedded("test://mixed-content-resource", "application/json", `{"test":"data","value":123}`),
	))
	s.AddTool(mcp.NewToolWithRawSchema("json_schema_2020_12_tool", "Tool with JSON Schema 2020-12 features", json.RawMessage(everyKeyword)), returns(text("ok")))

	logs := func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		// In the new era a request says itself whether it wants to be told.
		if !server.IsModernRequest(ctx) || server.RequestProtocolInfoFromContext(ctx).LogLevel != "" {
			for _, what := range []string{"Tool execution started", "Tool processing data", "Tool execution completed"} {
				if err := chiltepin.Notify(ctx, "notifications/message", map[string]string{"level": "info", "data": what}); err != nil {
					return nil, err
				}
			}
		}
		return mcp.NewToolResultText("It was logged."), nil
	}
	s.AddTool(tool("test_tool_with_logging"), logs)
	s.AddTool(tool("test_logging_tool"), logs)

	s.AddResource(mcp.NewResource("test://static-binary", "static-binary", mcp.WithMIMEType("image/png")),
		func(context.Context, mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
			return []mcp.ResourceContents{mcp.BlobResourceContents{URI: "test://static-binary", MIMEType: "image/png", Blob: pixel}}, nil
		})
}

// addPrompts adds the prompts.
func addPrompts(s *server.MCPServer) {
	add := func(name string, arguments []string, messages func(given map[string]string) []mcp.Content) {
		p := mcp.Prompt{Name: name, Description: "What the conformance suite wants of " + name}
		for _, a := range arguments {
			p.Arguments = append(p.Arguments, mcp.PromptArgument{Name: a, Required: true})
		}
		s.AddPrompt(p, func(_ context.Context, in mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			res := &mcp.GetPromptResult{}
			for _, m := range messages(in.Params.Arguments) {
				res.Messages = append(res.Messages, mcp.NewPromptMessage(mcp.RoleUser, m))
			}
			return res, nil
		})
	}
	text := mcp.NewTextContent
	add("test_simple_prompt", nil, func(map[string]string) []mcp.Content {
		return []mcp.Content{text("This is a simple prompt for testing.")}
	})
	add("test_prompt_with_arguments", []string{"arg1", "arg2"}, func(given map[string]string) []mcp.Content {
		return []mcp.Content{text(fmt.Sprintf("Prompt with arguments: arg1='%s', arg2='%s'", given["arg1"], given["arg2"]))}
	})
	add("test_prompt_with_embedded_resource", []string{"resourceUri"}, func(given map[string]string) []mcp.Content {
		return []mcp.Content{
			mcp.NewEmbeddedResource(mcp.TextResourceContents{URI: given["resourceUri"], MIMEType: "text/plain", Text: "Embedded resource content for testing."}),
			text("Please process the embedded resource above."),
		}
	})
	add("test_prompt_with_image", nil, func(map[string]string) []mcp.Content {
		return []mcp.Content{mcp.NewImageContent(pixel, "image/png"), text("Please analyze the image above.")}
	})
}
