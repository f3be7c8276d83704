package auth

import (
	"context"
	"errors"
	"io"
	"net/http"

	"chiltepin/globus"
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
	// endpoints, where the Compute SDK keeps its store.
	Home, ComputeDir string
	// Getenv reads the environment: GLOBUS_COMPUTE_CLIENT_ID and _SECRET,
	// ACADEMY_HOME, ACADEMY_GLOBUS_CLIENT_ID and _SECRET,
	// ACADEMY_EXCHANGE_CLIENT_ID.
	Getenv func(string) string
	// Hostname labels the grant on the consent page.
	Hostname string
	// Rand makes the PKCE verifier; nil is crypto/rand.
	Rand io.Reader
}

// Manager logs in and out, and signs requests. It is safe for concurrent use,
// and several of them, in one process or in many, may share the same stores.
type Manager struct {
	config Config
}

// New checks the configuration. It does no I/O.
func New(c Config) (*Manager, error) { return nil, errors.New("not built yet") }

// Login gets tokens for the services that have none that work, and stores them.
func (m *Manager) Login(ctx context.Context, o LoginOptions) (LoginResult, error) {
	return LoginResult{}, errors.New("not built yet")
}

// Logout revokes every token that the stores hold and removes it.
func (m *Manager) Logout(ctx context.Context, o LogoutOptions) (LogoutResult, error) {
	return LogoutResult{}, errors.New("not built yet")
}

// Whoami tells who is logged in, from the stores alone.
func (m *Manager) Whoami(ctx context.Context) (Account, error) {
	return Account{}, errors.New("not built yet")
}

// Authorized is a client that signs requests to one service.
func (m *Manager) Authorized(ctx context.Context, service string) (*http.Client, error) {
	return nil, errors.New("not built yet")
}

// LoggedIn tells, without network, whether a service has tokens that should work.
func (m *Manager) LoggedIn(service string) bool { return false }

// DaemonEnv lists the variables, as NAME=VALUE, that the daemon must be given
// on top of this process's environment to refresh the tokens it finds.
func (m *Manager) DaemonEnv() ([]string, error) { return nil, errors.New("not built yet") }
