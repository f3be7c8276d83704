package endpoint

import (
	"time"

	"chiltepin/endpointfs"
	"chiltepin/endpointfs/log"
	"chiltepin/globus/daemon"
	"chiltepin/globus/next"
	"chiltepin/globus/process"
)

// State is the one word for an endpoint. The words are those of
// globus-compute-endpoint, which judges by the age of daemon.pid alone, and
// three more.
type State string

// The states.
const (
	// Initialized: configured and never registered.
	Initialized State = "Initialized"
	// Starting: on its way, by an operation of ours or by its own.
	Starting State = "Starting"
	// Stopping: an operation of ours is stopping it, or it is shutting down.
	Stopping State = "Stopping"
	// Running: its process is alive and proven here, or its pid file is being
	// touched from another machine.
	Running State = "Running"
	// Stopped: no pid file and no process.
	Stopped State = "Stopped"
	// Disconnected: the pid file says that it runs, and its process is gone.
	Disconnected State = "Disconnected"
	// Unknown: it cannot be decided from here; the reason says why.
	Unknown State = "Unknown"
)

// Status is what is true about an endpoint, and by what evidence.
type Status struct {
	Name string
	// ID is the UUID of the registration, empty when there is none.
	ID    string
	State State
	// Reason is a sentence for people, lower case, without a full stop.
	Reason string
	// Host is where it runs, when that is another machine and its name is
	// known.
	Host string
	// Next is how more can be found out.
	Next []next.Step
	// Path is the endpoint's directory.
	Path     string
	Evidence Evidence
	// Service is what the service says; nil when it was not asked.
	Service *ServiceView
	// Trouble is what is wrong with a daemon that runs, or with what its user
	// endpoints have left running; nil when nothing is seen to be.
	Trouble *Trouble
	// Survivors are what killed user endpoints have left running here.
	Survivors []Survivors
	// UserEndpoints are the user endpoints of this endpoint.
	UserEndpoints []UserEndpoint
}

// Evidence is what was seen of an endpoint.
type Evidence struct {
	// ID is the UUID in endpoint.json; IDProblem why it cannot be read.
	ID        string
	IDProblem error
	PIDFile   PIDFileEvidence
	// Process is the process that daemon.pid, chiltepin.json or a title
	// points to; nil when there is none.
	Process *ProcessEvidence
	// Record is chiltepin.json; nil when there is none. RecordProblem is why
	// it cannot be read.
	Record        *endpointfs.LaunchRecord
	RecordProblem error
	// Here is the machine that was looked at.
	Here process.Machine
	// Log is the last begin or end in endpoint.log; nil when there is none or
	// it was not looked at.
	Log *log.Marker
	// Holder is the operation of chiltepin that is under way; nil when there
	// is none.
	Holder *endpointfs.Holder
	// Watch is what watching daemon.pid has shown; nil when nobody watched.
	Watch *Watch
	// At is when this was seen.
	At time.Time

	// ownDisk is true when, as far as can be seen, no other machine can touch
	// the files.
	ownDisk bool
}

// PIDFileEvidence is what daemon.pid says. Its zero value is a file that is not
// there.
type PIDFileEvidence struct {
	Exists  bool
	PID     int
	ModTime time.Time
	// Problem is why it names no process.
	Problem error
}

// Phase is how far a daemon is in its life.
type Phase string

// The phases.
const (
	// Launching: it has not set its title yet.
	Launching Phase = "launching"
	// Up: it serves, or is about to.
	Up Phase = "up"
	// Ending: it is shutting down.
	Ending Phase = "ending"
)

// ProcessEvidence is what the kernel says about the process that may be the
// daemon.
type ProcessEvidence struct {
	PID       int
	StartTime uint64
	// Proven is true when it is this endpoint's daemon beyond doubt.
	Proven bool
	// Doubtful is true when it may be, and may not.
	Doubtful bool
	// Host is set, and Proven is not, when it is the daemon but was launched
	// under another host name: it is not ours to signal.
	Host string
	// Why says by what it was recognised, or why not.
	Why string
	// Phase is empty unless Proven.
	Phase Phase
	// Suspended is true when a signal has stopped it.
	Suspended bool
	Title     string
}

// Watch is what watching daemon.pid has shown.
type Watch struct {
	// For is how long nothing happened, or until something did.
	For time.Duration
	// Touched is true when somebody touched the file.
	Touched bool
}

// ServiceView is what the Globus Compute service says.
type ServiceView struct {
	// Word is "online" or "offline"; empty when there is a Problem.
	Word    string
	Online  bool
	Problem error
}

// UserEndpoint is one user endpoint: the process that serves one resource
// pool of one user.
type UserEndpoint struct {
	ID string
	// State is Running, Stopped or Unknown.
	State State
	// PID is its process id while it runs here.
	PID int
	// Outstanding is the number of tasks accepted and not finished, -1 when it
	// is not known. Why says where the number comes from.
	Outstanding int
	Why         string
	// Path is its directory.
	Path string
	// Pool is what is known about its pool while it runs here; nil otherwise.
	Pool *daemon.PoolState
}

// Outcome is what an operation did.
type Outcome string

// The outcomes.
const (
	Started        Outcome = "started"
	AlreadyRunning Outcome = "already_running"
	WasStopped     Outcome = "stopped"
	NotRunning     Outcome = "not_running"
	Restarted      Outcome = "restarted"
)
