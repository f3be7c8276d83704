package tools

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"chiltepin/tools/operation"

	"chiltepin/endpointfs"
	"chiltepin/endpointfs/log"
	"chiltepin/globus/endpoint"
)

// maxFile bounds the file of an endpoint that is shown; what people write is
// far smaller.
const maxFile = 256 << 10

// EndpointResources are the endpoints of a configuration directory as things
// to read.
func EndpointResources(s Services) operation.Resources {
	names := func(ctx context.Context, configDir string) ([]string, error) {
		return atEndpoints(ctx, s, Place{ConfigDir: configDir}, func(eps Endpoints) ([]string, error) {
			list, err := endpointfs.Open(eps.ConfigDir()).Endpoints()
			if err != nil {
				return nil, Classify(err)
			}
			names := make([]string, len(list))
			for i, e := range list {
				names[i] = e.Name()
			}
			return names, nil
		})
	}
	return operation.Resources{Names: names, List: []operation.Resource{
		{
			URI: "chiltepin://endpoints", Name: "endpoints", Title: "Endpoints", MIME: "application/json",
			Doc:   "Every endpoint with its UUID and status, judged from this machine.",
			Read:  readJSON(defineList(s)),
			Stamp: stampList(s),
		},
		{
			URI: "chiltepin://endpoint/{name}/status", Name: "endpoint-status", Title: "Endpoint status", MIME: "application/json",
			Doc:   "Status of one endpoint and the evidence for it, judged from this machine. Titles of processes and reasons hold " + operation.UntrustedMark + ".",
			Read:  readJSON(defineStatus(s, nil)),
			Stamp: stampStatus(s),
		},
		{
			URI: "chiltepin://endpoint/{name}/config", Name: "endpoint-config", Title: "Endpoint configuration", MIME: "application/yaml",
			Doc:  "config.yaml of one endpoint.",
			Read: readFile(s, "config.yaml"),
		},
		{
			URI: "chiltepin://endpoint/{name}/template", Name: "endpoint-template", Title: "User endpoint template", MIME: "text/plain",
			Doc:  "The template from which user endpoints of one endpoint are configured.",
			Read: readFile(s, "user_config_template.yaml.j2"),
		},
		{
			URI: "chiltepin://endpoint/{name}/log", Name: "endpoint-log", Title: "Endpoint log", MIME: "text/plain",
			Doc:  "The last records of the log of one endpoint: " + operation.UntrustedMark + ".",
			Read: readLog(s),
		},
	}}
}

// readJSON reads the result of an operation that only reads.
func readJSON(t *operation.Tool) func(context.Context, string, string) (string, error) {
	return func(ctx context.Context, configDir, name string) (string, error) {
		args := map[string]any{}
		for f := range t.Fields() {
			switch {
			case f.Name == "name":
				args["name"] = name
			case f.Name == "offline":
				args["offline"] = true
			case f.Name == operation.ConfigDirField && configDir != "":
				args[operation.ConfigDirField] = configDir
			}
		}
		b, err := operation.Marshal(args)
		if err != nil {
			return "", Classify(err)
		}
		res, err := t.Call(ctx, b)
		return string(res.JSON), err
	}
}

// stampList changes when an endpoint comes, goes or changes its status.
func stampList(s Services) func(context.Context, string, string) (string, error) {
	return func(ctx context.Context, configDir, _ string) (string, error) {
		return atEndpoints(ctx, s, Place{ConfigDir: configDir}, func(eps Endpoints) (string, error) {
			list, err := eps.List(ctx)
			var b strings.Builder
			for _, e := range list {
				fmt.Fprintf(&b, "%q %s %s\n", e.Name, e.ID, e.State)
			}
			return b.String(), err
		})
	}
}

// stampStatus changes with the status, and not with the age of the evidence.
func stampStatus(s Services) func(context.Context, string, string) (string, error) {
	return func(ctx context.Context, configDir, name string) (string, error) {
		return atEndpoints(ctx, s, Place{ConfigDir: configDir}, func(eps Endpoints) (string, error) {
			st, err := eps.Status(ctx, name, endpoint.StatusOptions{Offline: true})
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("%s %s %s", st.ID, st.State, st.Reason), nil
		})
	}
}

func readFile(s Services, file string) func(context.Context, string, string) (string, error) {
	return func(ctx context.Context, configDir, name string) (string, error) {
		return atEndpoints(ctx, s, Place{ConfigDir: configDir}, func(eps Endpoints) (string, error) {
			e, err := endpointfs.Open(eps.ConfigDir()).Endpoint(name)
			if err != nil {
				return "", Classify(err)
			}
			text, err := e.ReadFile(file, maxFile)
			if errors.Is(err, fs.ErrNotExist) {
				return "", (&operation.Error{Code: operation.CodeNotFound, Message: fmt.Sprintf("endpoint %q has no %s", e.Name(), file)}).Because(err)
			}
			if err != nil {
				return "", Classify(err)
			}
			return operation.CleanLines(text), nil
		})
	}
}

func readLog(s Services) func(context.Context, string, string) (string, error) {
	return func(ctx context.Context, configDir, name string) (string, error) {
		return atEndpoints(ctx, s, Place{ConfigDir: configDir}, func(eps Endpoints) (string, error) {
			page, _, err := eps.Logs(ctx, name, endpoint.LogOptions{Query: log.Query{Tail: 100, MaxBytes: 32 << 10}})
			if err != nil {
				return "", Classify(err)
			}
			var b strings.Builder
			b.WriteString("(" + operation.UntrustedMark + ")\n")
			for _, l := range page.Records {
				b.WriteString(operation.CleanLines(l.Text) + "\n")
			}
			return b.String(), nil
		})
	}
}
