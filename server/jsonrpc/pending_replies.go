package jsonrpc

import (
	"encoding/json"
	"sync"
)

const (
	// mostPending is how many requests may be under way before no more are
	// read.
	mostPending = 1024
	// mostPendingBytes is how long they may be together.
	mostPendingBytes = 64 << 20
)

// pendingReplies are the requests that were read and not answered yet, and
// what else must finish before the server ends.
type pendingReplies struct {
	eased chan struct{} // told when there is room again

	mu    sync.Mutex
	byID  map[string]*Request
	owed  int // answers not yet written and work not finished; an id is free a little earlier
	bytes int
	none  chan struct{} // closed when nothing is owed; nil while nobody waits
}

func (p *pendingReplies) init() {
	p.eased, p.byID = make(chan struct{}, 1), map[string]*Request{}
}

// add enters a request, or says why it cannot be.
func (p *pendingReplies) add(r *Request) (problem string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byID[r.key] != nil {
		return "a request with this id is still under way"
	}
	if p.owed >= 4*mostPending {
		return "too many requests are under way; wait for answers before sending more"
	}
	p.byID[r.key] = r
	p.owed++
	p.bytes += r.size
	return ""
}

// addWork counts something that must finish though no request waits for it.
func (p *pendingReplies) addWork() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.owed++
}

// freeID makes the id of r one that the client may use again.
func (p *pendingReplies) freeID(r *Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byID[r.key] == r {
		delete(p.byID, r.key)
	}
}

// done marks that nothing of this size is owed any more.
func (p *pendingReplies) done(size int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.owed--
	p.bytes -= size
	if p.owed == 0 && p.none != nil {
		close(p.none)
		p.none = nil
	}
	p.wakeReader()
}

// wakeReader has whoever reads look again whether it may.
func (p *pendingReplies) wakeReader() {
	select {
	case p.eased <- struct{}{}:
	default:
	}
}

// findByID returns the request under way with that id, nil if there is none.
func (p *pendingReplies) findByID(id json.RawMessage) *Request {
	key := idKey(id)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.byID[key]
}

// isFull is true while no more requests should be read.
func (p *pendingReplies) isFull() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.owed >= mostPending || p.bytes > mostPendingBytes
}

// whenNone returns a channel that is closed once nothing is owed.
func (p *pendingReplies) whenNone() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.none != nil {
		return p.none
	}
	none := make(chan struct{})
	if p.owed == 0 {
		close(none)
	} else {
		p.none = none
	}
	return none
}
