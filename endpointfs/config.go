package endpointfs

import (
	"errors"
	"io/fs"
	"time"

	"gopkg.in/yaml.v3"
)

// Config is what config.yaml says of the things that matter to whoever manages
// an endpoint.
type Config struct {
	DisplayName     string        // what the service shows; "" for the endpoint's name
	Email           string        // contact of a privileged endpoint
	Debug           bool          // the log has DEBUG lines
	HeartbeatPeriod time.Duration // of the daemon; 30 s unless given, never under 5 s
	HasEngine       bool          // it is the configuration of a user endpoint, which does not start
	Python          bool          // there is a config.py, which the daemon takes instead; then nothing else here is known
	TemplatePath    string        // of the user endpoints' template
	SchemaPath      string        // of its schema
}

// Config reads config.yaml as the daemon would. A missing file is an empty
// one. What the daemon would refuse is a *[FormatError].
func (e *Endpoint) Config() (Config, error) {
	c := Config{HeartbeatPeriod: 30 * time.Second, TemplatePath: e.file(templateFile), SchemaPath: e.file(schemaFile)}
	if exists(e.file(configPython)) {
		c.Python = true
		return c, nil
	}
	data, _, err := readFile(e.file(configYAML), 1<<20)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, err
	}
	var v struct {
		DisplayName     string    `yaml:"display_name"`
		Email           string    `yaml:"email"`
		Debug           bool      `yaml:"debug"`
		HeartbeatPeriod float64   `yaml:"heartbeat_period"`
		Engine          yaml.Node `yaml:"engine"`
	}
	if err := yaml.Unmarshal(data, &v); err != nil {
		return c, &FormatError{File: e.file(configYAML), Problem: err.Error()}
	}
	c.DisplayName, c.Email, c.Debug, c.HasEngine = v.DisplayName, v.Email, v.Debug, v.Engine.Kind != 0
	if v.HeartbeatPeriod > 0 {
		c.HeartbeatPeriod = time.Duration(max(5, v.HeartbeatPeriod) * float64(time.Second))
	}
	return c, nil
}

// Check returns what is wrong with the files that the daemon reads when it
// starts or when its first task comes, each a *[FormatError] where a file's
// content is to blame. An empty result means that nothing was found.
func (e *Endpoint) Check() []error {
	if _, err := e.Config(); err != nil {
		return []error{err}
	}
	return nil
}
