package pool

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"chiltepin/endpointfs"
	"chiltepin/endpointfs/log"
	"chiltepin/globus/daemon"
)

// userEndpointView is what can be seen of one user endpoint in the files of an endpoint of
// this machine.
type userEndpointView struct {
	// ID, PID and Path are the user endpoint's; ID is empty before the endpoint
	// received the command to start it.
	ID   string
	PID  int
	Path string
	// Ended is how its process ended, by the endpoint's log; empty while it has
	// not. ExitStatus is its status then, -1 for none.
	Ended      string
	ExitStatus int
	// Refused are lines of the endpoint's log that say why it started none.
	Refused []string
	// Up is true once it takes tasks.
	Up bool
	// Script is the script of the newest block, Job its id.
	Script, Job string
	// Failed are lines that say why a block was not submitted.
	Failed []string
	// Connected is true once a manager of workers has registered.
	Connected bool
	// Exit is the status with which a block on this host has ended, "" while it
	// has not or is elsewhere.
	Exit string
}

// userEndpointWatch follows the files of one endpoint from the moment at which it was
// made.
type userEndpointWatch struct {
	ep *endpointfs.Endpoint
	// before are the user endpoints that were there already.
	before []string
	cursor string
	seen   userEndpointView
}

func newUserEndpointWatch(ctx context.Context, ep *endpointfs.Endpoint) (*userEndpointWatch, error) {
	w := &userEndpointWatch{ep: ep}
	page, err := ep.Log().Query(ctx, log.Query{Tail: 1, MaxBytes: 1})
	if err != nil {
		return nil, err
	}
	w.cursor = page.Cursor
	all, err := ep.UserEndpoints()
	for _, u := range all {
		w.before = append(w.before, u.ID)
	}
	return w, err
}

// refresh looks again.
func (w *userEndpointWatch) refresh(ctx context.Context) (userEndpointView, error) {
	page, err := w.ep.Log().Query(ctx, log.Query{Cursor: w.cursor})
	if err != nil {
		return w.seen, err
	}
	if page.Cursor != "" {
		w.cursor = page.Cursor
	}
	for _, line := range page.Records {
		w.readLogLine(line)
	}
	if w.seen.ID == "" {
		return w.seen, nil
	}
	w.readUserLog(ctx)
	w.findScripts()
	w.findManagers()
	return w.seen, nil
}

func (w *userEndpointWatch) readLogLine(line log.Record) {
	if start, ok := daemon.ParseUserEndpointStart(line.Text); ok && w.seen.ID == "" && !slices.Contains(w.before, start.ID) {
		w.seen.PID, w.seen.ID, w.seen.Path = start.PID, start.ID, filepath.Join(filepath.Dir(w.ep.Path()), start.Directory)
		return
	}
	if end, ok := daemon.ParseUserEndpointEnd(line.Text); ok && w.seen.PID != 0 && end.PID == w.seen.PID {
		w.seen.Ended, w.seen.ExitStatus = end.How, end.ExitStatus
		return
	}
	if w.seen.ID == "" && (line.Level == "ERROR" || line.Level == "CRITICAL") {
		w.seen.Refused = append(w.seen.Refused, excerptLines(line.Text)...)
	}
}

// excerptLines is the part of a log record that says most: its first lines, and the
// end of a traceback.
func excerptLines(text string) []string {
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
	if len(lines) > 8 {
		lines = append(append(lines[:3:3], "…"), lines[len(lines)-4:]...)
	}
	for i, l := range lines {
		if r := []rune(l); len(r) > 400 {
			lines[i] = string(r[:400]) + "…"
		}
	}
	return lines
}

func (w *userEndpointWatch) readUserLog(ctx context.Context) {
	all, err := w.ep.UserEndpoints()
	if err != nil {
		return // it is not there yet
	}
	for _, u := range all {
		if u.ID != w.seen.ID {
			continue
		}
		page, err := u.Log().Query(ctx, log.Query{})
		if err != nil {
			return
		}
		w.seen.Failed = nil
		for _, line := range page.Records {
			switch {
			case daemon.TakesTasks(line.Text):
				w.seen.Up = true
			case line.Level == "ERROR" || line.Level == "CRITICAL" || line.Level == "WARNING" && strings.Contains(line.Text, "Failed"):
				w.seen.Failed = append(w.seen.Failed, excerptLines(line.Text)...)
			}
			if job, ok := daemon.ParseBlockLaunch(line.Text); ok {
				w.seen.Job = job
			}
		}
	}
}

// findScripts looks at what parsl has written for its blocks.
func (w *userEndpointWatch) findScripts() {
	scripts := daemon.FindBlockScripts(w.seen.Path)
	if len(scripts) == 0 {
		return
	}
	w.seen.Script = scripts[len(scripts)-1]
	w.seen.Exit = cmp.Or(daemon.BlockExit(w.seen.Script), w.seen.Exit)
}

// findManagers looks whether a manager of workers has connected.
func (w *userEndpointWatch) findManagers() {
	for _, path := range daemon.InterchangeLogs(w.seen.Path) {
		if text, err := readTail(path, 1<<20); err == nil && daemon.HasRegisteredManager(text) {
			w.seen.Connected = true
		}
	}
}

// blockOutput returns the end of what a block has written to its standard error, and
// the file, or to its standard output where that is empty.
func (s userEndpointView) blockOutput() (lines []string, file string) {
	for _, path := range daemon.BlockOutputs(s.Script) {
		text, err := readTail(path, 4<<10)
		if err != nil || len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		all := strings.Split(strings.TrimSpace(string(text)), "\n")
		return excerptLines(strings.Join(all[max(0, len(all)-6):], "\n")), path
	}
	return nil, ""
}

// readTail reads the end of a file.
func readTail(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, os.ErrInvalid
	}
	return io.ReadAll(io.NewSectionReader(f, max(0, info.Size()-most), most))
}
