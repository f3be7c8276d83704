package cli

import (
	"fmt"
	"io"
	"sync"
	"time"

	"chiltepin/tools/operation"
)

// progressLine is the one line on a terminal that says what goes on while a
// call lasts. It appears after a second, so that quick commands stay quiet.
type progressLine struct {
	w  io.Writer
	on bool

	mu    sync.Mutex
	text  string
	shown bool
	timer *time.Timer
}

const quiet = time.Second

func (l *progressLine) show(e operation.Progress) {
	if !l.on {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = e.Text
	if e.Total > 0 {
		l.text = fmt.Sprintf("%s (%d of %d)", e.Text, e.Done, e.Total)
	}
	switch {
	case l.shown:
		l.draw()
	case l.timer == nil:
		l.timer = time.AfterFunc(quiet, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.timer != nil {
				l.shown = true
				l.draw()
			}
		})
	}
}

// draw rewrites the line; the caller holds the lock.
func (l *progressLine) draw() { fmt.Fprintf(l.w, "\r\x1b[2K%s …", l.text) }

// clear takes the line away, so that something else can be printed.
func (l *progressLine) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	if l.shown {
		fmt.Fprint(l.w, "\r\x1b[2K")
		l.shown = false
	}
}
