package sandbox

import (
	"encoding/json"
	"testing"
	"time"

	"chiltepin/globus/sandbox/broker"
)

// TestBrokerEventInJournal: nothing that the broker reports is missing in the
// journal, and it has the same names there.
func TestBrokerEventInJournal(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	defer s.Close()
	s.recordBrokerEvent(broker.ConnectionEvent{
		Time: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Method: "basic.publish", Status: 312, Fault: "delay",
		Direction: "in", Connection: "conn#1", User: "all", Channel: 1,
		Exchange: "x", RoutingKey: "k", Queue: "q", Bytes: 8, Event: "opened", Detail: "why",
	})
	got, err := json.Marshal(s.Journal()[0])
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"seq":1,"time":"2026-11-23T12:00:00Z","kind":"amqp","method":"basic.publish","status":312,"fault":"delay",` +
		`"direction":"in","connection":"conn#1","user":"all","channel":1,` +
		`"exchange":"x","routing_key":"k","queue":"q","bytes":8,"event":"opened","detail":"why"}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
