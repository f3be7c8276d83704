package rpc

import (
	"encoding/json"

	"chiltepin/server/jsonrpc"
	"chiltepin/tools/operation"
)

// workDone is a value of $/progress: WorkDoneProgressBegin, …Report or …End of
// the Language Server Protocol.
type workDone struct {
	Kind        string `json:"kind"`
	Title       string `json:"title,omitempty"`
	Cancellable bool   `json:"cancellable,omitempty"`
	Message     string `json:"message,omitempty"`
	Percentage  *int   `json:"percentage,omitempty"`
}

// followProgress sends what an operation reports, between a begin and an end,
// to a client that asked for it; both are nil for one that did not.
func (c *call) followProgress() (watch func(operation.Progress), stop func()) {
	if c.extras.WorkDone == nil {
		return nil, func() {}
	}
	title := c.tool.Title
	if title == "" {
		title = c.tool.Summary
	}
	c.sendProgress(workDone{Kind: "begin", Title: title, Cancellable: true})
	pacer := jsonrpc.NewPacer(c.tool.Summary, func(text string, percent *int) {
		c.sendProgress(workDone{Kind: "report", Message: text, Percentage: percent})
	})
	watch = func(e operation.Progress) { pacer.Report(jsonrpc.ProgressEvent(e)) }
	return watch, func() {
		pacer.Stop()
		c.sendProgress(workDone{Kind: "end"})
	}
}

func (c *call) sendProgress(value workDone) {
	c.request.Notify("$/progress", jsonrpc.Encode(struct {
		Token json.RawMessage `json:"token"`
		Value workDone        `json:"value"`
	}{c.extras.WorkDone, value}))
}
