package sandbox

import (
	"slices"
	"sync"
)

// brokerFaults are the faults that were ordered and have not struck out.
type brokerFaults struct {
	mu   sync.Mutex
	list []brokerFault
}

// takeFault finds the first fault of one of the kinds that this event sets off,
// and counts it. The method is "" for an event that is none.
func (f *brokerFaults) takeFault(user, method string, kinds ...string) (brokerFault, bool) {
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
	return brokerFault{}, false
}

// withholdsDeliveries tells whether a user is to get no deliveries.
func (f *brokerFaults) withholdsDeliveries(user string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.list, func(fault brokerFault) bool { return fault.Kind == "withhold" && fault.appliesTo(user) })
}

func (f brokerFault) appliesTo(user string) bool {
	return f.User == "" || f.User == user || f.Kind == "refuse"
}

// addFault adds a fault; it strikes what begins after addFault returns.
func (b *broker) addFault(f brokerFault) {
	b.faults.mu.Lock()
	defer b.faults.mu.Unlock()
	b.faults.list = append(b.faults.list, f)
}

// clearFaults forgets the faults that are left, and delivers what they withheld.
func (b *broker) clearFaults() {
	b.faults.mu.Lock()
	b.faults.list = nil
	b.faults.mu.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.deliverAllReady()
}
