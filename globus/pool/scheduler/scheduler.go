// Package scheduler knows where the blocks of a resource pool come from: Slurm,
// PBS Professional, or the endpoint's own host. For each of them one file says
// how it is found on a machine, which options of a pool it takes, what script
// parsl submits to it, and what its words mean. It also holds the catalogue of
// the options that a pool can have.
//
// It runs a scheduler's own programs to ask, and to cancel a job that it is
// told to cancel. It never submits one.
package scheduler

import (
	"context"

	"chiltepin/globus/next"
)

// Scheduler is one source of blocks. Implementations hold no state, and their
// methods may be called from any goroutine.
type Scheduler interface {
	// Facts are its names and what kind of source it is.
	Facts() Facts
	// Detect looks for it on this machine, and for what a block gets that asks
	// for nothing. A *[ProgramError] means that it is not here or does not
	// answer.
	Detect(ctx context.Context, c Commands) (Detection, error)
	// Options are the options of a pool that it takes, and how.
	Options() OptionSupport
	// Script is what parsl submits for a block of a user endpoint with this
	// configuration, to the byte.
	Script(config ProviderConfig) Script
	// SubmittedJob asks the scheduler for the job of a block.
	SubmittedJob(ctx context.Context, c Commands, b Block) BatchJob
	// Reason explains why a job waits.
	Reason(j BatchJob) Reason
	// Cancel cancels a job.
	Cancel(ctx context.Context, c Commands, id string) error
	// Explain turns what the scheduler or one of its programs printed into a
	// cause. words are in lower case; seen, which may be the zero value, is
	// what was detected on this machine. The zero value stands for words that
	// it does not know.
	Explain(words string, seen Detection) Explanation
}

// Facts are what is always true of a scheduler.
type Facts struct {
	// Name is its word for the option provider, such as "slurm".
	Name string
	// Title is its name in a sentence, such as "Slurm".
	Title string
	// Class is the class of parsl that submits to it, such as "SlurmProvider".
	Class string
	// Program is the program that submits, such as "sbatch"; empty for none.
	Program string
	// Spellings are words that people write for Name, in lower case and without
	// blanks and dashes.
	Spellings []string
	// Batch is true when a block is a job in a queue, false when it is a
	// process of the endpoint's own host.
	Batch bool
}

// OptionSupport says how a scheduler takes the options of a pool.
type OptionSupport struct {
	// Takes are the options it takes of those that are for a batch scheduler
	// only (see [Option.Batch]); it ignores the others.
	Takes []string
	// Instead is, for an option that it ignores, what to do beside removing it.
	Instead map[string]string
	// Verbatim is true when parsl puts values into the script as they are, so
	// that a number is as good as a text.
	Verbatim bool
	// Launcher starts MPI applications when mpi_launcher is not given.
	Launcher string
	// NodeVariables are environment variables by which parsl finds the nodes of
	// an MPI application, where the scheduler sets none of them: environment has
	// to set the first or another.
	NodeVariables []string
	// Keywords are what its class of parsl can be given beside what every class
	// can, Renamed the option that a keyword of another name stands for.
	Keywords []string
	Renamed  map[string]string
}

// Detection is what a look at this machine has shown: its scheduler, and what a
// block gets there that asks for nothing.
type Detection struct {
	// Name is that of the scheduler, or "none".
	Name string
	// Partition and Queue are the default ones, Account is the user's; each is
	// empty where it is not known.
	Partition, Queue, Account string
	// Cores are those of a node of the default partition, 0 where that is not
	// known.
	Cores int
	// Partitions and Queues are all there are.
	Partitions, Queues []string
	// Why says what was seen.
	Why string
}

// none is the name of a machine without a batch scheduler.
const none = "none"

// Provider is the provider of a pool on such a machine.
func (d Detection) Provider() string {
	if d.Name == "" || d.Name == none {
		return Local{}.Facts().Name
	}
	return d.Name
}

// Default is the value of an option that is known from the machine.
func (d Detection) Default(option string) (value any, known bool) {
	switch option {
	case "partition":
		return d.Partition, d.Partition != ""
	case "queue":
		return d.Queue, d.Queue != ""
	case "account":
		return d.Account, d.Account != ""
	case "cores_per_node":
		return d.Cores, d.Cores > 0
	}
	return nil, false
}

// Block is a block by what parsl's log and files tell of it.
type Block struct {
	// ID is the job's, empty where the log does not name it.
	ID string
	// Name is the job's name, which parsl chooses anew for each block.
	Name string
}

// JobPhase is how far a job is.
type JobPhase string

// The phases. The zero value is that of a job which the scheduler could not be
// asked about.
const (
	// Waiting: it has not started.
	Waiting JobPhase = "waiting"
	// Running: it has started and has not ended.
	Running JobPhase = "running"
	// Listed: the scheduler lists it, neither waiting nor running.
	Listed JobPhase = "listed"
	// Gone: the scheduler was asked, and does not know it any more or says that
	// it has ended.
	Gone JobPhase = "gone"
)

// BatchJob is what a scheduler says of the job of a block.
type BatchJob struct {
	ID    string
	Phase JobPhase
	// State and Reason are the scheduler's words for its state and for why it
	// waits, Nodes are where it runs.
	State, Reason, Nodes string
}

// IsKnown is true when the scheduler lists the job.
func (j BatchJob) IsKnown() bool {
	return j.Phase == Waiting || j.Phase == Running || j.Phase == Listed
}

// Reason is why a job waits.
type Reason struct {
	// Text explains the scheduler's word, empty where that is not known.
	Text string
	// Final is true when no waiting helps.
	Final bool
}

// Explanation is what somebody else's words mean.
type Explanation struct {
	// Cause is a sentence, Next what to do about it.
	Cause string
	Next  []next.Step
}
