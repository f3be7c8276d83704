package sandbox

import (
	"crypto/rsa"
	"io"
	"net/http"
	"sync"
	"time"

	"chiltepin/globus/sandbox/broker"
)

// Options say what a sandbox starts with. The zero value is a working one:
// a single researcher, the public client ids of the Globus programs, tokens
// of two days, and a browser that consents at once.
type Options struct {
	// Identities are the people; the first one is who consents in the
	// browser until Settings.Identity names another. None means Researcher.
	Identities []Identity
	// Clients are registered beside the well-known native apps.
	Clients []Application
	// Settings are the initial ones; zero fields take their defaults.
	Settings Settings
	// Journal gets every entry as a line of JSON; nil for none. Writes are
	// made one at a time.
	Journal io.Writer
	// SigningKey returns the key that ID tokens are signed with, when one is
	// needed; nil stands for NewSigningKey, which takes a tenth of a second or
	// more.
	SigningKey func() (*rsa.PrivateKey, error)
	// Dir is an existing directory for the files that Start writes; "" makes
	// a temporary one, which Close removes.
	Dir string
}

// Sandbox is a stand-in for Globus Auth, Compute and its broker. Its methods
// may be called from any goroutine.
type Sandbox struct {
	clock    clock
	masker   *masker
	journal  *journal
	settings *settings
	faults   *faults
	broker   *broker.Server
	auth     *auth
	compute  *compute
	hosts    map[string]http.Handler
	control  http.Handler
	net      *network
	options  Options

	closing   chan struct{}
	closeOnce sync.Once
	closeErr  error
}

// New returns a sandbox that answers ServeHTTP and RoundTripper but has no
// listener: Start adds those. Close must be called in either case.
func New(o Options) *Sandbox {
	s := &Sandbox{options: o, closing: make(chan struct{})}
	s.masker = newMasker()
	s.journal = newJournal(o.Journal, s.masker)
	s.settings = newSettings(o.Settings)
	s.faults = &faults{}
	s.broker = broker.New(broker.ServerConfig{Report: s.recordBrokerEvent, Now: s.clock.now})
	s.auth = newAuth(s, o.Identities, o.Clients)
	s.auth.key.make = o.SigningKey
	s.compute = newCompute(s)
	s.hosts = map[string]http.Handler{
		AuthHost:     s.auth.newHandler(),
		ComputeHost:  s.compute.newHandler(),
		TransferHost: s.tokenCheckHandler("transfer.api.globus.org"),
		AcademyHost:  s.tokenCheckHandler(academyResourceServer),
	}
	s.control = s.newControlHandler()
	s.net = &network{s: s}
	return s
}

// The production host names that a sandbox answers for.
const (
	AuthHost     = "auth.globus.org"
	ComputeHost  = "compute.api.globus.org"
	TransferHost = "transfer.api.globus.org"
	AcademyHost  = "exchange.academy-agents.org"
)

// Close ends listeners, connections and waiting requests, removes what Start
// wrote, and waits for the sandbox's goroutines. It may be called twice.
func (s *Sandbox) Close() error {
	s.closeOnce.Do(func() {
		close(s.closing)
		s.closeErr = s.net.closeListeners()
		if err := s.broker.Close(); s.closeErr == nil {
			s.closeErr = err
		}
		s.compute.cancelSubscriptions()
	})
	return s.closeErr
}

// Journal returns every entry so far, oldest first.
func (s *Sandbox) Journal() []Entry { return s.journal.allEntries() }

// Order adds a fault; it strikes requests that begin after Order returns.
func (s *Sandbox) Order(f Fault) { s.faults.addFault(f) }

// ClearFaults forgets the faults that have not struck yet, the broker's too.
func (s *Sandbox) ClearFaults() {
	s.faults.clearFaults()
	s.broker.ClearFaults()
}

// OrderBroker adds a fault of the AMQP broker.
func (s *Sandbox) OrderBroker(f BrokerFault) { s.broker.AddFault(f) }

// BrokerFault is a failure of the AMQP broker to order.
type BrokerFault = broker.ConnectionFault

// CloseConnections closes the AMQP connections of a user ("" for everyone's)
// and says how many there were. Users are endpoint ids, "results-" and an
// identity for who waits for results.
func (s *Sandbox) CloseConnections(user string) int { return s.broker.CloseConnections(user) }

// SetClock makes the services' clock run ahead of this machine's by offset,
// or behind for a negative one. Tokens, heartbeats and the timestamps of
// commands follow it.
func (s *Sandbox) SetClock(offset time.Duration) { s.clock.setOffset(offset) }

// Configure changes settings of a running sandbox: change gets the current
// ones and alters them.
func (s *Sandbox) Configure(change func(*Settings)) { s.settings.changeValues(change) }

func (s *Sandbox) recordEntry(e Entry) {
	if e.Time.IsZero() {
		e.Time = s.clock.now()
	}
	s.journal.addEntry(e)
}
