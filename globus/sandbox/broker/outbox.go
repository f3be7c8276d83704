package broker

import (
	"sync"

	"chiltepin/globus/sandbox/amqp"
)

const (
	// outboxDeliveries is how many bytes of deliveries may wait for a client
	// before its consumers get no more, and outboxReplies how many bytes of
	// answers before the broker stops reading from it. Only a client that goes
	// on writing without reading reaches the second.
	outboxDeliveries = 1 << 20
	outboxReplies    = 16 << 20

	// outboxItem is how many bytes an item counts besides its body.
	outboxItem = 256
)

// outbox holds what waits to be written to a client. Adding to it never blocks.
type outbox struct {
	mu         sync.Mutex
	items      []outItem
	deliveries int // bytes waiting
	replies    int
	starved    bool // a consumer was passed over because deliveries waited
	finished   bool // nothing more comes

	wake chan struct{} // something was put in, or it is finished
	room chan struct{} // replies were written
}

// outItem is a method on its way to a client, and its message if it has one.
type outItem struct {
	channel uint16
	user    string
	queue   string // that a delivery came from, for the journal
	method  amqp.Method
	message *Message
}

func (it outItem) byteSize() int {
	if it.message == nil {
		return outboxItem
	}
	return outboxItem + len(it.message.Body)
}

func (it outItem) isDelivery() bool {
	_, ok := it.method.(*amqp.BasicDeliver)
	return ok
}

func newOutbox() *outbox {
	return &outbox{wake: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// signalWaiter fills a channel of capacity one, if it is empty.
func signalWaiter(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (o *outbox) addItem(it outItem) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.finished {
		return
	}
	o.items = append(o.items, it)
	if it.isDelivery() {
		o.deliveries += it.byteSize()
	} else {
		o.replies += it.byteSize()
	}
	signalWaiter(o.wake)
}

// takeItems removes and returns what waits; last means that nothing comes after.
func (o *outbox) takeItems() (items []outItem, last bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	items, o.items = o.items, nil
	return items, o.finished
}

// itemWritten takes an item off the bytes that wait. resume means that consumers
// which were passed over may get deliveries again.
func (o *outbox) itemWritten(it outItem) (resume bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !it.isDelivery() {
		o.replies -= it.byteSize()
		signalWaiter(o.room)
		return false
	}
	o.deliveries -= it.byteSize()
	if o.starved && o.deliveries < outboxDeliveries/2 {
		o.starved = false
		return true
	}
	return false
}

// hasRoom reports whether a delivery may be added.
func (o *outbox) hasRoom() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.finished {
		return false
	}
	if o.deliveries >= outboxDeliveries {
		o.starved = true
		return false
	}
	return true
}

// isFull reports whether the client has to read before more is read from it.
func (o *outbox) isFull() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.replies >= outboxReplies
}

// addNoMore says that nothing more comes; what waits is still written.
func (o *outbox) addNoMore() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.finished = true
	signalWaiter(o.wake)
}
