package sandbox

import (
	"fmt"
	"time"

	"chiltepin/globus/sandbox/broker"
)

// liveness is what heartbeats tell of an endpoint.
type liveness struct {
	last   time.Time
	period time.Duration // 0: it said that it shuts down
	active bool          // a user endpoint's last word says it is running
	state  map[string]any
	wasOn  bool   // as last written to the journal
	failed string // a user endpoint's reason for not starting
}

// isOnline reports whether the last heartbeat is younger than a few of the periods
// that it announced, which is how the real service seems to judge. The caller holds mu.
func (c *compute) isOnline(l *liveness) bool {
	if l.last.IsZero() || l.period == 0 || !l.active {
		return false
	}
	limit := time.Duration(c.s.settings.currentValues().HeartbeatsMissed * float64(l.period))
	return c.s.clock.now().Sub(l.last) <= limit
}

// receiveHeartbeat takes one message of the heartbeats queue.
func (c *compute) receiveHeartbeat(m broker.Message) {
	var report statusReport
	if err := unpackMessage(m.Body, "ep_status_report", &report); err != nil {
		c.s.recordEntry(Entry{Kind: "event", Event: "bad heartbeat", RoutingKey: m.RoutingKey, Error: err.Error()})
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	state := report.endpointState()
	e := Entry{Kind: "event", Event: "heartbeat"}
	var l *liveness
	if u, ok := c.userEndpoints[report.EndpointID]; ok {
		e.Endpoint, e.UserEndpoint, l = u.endpoint, u.id, &u.liveness
	} else if core, ok := c.endpoints[report.EndpointID]; ok {
		e.Endpoint, l = core.id, &core.liveness
	} else {
		e.Endpoint, e.Error = report.EndpointID, "no such endpoint"
		c.s.recordEntry(e)
		return
	}
	if why, bad := state["error"].(string); bad {
		// A forked child that failed also reports under the core endpoint's
		// id; that says nothing about the core endpoint.
		e.Event, e.Detail = "start failed", why
		c.s.recordEntry(e)
		if e.UserEndpoint != "" {
			l.failed = why
			c.notifyWaiters()
		}
		return
	}
	period, _ := state["heartbeat_period"].(float64)
	l.last, l.state, l.failed = c.s.clock.now(), state, ""
	l.period = time.Duration(period * float64(time.Second))
	active, said := state["active"].(bool)
	l.active = active || !said
	e.Detail = fmt.Sprintf("every %s", l.period)
	c.s.recordEntry(e)
	if on := c.isOnline(l); on != l.wasOn {
		l.wasOn = on
		e.Event, e.Detail = "offline", ""
		if on {
			e.Event = "online"
		}
		c.s.recordEntry(e)
	}
	c.notifyWaiters()
}
