package jsonrpc

import (
	"fmt"
	"sync"
	"time"
)

const (
	// heartbeat is the longest silence of a call whose client follows it.
	heartbeat = 10 * time.Second
	// pace is the shortest time between two reports of the same stage.
	pace = 100 * time.Millisecond
)

// ProgressEvent is what an operation reports while it works.
type ProgressEvent struct {
	// Stage is a stable word for what it is at.
	Stage string
	// Text is a sentence for people.
	Text string
	// Done and Total count units of work where they are known, zero otherwise.
	Done, Total int64
}

// Pacer lets through what an operation reports, at a pace that a client can
// follow, and says after a silence that the call is still under way.
type Pacer struct {
	send  func(text string, percent *int)
	began time.Time

	mu    sync.Mutex
	stage string
	text  string
	sent  time.Time
	timer *time.Timer
	over  bool
}

// NewPacer begins. What is let through goes to send, one at a time; percent is
// nil where it is not known. opening stands for the first report until there
// is one.
func NewPacer(opening string, send func(text string, percent *int)) *Pacer {
	p := &Pacer{send: send, began: time.Now(), text: opening}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = time.AfterFunc(heartbeat, p.sayStillUnderWay)
	return p
}

// Report takes an event, unless the same stage was reported just now.
func (p *Pacer) Report(e ProgressEvent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := e.Text
	var percent *int
	if e.Total > 0 {
		text = fmt.Sprintf("%s (%d of %d)", e.Text, e.Done, e.Total)
		part := min(100, max(0, int(100*e.Done/e.Total)))
		percent = &part
	}
	if p.over || e.Stage == p.stage && (text == p.text || time.Since(p.sent) < pace) {
		return
	}
	p.stage, p.text = e.Stage, text
	p.sendReport(text, percent)
}

func (p *Pacer) sayStillUnderWay() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over {
		p.sendReport(fmt.Sprintf("%s; %s so far", p.text, time.Since(p.began).Round(time.Second)), nil)
	}
}

// sendReport sends a report; the caller holds the lock. Where the client does not
// read, the next heartbeat waits for this one.
func (p *Pacer) sendReport(text string, percent *int) {
	p.sent = time.Now()
	p.send(text, percent)
	p.timer.Reset(heartbeat)
}

// Stop ends the reports. Nothing is sent afterwards.
func (p *Pacer) Stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	p.timer.Stop()
}
