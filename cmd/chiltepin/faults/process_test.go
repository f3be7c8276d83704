package faults

import (
	"syscall"
	"time"
)

// script is how the stand-in for the daemon behaves, handed down in the variable
// FAULTS_SCRIPT. Its zero value behaves.
type script struct {
	// Exit, unless nil, is the status with which it ends At a stage: "launch"
	// (before it registers), "registered" (before its pid file), "marker".
	Exit *int   `json:",omitempty"`
	At   string `json:",omitempty"`
	// Print goes to its standard error as it loads.
	Print string `json:",omitempty"`
	// Load is how long it loads.
	Load time.Duration `json:",omitempty"`
	// Stubborn keeps SIGTERM from ending it.
	Stubborn bool `json:",omitempty"`
	// Dying is how long it takes to end.
	Dying time.Duration `json:",omitempty"`
}

// code makes an exit status of a script.
func code(n int) *int { return &n }

func processRows() []row {
	const group = "process"
	return []row{
		{group: group, fault: "kill -9 of the daemon",
			lay:  func(b *bed) { b.kill(b.started(), syscall.SIGKILL) },
			want: "Disconnected | Disconnected | started | not_running | restarted | deleted | shown"},
		{group: group, fault: "suspended (SIGSTOP)",
			lay:  func(b *bed) { b.timeout = "3s"; b.kill(b.started(), syscall.SIGSTOP) },
			want: "Running | Running | already_running | timeout | timeout | conflict | shown"},
		{group: group, fault: "ignores SIGTERM",
			lay:  func(b *bed) { b.timeout = "3s"; b.play(script{Stubborn: true}); b.started() },
			want: "Running | Running | already_running | timeout | timeout | conflict | shown"},
		{group: group, fault: "takes three seconds to end",
			lay:  func(b *bed) { b.play(script{Dying: 3 * time.Second}); b.started() },
			want: "Running | Running | already_running | stopped | restarted | conflict | shown"},
	}
}
