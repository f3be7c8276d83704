package endpoint

import (
	"testing"

	"chiltepin/endpointfs"
	"chiltepin/globus/process"
)

func TestProve(t *testing.T) {
	t.Parallel()
	const otherID = "11111111-1111-1111-1111-111111111111"
	titled := func(id, name string) []string {
		return []string{"Globus Compute Endpoint *(" + id + ", " + name + ") [x]"}
	}
	python := []string{"/usr/bin/python3", "/opt/bin/globus-compute-endpoint", "start", "mesa"}
	for _, row := range []struct {
		name    string
		command []string
		place   process.Presence
		// pid, record and host say what else speaks for the process.
		pid, record bool
		host        string
		noID        bool
		// want is "proven PHASE", "doubtful", "elsewhere" or "no".
		want string
	}{
		{name: "title and directory", command: titled(testID, "mesa"), place: process.Inside, want: "proven up"},
		{name: "title, directory, file and record", command: titled(testID, "mesa"), place: process.Inside, pid: true, record: true, want: "proven up"},
		{name: "no endpoint.json yet", command: titled(testID, "mesa"), place: process.Inside, noID: true, want: "proven up"},
		{name: "the directory was renamed", command: titled(testID, "formerly"), place: process.Inside, want: "proven up"},
		{name: "shutting down", command: []string{"[shutdown in progress] " + titled(testID, "mesa")[0]}, place: process.Inside, want: "proven ending"},
		{name: "recorded, its place unseen", command: titled(testID, "mesa"), place: process.Unseen, record: true, want: "proven up"},
		{name: "launching here", command: python, place: process.Inside, want: "proven launching"},
		{name: "recorded, launching", command: python, place: process.Inside, record: true, want: "proven launching"},
		{name: "recorded, between two programs", command: []string{"sh"}, place: process.Inside, record: true, want: "proven launching"},
		{name: "recorded, and its arguments are gone already", place: process.Unseen, record: true, want: "proven ending"},
		{name: "recorded under another name of the host", command: titled(testID, "mesa"), place: process.Inside, record: true, host: "login2", want: "elsewhere"},

		{name: "another id", command: titled(otherID, "mesa"), place: process.Inside, pid: true, want: "no"},
		{name: "another name", command: titled(testID, "other"), place: process.Inside, noID: true, want: "no"},
		{name: "a copy elsewhere", command: titled(testID, "mesa"), place: process.Outside, want: "no"},
		{name: "a copy's record", command: titled(testID, "mesa"), place: process.Outside, record: true, want: "doubtful"},
		{name: "a copy's pid file", command: titled(testID, "mesa"), place: process.Outside, pid: true, want: "doubtful"},
		{name: "title alone", command: titled(testID, "mesa"), place: process.Unseen, pid: true, want: "doubtful"},
		{name: "recorded, another id", command: titled(otherID, "mesa"), place: process.Inside, record: true, want: "doubtful"},
		{name: "launching elsewhere", command: python, place: process.Outside, pid: true, want: "no"},
		{name: "launching, who knows where", command: python, place: process.Unseen, pid: true, want: "no"},
		{name: "a shell in the directory", command: []string{"bash"}, place: process.Inside, pid: true, want: "no"},
		{name: "a copy's record, launching", command: python, place: process.Outside, record: true, want: "no"},
		{name: "its user endpoint", command: []string{"Globus Compute Endpoint (" + testID + ", uep.x.y) [x]"}, place: process.Inside, want: "no"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := endpointIdentity{Name: "mesa", ID: testID, Dir: "/gc/mesa", Here: process.Machine{Host: "here", BootID: "boot"}}
			if row.noID {
				s.ID = ""
			}
			if row.pid {
				s.PID = 100
			}
			if row.record {
				s.Record = &endpointfs.LaunchRecord{Host: "here", BootID: "boot", PID: 100, StartTime: 1000}
			}
			if row.host != "" {
				s.Record.Host = row.host
			}
			ev := weighProcess(process.Process{PID: 100, StartTime: 1000, Command: row.command}, s, func() process.Presence { return row.place })
			got := "no"
			switch {
			case ev.Proven && !ev.Doubtful && ev.Host == "":
				got = "proven " + string(ev.Phase)
			case ev.Doubtful && ev.Phase == "":
				got = "doubtful"
			case ev.Host == row.host && ev.Host != "" && ev.Phase == "":
				got = "elsewhere"
			}
			if got != row.want || ev.Why == "" {
				t.Errorf("%s (%s), want %s", got, ev.Why, row.want)
			}
		})
	}
	t.Run("a record of another process of that id", func(t *testing.T) {
		t.Parallel()
		s := endpointIdentity{Name: "mesa", ID: testID, Here: process.Machine{Host: "here", BootID: "boot"}, PID: 100,
			Record: &endpointfs.LaunchRecord{Host: "here", BootID: "boot", PID: 100, StartTime: 999}}
		if ev := weighProcess(process.Process{PID: 100, StartTime: 1000, Command: []string{"bash"}}, s, func() process.Presence { return process.Inside }); ev.Proven || ev.Doubtful {
			t.Errorf("%+v, want nothing", ev)
		}
	})
}

func TestChoose(t *testing.T) {
	t.Parallel()
	up := func(pid int, start uint64) ProcessEvidence {
		return ProcessEvidence{PID: pid, StartTime: start, Proven: true, Phase: Up}
	}
	s := endpointIdentity{PID: 100, Record: &endpointfs.LaunchRecord{PID: 99, StartTime: 5}}
	for _, row := range []struct {
		all  []ProcessEvidence
		want int
	}{
		{[]ProcessEvidence{up(50, 1), up(100, 9), up(99, 5)}, 100},
		{[]ProcessEvidence{up(50, 1), up(99, 5)}, 99},
		{[]ProcessEvidence{up(60, 2), up(50, 1)}, 50},
		{[]ProcessEvidence{{PID: 100, Doubtful: true}, up(60, 2)}, 60},
		{[]ProcessEvidence{{PID: 100}, {PID: 70, Host: "there"}, {PID: 80, Doubtful: true}}, 70},
	} {
		if got := chooseProcess(row.all, s); got.PID != row.want {
			t.Errorf("choose(%+v) = %d, want %d", row.all, got.PID, row.want)
		}
	}
	if chooseProcess(nil, s) != nil {
		t.Error("something was chosen from nothing")
	}
}
