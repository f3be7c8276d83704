package daemon

import "time"

// Periods of the daemon, the same in releases 4.6 to 4.19.
const (
	// TouchPeriod is how often the daemon touches daemon.pid, and looks whether
	// it is still there (_touch_pid in cli.py). Without it, it shuts down.
	TouchPeriod = 15 * time.Second
	// PIDFileValid is how old a daemon.pid may be that keeps another daemon of
	// the endpoint from starting: three heartbeats of 30 seconds.
	PIDFileValid = 90 * time.Second
	// HeartbeatPeriod is how often a user endpoint reports, unless its template
	// says otherwise (heartbeat_period).
	HeartbeatPeriod = 30 * time.Second
	// hardHeartbeats is after how many heartbeats without a task that moves a
	// user endpoint shuts down, unless its template says otherwise
	// (idle_heartbeats_hard).
	hardHeartbeats = 5760
)
