package tools

import (
	"cmp"
	"context"
	"strings"

	"chiltepin/endpointfs"
	"chiltepin/globus/progress"
	"chiltepin/tools/operation"
)

// poolDefaults are the defaults that a new endpoint is given: what the call
// says, and where it asks for that what the machine's scheduler tells. They are
// shown before anything is written.
func poolDefaults(ctx context.Context, s Services, in EndpointConfigureArgs) (endpointfs.TemplateDefaults, *SchedulerSeen, error) {
	d := endpointfs.TemplateDefaults{Provider: string(in.Provider), Partition: in.Partition, Queue: in.Queue, Account: in.Account}
	if !in.Detect {
		return d, nil, nil
	}
	pools, err := s.Pools(ctx, Place{ConfigDir: in.ConfigDir})
	if err != nil {
		return d, nil, err
	}
	found, err := pools.Detect(ctx)
	if err != nil {
		return d, nil, err
	}
	if d.Provider == "" {
		d.Provider = found.Provider()
	}
	if d.Provider == found.Provider() {
		d.Partition, d.Queue, d.Account = cmp.Or(d.Partition, found.Partition), cmp.Or(d.Queue, found.Queue), cmp.Or(d.Account, found.Account)
	}
	var words []string
	for _, name := range []string{"provider", "partition", "queue", "account"} {
		if value := defaultsOf(d)[name]; value != "" {
			words = append(words, name+" "+operation.Clean(value))
		}
	}
	progress.Report(ctx, progress.Event{Stage: "detected", Text: "defaults: " + strings.Join(words, ", ")})
	return d, schedulerSeen(found), nil
}

// defaultsOf are the defaults that are set, by option.
func defaultsOf(d endpointfs.TemplateDefaults) map[string]string {
	m := map[string]string{}
	for name, value := range map[string]string{"provider": d.Provider, "partition": d.Partition, "queue": d.Queue, "account": d.Account} {
		if value != "" {
			m[name] = value
		}
	}
	if len(m) == 0 {
		return nil
	}
	return m
}
