// Package next says as data what to do about a failure or a finding: which
// operation helps, with which arguments, and why. The floors below the
// catalogue name no command, flag or method; each face words a [Step] in its
// own way. The package knows the names of the operations and nothing of how
// they are called.
package next

// Operation is the wire name of an operation of the catalogue.
type Operation string

// The operations that a step can name. The catalogue has a test that each of
// them exists.
const (
	Login             Operation = "login"
	Logout            Operation = "logout"
	Whoami            Operation = "whoami"
	Doctor            Operation = "doctor"
	EndpointConfigure Operation = "endpoint.configure"
	EndpointDelete    Operation = "endpoint.delete"
	EndpointList      Operation = "endpoint.list"
	EndpointLogs      Operation = "endpoint.logs"
	EndpointPrune     Operation = "endpoint.prune"
	EndpointRestart   Operation = "endpoint.restart"
	EndpointStart     Operation = "endpoint.start"
	EndpointStatus    Operation = "endpoint.status"
	EndpointStop      Operation = "endpoint.stop"
	PoolCheck         Operation = "pool.check"
	PoolProbe         Operation = "pool.probe"
	PoolRender        Operation = "pool.render"
	PoolSnippet       Operation = "pool.snippet"
	RuntimeInstall    Operation = "runtime.install"
)

// Args are arguments of an operation by their JSON names; the values are
// strings, booleans, integers or lists of strings.
type Args map[string]any

// Step is one thing to do. Its zero value is nothing to do.
type Step struct {
	// Operation helps; "" where none of ours does.
	Operation Operation
	// Args are what it is to be called with, without the configuration
	// directory, which a face adds where it is not the default one.
	Args Args
	// Why is what the operation is good for, as it would follow "to":
	// "wait for it", "see which endpoints there are"; "" where it speaks for
	// itself. Without an operation it is what to do, one sentence in the
	// imperative without a full stop.
	Why string
	// Host is the machine on which the operation has to run, "" for this one.
	Host string
	// User is the account that has to run it, "" for the caller's.
	User string
}

// Do is a step that no operation of ours helps with.
func Do(what string) Step { return Step{Why: what} }

// Call is a step that calls an operation.
func Call(op Operation, args Args, why string) Step {
	return Step{Operation: op, Args: args, Why: why}
}

// Endpoint is a step that calls an operation on the endpoint of that name.
func Endpoint(op Operation, name, why string) Step {
	return Call(op, Args{"name": name}, why)
}

// IsZero is true for nothing to do.
func (s Step) IsZero() bool { return s.Operation == "" && s.Why == "" }
