package tools

import (
	"fmt"
	"regexp"
	"time"

	"chiltepin/tools/operation"
)

// ConfigDirArg is the argument that every operation on files takes.
type ConfigDirArg struct {
	ConfigDir string `json:"config_dir,omitempty" cli:"c,config" jsonschema:"another configuration directory"`
}

// EndpointArgs names one endpoint.
type EndpointArgs struct {
	Name string `json:"name" cli:"arg" example:"my-endpoint" jsonschema:"name of the endpoint, or the UUID of its registration"`
	ConfigDirArg
}

// EndpointListArgs are the arguments of endpoint.list.
type EndpointListArgs struct {
	Remote bool `json:"remote,omitempty" cli:"r" jsonschema:"ask the service too, and show its registrations beside the directories"`
	Header bool `json:"header,omitempty" wire:"-" jsonschema:"show the heading of the columns in a pipe too"`
	ConfigDirArg
}

// EndpointConfigureArgs are the arguments of endpoint.configure.
type EndpointConfigureArgs struct {
	Name        string `json:"name" cli:"arg" example:"my-endpoint" jsonschema:"name of the new endpoint"`
	DisplayName string `json:"display_name,omitempty" example:"Mesa, debug queue" jsonschema:"name shown in the Globus web app; the endpoint's name if not given"`
	Email       string `json:"email,omitempty" pattern:"^[^@\\s]+@[^@\\s]+$" example:"me@example.org" jsonschema:"contact address; the daemon demands one when it runs as root"`
	PoolDefaultsArgs
	ConfigDirArg
}

// PoolDefaultsArgs are defaults for the resource pools of a new endpoint.
type PoolDefaultsArgs struct {
	Provider  PoolProvider `json:"provider,omitempty" jsonschema:"where blocks come from, for a pool that does not say"`
	Partition string       `json:"partition,omitempty" example:"debug" jsonschema:"Slurm partition for a pool that names none"`
	Queue     string       `json:"queue,omitempty" example:"normal" jsonschema:"PBS queue or Slurm QOS for a pool that names none"`
	Account   string       `json:"account,omitempty" example:"abc123" jsonschema:"account for a pool that names none"`
	Detect    bool         `json:"detect,omitempty" jsonschema:"ask this machine's scheduler for those not given"`
	Preview   bool         `json:"preview,omitempty" jsonschema:"show the defaults, and write nothing"`
}

// EndpointStatusArgs are the arguments of endpoint.status.
type EndpointStatusArgs struct {
	EndpointArgs
	Offline bool `json:"offline,omitempty" jsonschema:"do not ask the service"`
}

// RuntimeArg is the argument of operations that run the daemon. It becomes a
// program, so it is the person's alone.
type RuntimeArg struct {
	Runtime string `json:"runtime,omitempty" wire:"-" example:"/opt/gce/bin/globus-compute-endpoint" jsonschema:"the globus-compute-endpoint to run, or the environment it is in"`
}

// EndpointStartArgs are the arguments of endpoint.start.
type EndpointStartArgs struct {
	EndpointArgs
	Timeout operation.Duration `json:"timeout,omitempty" jsonschema:"how long to wait until it is proven to run; 2m if not given"`
	RuntimeArg
}

// EndpointStopArgs are the arguments of endpoint.stop.
type EndpointStopArgs struct {
	EndpointArgs
	Timeout operation.Duration `json:"timeout,omitempty" jsonschema:"how long to wait for running tasks and for the daemon to end; 2m if not given"`
	Now     bool               `json:"now,omitempty" jsonschema:"do not wait for running tasks: they are lost"`
}

// EndpointRestartArgs are the arguments of endpoint.restart.
type EndpointRestartArgs struct {
	EndpointStopArgs
	RuntimeArg
}

// EndpointDeleteArgs are the arguments of endpoint.delete.
type EndpointDeleteArgs struct {
	EndpointArgs
	Force     bool `json:"force,omitempty" jsonschema:"stop it first when it runs"`
	LocalOnly bool `json:"local_only,omitempty" jsonschema:"remove the files even when the registration cannot be removed"`
}

// EndpointLogsArgs are the arguments of endpoint.logs.
type EndpointLogsArgs struct {
	EndpointArgs
	Tail         int    `json:"tail,omitempty" min:"1" max:"100000" cli:"n" jsonschema:"how many records from the end; if not given the last 20, or fewer where they are long"`
	Since        string `json:"since,omitempty" example:"10m" jsonschema:"only records since then: a span before now, or a time such as 2026-11-23T08:00:00Z"`
	Level        string `json:"level,omitempty" enum:"DEBUG,INFO,WARNING,ERROR,CRITICAL" jsonschema:"only records of this level or a graver one"`
	Grep         string `json:"grep,omitempty" example:"heartbeat" jsonschema:"only records that match this regular expression"`
	Cursor       string `json:"cursor,omitempty" jsonschema:"continue after the page that gave this cursor"`
	UserEndpoint string `json:"user_endpoint,omitempty" example:"0c5a62d3-9d38-4d43-8d12-0a4f2e9cf6a1" jsonschema:"the log of this user endpoint (its UUID) instead of the endpoint's own"`
	Follow       bool   `json:"follow,omitempty" cli:"f" jsonschema:"follow the log as it grows, until interrupted; not over MCP"`
}

// Validate checks what a schema cannot say.
func (a EndpointLogsArgs) Validate() error {
	if _, err := parseSince(a.Since, time.Time{}); err != nil {
		return err
	}
	if _, err := regexp.Compile(a.Grep); err != nil {
		return fmt.Errorf("grep: want a regular expression, got %s", operation.Quote(a.Grep))
	}
	return nil
}

// parseSince is the instant that the argument of that name means, zero when it was
// not given.
func parseSince(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if span, err := time.ParseDuration(text); err == nil && span >= 0 {
		return now.Add(-span), nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateTime, time.DateOnly} {
		if at, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf(`since: want a span such as "10m" or a time such as "2026-11-23T08:00:00Z", got %s`, operation.Quote(text))
}
