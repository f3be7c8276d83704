package broker

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	amqp091 "github.com/rabbitmq/amqp091-go"

	"chiltepin/globus/sandbox/amqp"
)

func TestBrokerJournal(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var lines []string
	clock := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	closed := make(chan bool)
	b, target := startBrokerItself(t, ServerConfig{
		Now: func() time.Time { return clock },
		Report: func(e ConnectionEvent) {
			mu.Lock()
			defer mu.Unlock()
			j, err := json.Marshal(e)
			if err != nil {
				t.Error(err)
			}
			line, found := strings.CutPrefix(string(j), `{"time":"2026-11-23T12:00:00Z",`)
			if !found {
				t.Errorf("entry %s", j)
			}
			lines = append(lines, line)
			if e.Event == "closed" {
				close(closed)
			}
		},
	})
	must(t, b.DeclareQueue("q"))
	b.AddFault(ConnectionFault{Kind: "delay", Method: "basic.publish", Times: 1})
	c, err := amqp091.Dial("amqp://all:" + amqpPassword + "@" + target.address)
	must(t, err)
	ch := openChannel(t, c)
	in, err := ch.Consume("q", "t", true, false, false, false, nil)
	must(t, err)
	must(t, ch.Confirm(false))
	sent, err := ch.PublishWithDeferredConfirm("amq.topic", "k", true, false, amqp091.Publishing{Body: []byte("the body")})
	must(t, err)
	receive(t, sent.Done())
	must(t, b.Publish("", "q", amqp.Properties{Headers: map[string]any{"h": "the header"}}, []byte("the body")))
	receive(t, in)
	_, err = ch.QueueDeclarePassive("nowhere", true, false, false, false, nil)
	if err == nil {
		t.Error("there is a queue nowhere")
	}
	must(t, c.Close())
	receive(t, closed)

	mu.Lock()
	defer mu.Unlock()
	if all := strings.Join(lines, "\n"); strings.Contains(all, amqpPassword) || strings.Contains(all, "the body") || strings.Contains(all, "the header") {
		t.Errorf("the journal tells what it must not:\n%s", all)
	}
	want := []string{
		`"connection":"conn#1","event":"opened"}`,
		`"method":"connection.start","direction":"out","connection":"conn#1"}`,
		`"method":"connection.start-ok","direction":"in","connection":"conn#1"}`,
		`"method":"connection.tune","direction":"out","connection":"conn#1","user":"all"}`,
		`"method":"connection.tune-ok","direction":"in","connection":"conn#1","user":"all"}`,
		`"method":"connection.open","direction":"in","connection":"conn#1","user":"all"}`,
		`"method":"connection.open-ok","direction":"out","connection":"conn#1","user":"all"}`,
		`"method":"channel.open","direction":"in","connection":"conn#1","user":"all","channel":1}`,
		`"method":"channel.open-ok","direction":"out","connection":"conn#1","user":"all","channel":1}`,
		`"method":"basic.consume","direction":"in","connection":"conn#1","user":"all","channel":1,"queue":"q"}`,
		`"method":"basic.consume-ok","direction":"out","connection":"conn#1","user":"all","channel":1}`,
		`"method":"confirm.select","direction":"in","connection":"conn#1","user":"all","channel":1}`,
		`"method":"confirm.select-ok","direction":"out","connection":"conn#1","user":"all","channel":1}`,
		`"method":"basic.publish","fault":"delay","direction":"in","connection":"conn#1","user":"all","channel":1,"exchange":"amq.topic","routing_key":"k","bytes":8}`,
		`"method":"basic.return","status":312,"direction":"out","connection":"conn#1","user":"all","channel":1,"exchange":"amq.topic","routing_key":"k","bytes":8,"detail":"NO_ROUTE"}`,
		`"method":"basic.ack","direction":"out","connection":"conn#1","user":"all","channel":1}`,
		`"method":"basic.deliver","direction":"out","connection":"conn#1","user":"all","channel":1,"routing_key":"q","queue":"q","bytes":8}`,
		`"method":"queue.declare","direction":"in","connection":"conn#1","user":"all","channel":1,"queue":"nowhere"}`,
		`"method":"channel.close","status":404,"direction":"out","connection":"conn#1","user":"all","channel":1,"detail":"NOT_FOUND - no queue 'nowhere' in vhost '/'"}`,
		`"method":"channel.close-ok","direction":"in","connection":"conn#1","user":"all","channel":1}`,
		`"method":"connection.close","status":200,"direction":"in","connection":"conn#1","user":"all","detail":"kthxbai"}`,
		`"method":"connection.close-ok","direction":"out","connection":"conn#1","user":"all"}`,
		`"connection":"conn#1","user":"all","event":"closed","detail":"closed by connection.close"}`,
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
