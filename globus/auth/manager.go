package auth

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"chiltepin/globus"
	"chiltepin/globus/next"
)

// The services that chiltepin logs in to.
const (
	Compute  = "compute"
	Transfer = "transfer"
	Academy  = "academy"
)

// Services lists them all, in the order in which a login asks for them.
func Services() []string { return []string{Compute, Transfer, Academy} }

// Config is what a [Manager] needs to know.
type Config struct {
	// Env says where Globus Auth is and which environment the stores are for.
	Env globus.Environment
	// HTTP sends unsigned requests; nil is Env.Client().
	HTTP *http.Client
	// Home is the user's home directory, ComputeDir the directory of the
	// endpoints, where the Compute SDK keeps its store. Both are absolute.
	Home, ComputeDir string
	// Shared is true where ComputeDir stands in for the directory that was
	// named, which has no store of its own.
	Shared bool
	// Getenv reads the environment: GLOBUS_COMPUTE_CLIENT_ID and _SECRET,
	// ACADEMY_HOME, ACADEMY_GLOBUS_CLIENT_ID and _SECRET,
	// ACADEMY_EXCHANGE_CLIENT_ID. Nil is an environment without any.
	Getenv func(string) string
	// Hostname labels the grant on the consent page.
	Hostname string
	// OpenBrowser opens an address in a browser on this machine; nil where
	// there is none. The address is a secret of this user where the browser
	// allows it. forget, which may be nil, removes what was made to open it.
	OpenBrowser func(ctx context.Context, url string) (forget func(), err error)
	// RootRelays is true where a program of root relays the connections of the
	// person's browser, as that of WSL does.
	RootRelays bool
	// Proc is where the kernel shows sockets; "" is /proc.
	Proc string
	// Remote is true where the person is likely to sit at another machine.
	Remote bool
	// Command words a step for the person who reads the last page of a login
	// in a browser; nil leaves the steps out of that page.
	Command func(next.Step) string
	// Flows are the logins that wait for a person, shared by all managers of a
	// process; nil is one of its own.
	Flows *Flows
	// Rand supplies the PKCE verifier and the state; nil is crypto/rand.
	Rand io.Reader
}

// Manager logs in and out, and signs requests. It is safe for concurrent use,
// and several of them, in one process or in many, may share the same stores.
type Manager struct {
	config   Config
	services []*loginService
	globus   authority
	origins  originsFile
}

// New makes a Manager. It does no I/O. A secret without an id in the
// environment is a [*globus.SettingError].
func New(c Config) (*Manager, error) {
	if !filepath.IsAbs(c.Home) || !filepath.IsAbs(c.ComputeDir) {
		return nil, fmt.Errorf("preparing the login: want absolute directories, got %q and %q", c.Home, c.ComputeDir)
	}
	if c.Getenv == nil {
		c.Getenv = func(string) string { return "" }
	}
	if c.HTTP == nil {
		c.HTTP = c.Env.Client()
	}
	if c.Flows == nil {
		c.Flows = &Flows{}
	}
	if c.Proc == "" {
		c.Proc = "/proc"
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	list, err := newServices(c)
	if err != nil {
		return nil, err
	}
	own := filepath.Join(c.ComputeDir, ".chiltepin")
	return &Manager{
		config:   c,
		services: list,
		globus:   authority{url: c.Env.AuthURL, http: c.HTTP},
		origins:  originsFile{path: filepath.Join(own, "clients.json"), lockPath: filepath.Join(own, "tokens.flock")},
	}, nil
}

// findService finds a service by its name.
func (m *Manager) findService(name string) (*loginService, error) {
	i := slices.IndexFunc(m.services, func(s *loginService) bool { return s.name == name })
	if i < 0 {
		return nil, &ServiceError{Name: name}
	}
	return m.services[i], nil
}

// ServiceError is a service that is not known.
type ServiceError struct{ Name string }

// Error names those that are known.
func (e *ServiceError) Error() string {
	return fmt.Sprintf("there is no service %q: want %s", e.Name, strings.Join(Services(), ", "))
}
