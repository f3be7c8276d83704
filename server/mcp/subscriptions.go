package mcp

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/mark3labs/mcp-go/mcp"

	"chiltepin/server/jsonrpc"
)

// mostListens is how many subscriptions may be open at once.
const mostListens = 64

// listen serves subscriptions/listen: acknowledged first, then told, each
// message tagged with the id of this request, until the client cancels it or
// goes.
func (r *request) listen() (any, *mcp.JSONRPCErrorDetails) {
	var in mcp.SubscriptionsListenParams
	if r.decodeParams(&in) != nil {
		return nil, fault(mcp.INVALID_PARAMS, "params.notifications does not have the form that the protocol gives it")
	}
	sub := &subscription{tell: func(method, params string) {
		if params != "" {
			params += ","
		}
		r.Notify(method, fmt.Appendf(nil, `{%s"_meta":{"%s":%s}}`, params, mcp.MetaKeySubscriptionID, r.ID))
	}}
	allowed := r.allowSubscription(sub, in.Notifications)
	acknowledge := func() {
		sub.tell("notifications/subscriptions/acknowledged", `"notifications":`+string(jsonrpc.Encode(allowed)))
	}
	if allowed.IsEmpty() {
		acknowledge()
	} else {
		if !r.watch.mayListen() {
			return nil, fault(mcp.INVALID_PARAMS, fmt.Sprintf("%d subscriptions are open already; cancel one of them first", mostListens))
		}
		r.watch.addSubscription(sub, r.watch.stampsNow(sub), acknowledge)
		select {
		case <-r.Context().Done():
		case <-r.core.ClientGone():
		}
		r.watch.removeSubscription(sub)
	}
	res := &mcp.SubscriptionsListenResult{}
	res.EnsureResultMeta().SetSubscriptionID(json.RawMessage(r.ID))
	return res, nil
}

// allowSubscription puts into sub what of the wish there is to tell, and
// returns it.
func (d *dialect) allowSubscription(sub *subscription, wish mcp.SubscriptionFilter) mcp.SubscriptionFilter {
	allowed := mcp.SubscriptionFilter{}
	if len(d.opts.Resources.List) == 0 {
		return allowed
	}
	sub.list = wish.ResourcesListChanged
	for _, uri := range wish.ResourceSubscriptions {
		if one, _ := d.opts.Resources.Find(uri); one != nil && !slices.Contains(sub.uris, uri) && len(sub.uris) < mostListed*len(d.opts.Resources.List) {
			sub.uris = append(sub.uris, uri)
		}
	}
	allowed.ResourcesListChanged, allowed.ResourceSubscriptions = sub.list, sub.uris
	return allowed
}

// legacySubscription is the one subscription of a client of the old era: the list from
// the handshake on, and what it subscribes to.
func (d *dialect) legacySubscription() *subscription {
	d.oldOnce.Do(func() {
		d.old = &subscription{list: true, tell: func(method, params string) {
			var raw json.RawMessage
			if params != "" {
				raw = json.RawMessage("{" + params + "}")
			}
			d.core.Notify(method, raw)
		}}
	})
	return d.old
}

// subscribe subscribes a client of the old era to what is at an address.
func (r *request) subscribe() (any, *mcp.JSONRPCErrorDetails) {
	uri, f := r.readAddress()
	if f != nil {
		return nil, f
	}
	if one, _ := r.opts.Resources.Find(uri); one == nil {
		return nil, r.noSuchResource(uri)
	}
	if !r.watch.subscribe(r.legacySubscription(), uri, mostListed*len(r.opts.Resources.List)) {
		return nil, fault(mcp.INVALID_PARAMS, "too many resources are subscribed to already; unsubscribe from one of them first")
	}
	return &mcp.EmptyResult{}, nil
}

// unsubscribe ends a subscription of a client of the old era.
func (r *request) unsubscribe() (any, *mcp.JSONRPCErrorDetails) {
	uri, f := r.readAddress()
	if f != nil {
		return nil, f
	}
	r.watch.unsubscribe(r.legacySubscription(), uri)
	return &mcp.EmptyResult{}, nil
}
