package sandbox

import (
	"net"
	"testing"
)

// startBroker serves a broker on a loopback port until the test ends.
func startBroker(t *testing.T, cfg brokerConfig) amqpTarget {
	t.Helper()
	_, target := startBrokerItself(t, cfg)
	return target
}

func startBrokerItself(t *testing.T, cfg brokerConfig) (*broker, amqpTarget) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := newBroker(cfg)
	b.addUser("all", amqpPassword)
	b.addUser("some", amqpPassword, "some.*")
	served := make(chan error, 1)
	go func() { served <- b.Serve(l) }()
	t.Cleanup(func() {
		b.Close()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return b, amqpTarget{address: l.Addr().String(), run: "t"}
}
