package conformance

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	chiltepin "chiltepin/server/mcp"
)

type object = map[string]any

// form is a question with text fields, all wanted.
func form(message string, fields ...string) mcp.ElicitationParams {
	properties := object{}
	for _, f := range fields {
		properties[f] = object{"type": "string"}
	}
	return mcp.ElicitationParams{Message: message, RequestedSchema: object{"type": "object", "properties": properties, "required": fields}}
}

func sample(prompt string) mcp.CreateMessageParams {
	return mcp.CreateMessageParams{MaxTokens: 100, Messages: []mcp.SamplingMessage{{Role: mcp.RoleUser, Content: mcp.NewTextContent(prompt)}}}
}

// round is what a tool asks for, once or in several rounds: the names of the
// questions are those that the suite knows.
type round func(*server.InputRequestBuilder) *server.InputRequestBuilder

func elicit(name string, params mcp.ElicitationParams) round {
	return func(b *server.InputRequestBuilder) *server.InputRequestBuilder { return b.Elicit(name, params) }
}

// asks is a tool that asks for what the first round wants until all of it was
// answered, then for what the next does; the state tells the rounds apart.
func asks(rounds ...func(context.Context) round) handler {
	return func(ctx context.Context, in mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		at := 0
		if in.Params.RequestState != "" {
			if _, err := fmt.Sscanf(in.Params.RequestState, "in round %d", &at); err != nil {
				return mcp.NewToolResultError("unknown state"), nil
			}
		}
		for ; at < len(rounds); at++ {
			res := rounds[at](ctx)(server.NewInputRequestBuilder(fmt.Sprintf("in round %d", at))).ToolResult()
			for name, question := range res.InputRequests {
				_, given := in.Params.InputResponses[name]
				if question.Elicitation != nil {
					given = server.ElicitationResponse(in.Params.InputResponses, name) != nil
				}
				if !given {
					return res, nil
				}
			}
		}
		return mcp.NewToolResultText(fmt.Sprint("answered: ", slices.Sorted(maps.Keys(in.Params.InputResponses)))), nil
	}
}

// always is a round that does not depend on the client.
func always(r round) func(context.Context) round {
	return func(context.Context) round { return r }
}

// askingTools ask the client for something.
func askingTools() []chiltepin.FixtureTool {
	var list []chiltepin.FixtureTool
	addWith := func(name, argument string, call handler) { list = append(list, tool(name, call, argument)) }
	add := func(name string, call handler) { list = append(list, tool(name, call)) }
	name := form("What is your name?", "name")
	roots := func(b *server.InputRequestBuilder) *server.InputRequestBuilder { return b.Roots("client_roots") }
	capital := func(b *server.InputRequestBuilder) *server.InputRequestBuilder {
		return b.Sample("capital_question", sample("What is the capital of France?"))
	}
	add("test_input_required_result_elicitation", asks(always(elicit("user_name", name))))
	add("test_input_required_result_sampling", asks(always(capital)))
	add("test_input_required_result_list_roots", asks(always(roots)))
	add("test_input_required_result_multiple_inputs", asks(always(func(b *server.InputRequestBuilder) *server.InputRequestBuilder {
		return roots(capital(elicit("user_name", name)(b)))
	})))
	add("test_input_required_result_multi_round", asks(
		always(elicit("step1", form("Step 1: What is your name?", "name"))),
		always(elicit("step2", form("Step 2: What is your favorite color?", "color"))),
	))
	add("test_input_required_result_capabilities", asks(func(ctx context.Context) round {
		return func(b *server.InputRequestBuilder) *server.InputRequestBuilder {
			client := chiltepin.ClientOf(ctx).Capabilities
			if client.Elicitation != nil {
				b = b.Elicit("user_name", name)
			}
			if client.Sampling != nil {
				b = capital(b)
			}
			return b
		}
	}))
	add("test_missing_capability", func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		if chiltepin.ClientOf(ctx).Capabilities.Sampling == nil {
			chiltepin.Refuse(ctx, &mcp.JSONRPCErrorDetails{
				Code: mcp.MISSING_REQUIRED_CLIENT_CAPABILITY, Message: "this needs sampling",
				Data: object{"requiredCapabilities": object{"sampling": object{}}},
			})
			return nil, fmt.Errorf("sampling is missing")
		}
		return mcp.NewToolResultText("ok"), nil
	})
	// The old era: the server sends requests of its own.
	addWith("test_sampling", "prompt", func(ctx context.Context, in mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		answer, err := chiltepin.Ask(ctx, "sampling/createMessage", sample(in.GetString("prompt", "")))
		if err != nil {
			return nil, err
		}
		return mcp.NewToolResultText("LLM response: " + string(answer)), nil
	})
	addWith("test_elicitation", "message", func(ctx context.Context, in mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return asks(always(elicit("user", form(in.GetString("message", ""), "username", "email"))))(ctx, in)
	})
	typed := func(kind string, standard any) object { return object{"type": kind, "default": standard} }
	status := typed("string", "active")
	status["enum"] = []string{"active", "inactive", "pending"}
	add("test_elicitation_sep1034_defaults", asks(always(elicit("defaults", fields(object{
		"name": typed("string", "John Doe"), "age": typed("integer", 30), "score": typed("number", 95.5), "status": status, "verified": typed("boolean", true),
	})))))
	add("test_elicitation_sep1330_enums", asks(always(elicit("enums", fields(object{
		"untitledSingle": object{"type": "string", "enum": []string{"option1", "option2", "option3"}},
		"titledSingle":   object{"type": "string", "oneOf": titled("value", "Option")},
		"legacyEnum":     object{"type": "string", "enum": []string{"opt1", "opt2", "opt3"}, "enumNames": []string{"Option One", "Option Two", "Option Three"}},
		"untitledMulti":  object{"type": "array", "items": object{"type": "string", "enum": []string{"option1", "option2", "option3"}}},
		"titledMulti":    object{"type": "array", "items": object{"anyOf": titled("value", "Choice")}},
	})))))
	return list
}

// askingPrompts ask the client for something.
func askingPrompts() []chiltepin.FixturePrompt {
	return []chiltepin.FixturePrompt{{
		Prompt: mcp.Prompt{Name: "test_input_required_result_prompt", Description: "Asks what it needs"},
		Get: func(_ context.Context, in mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			if _, ok := in.Params.InputResponses["user_context"]; !ok {
				return server.NewInputRequestBuilder("").Elicit("user_context", form("What context should the prompt use?", "context")).PromptResult(), nil
			}
			return &mcp.GetPromptResult{Messages: []mcp.PromptMessage{mcp.NewPromptMessage(mcp.RoleUser, mcp.NewTextContent("In that context."))}}, nil
		},
	}}
}

func fields(properties object) mcp.ElicitationParams {
	return mcp.ElicitationParams{Message: "Please choose.", RequestedSchema: object{"type": "object", "properties": properties}}
}

// titled are three choices with titles.
func titled(value, title string) []object {
	var list []object
	for i, which := range []string{"First", "Second", "Third"} {
		list = append(list, object{"const": fmt.Sprint(value, i+1), "title": which + " " + title})
	}
	return list
}
