// Package machine makes the services that the catalogue needs out of the
// machine and the environment that this process was started in. It decides
// nothing but where things are, and it opens each only when a call needs it.
package machine

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"chiltepin/tools/operation"

	"github.com/rs/zerolog"

	"chiltepin/endpointfs"
	"chiltepin/globus"
	"chiltepin/globus/auth"
	"chiltepin/globus/compute"
	"chiltepin/globus/endpoint"
	"chiltepin/globus/next"
	"chiltepin/globus/pool"
	"chiltepin/globus/runtime"
	"chiltepin/tools"
)

// Host is the process's surroundings.
type Host struct {
	// Environ is the environment as NAME=VALUE, Getenv looks one up.
	Environ []string
	Getenv  func(string) string
	// Version is this program's.
	Version string
	// Command words a step for the page at the end of a login in a browser,
	// with the configuration directory where it is not the default one.
	Command func(step next.Step, configDir string) string

	// flows are the logins under way in this process.
	flows *auth.Flows
}

// Services returns what the catalogue works with.
func (m Host) Services() tools.Services {
	m.flows = &auth.Flows{}
	return tools.Services{
		Endpoints: func(_ context.Context, at tools.Place) (tools.Endpoints, error) { return m.newEndpoints(at) },
		Accounts:  func(_ context.Context, configDir string) (tools.Accounts, error) { return m.newAccounts(configDir) },
		Runtimes:  func(_ context.Context, explicit string) (tools.Runtimes, error) { return m.runtimeFinder(explicit) },
		Doctors:   func(_ context.Context, at tools.Place) (tools.Doctors, error) { return m.newDoctor(at) },
		Journal:   func(_ context.Context, configDir string) (tools.Journal, error) { return m.openJournal(configDir) },
		Pools:     func(_ context.Context, at tools.Place) (tools.Pools, error) { return m.newPools(at) },
	}
}

// homeDir is the user's home directory: HOME, or what the password file says.
func (m Host) homeDir() (string, error) {
	home := m.Getenv("HOME")
	if home == "" {
		if u, err := user.Current(); err == nil {
			home = u.HomeDir
		}
	}
	if !filepath.IsAbs(home) {
		return "", &operation.Error{Code: operation.CodeInvalid, Message: "the home directory is not known", Next: operation.Do("set HOME, or name a configuration directory")}
	}
	return home, nil
}

// configDir is the absolute path of the configuration directory.
func (m Host) configDir(given string) (string, error) {
	home, err := m.homeDir()
	if err != nil && given == "" {
		return "", err
	}
	dir := given
	if dir == "" {
		dir = endpointfs.DefaultDir(home, m.Getenv)
	}
	if rest, ok := strings.CutPrefix(dir, "~/"); ok && home != "" {
		dir = filepath.Join(home, rest)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", &operation.Error{Code: operation.CodeInvalid, Message: fmt.Sprintf("finding the configuration directory %q: the working directory is gone", dir), Next: operation.Do("change to a directory that exists, or name a configuration directory by its absolute path")}
	}
	return abs, nil
}

func (m Host) newAccounts(given string) (*auth.Manager, error) { return m.patientAccounts(given, 0) }

// patientAccounts is accounts with clients that wait at least so long for an
// answer, unless that is without limit already.
func (m Host) patientAccounts(given string, atLeast time.Duration) (*auth.Manager, error) {
	m, err := m.withCredentials()
	if err != nil {
		return nil, err
	}
	dir, err := m.configDir(given)
	if err != nil {
		return nil, err
	}
	home, err := m.homeDir()
	if err != nil {
		return nil, err
	}
	env, err := globus.NewEnvironment(m.Getenv)
	if err != nil {
		return nil, err
	}
	env.UserAgent = "chiltepin/" + m.Version
	if env.Timeout > 0 {
		env.Timeout = max(env.Timeout, atLeast)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	tokens := m.tokenDir(dir, home)
	config := auth.Config{Env: env, Home: home, ComputeDir: tokens, Shared: tokens != dir, Getenv: m.Getenv, Hostname: host, Remote: m.isRemote(), Flows: m.flows, RootRelays: m.isWSL()}
	if m.Command != nil {
		shown := dir
		if shown == filepath.Clean(endpointfs.DefaultDir(home, m.Getenv)) {
			shown = ""
		}
		config.Command = func(step next.Step) string { return m.Command(step, shown) }
	}
	if command := m.findBrowser(); command != nil {
		config.OpenBrowser = func(ctx context.Context, url string) (func(), error) {
			return m.openBrowserPrivately(ctx, command, home, url)
		}
	}
	return auth.New(config)
}

// runtimeFinder looks for the Python side; what the caller named comes before what
// the environment names.
func (m Host) runtimeFinder(explicit string) (runtime.Finder, error) {
	f := runtime.Finder{Explicit: explicit, PathEnv: m.Getenv("PATH"), Environ: withoutLogin(m.Environ)}
	if f.Explicit == "" {
		f.Explicit, f.ExplicitName = m.Getenv("CHILTEPIN_RUNTIME"), "CHILTEPIN_RUNTIME"
	}
	if home, err := m.homeDir(); err == nil {
		f.DataDir = runtime.DefaultDataDir(home, m.Getenv)
	}
	return f, nil
}

func (m Host) newEndpoints(at tools.Place) (tools.Endpoints, error) {
	manager, err := m.newManager(at)
	if err != nil {
		return nil, err
	}
	return located{manager, func() (*auth.Manager, error) { return m.newAccounts(at.ConfigDir) }}, nil
}

func (m Host) newManager(at tools.Place) (*endpoint.Manager, error) {
	m, err := m.withCredentials()
	if err != nil {
		return nil, err
	}
	dir, err := m.configDir(at.ConfigDir)
	if err != nil {
		return nil, err
	}
	finder, err := m.runtimeFinder(at.Runtime)
	if err != nil {
		return nil, err
	}
	return &endpoint.Manager{
		Dir:        endpointfs.Open(dir),
		Environ:    m.Environ,
		Version:    m.Version,
		Runtime:    finder.Find,
		RuntimeBin: finder.InstalledBin(),
		Service: func(ctx context.Context) (endpoint.Service, error) {
			client, err := m.connectService(ctx, at.ConfigDir)
			if err != nil {
				return nil, err // and not an interface that holds nothing
			}
			return client, nil
		},
		// The daemon must refresh as the client that its tokens belong to. The
		// stores do not say which; where that cannot be proven, because Globus
		// Auth does not answer, the likeliest is named.
		ChildEnv: func(ctx context.Context) ([]string, error) {
			if err := m.linkTokenStore(ctx, dir); err != nil {
				return nil, err
			}
			accounts, err := m.newAccounts(at.ConfigDir)
			if err != nil {
				return nil, err
			}
			if _, err := accounts.ProveClient(ctx, auth.Compute); err != nil {
				zerolog.Ctx(ctx).Info().Err(err).Msg("whose client the tokens belong to is not proven")
			}
			return accounts.DaemonEnv()
		},
	}, nil
}

func (m Host) newPools(at tools.Place) (tools.Pools, error) {
	manager, err := m.newManager(at)
	if err != nil {
		return nil, err
	}
	return &pool.Manager{
		Endpoints: manager,
		Service: func(ctx context.Context) (*compute.Client, error) {
			return m.patientService(ctx, at.ConfigDir, submitTimeout)
		},
		Runtime: manager.Runtime,
		Environ: m.Environ,
	}, nil
}

// submitTimeout is how long a submission is waited for: the service answers when
// the user endpoint is up, which on a slow file system takes minutes.
const submitTimeout = 5 * time.Minute

// connectService is the Compute service, signed for by whoever is logged in.
func (m Host) connectService(ctx context.Context, configDir string) (*compute.Client, error) {
	return m.patientService(ctx, configDir, 0)
}

func (m Host) patientService(ctx context.Context, configDir string, atLeast time.Duration) (*compute.Client, error) {
	accounts, err := m.patientAccounts(configDir, atLeast)
	if err != nil {
		return nil, err
	}
	client, err := accounts.Authorized(ctx, auth.Compute)
	if err != nil {
		return nil, err
	}
	env, err := globus.NewEnvironment(m.Getenv)
	if err != nil {
		return nil, err
	}
	return &compute.Client{HTTP: client, BaseURL: env.ComputeURL}, nil
}
