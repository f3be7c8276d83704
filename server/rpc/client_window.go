package rpc

import (
	"context"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"chiltepin/server/jsonrpc"
	"chiltepin/tools/operation"
)

// showPatience bounds how long a client may take to open an address.
const showPatience = 30 * time.Second

// showDocument has the client open an address for its person.
func (c *call) showDocument(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, showPatience)
	defer cancel()
	var res struct {
		Success bool `json:"success"`
	}
	if _, err := c.request.Ask(ctx, "window/showDocument", map[string]any{"uri": url, "external": true}, &res); err != nil {
		return fmt.Errorf("showing an address: %w", err)
	}
	if !res.Success {
		return fmt.Errorf("showing an address: the editor could not")
	}
	return nil
}

// sendLogMessage sends what is logged as worth a person's attention to a
// client that shows such messages. Fields stay in the log.
func (d *dialect) sendLogMessage(_ *zerolog.Event, level zerolog.Level, message string) {
	kind := 0
	switch level {
	case zerolog.ErrorLevel:
		kind = 1
	case zerolog.WarnLevel:
		kind = 2
	}
	if kind != 0 && message != "" && d.session.hasBegun() {
		d.core.Notify("window/logMessage", jsonrpc.Encode(map[string]any{"type": kind, "message": message}))
	}
}

// logTrace tells a client that asked for it how a call went.
func (c *call) logTrace(took time.Duration, err error) {
	mode := c.session.traceValue()
	if mode != "messages" && mode != "verbose" {
		return
	}
	p := map[string]string{"message": fmt.Sprintf("%s took %s", methodName(c.tool.Name), took.Round(100*time.Microsecond))}
	if err != nil && mode == "verbose" {
		p["verbose"] = operation.AsError(err).Message
	}
	c.core.Notify("$/logTrace", jsonrpc.Encode(p))
}
