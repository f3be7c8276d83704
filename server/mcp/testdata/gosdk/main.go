// Program gosdk is the Go SDK's stdio server with one tool, for comparison.
package main

import (
	"context"
	"errors"
	"log"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type args struct {
	Name string `json:"name" jsonschema:"name of the thing"`
}

type thing struct {
	Name   string `json:"name" jsonschema:"name of the thing"`
	Status string `json:"status" jsonschema:"what it does"`
}

func main() {
	s := mcp.NewServer(&mcp.Implementation{Name: "sdk", Version: "test"}, nil)
	mcp.AddTool(s, &mcp.Tool{Name: "thing_show", Description: "Do thing.show"}, func(_ context.Context, _ *mcp.CallToolRequest, in args) (*mcp.CallToolResult, thing, error) {
		if in.Name != "mesa" {
			return nil, thing{}, errors.New("no such thing")
		}
		return nil, thing{Name: in.Name, Status: "Running"}, nil
	})
	if err := s.Run(context.Background(), &mcp.StdioTransport{}); err != nil {
		log.Print(err)
	}
}
