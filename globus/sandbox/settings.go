package sandbox

import (
	"sync"
	"sync/atomic"
	"time"
)

// Settings are what can be changed while a sandbox runs. A zero duration
// stands for the default given with the field.
type Settings struct {
	AccessLifetime  time.Duration // of access and ID tokens: 48h
	RefreshLifetime time.Duration // of a refresh token since its last use: 180 days
	CodeLifetime    time.Duration // of an authorization code: 10m
	// RotateRefresh makes a refresh answer with a new refresh token and end
	// the old one. The real service keeps it.
	RotateRefresh bool
	// Consent is what the person in the browser does with the authorize page:
	// "auto" consents at once (the default), "ask" shows a page with buttons,
	// "deny" refuses.
	Consent string
	// Identity is who consents: an id or a username; "" the first one.
	Identity string
	// StartTimeout is how long a submission waits for the user endpoint: 55s,
	// under the 60s that the SDK waits for an answer.
	StartTimeout time.Duration
	// OnlineGrace is how long a submission waits for an endpoint that is not
	// online: 20s.
	OnlineGrace time.Duration
	// LockFor is how long a locked endpoint refuses registration: 60s.
	LockFor time.Duration
	// HeartbeatsMissed is how many heartbeat periods an endpoint may be silent
	// and still be called online: 3.
	HeartbeatsMissed float64
	// MinimumVersion is the oldest endpoint and SDK that the version route
	// tolerates: "1.0.0".
	MinimumVersion string
	// Policy is what Compute demands of the login.
	Policy SessionPolicy
}

func (v Settings) withDefaults() Settings {
	duration := func(d *time.Duration, or time.Duration) {
		if *d == 0 {
			*d = or
		}
	}
	duration(&v.AccessLifetime, 48*time.Hour)
	duration(&v.RefreshLifetime, 180*24*time.Hour)
	duration(&v.CodeLifetime, 10*time.Minute)
	duration(&v.StartTimeout, 55*time.Second)
	duration(&v.OnlineGrace, 20*time.Second)
	duration(&v.LockFor, time.Minute)
	if v.Consent == "" {
		v.Consent = "auto"
	}
	if v.HeartbeatsMissed == 0 {
		v.HeartbeatsMissed = 3
	}
	if v.MinimumVersion == "" {
		v.MinimumVersion = "1.0.0"
	}
	return v
}

type settings struct {
	mu sync.Mutex
	v  Settings
}

func newSettings(v Settings) *settings { return &settings{v: v.withDefaults()} }

func (s *settings) currentValues() Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.v
}

func (s *settings) changeValues(change func(*Settings)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.v)
	s.v = s.v.withDefaults()
}

// clock is this machine's clock plus an offset.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time            { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *clock) setOffset(o time.Duration) { c.offset.Store(int64(o)) }
func (c *clock) aheadBy() time.Duration    { return time.Duration(c.offset.Load()) }
