package daemon

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// WorkerLogs is what the logs of a user endpoint's workers tell together.
type WorkerLogs struct {
	// Running is the number of workers that have begun a task and not finished
	// it.
	Running int
	// Began is when the last of those began.
	Began time.Time
	// Finished is when a worker last finished a task and got no other.
	Finished time.Time
}

// ReadWorkerLogs reads the logs of parsl's workers, which are in
// DIR/LABEL/block-N/MANAGER/worker_N.log (process_worker_pool.py), as far as
// they were written to since the user endpoint began.
func ReadWorkerLogs(configDir, dir string, began time.Time) WorkerLogs {
	var all WorkerLogs
	paths, _ := filepath.Glob(filepath.Join(quoteGlob(configDir), quoteGlob(dir), "*", "block-*", "*", "worker_*.log"))
	line := regexp.MustCompile(`^(\d+\.\d+) .*(Received|Completed|All processing finished for) executor task \d+\s*$`)
	for _, path := range paths {
		info, err := os.Lstat(path)
		if err != nil || !info.Mode().IsRegular() || info.ModTime().Before(began) {
			continue
		}
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		const most = 16 << 10
		data, _ := io.ReadAll(io.NewSectionReader(f, max(0, info.Size()-most), most))
		f.Close()
		running, at := parseWorkerLog(line, data)
		switch {
		case at.IsZero():
		case running:
			all.Running++
			if at.After(all.Began) {
				all.Began = at
			}
		case at.After(all.Finished):
			all.Finished = at
		}
	}
	return all
}

// quoteGlob makes a path mean itself in a pattern.
func quoteGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// parseWorkerLog reads lines such as "1795477557.380158 2026-11-23 23:45:57 …
// INFO: Received executor task 1", which begin with the time since the epoch.
// It returns whether a worker is at work according to the end of its
// log, and since when. The time is zero when it never had a task.
func parseWorkerLog(line *regexp.Regexp, data []byte) (running bool, at time.Time) {
	for text := range bytes.Lines(data) {
		m := line.FindSubmatch(bytes.TrimRight(text, "\r\n"))
		if m == nil {
			continue
		}
		if seconds, err := strconv.ParseFloat(string(m[1]), 64); err == nil {
			running, at = string(m[2]) == "Received", time.UnixMicro(int64(seconds*1e6))
		}
	}
	return running, at
}
