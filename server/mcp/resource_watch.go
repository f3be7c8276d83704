package mcp

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"chiltepin/server/jsonrpc"
)

// lookEvery is how often what is watched is looked at. The file systems of login
// nodes tell nobody of changes, so somebody has to look.
const lookEvery = 2 * time.Second

// watcher notices what changes and tells those who asked: resources by their
// stamps, and the list of endpoints. While nobody asked it does nothing.
type watcher struct {
	d *dialect

	mu      sync.Mutex
	subs    []*subscription
	stamps  map[string]string // by address; the list is at ""
	looking bool
}

// subscription is one who asked, and how he is told.
type subscription struct {
	list bool
	uris []string
	tell func(method, params string)
}

// theList is the list of resources among the addresses.
const theList = ""

func (w *watcher) init(d *dialect) { w.d, w.stamps = d, map[string]string{} }

// addSubscription has sub told of what changes after now was looked at. first, if set,
// is called before anything can be told.
func (w *watcher) addSubscription(sub *subscription, now map[string]string, first func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for uri, stamp := range now {
		if _, known := w.stamps[uri]; !known {
			w.stamps[uri] = stamp
		}
	}
	if first != nil {
		first()
	}
	if !slices.Contains(w.subs, sub) {
		w.subs = append(w.subs, sub)
	}
	if !w.looking {
		w.looking = true
		go w.keepLooking()
	}
}

// subscribe has sub told of what is at uri too; false if it has the most that
// it may.
func (w *watcher) subscribe(sub *subscription, uri string, most int) (done bool) {
	w.addSubscription(sub, map[string]string{uri: w.stampAt(uri)}, func() {
		done = slices.Contains(sub.uris, uri)
		if !done && len(sub.uris) < most {
			sub.uris, done = append(sub.uris, uri), true
		}
	})
	return done
}

// unsubscribe has sub told of it no more.
func (w *watcher) unsubscribe(sub *subscription, uri string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	sub.uris = slices.DeleteFunc(sub.uris, func(u string) bool { return u == uri })
}

// mayListen is false if there are too many subscriptions.
func (w *watcher) mayListen() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.subs) < mostListens
}

// stampsNow looks at everything that sub is about.
func (w *watcher) stampsNow(sub *subscription) map[string]string {
	now := map[string]string{}
	if sub.list {
		now[theList] = w.stampAt(theList)
	}
	for _, uri := range sub.uris {
		now[uri] = w.stampAt(uri)
	}
	return now
}

// removeSubscription ends sub.
func (w *watcher) removeSubscription(sub *subscription) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.subs = slices.DeleteFunc(w.subs, func(s *subscription) bool { return s == sub })
}

// stampAt returns the stamp of what is at uri.
func (w *watcher) stampAt(uri string) string {
	res := w.d.opts.Resources
	dir := w.d.offer.ConfigDir()
	if uri == theList {
		if res.Names == nil {
			return ""
		}
		names, err := res.Names(w.d.core.Context(), dir)
		if err != nil {
			return "unreadable"
		}
		return fmt.Sprintf("%q", names)
	}
	r, name := res.Find(uri)
	if r == nil {
		return ""
	}
	return r.StampOf(w.d.core.Context(), dir, name)
}

// keepLooking looks until nobody is left to tell.
func (w *watcher) keepLooking() {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for w.lookOnce() {
		select {
		case <-ticker.C:
		case <-w.d.core.ClientGone():
			return
		case <-w.d.core.Context().Done():
			return
		}
	}
}

// lookOnce looks once at everything watched, and returns false when that is
// nothing.
func (w *watcher) lookOnce() bool {
	w.mu.Lock()
	watched := map[string]bool{}
	for _, sub := range w.subs {
		if sub.list {
			watched[theList] = true
		}
		for _, uri := range sub.uris {
			watched[uri] = true
		}
	}
	for uri := range w.stamps {
		if !watched[uri] {
			delete(w.stamps, uri)
		}
	}
	w.looking = len(w.subs) > 0
	looking := w.looking
	w.mu.Unlock()

	now := map[string]string{}
	for uri := range watched {
		now[uri] = w.stampAt(uri)
	}

	w.mu.Lock()
	defer w.mu.Unlock()
	for uri, stamp := range now {
		before, known := w.stamps[uri]
		w.stamps[uri] = stamp
		if known && before != stamp {
			w.tellOf(uri)
		}
	}
	return looking
}

// tellOf tells everybody who asked for uri; the caller holds the lock.
func (w *watcher) tellOf(uri string) {
	for _, sub := range w.subs {
		switch {
		case uri == theList && sub.list:
			sub.tell("notifications/resources/list_changed", "")
		case uri != theList && slices.Contains(sub.uris, uri):
			sub.tell("notifications/resources/updated", `"uri":`+string(jsonrpc.Encode(uri)))
		}
	}
}
