// Package auth gets the tokens that Globus services ask for, keeps them in the
// stores that the Python programs use, refreshes them, and revokes them.
//
// Three services are known: compute, transfer and academy, each with the
// client id under which its Python program refreshes. After a login here those
// programs are logged in as well, and after theirs so are we. It never shows a
// token, never starts a login by itself, and never reads the environment of
// the process: what it needs comes in through [Config].
package auth
