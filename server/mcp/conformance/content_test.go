package conformance

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/mark3labs/mcp-go/mcp"

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

type handler = func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error)

// tool is a tool whose arguments are texts, all wanted.
func tool(name string, call handler, arguments ...string) chiltepin.FixtureTool {
	properties := map[string]any{}
	for _, a := range arguments {
		properties[a] = map[string]any{"type": "string"}
	}
	schema, err := json.Marshal(map[string]any{"type": "object", "properties": properties, "required": arguments, "additionalProperties": false})
	if err != nil || len(arguments) == 0 {
		schema = json.RawMessage(`{"type":"object","additionalProperties":false}`)
	}
	return chiltepin.FixtureTool{Tool: mcp.NewToolWithRawSchema(name, "What the conformance suite wants of "+name, schema), Call: call}
}

// contentTools only return content of some kind, or log.
func contentTools() []chiltepin.FixtureTool {
	returns := func(list ...mcp.Content) handler {
		return func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return &mcp.CallToolResult{Content: list}, nil
		}
	}
	text := mcp.NewTextContent
	embedded := func(uri, mime, body string) mcp.Content {
		return mcp.NewEmbeddedResource(mcp.TextResourceContents{URI: uri, MIMEType: mime, Text: body})
	}
	logs := func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		// In the new era a request says itself whether it wants to be told.
		if client := chiltepin.ClientOf(ctx); !client.Modern || client.LogLevel != "" {
			for _, what := range []string{"Tool execution started", "Tool processing data", "Tool execution completed"} {
				if err := chiltepin.Notify(ctx, "notifications/message", map[string]string{"level": "info", "data": what}); err != nil {
					return nil, err
				}
			}
		}
		return mcp.NewToolResultText("It was logged."), nil
	}
	return []chiltepin.FixtureTool{
		tool("test_simple_text", returns(text("This is a simple text response for testing."))),
		tool("test_image_content", returns(mcp.NewImageContent(pixel, "image/png"))),
		tool("test_audio_content", returns(mcp.NewAudioContent(silence, "audio/wav"))),
		tool("test_embedded_resource", returns(embedded("test://embedded-resource", "text/plain", "This is an embedded resource content."))),
		tool("test_multiple_content_types", returns(
			text("Multiple content types test:"),
			mcp.NewImageContent(pixel, "image/png"),
			embedded("test://mixed-content-resource", "application/json", `{"test":"data","value":123}`),
		)),
		{Tool: mcp.NewToolWithRawSchema("json_schema_2020_12_tool", "Tool with JSON Schema 2020-12 features", json.RawMessage(everyKeyword)), Call: returns(text("ok"))},
		tool("test_tool_with_logging", logs),
		tool("test_logging_tool", logs),
	}
}

// binaryResources are the fixtures that no resource of the catalogue can be.
func binaryResources() []chiltepin.FixtureResource {
	return []chiltepin.FixtureResource{{
		Resource: mcp.NewResource("test://static-binary", "static-binary", mcp.WithMIMEType("image/png")),
		Contents: []mcp.ResourceContents{mcp.BlobResourceContents{URI: "test://static-binary", MIMEType: "image/png", Blob: pixel}},
	}}
}

// prompts are those that ask nothing.
func prompts() []chiltepin.FixturePrompt {
	var list []chiltepin.FixturePrompt
	add := func(name string, arguments []string, messages func(given map[string]string) []mcp.Content) {
		p := mcp.Prompt{Name: name, Description: "What the conformance suite wants of " + name}
		for _, a := range arguments {
			p.Arguments = append(p.Arguments, mcp.PromptArgument{Name: a, Required: true})
		}
		list = append(list, chiltepin.FixturePrompt{Prompt: p, Get: func(_ context.Context, in mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			res := &mcp.GetPromptResult{}
			for _, m := range messages(in.Params.Arguments) {
				res.Messages = append(res.Messages, mcp.NewPromptMessage(mcp.RoleUser, m))
			}
			return res, nil
		}})
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
	return list
}
