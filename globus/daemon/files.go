package daemon

// Names of the daemon's files in an endpoint's directory. What is in them is
// endpointfs's to read and write.
const (
	// PIDFile has the daemon's process id.
	PIDFile = "daemon.pid"
	// IdentityFile has the endpoint's UUID.
	IdentityFile = "endpoint.json"
	// LogFile is the log; older parts of it have names that begin with it.
	LogFile = "endpoint.log"
	// ConfigFile is the configuration.
	ConfigFile = "config.yaml"
	// EnvironmentFile is the environment of user endpoints, TemplateFile what
	// their configuration is made of.
	EnvironmentFile = "user_environment.yaml"
	TemplateFile    = "user_config_template.yaml.j2"
)

// UserEndpointPrefix begins the names of the directories of an endpoint's user
// endpoints. The service chooses them.
func UserEndpointPrefix(endpointID string) string { return "uep." + endpointID + "." }

// IsUserEndpointName says whether a name is that of a user endpoint, by which
// the service lists it beside endpoints.
func IsUserEndpointName(name string) bool { return len(name) > 4 && name[:4] == "uep." }

// ParslOutputs are patterns of the files that parsl's interchange and workers
// write in the directory of a user endpoint as long as they live.
func ParslOutputs() []string {
	return []string{"interchange.log", "manager.log", "worker_*.log", "*.sh.out", "*.sh.err"}
}
