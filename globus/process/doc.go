// Package process knows the facts of a machine that concern processes: what
// /proc says of them, handles that name one process for ever (pidfd), sessions,
// and which machine, boot and numbering of processes this is.
//
// It knows nothing of endpoints and of no program in particular, and never
// decides whom to signal: a caller that does first opens a handle, then looks
// at the process once more (see [Hold]), and signals through the handle.
package process
