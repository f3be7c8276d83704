package auth

import (
	"sync"
)

// Flows are the logins of one process that wait for a person: one at a time
// for each directory, for a person has one pair of hands. Managers that share
// one go on with each other's logins. The zero value is ready; it must not be
// copied.
type Flows struct {
	mu sync.Mutex
	in map[string]*flow // by compute directory: the one under way, or the last one
}

// find returns the login of that handle in a directory, or the one there for
// "", nil where there is none.
func (d *Flows) find(directory, id string) *flow {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.in[directory]
	if f == nil || id != "" && !match(f.id, id) {
		return nil
	}
	return f
}

// join returns the login under way in a directory if it covers what is needed,
// and otherwise begins one, which ends any other. mine is true of one that was
// begun here.
func (d *Flows) join(directory string, covers func(*flow) bool, begin func() (*flow, error)) (f *flow, mine bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.in[directory]
	if old != nil && covers(old) {
		return old, false, nil
	}
	if old != nil {
		old.end(&ReplacedError{})
		if old.landing != nil {
			<-old.landing.closed // its port may be wanted
		}
	}
	if f, err = begin(); err != nil {
		return nil, false, err
	}
	if d.in == nil {
		d.in = map[string]*flow{}
	}
	d.in[directory] = f
	return f, true, nil
}
