// Package auth gets the tokens that Globus services ask for, keeps them in the
// stores that the Python programs use, refreshes them, and revokes them.
//
// Three services are known: compute, transfer and academy, each with the
// client id under which its Python program refreshes. After a login here those
// programs are logged in too, and after theirs we are. It never shows a token,
// never begins a login on its own, never names a command of ours, and never
// reads the environment of the process: what it needs is in [Config].
package auth
