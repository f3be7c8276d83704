package pool

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"chiltepin/endpointfs"
	"chiltepin/endpointfs/log"
)

// userEndpointView is what can be seen of one user endpoint in the files of an endpoint of
// this machine.
type userEndpointView struct {
	// ID, PID and Path are the user endpoint's; ID is empty before the endpoint
	// was told of it.
	ID   string
	PID  int
	Path string
	// Ended is how its process ended, by the endpoint's log; empty while it has
	// not.
	Ended string
	// Refused are lines of the endpoint's log that say why it started none.
	Refused []string
	// Up is true once it takes tasks.
	Up bool
	// Script is the script of the newest block, Job its id, Blocks how many
	// there were.
	Script, Job string
	Blocks      int
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

// These are lines of core_endpoint.py (cmd_start_endpoint, wait_for_children)
// and never written to.
var (
	created = regexp.MustCompile(`Creating new user endpoint \(pid: (\d+)\) \[\([^)]*, (uep\.[0-9a-f-]{36}\.([0-9a-f-]{36}))\)`)
	ended   = regexp.MustCompile(`Command (stopped normally|return code: \d+|unknown return code:|terminated by signal: \d+) \((\d+)\)`)
)

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
	if m := created.FindStringSubmatch(line.Text); m != nil && w.seen.ID == "" && !slices.Contains(w.before, m[3]) {
		w.seen.PID, _ = strconv.Atoi(m[1]) // digits
		w.seen.ID, w.seen.Path = m[3], filepath.Join(filepath.Dir(w.ep.Path()), m[2])
		return
	}
	if m := ended.FindStringSubmatch(line.Text); m != nil && w.seen.PID != 0 && m[2] == strconv.Itoa(w.seen.PID) {
		w.seen.Ended = strings.TrimSuffix(m[1], ":")
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

// launched is a line of parsl/executors/status_handling.py, written where the
// template sets debug.
var launched = regexp.MustCompile(`Launched block (\S+) with job ID (\S+)`)

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
			case strings.Contains(line.Text, "entered running state"), strings.Contains(line.Text, "Awaiting messages from queue"):
				w.seen.Up = true
			case line.Level == "ERROR" || line.Level == "CRITICAL" || line.Level == "WARNING" && strings.Contains(line.Text, "Failed"):
				w.seen.Failed = append(w.seen.Failed, excerptLines(line.Text)...)
			}
			if m := launched.FindStringSubmatch(line.Text); m != nil {
				w.seen.Job = m[2]
			}
		}
	}
}

// findScripts looks at what parsl has written for its blocks: NAME.TIME for a
// scheduler, NAME.TIME.sh on the host itself, and their output beside them.
func (w *userEndpointWatch) findScripts() {
	found, _ := filepath.Glob(filepath.Join(w.seen.Path, "submit_scripts", "*.block-*")) // the pattern is right
	w.seen.Blocks = 0
	newest := ""
	for _, path := range found {
		name := filepath.Base(path)
		if !regexp.MustCompile(`\.block-[^.]+\.\d+\.\d+(\.sh)?$`).MatchString(name) {
			continue
		}
		w.seen.Blocks++
		if scriptTime(path) > scriptTime(newest) {
			newest = path
		}
	}
	w.seen.Script = newest
	if newest == "" {
		return
	}
	if text, err := os.ReadFile(newest + ".ec"); err == nil {
		if code := strings.TrimSpace(string(text)); code != "-" {
			w.seen.Exit = code
		}
	}
}

// scriptTime is the time in the name of a script.
func scriptTime(path string) string {
	m := regexp.MustCompile(`\.(\d+\.\d+)(\.sh)?$`).FindStringSubmatch(path)
	if m == nil {
		return ""
	}
	return m[1]
}

// findManagers looks whether a manager of workers has registered.
func (w *userEndpointWatch) findManagers() {
	found, _ := filepath.Glob(filepath.Join(w.seen.Path, "*", "interchange.log"))
	for _, path := range found {
		if text, err := readTail(path, 1<<20); err == nil && bytes.Contains(text, []byte("Registered manager")) {
			w.seen.Connected = true
		}
	}
}

// blockOutput returns the end of what a block has written to its standard error, and
// the file, or to its standard output where that is empty.
func (s userEndpointView) blockOutput() (lines []string, file string) {
	for _, suffix := range []string{".err", ".stderr", ".out", ".stdout"} {
		text, err := readTail(s.Script+suffix, 4<<10)
		if err != nil || len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		all := strings.Split(strings.TrimSpace(string(text)), "\n")
		return excerptLines(strings.Join(all[max(0, len(all)-6):], "\n")), s.Script + suffix
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
