package mcp

import (
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

// reporter sends what an operation reports as progress of its request.
type reporter struct {
	request *request
	began   time.Time

	mu    sync.Mutex
	stage string
	text  string
	sent  time.Time
	timer *time.Timer
	over  bool
}

func newReporter(c *call) *reporter {
	p := &reporter{request: c.request, began: time.Now(), text: c.tool.Summary}
	p.timer = time.AfterFunc(heartbeat, p.beat)
	return p
}

// show sends an event, unless the same stage was reported just now.
func (p *reporter) show(e operation.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := e.Text
	if e.Total > 0 {
		text = fmt.Sprintf("%s (%d of %d)", e.Text, e.Done, e.Total)
	}
	if p.over || e.Stage == p.stage && (text == p.text || time.Since(p.sent) < pace) {
		return
	}
	p.stage, p.text = e.Stage, text
	p.send(text)
}

// beat says that the call is still under way.
func (p *reporter) beat() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over {
		p.send(fmt.Sprintf("%s; %s so far", p.text, time.Since(p.began).Round(time.Second)))
	}
}

// send numbers the reports of the request: progress must grow with each. The
// caller holds the lock.
func (p *reporter) send(text string) {
	p.sent = time.Now()
	p.timer.Reset(heartbeat)
	p.request.progress(text)
}

// stop ends the reporting. Nothing is sent afterwards.
func (p *reporter) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	p.timer.Stop()
}

// progress sends one report, before the answer or never.
func (r *request) progress(text string) {
	message, err := encode(text)
	if err != nil {
		return
	}
	r.answer.mu.Lock()
	defer r.answer.mu.Unlock()
	if r.answer.done {
		return
	}
	r.answer.steps++
	_ = r.stream.Write(fmt.Appendf(nil, `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":%d,"message":%s}}`,
		r.params.Meta.ProgressToken, r.answer.steps, message))
}

// tracked is true if the client follows this request, under a token of a kind
// that the protocol knows.
func (r *request) tracked() bool {
	token := r.params.Meta.ProgressToken
	return len(token) > 0 && validID(token)
}
