package mcp

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// glance is how often what is watched is looked at. The file systems of login
// nodes tell nobody of changes, so somebody has to look.
const glance = 2 * time.Second

// watcher notices what changes and tells those who asked: resources by their
// stamps, and the list of endpoints. While nobody asked it does nothing.
type watcher struct {
	s    *instance
	over chan struct{} // closed when the client has gone

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

func (w *watcher) init(s *instance) {
	w.s, w.over, w.stamps = s, make(chan struct{}), map[string]string{}
}

// join has sub told of what changes after now was looked at. first, if set,
// is called before anything can be told.
func (w *watcher) join(sub *subscription, now map[string]string, first func()) {
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
		go w.run()
	}
}

// now looks at everything that sub is about.
func (w *watcher) now(sub *subscription) map[string]string {
	now := map[string]string{}
	if sub.list {
		now[theList] = w.look(theList)
	}
	for _, uri := range sub.uris {
		now[uri] = w.look(uri)
	}
	return now
}

// drop ends sub.
func (w *watcher) drop(sub *subscription) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.subs = slices.DeleteFunc(w.subs, func(s *subscription) bool { return s == sub })
}

// look returns the stamp of what is at uri.
func (w *watcher) look(uri string) string {
	res := w.s.opts.Resources
	dir := w.s.offer.ConfigDir()
	if uri == theList {
		if res.Names == nil {
			return ""
		}
		names, err := res.Names(w.s.base, dir)
		if err != nil {
			return "unreadable"
		}
		return fmt.Sprintf("%q", names)
	}
	r, name := res.Find(uri)
	if r == nil {
		return ""
	}
	return r.StampOf(w.s.base, dir, name)
}

// run looks until nobody is left to tell.
func (w *watcher) run() {
	ticker := time.NewTicker(glance)
	defer ticker.Stop()
	for w.round() {
		select {
		case <-ticker.C:
		case <-w.over:
			return
		case <-w.s.base.Done():
			return
		}
	}
}

// round looks once at everything watched, and returns false when that is
// nothing.
func (w *watcher) round() bool {
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
		now[uri] = w.look(uri)
	}

	w.mu.Lock()
	defer w.mu.Unlock()
	for uri, stamp := range now {
		before, known := w.stamps[uri]
		w.stamps[uri] = stamp
		if known && before != stamp {
			w.tell(uri)
		}
	}
	return looking
}

// tell tells everybody who asked for uri; the caller holds the lock.
func (w *watcher) tell(uri string) {
	for _, sub := range w.subs {
		switch {
		case uri == theList && sub.list:
			sub.tell("notifications/resources/list_changed", "")
		case uri != theList && slices.Contains(sub.uris, uri):
			if b, err := encode(uri); err == nil {
				sub.tell("notifications/resources/updated", `"uri":`+string(b))
			}
		}
	}
}

// listen serves subscriptions/listen: acknowledged first, then told, each
// message tagged with the id of this request, until the client cancels it or
// goes. mcp-go's tags nothing and tells those who never asked, on stdio.
func (r *request) listen() {
	var in mcp.SubscriptionsListenRequest
	if err := json.Unmarshal(r.raw, &in); err != nil {
		r.fail(fault(mcp.INVALID_PARAMS, "params.notifications does not have the form that the protocol gives it"))
		return
	}
	tag := `"_meta":{"` + mcp.MetaKeySubscriptionID + `":` + string(r.id) + `}`
	sub := &subscription{tell: func(method, params string) {
		if params != "" {
			params += ","
		}
		r.send(fmt.Appendf(nil, `{"jsonrpc":"2.0","method":"%s","params":{%s%s}}`, method, params, tag))
	}}
	allowed := mcp.SubscriptionFilter{}
	if len(r.opts.Resources.List) > 0 {
		sub.list = in.Params.Notifications.ResourcesListChanged
		allowed.ResourcesListChanged = sub.list
		for _, uri := range in.Params.Notifications.ResourceSubscriptions {
			if res, _ := r.opts.Resources.Find(uri); res != nil && !slices.Contains(sub.uris, uri) && len(sub.uris) < mostListed*len(r.opts.Resources.List) {
				sub.uris = append(sub.uris, uri)
			}
		}
		allowed.ResourceSubscriptions = sub.uris
	}
	b, err := encode(allowed)
	if err != nil {
		r.fail(fault(mcp.INTERNAL_ERROR, "the subscription could not be acknowledged"))
		return
	}
	acknowledge := func() { sub.tell("notifications/subscriptions/acknowledged", `"notifications":`+string(b)) }
	if allowed.IsEmpty() {
		acknowledge()
	} else {
		r.watch.join(sub, r.watch.now(sub), acknowledge)
		select {
		case <-r.ctx.Done():
		case <-r.watch.over:
		}
		r.watch.drop(sub)
	}
	result := mcp.SubscriptionsListenResult{Result: mcp.Result{ResultType: mcp.ResultTypeComplete}}
	result.EnsureResultMeta().SetServerInfo(r.identity())
	result.EnsureResultMeta().SetSubscriptionID(r.id)
	r.reply(mcp.JSONRPCResponse{Result: result})
}

// everyone is the one subscription of a client of the old era: the list from
// the handshake on, and what it subscribes to.
func (s *instance) everyone() *subscription {
	s.oldOnce.Do(func() {
		s.old = &subscription{list: true, tell: func(method, params string) {
			if params != "" {
				params = `,"params":{` + params + `}`
			}
			_ = s.stream.Write(fmt.Appendf(nil, `{"jsonrpc":"2.0","method":"%s"%s}`, method, params))
		}}
	})
	return s.old
}

var _ server.SessionWithResourceSubscriptionsErr = (*session)(nil)

// SubscribeToResourceErr subscribes a client of the old era.
func (s *session) SubscribeToResourceErr(uri string) error {
	if res, _ := s.opts.Resources.Find(uri); res == nil {
		return errors.New("there is no such resource")
	}
	old := s.everyone()
	s.watch.join(old, map[string]string{uri: s.watch.look(uri)}, func() {
		if !slices.Contains(old.uris, uri) {
			old.uris = append(old.uris, uri)
		}
	})
	return nil
}

// SubscribeToResource is part of the interface.
func (s *session) SubscribeToResource(uri string) { _ = s.SubscribeToResourceErr(uri) }

// UnsubscribeFromResource ends a subscription of a client of the old era.
func (s *session) UnsubscribeFromResource(uri string) {
	old := s.everyone()
	s.watch.mu.Lock()
	defer s.watch.mu.Unlock()
	old.uris = slices.DeleteFunc(old.uris, func(u string) bool { return u == uri })
}

// SubscribedResources returns what a client of the old era is subscribed to.
func (s *session) SubscribedResources() []string {
	old := s.everyone()
	s.watch.mu.Lock()
	defer s.watch.mu.Unlock()
	return slices.Clone(old.uris)
}

// IsSubscribedToResource is part of the interface.
func (s *session) IsSubscribedToResource(uri string) bool {
	return slices.Contains(s.SubscribedResources(), uri)
}
