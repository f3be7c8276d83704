package endpointfs

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"chiltepin/endpointfs/internal/regular"
)

// DaemonConfig is what config.yaml says of the things that matter to whoever manages
// an endpoint.
type DaemonConfig struct {
	DisplayName     string        // what the service shows; "" for the endpoint's name
	Email           string        // contact of a privileged endpoint
	Debug           bool          // the log has DEBUG lines
	HeartbeatPeriod time.Duration // of the daemon; 30 s unless given, never under 5 s
	AMQPPort        int           // of the broker, in place of the service's; 0 unless given
	HasEngine       bool          // it is the configuration of a user endpoint, which does not start
	Python          bool          // there is a config.py, which the daemon takes instead; then nothing else here is known
	TemplatePath    string        // of the user endpoints' template; a relative one is relative to the daemon's working directory
	SchemaPath      string        // of its schema, likewise
}

const (
	maxConfig        = 1 << 20
	defaultHeartbeat = 30 * time.Second
	minHeartbeat     = 5 * time.Second // MINIMUM_HEARTBEAT in config.py
)

// DaemonConfig reads config.yaml as the daemon would. A missing file is an empty
// one. A file that is not a YAML mapping is a *[FormatError]; a value that the
// daemon would refuse is left at its default here and reported by
// [Endpoint.Validate].
func (e *Endpoint) Config() (DaemonConfig, error) {
	c := DaemonConfig{HeartbeatPeriod: defaultHeartbeat, TemplatePath: e.filePath(templateFile), SchemaPath: e.filePath(schemaFile)}
	if pathExists(e.filePath(configPython)) {
		c.Python = true
		return c, nil
	}
	keys, err := e.configKeys()
	if err != nil {
		return c, err
	}
	text := func(key, other string) string {
		if n, ok := keys[key]; ok && kindOf(n) == "text" && n.Value != "" {
			return n.Value
		}
		return other
	}
	c.DisplayName, c.Email = text("display_name", ""), text("email", "")
	if c.DisplayName == "None" { // load_config_yaml: what early releases wrote for null
		c.DisplayName = ""
	}
	c.TemplatePath, c.SchemaPath = text("user_config_template_path", c.TemplatePath), text("user_config_schema_path", c.SchemaPath)
	if n, ok := keys["debug"]; ok {
		switch strings.ToLower(n.Value) {
		case "true", "yes", "on", "1", "y", "t":
			c.Debug = true
		}
	}
	if n, ok := keys["heartbeat_period"]; ok {
		if s, err := strconv.ParseFloat(n.Value, 64); err == nil && s > 0 && s < 1e9 {
			c.HeartbeatPeriod = max(minHeartbeat, time.Duration(s*float64(time.Second)))
		}
	}
	if n, ok := keys["amqp_port"]; ok {
		if port, err := strconv.Atoi(n.Value); err == nil && port > 0 && port < 1<<16 {
			c.AMQPPort = port
		}
	}
	if n, ok := keys["engine"]; ok {
		c.HasEngine = kindOf(n) != "null"
	}
	return c, nil
}

// configKeys returns the keys of config.yaml with their values, aliases
// resolved.
func (e *Endpoint) configKeys() (map[string]*yaml.Node, error) {
	path := e.filePath(configYAML)
	data, _, err := regular.Read(path, maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	keys, bad := parseMapping(data)
	if bad != nil {
		bad.File = path
		return nil, bad
	}
	return keys, nil
}

// parseMapping reads YAML that is a mapping or nothing, and returns its keys.
// Of a key that is there twice the last one counts, and what is merged (<<)
// yields to what stands there itself, as for PyYAML.
func parseMapping(data []byte) (map[string]*yaml.Node, *FormatError) {
	dec := yaml.NewDecoder(strings.NewReader(string(data)))
	var doc, more yaml.Node
	err := dec.Decode(&doc)
	if err != nil && len(strings.TrimSpace(string(data))) == 0 || err == nil && len(doc.Content) == 0 || isEOF(err) {
		return nil, nil
	}
	if err != nil {
		return nil, yamlError(err)
	}
	if err := dec.Decode(&more); !isEOF(err) {
		return nil, &FormatError{Line: more.Line, Problem: "it holds more than one YAML document", Remedy: "remove the line --- and what follows it"}
	}
	top := resolveAlias(doc.Content[0])
	switch kindOf(top) {
	case "null":
		return nil, nil
	case "mapping":
		keys := map[string]*yaml.Node{}
		collectKeys(top, keys, 0)
		return keys, nil
	}
	return nil, &FormatError{Line: top.Line, Problem: "it is a YAML " + kindOf(top) + ", not a mapping", Remedy: "write one \"name: value\" a line"}
}

func collectKeys(m *yaml.Node, keys map[string]*yaml.Node, depth int) {
	if depth > 10 { // an alias may stand for what it is in
		return
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		if k, v := m.Content[i], resolveAlias(m.Content[i+1]); k.ShortTag() == "!!merge" {
			from := []*yaml.Node{v}
			if v.Kind == yaml.SequenceNode {
				from = v.Content
			}
			for _, v := range from {
				if v = resolveAlias(v); v.Kind == yaml.MappingNode {
					collectKeys(v, keys, depth+1)
				}
			}
		}
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		if k := resolveAlias(m.Content[i]); k.Kind == yaml.ScalarNode && k.ShortTag() != "!!merge" {
			v := *resolveAlias(m.Content[i+1])
			v.Line = k.Line // where a person looks for it
			keys[k.Value] = &v
		}
	}
}
