package auth

import (
	"sync"
)

// Flows are the logins of one process that wait for a person: one at a time for
// each directory. Managers that share a Flows can continue each other's logins.
// The zero value is ready; it must not be copied.
type Flows struct {
	mu          sync.Mutex
	byDirectory map[string]*loginFlow // by compute directory: the current or the last one
}

// findFlow returns the login of a directory with that handle, or with any
// handle for "". It returns nil where there is none.
func (d *Flows) findFlow(directory, id string) *loginFlow {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.byDirectory[directory]
	if f == nil || id != "" && !equalInConstantTime(f.id, id) {
		return nil
	}
	return f
}

// joinOrBegin returns the login under way in a directory if it covers the
// request, and otherwise begins one, which ends the other. began is true of a
// new one.
func (d *Flows) joinOrBegin(directory string, covers func(*loginFlow) bool, begin func() (*loginFlow, error)) (f *loginFlow, began bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.byDirectory[directory]
	if old != nil && covers(old) {
		return old, false, nil
	}
	if old != nil {
		old.endWith(&ReplacedError{})
		if old.callback != nil {
			<-old.callback.closed // its port may be needed
		}
	}
	if f, err = begin(); err != nil {
		return nil, false, err
	}
	if d.byDirectory == nil {
		d.byDirectory = map[string]*loginFlow{}
	}
	d.byDirectory[directory] = f
	return f, true, nil
}
