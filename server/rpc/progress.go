package rpc

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"chiltepin/tools/operation"
)

const (
	// heartbeat is the longest silence of a call whose client follows it.
	heartbeat = 10 * time.Second
	// pace is the shortest time between two reports of the same stage.
	pace = 100 * time.Millisecond
)

// workDone is a value of $/progress: WorkDoneProgressBegin, …Report or …End of
// the Language Server Protocol.
type workDone struct {
	Kind        string `json:"kind"`
	Title       string `json:"title,omitempty"`
	Cancellable bool   `json:"cancellable,omitempty"`
	Message     string `json:"message,omitempty"`
	Percentage  *int   `json:"percentage,omitempty"`
}

// reporter sends what an operation reports, between a begin and an end. A nil
// one is of a client that does not follow the call.
type reporter struct {
	s     *instance
	token json.RawMessage
	began time.Time

	mu    sync.Mutex
	stage string
	text  string
	sent  time.Time
	timer *time.Timer
	over  bool
}

// report begins the reporting of a call whose client asked for it.
func (c *call) report() *reporter {
	if c.extras.WorkDone == nil {
		return nil
	}
	p := &reporter{s: c.instance, token: c.extras.WorkDone, began: time.Now(), text: c.tool.Summary}
	title := c.tool.Title
	if title == "" {
		title = c.tool.Summary
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = time.AfterFunc(heartbeat, p.beat)
	p.send(workDone{Kind: "begin", Title: title, Cancellable: true})
	return p
}

// show sends an event, unless the same stage was reported just now.
func (p *reporter) show(e operation.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	value := workDone{Kind: "report", Message: e.Text}
	if e.Total > 0 {
		value.Message = fmt.Sprintf("%s (%d of %d)", e.Text, e.Done, e.Total)
		part := min(100, max(0, int(100*e.Done/e.Total)))
		value.Percentage = &part
	}
	if p.over || e.Stage == p.stage && (value.Message == p.text || time.Since(p.sent) < pace) {
		return
	}
	p.stage, p.text = e.Stage, value.Message
	p.send(value)
}

// beat says that the call is still under way.
func (p *reporter) beat() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over {
		p.send(workDone{Kind: "report", Message: fmt.Sprintf("%s; %s so far", p.text, time.Since(p.began).Round(time.Second))})
	}
}

// stop ends the reporting. Nothing is sent afterwards.
func (p *reporter) stop() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.send(workDone{Kind: "end"})
	p.over = true
	p.timer.Stop()
}

// send sends a value; the caller holds the lock.
func (p *reporter) send(value workDone) {
	p.sent = time.Now()
	p.timer.Reset(heartbeat)
	p.s.notify("$/progress", encode(struct {
		Token json.RawMessage `json:"token"`
		Value workDone        `json:"value"`
	}{p.token, value}))
}
