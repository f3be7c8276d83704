package faults

import (
	"fmt"
	"time"
)

func pidRows() []row {
	const group = "pid file"
	return []row{
		{group: group, fault: "of a stranger, last touched a minute ago",
			lay: func(b *bed) {
				b.put("daemon.pid", fmt.Sprintln(b.stranger().cmd.Process.Pid))
				b.touched("daemon.pid", time.Minute)
			},
			want: "Disconnected | Disconnected | started | not_running | restarted | deleted | shown"},
		{group: group, fault: "empty",
			lay:  func(b *bed) { b.put("daemon.pid", ""); b.touched("daemon.pid", time.Minute) },
			want: "Disconnected | Disconnected | started | not_running | restarted | deleted | shown"},
	}
}

func machineRows() []row     { return nil }
func fileRows() []row        { return nil }
func nameRows() []row        { return nil }
func serviceRows() []row     { return nil }
func environmentRows() []row { return nil }
