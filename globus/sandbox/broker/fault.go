package broker

import (
	"slices"
	"sync"
	"time"
)

// ConnectionFault is a failure of the broker to order. It strikes Times times, or
// until it is cleared when Times is 0.
type ConnectionFault struct {
	// Kind is one of
	//   refuse    a new connection is closed as soon as it is accepted
	//   auth      connection.start-ok is answered ACCESS_REFUSED
	//   close     the connection is cut at a method, without connection.close
	//   silent    the method and everything after it is never answered
	//   delay     the method is handled after Delay
	//   withhold  nothing is delivered to consumers until the fault is cleared
	Kind string `json:"kind"`
	// User limits the fault to the connections of one user; refuse has none.
	User string `json:"user,omitempty"`
	// Method is the client's method at which close, silent and delay strike,
	// such as "basic.publish"; "" is any.
	Method string `json:"method,omitempty"`
	// After is how many more methods that match pass before it strikes.
	After int           `json:"after,omitempty"`
	Times int           `json:"times,omitempty"`
	Delay time.Duration `json:"-"`
}

// faultList holds the faults that may still strike.
type faultList struct {
	mu   sync.Mutex
	list []ConnectionFault
}

// takeFault returns the first fault of one of the kinds that strikes this user
// at this method ("" where there is none), and counts it.
func (f *faultList) takeFault(user, method string, kinds ...string) (ConnectionFault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.list {
		fault := &f.list[i]
		if !slices.Contains(kinds, fault.Kind) || !fault.appliesTo(user) || fault.Method != "" && fault.Method != method {
			continue
		}
		if fault.After > 0 {
			fault.After--
			continue
		}
		struck := *fault
		if fault.Times == 1 {
			f.list = slices.Delete(f.list, i, i+1)
		} else if fault.Times > 1 {
			fault.Times--
		}
		return struck, true
	}
	return ConnectionFault{}, false
}

// withholdsDeliveries reports whether a user gets no deliveries.
func (f *faultList) withholdsDeliveries(user string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.list, func(fault ConnectionFault) bool { return fault.Kind == "withhold" && fault.appliesTo(user) })
}

func (f ConnectionFault) appliesTo(user string) bool {
	return f.User == "" || f.User == user || f.Kind == "refuse"
}

// AddFault adds a fault; it strikes what begins after AddFault returns.
func (b *Server) AddFault(f ConnectionFault) {
	b.faults.mu.Lock()
	defer b.faults.mu.Unlock()
	b.faults.list = append(b.faults.list, f)
}

// ClearFaults forgets the faults that are left, and delivers what they withheld.
func (b *Server) ClearFaults() {
	b.faults.mu.Lock()
	b.faults.list = nil
	b.faults.mu.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.deliverAllReady()
}
