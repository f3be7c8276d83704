package faults

import (
	"strings"
	"time"

	"chiltepin/globus/sandbox"
)

// serviceRows are faults of the service, laid under the real daemon, each in a
// sandbox of its own. The endpoint was stopped before, except where the row
// says that it runs.
func serviceRows() []row {
	const group = "service"
	const (
		// refusing: the start fails with the daemon's own reason, and delete is
		// told no.
		refusing    = "Stopped | Stopped | failed | not_running | failed | refused | shown"
		unavailable = "Stopped | Stopped | failed | not_running | failed | unavailable | shown"
	)
	answers := func(fault, want string, f sandbox.Fault) row {
		f.Host = sandbox.ComputeHost
		return row{group: group, fault: fault, want: want, by: "real", own: true, online: true, long: f.Status != 403,
			lay: func(b *fixture) { b.stopped(); b.box.Order(f) }}
	}
	text := func(s string) *string { return &s }
	broker := func(fault, want string, orders ...sandbox.BrokerFault) row {
		return row{group: group, fault: fault, want: want, by: "real", own: true, online: true, long: true,
			lay: func(b *fixture) {
				for _, f := range orders {
					b.box.OrderBroker(f)
				}
				b.started()
			},
			after: func(b *fixture, operation string, c cell) {
				if c.outcome == "timeout" && !strings.Contains(c.evidence, "has logged the end of its work") {
					b.Errorf("%s does not say how far the daemon came: %s", operation, c.evidence)
				}
				if operation == "status" && !strings.Contains(c.evidence, "has had no heartbeat from it") {
					b.Errorf("status does not say that no heartbeat arrives: %s", c.evidence)
				}
			}}
	}
	// The daemon waits for an answer when it has shut down; how long is pika's
	// affair.
	hangs := broker("the broker takes heartbeats in silence, and the daemon lives", "Running | Running | already_running | timeout | timeout | conflict | shown", sandbox.BrokerFault{Kind: "silent", Method: "basic.publish"})
	lay := hangs.lay
	hangs.lay = func(b *fixture) { lay(b); b.timeout = "30s" }
	const runs = "Running | Running | already_running | stopped | restarted | conflict | shown"
	return []row{
		answers("401 to everything", refusing, sandbox.Fault{Status: 401, Code: "AUTHENTICATION_FAILED"}),
		answers("403 to everything", refusing, sandbox.Fault{Status: 403, Code: "ACCESS_FORBIDDEN"}),
		answers("404 to registering and deleting", "Stopped | Stopped | failed | not_running | failed | deleted | shown", sandbox.Fault{Path: "/v[23]/endpoints/*", Status: 404, Code: "ENDPOINT_NOT_FOUND"}),
		answers("409 to registering", "Stopped | Stopped | failed | not_running | failed | refused | shown", sandbox.Fault{Path: "/v[23]/endpoints/*", Status: 409, Code: "RESOURCE_CONFLICT"}),
		answers("422 to registering", refusing, sandbox.Fault{Path: "/v[23]/endpoints/*", Status: 422, Code: "SEMANTICALLY_INVALID"}),
		answers("423 to registering", refusing, sandbox.Fault{Path: "/v[23]/endpoints/*", Status: 423, Code: "ENDPOINT_LOCKED"}),
		answers("429 with Retry-After, once", "Stopped | Stopped | started | not_running | restarted | deleted | shown", sandbox.Fault{Status: 429, Times: 1, Header: map[string]string{"Retry-After": "1"}}),
		answers("500 once", "Stopped | Stopped | started | not_running | restarted | deleted | shown", sandbox.Fault{Status: 500, Times: 1}),
		answers("500 always", unavailable, sandbox.Fault{Status: 500}),
		answers("slow by two seconds", "Stopped | Stopped | started | not_running | restarted | deleted | shown", sandbox.Fault{Delay: 2 * time.Second}),
		answers("half a body", unavailable, sandbox.Fault{Half: true}),
		answers("no answer, connection closed", unavailable, sandbox.Fault{Drop: true}),
		answers("another content type", unavailable, sandbox.Fault{Body: text("<html>a portal</html>"), ContentType: "text/html"}),
		answers("JSON that is none", unavailable, sandbox.Fault{Body: text(`{"a":`)}),
		{group: group, fault: "unreachable", want: unavailable, by: "real", own: true, online: true, long: true,
			lay: func(b *fixture) {
				b.stopped()
				if err := b.box.Down(); err != nil {
					b.Fatal(err)
				}
			}},
		{group: group, fault: "its name does not resolve", want: unavailable, by: "real", own: true, online: true, long: true,
			lay: func(b *fixture) {
				b.stopped()
				b.on = newNode(b.T, "login1", 0)
				b.onNode("sh", "-c", `: > "$0" && mount --bind "$0" /etc/resolv.conf`, b.home+"/empty")
				b.set("HTTPS_PROXY", "")
				b.set("https_proxy", "")
			}},
		{group: group, fault: "its certificate is not trusted", want: unavailable, by: "real", own: true, online: true, long: true,
			lay: func(b *fixture) {
				b.stopped()
				for _, name := range []string{"GLOBUS_SDK_VERIFY_SSL", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"} {
					b.unset(name)
				}
			}},
		broker("the broker refuses connections, and the daemon lives", runs, sandbox.BrokerFault{Kind: "refuse"}),
		{group: group, fault: "the broker refuses the daemon's password", want: "Stopped | Stopped | failed | not_running | failed | deleted | shown", by: "real", own: true, online: true, long: true,
			lay: func(b *fixture) { b.stopped(); b.box.OrderBroker(sandbox.BrokerFault{Kind: "auth"}) }},
		{group: group, fault: "the broker closes its connections midway and then refuses the daemon's password, so that it ends", want: "Stopped | Stopped | failed | not_running | failed | deleted | shown", by: "real", own: true, online: true, long: true,
			lay: func(b *fixture) {
				b.started()
				b.box.OrderBroker(sandbox.BrokerFault{Kind: "auth"})
				b.box.CloseConnections("")
				b.settled(0)
			}},
		{group: group, fault: "the broker closes its connections midway, and the daemon lives", want: runs, by: "real", own: true, online: true, long: true,
			lay: func(b *fixture) {
				b.started()
				b.box.CloseConnections("")
			}},
		hangs,
	}
}
