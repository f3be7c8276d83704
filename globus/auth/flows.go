package auth

import (
	"sync"
)

// Flows are the logins of one process that wait for a person: one at a time
// for each directory, for a person has one pair of hands. Managers that share
// one go on with each other's logins. The zero value is ready; it must not be
// copied.
type Flows struct {
	mu          sync.Mutex
	byDirectory map[string]*loginFlow // by compute directory: the one under way, or the last one
}

// findFlow returns the login of that handle in a directory, or the one there for
// "", nil where there is none.
func (d *Flows) findFlow(directory, id string) *loginFlow {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.byDirectory[directory]
	if f == nil || id != "" && !equalInConstantTime(f.id, id) {
		return nil
	}
	return f
}

// joinOrBegin returns the login under way in a directory if it covers what is needed,
// and otherwise begins one, which ends any other. mine is true of one that was
// begun here.
func (d *Flows) joinOrBegin(directory string, covers func(*loginFlow) bool, begin func() (*loginFlow, error)) (f *loginFlow, mine bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.byDirectory[directory]
	if old != nil && covers(old) {
		return old, false, nil
	}
	if old != nil {
		old.endWith(&ReplacedError{})
		if old.callback != nil {
			<-old.callback.closed // its port may be wanted
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
