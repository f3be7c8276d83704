package pool

import (
	"time"

	"chiltepin/globus/next"
)

// Stage is a step on the way of a task from the service to a worker and back.
type Stage string

// The stages, in their order.
const (
	// Accepted: the service knows the function and has been given the task.
	Accepted Stage = "accepted"
	// Commanded: the endpoint has received the command to start a user endpoint.
	Commanded Stage = "commanded"
	// Started: the user endpoint is up and takes tasks.
	Started Stage = "started"
	// Submitted: a block was handed to the provider.
	Submitted Stage = "submitted"
	// Running: the scheduler has started the block. On the endpoint's own host
	// that is one with Submitted.
	Running Stage = "running"
	// Connected: the workers of a block have reported.
	Connected Stage = "connected"
	// Returned: the task has returned what it should.
	Returned Stage = "returned"
)

// Stages are all stages in their order.
func Stages() []Stage {
	return []Stage{Accepted, Commanded, Started, Submitted, Running, Connected, Returned}
}

// describe says for people what has happened when a stage is reached, and what is
// waited for before.
func (s Stage) describe() (reached, awaited string) {
	switch s {
	case Accepted:
		return "the service has accepted the task", "waiting for the service to accept the task"
	case Commanded:
		return "the endpoint has received the command to start a user endpoint", "waiting for the endpoint to receive the task"
	case Started:
		return "the user endpoint is up", "waiting for the user endpoint to start"
	case Submitted:
		return "a block was submitted", "waiting for a block to be submitted"
	case Running:
		return "the block runs", "waiting for the scheduler to start the block"
	case Connected:
		return "its workers have connected", "waiting for the workers of the block to connect"
	}
	return "the task has returned", "waiting for the task to return"
}

// Reached is a stage that was reached.
type Reached struct {
	Stage Stage
	// After is the time since the probe began. A stage that happens on another
	// machine is seen when a later one is.
	After time.Duration
	// Detail says more, such as the job's id.
	Detail string
}

// ProbeFailure is why a probe did not come to its end.
type ProbeFailure struct {
	// Stage is the first that was not reached.
	Stage Stage
	// Timeout is true when time ran out and nothing worse is known.
	Timeout bool
	// Cause is a sentence, Lines are what shows it: of a log, or a scheduler's
	// words. File is where they are from.
	Cause string
	Lines []string
	File  string
	// Next is what to do about it, the best first.
	Next []next.Step
}

// Probe is what a probe has shown.
type Probe struct {
	Pool     Pool
	Endpoint EndpointLookup
	// Reached are the stages reached, in their order. A stage that cannot be
	// seen from here is left out.
	Reached []Reached
	// Failure is nil for a pool that is proven.
	Failure *ProbeFailure
	// UserEndpoint is the UUID of the user endpoint that served it, Job the
	// scheduler's id of the block, Worker what the worker said of itself; each
	// is empty where it is not known.
	UserEndpoint, Job string
	Worker            Worker
	Took              time.Duration
	// Left are things that could not be removed again, a sentence each.
	Left []string
}

// Worker is where the task ran.
type Worker struct {
	Host, Python, Directory string
}
