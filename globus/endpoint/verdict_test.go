package endpoint

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/globus/process"
)

const testID = "0c5a62d3-9d38-4d43-8d12-0a4f2e9cf6a1"

// The pieces that evidence is made of, by the names the tables use.
func testEvidence(t *testing.T, words string) Evidence {
	t.Helper()
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	e := Evidence{
		At:   at,
		Here: process.Machine{Host: "here", BootID: "boot", Booted: at.Add(-24 * time.Hour)},
	}
	record := func(host, boot string, pid int) {
		e.Record = &endpointfs.LaunchRecord{Host: host, BootID: boot, PID: pid, StartTime: 1000}
	}
	file := func(age time.Duration) {
		e.PIDFile = PIDFileEvidence{Exists: true, PID: 100, ModTime: at.Add(-age)}
	}
	for _, word := range strings.Fields(words) {
		switch word {
		case "id":
			e.ID = testID
		case "badid":
			e.IDProblem = errors.New("endpoint.json is corrupt")
		case "fresh":
			file(5 * time.Second)
		case "due":
			file(20 * time.Second)
		case "late":
			file(60 * time.Second)
		case "old":
			file(time.Hour)
		case "ancient":
			file(48 * time.Hour)
		case "future":
			file(-5 * time.Minute)
		case "empty":
			file(5 * time.Second)
			e.PIDFile.PID, e.PIDFile.Problem = 0, errors.New("daemon.pid is empty")
		case "unreadable":
			e.PIDFile = PIDFileEvidence{Exists: true, Problem: errors.New("daemon.pid is a directory")}
		case "recorded":
			record("here", "boot", 100)
		case "otherpid":
			record("here", "boot", 99)
		case "rebooted":
			record("here", "earlier boot", 100)
		case "there":
			record("there", "its boot", 100)
		case "up":
			e.Process = &ProcessEvidence{PID: 100, Proven: true, Phase: Up, Why: "so it is"}
		case "launching":
			e.Process = &ProcessEvidence{PID: 100, Proven: true, Phase: Launching, Why: "so it is"}
		case "ending":
			e.Process = &ProcessEvidence{PID: 100, Proven: true, Phase: Ending, Why: "so it is"}
		case "suspended":
			e.Process.Suspended = true
		case "doubtful":
			e.Process = &ProcessEvidence{PID: 100, Doubtful: true, Why: "who knows"}
		case "stranger":
			e.Process = &ProcessEvidence{PID: 100, Why: "it is another program"}
		case "renamed":
			e.Process = &ProcessEvidence{PID: 100, Host: "formerly"}
		case "disk":
			e.ownDisk = true
		case "touched":
			e.Watch = &Watch{For: 3 * time.Second, Touched: true}
		case "untouched":
			e.Watch = &Watch{For: 17 * time.Second}
		case "starting", "stopping", "restarting", "deleting":
			e.Holder = &endpointfs.Holder{Purpose: word, PID: 7, Host: "here", Since: at.Add(-time.Second)}
		case "locked":
			e.Holder = &endpointfs.Holder{}
		default:
			t.Fatalf("no such evidence: %q", word)
		}
	}
	return e
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		evidence string
		state    State
		// extra is "settled", "elsewhere HOST", or nothing.
		extra  string
		reason string
	}{
		// No pid file.
		{"", Initialized, "settled", "it was never registered"},
		{"recorded", Initialized, "settled", "it was never registered"},
		{"id", Stopped, "settled", "there is no daemon.pid and no process"},
		{"badid", Stopped, "settled", "there is no daemon.pid and no process; endpoint.json is corrupt"},
		{"id there", Stopped, "settled", "there is no daemon.pid and no process"},
		// A proven process is the truth whatever the files say.
		{"id fresh recorded up", Running, "", "process 100 is its daemon: so it is"},
		{"id fresh up", Running, "", "process 100 is its daemon: so it is"},
		{"id old up", Running, "", "process 100 is its daemon: so it is"},
		{"id future up", Running, "", "process 100 is its daemon: so it is"},
		{"id up", Stopping, "", "process 100 is its daemon, but daemon.pid is gone, so it ends by itself within 15 seconds"},
		{"id empty up", Running, "", "process 100 is its daemon: so it is; daemon.pid is empty"},
		{"id unreadable up", Running, "", "process 100 is its daemon: so it is; daemon.pid is a directory"},
		{"fresh up", Running, "", "process 100 is its daemon: so it is"},
		{"badid fresh up", Running, "", "process 100 is its daemon: so it is"},
		{"id old up suspended", Running, "", "process 100 is its daemon: so it is; it is suspended and does nothing until it gets SIGCONT"},
		{"id launching", Starting, "", "process 100 is starting up: so it is"},
		{"launching", Starting, "", "process 100 is starting up: so it is"},
		{"id fresh ending", Stopping, "", "process 100 is shutting down"},
		{"id ending", Stopping, "", "process 100 is shutting down"},
		// It is there, but not ours to touch.
		{"id fresh renamed", Running, "elsewhere formerly", "process 100 was launched on formerly"},
		{"id old renamed", Running, "elsewhere formerly", "process 100 was launched on formerly"},
		// Doubt.
		{"id fresh doubtful", Unknown, "", "process 100 may or may not be its daemon: who knows"},
		{"id old doubtful disk", Unknown, "", "process 100 may or may not be its daemon: who knows"},
		{"id doubtful", Unknown, "", "process 100 may or may not be its daemon: who knows"},
		// Launched here, and gone.
		{"id fresh recorded", Disconnected, "settled", "process 100, which was launched here, is gone: it crashed or was killed"},
		{"fresh recorded", Disconnected, "settled", "process 100, which was launched here, is gone: it crashed or was killed"},
		{"id future recorded", Disconnected, "settled", "process 100, which was launched here, is gone: it crashed or was killed"},
		{"id fresh recorded stranger", Disconnected, "settled", "process 100, which was launched here, is gone: it crashed or was killed"},
		{"id ancient rebooted", Disconnected, "settled", "process 100 is gone: this machine was booted after it last touched daemon.pid"},
		// The record is about an earlier boot, the file about this one.
		{"id fresh rebooted", Unknown, "", "process 100 is not here, but daemon.pid was touched 5s ago: it may run on another machine that shares the directory"},
		{"id fresh rebooted disk", Disconnected, "", "process 100 is gone or is another program, and the directory is on a disk of this machine"},
		// The record is about another daemon.
		{"id fresh otherpid", Unknown, "", "process 100 is not here, but daemon.pid was touched 5s ago: it may run on another machine that shares the directory"},
		// Launched elsewhere.
		{"id fresh there", Running, "elsewhere there", "it was launched on there, and daemon.pid was touched 5s ago"},
		{"id fresh there stranger", Running, "elsewhere there", "it was launched on there, and daemon.pid was touched 5s ago"},
		{"id fresh there disk", Running, "elsewhere there", "it was launched on there, and daemon.pid was touched 5s ago"},
		{"id late there", Disconnected, "", "it was launched on there, and daemon.pid was last touched 1m0s ago; a live daemon touches it every 15 seconds"},
		{"id ancient there", Disconnected, "", "it was launched on there, and daemon.pid was last touched 48h0m0s ago; a live daemon touches it every 15 seconds"},
		{"id future there", Unknown, "", "daemon.pid was touched 5m0s in the future: clocks differ, so its age says nothing"},
		{"id fresh there touched", Running, "elsewhere there", "it was launched on there, and daemon.pid is being touched"},
		{"id future there touched", Running, "elsewhere there", "it was launched on there, and daemon.pid is being touched"},
		{"id ancient there untouched", Disconnected, "settled", "its process is not here, and nobody touched daemon.pid while it was watched for 17s"},
		// Launched by somebody, nobody knows where.
		{"id fresh", Unknown, "", "process 100 is not here, but daemon.pid was touched 5s ago: it may run on another machine that shares the directory"},
		{"id fresh stranger", Unknown, "", "process 100 is not here, but daemon.pid was touched 5s ago: it may run on another machine that shares the directory"},
		{"id due", Unknown, "", "process 100 is not here, but daemon.pid was touched 20s ago: it may run on another machine that shares the directory"},
		{"id late", Disconnected, "", "process 100 is not here, and daemon.pid was last touched 1m0s ago; a live daemon touches it every 15 seconds"},
		{"id old", Disconnected, "settled", "process 100 is not here, and daemon.pid was last touched 1h0m0s ago; a live daemon touches it every 15 seconds"},
		{"id future", Unknown, "", "daemon.pid was touched 5m0s in the future: clocks differ, so its age says nothing"},
		{"id fresh touched", Running, "elsewhere ", "daemon.pid is being touched, and not by a process that can be seen here: it runs on another machine or as another user"},
		{"id fresh untouched", Disconnected, "settled", "its process is not here, and nobody touched daemon.pid while it was watched for 17s"},
		{"id future untouched", Disconnected, "settled", "its process is not here, and nobody touched daemon.pid while it was watched for 17s"},
		{"id fresh disk", Disconnected, "", "process 100 is gone or is another program, and the directory is on a disk of this machine"},
		{"id fresh disk stranger", Disconnected, "", "process 100 is gone or is another program, and the directory is on a disk of this machine"},
		{"id due disk", Disconnected, "settled", "process 100 is gone or is another program, and the directory is on a disk of this machine"},
		{"id old disk", Disconnected, "settled", "process 100 is gone or is another program, and the directory is on a disk of this machine"},
		{"id future disk", Disconnected, "", "process 100 is gone or is another program, and the directory is on a disk of this machine"},
		{"id fresh disk touched", Running, "elsewhere ", "daemon.pid is being touched, and not by a process that can be seen here: it runs on another machine or as another user"},
		// A pid file that names nobody.
		{"id empty", Unknown, "", "its daemon is not here, but daemon.pid was touched 5s ago: it may run on another machine that shares the directory"},
		{"id empty disk", Disconnected, "", "its daemon is gone or is another program, and the directory is on a disk of this machine"},
		{"id empty recorded", Unknown, "", "its daemon is not here, but daemon.pid was touched 5s ago: it may run on another machine that shares the directory"},
		{"id empty untouched", Disconnected, "settled", "its process is not here, and nobody touched daemon.pid while it was watched for 17s"},
		{"id unreadable", Unknown, "", "daemon.pid is a directory"},
		{"id unreadable disk", Unknown, "", "daemon.pid is a directory"},
		{"id unreadable recorded", Unknown, "", "daemon.pid is a directory"},
		// Operations under way.
		{"starting", Starting, "", "process 7 on here has been starting it since 11:59:59"},
		{"id fresh recorded starting", Starting, "", "process 7 on here has been starting it since 11:59:59"},
		{"id fresh up stopping", Stopping, "", "process 7 on here has been stopping it since 11:59:59"},
		{"id fresh up restarting", Stopping, "", "process 7 on here has been restarting it since 11:59:59"},
		{"id restarting", Starting, "", "process 7 on here has been restarting it since 11:59:59"},
		{"id launching restarting", Starting, "", "process 7 on here has been restarting it since 11:59:59"},
		{"id deleting", Stopped, "", "there is no daemon.pid and no process; process 7 on here has been deleting it since 11:59:59"},
		{"id fresh up locked", Running, "", "process 100 is its daemon: so it is; another operation is under way"},
	} {
		t.Run(row.evidence, func(t *testing.T) {
			t.Parallel()
			v := judgeEvidence(testEvidence(t, row.evidence))
			extra := ""
			switch {
			case v.Elsewhere:
				extra = "elsewhere " + v.Host
			case v.Settled:
				extra = "settled"
			}
			if v.State != row.state || extra != row.extra || v.Reason != row.reason {
				t.Errorf("got  %s %q %q\nwant %s %q %q", v.State, extra, v.Reason, row.state, row.extra, row.reason)
			}
		})
	}
}

// TestJudgeEverything holds the rules of the design against every combination.
func TestJudgeEverything(t *testing.T) {
	t.Parallel()
	n := 0
	for _, id := range []string{"", "id", "badid"} {
		for _, file := range []string{"", "fresh", "due", "late", "old", "ancient", "future", "empty", "unreadable"} {
			for _, record := range []string{"", "recorded", "otherpid", "rebooted", "there"} {
				for _, process := range []string{"", "up", "launching", "ending", "up suspended", "doubtful", "stranger", "renamed"} {
					for _, rest := range []string{"", "touched", "untouched", "disk", "disk touched", "disk untouched"} {
						for _, holder := range []string{"", "starting", "stopping", "restarting", "deleting", "locked"} {
							n++
							words := strings.Join([]string{id, file, record, process, rest, holder}, " ")
							if problem := against(testEvidence(t, words)); problem != "" {
								t.Errorf("%s: %s", strings.Join(strings.Fields(words), " "), problem)
							}
						}
					}
				}
			}
		}
	}
	if n != 38880 {
		t.Errorf("%d combinations, want 38880", n)
	}
}

// against says which rule the verdict on e breaks.
func against(e Evidence) string {
	v := judgeEvidence(e)
	p := e.Process
	alive := p != nil && (p.Proven || p.Host != "")
	switch {
	case v.Reason == "":
		return "no reason is given"
	case strings.HasSuffix(v.Reason, "."):
		return "the reason ends in a full stop"
	case v.State == Running && !alive && !v.Elsewhere:
		return "a file alone was taken for a running daemon"
	case v.Elsewhere && p != nil && p.Proven:
		return "a proven process here was taken for one elsewhere"
	case v.Elsewhere && v.Settled:
		return "a daemon could be started beside one elsewhere"
	case alive && v.Settled:
		return "a daemon could be started beside a living one"
	case p != nil && p.Doubtful && v.Settled:
		return "a daemon could be started in spite of a doubt"
	case e.Holder != nil && v.Settled:
		return "a daemon could be started during another operation"
	case v.Settled && v.State != Initialized && v.State != Stopped && v.State != Disconnected:
		return fmt.Sprintf("%s is settled", v.State)
	case v.State == Initialized && (e.ID != "" || e.PIDFile.Exists):
		return "Initialized in spite of traces"
	case v.State == Stopped && e.PIDFile.Exists:
		return "Stopped in spite of a pid file"
	case v.State == Disconnected && !e.PIDFile.Exists:
		return "Disconnected without a pid file"
	case v.Settled && e.Record != nil && e.Record.Host != e.Here.Host && e.Record.PID == e.PIDFile.PID && e.PIDFile.Exists && (e.Watch == nil || e.Watch.Touched):
		return "another machine's daemon was given up unwatched"
	case e.Holder == nil && p != nil && p.Proven && p.Phase == Up && v.State != Running && !(v.State == Stopping && !e.PIDFile.Exists):
		return "a daemon that is up is " + string(v.State)
	}
	return ""
}
