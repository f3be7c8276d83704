package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"
)

// patience is how long a driver waits for what must come, and lull for what
// must not.
const (
	patience = 5 * time.Minute
	lull     = 150 * time.Millisecond
)

// driveAMQP091 is the driver over amqp091-go.
func driveAMQP091(t *testing.T, target amqpTarget, stories [][]string) [][][]string {
	var seen [][][]string
	for _, commands := range stories {
		d := &amqp091Driver{target: target, conns: map[string]*amqp091Conn{}, channels: map[string]*amqp091Channel{}}
		var answers [][]string
		for _, line := range commands {
			answers = append(answers, d.do(line))
		}
		d.end()
		seen = append(seen, answers)
	}
	return seen
}

type amqp091Driver struct {
	target   amqpTarget
	conns    map[string]*amqp091Conn
	channels map[string]*amqp091Channel
}

type amqp091Conn struct {
	*amqp091.Connection
	nc     net.Conn
	closed chan *amqp091.Error
}

type amqp091Channel struct {
	*amqp091.Channel
	conn       string
	confirm    bool
	closed     chan *amqp091.Error
	returns    chan amqp091.Return
	canceled   chan string
	deliveries chan amqp091.Delivery
}

func (d *amqp091Driver) end() {
	for _, c := range d.conns {
		if c.Connection != nil {
			c.Close()
		}
	}
}

// do runs one command.
func (d *amqp091Driver) do(line string) []string {
	words := strings.Fields(line)
	if words[0] == "eventually" {
		return d.eventually(words[1:])
	}
	opts := map[string]string{}
	var args []string
	for _, w := range words[1:] {
		if k, v, ok := strings.Cut(w, "="); ok {
			opts[k] = v
		} else {
			args = append(args, strings.TrimSuffix(w, "-")) // "-" is an empty name
		}
	}
	answers, err := d.run(words[0], args, opts)
	if err != nil {
		return append(answers, amqp091Text(err))
	}
	return answers
}

// eventually repeats a command, each time on a channel of its own, until it
// succeeds: "eventually CHANNEL COMMAND ARGUMENTS…".
func (d *amqp091Driver) eventually(words []string) []string {
	name, command := words[0], words[1]
	line := strings.Join(append([]string{command, name}, words[2:]...), " ")
	conn := d.channels[name].conn
	for until := time.Now().Add(patience); ; time.Sleep(lull / 3) {
		answer := d.do(line)
		if strings.Join(answer, "") == "ok" || time.Now().After(until) {
			return answer
		}
		if err := d.channel(conn, name, false); err != nil {
			return []string{amqp091Text(err)}
		}
	}
}

func amqp091Text(err error) string {
	var e *amqp091.Error
	if errors.As(err, &e) && e != nil {
		return fmt.Sprintf("%d %s", e.Code, e.Reason)
	}
	return "error: " + err.Error()
}

// run answers ok, or what the command asked for.
func (d *amqp091Driver) run(command string, args []string, opts map[string]string) ([]string, error) {
	flag := func(name string) bool { return opts[name] == "yes" }
	ok := func(err error) ([]string, error) {
		if err != nil {
			return nil, err
		}
		return []string{"ok"}, nil
	}
	switch command {
	case "connect":
		return ok(d.connect(args[0], opts))
	case "drop":
		d.conns[args[0]].nc.Close()
		return []string{"ok"}, nil
	case "end":
		return ok(d.conns[args[0]].Close())
	case "ended":
		return await(d.conns[args[0]].closed, amqp091Closed), nil
	case "channel":
		return ok(d.channel(args[0], args[1], flag("confirm")))
	}
	ch := d.channels[args[0]]
	if ch == nil {
		return nil, fmt.Errorf("no channel %q", args[0])
	}
	tag, _ := strconv.ParseUint(opts["tag"], 10, 64)
	switch command {
	case "close":
		return ok(ch.Close())
	case "closed":
		return await(ch.closed, amqp091Closed), nil
	case "qos":
		count, _ := strconv.Atoi(opts["count"])
		return ok(ch.Qos(count, 0, flag("global")))
	case "exchange.declare":
		if flag("passive") {
			return ok(ch.ExchangeDeclarePassive(args[1], opts["kind"], flag("durable"), flag("auto_delete"), false, false, nil))
		}
		return ok(ch.ExchangeDeclare(args[1], opts["kind"], flag("durable"), flag("auto_delete"), false, false, nil))
	case "exchange.delete":
		return ok(ch.ExchangeDelete(args[1], flag("if_unused"), false))
	case "queue.declare":
		name := ""
		if len(args) > 1 {
			name = args[1]
		}
		declare := ch.QueueDeclare
		if flag("passive") {
			declare = ch.QueueDeclarePassive
		}
		q, err := declare(name, flag("durable"), flag("auto_delete"), flag("exclusive"), false, nil)
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(q.Name, "amq.gen-") {
			q.Name = "amq.gen-..."
		}
		return []string{fmt.Sprintf("%s ready=%d consumers=%d", q.Name, q.Messages, q.Consumers)}, nil
	case "bind":
		return ok(ch.QueueBind(args[1], opts["key"], args[2], false, nil))
	case "unbind":
		return ok(ch.QueueUnbind(args[1], opts["key"], args[2], nil))
	case "purge":
		return amqp091Count(ch.QueuePurge(args[1], false))
	case "queue.delete":
		return amqp091Count(ch.QueueDelete(args[1], flag("if_unused"), flag("if_empty"), false))
	case "publish":
		return ch.publish(opts)
	case "get":
		m, there, err := ch.Get(args[1], flag("no_ack"))
		if err != nil {
			return nil, err
		}
		if !there {
			return []string{"empty"}, nil
		}
		return []string{amqp091Delivery(m) + fmt.Sprintf(" left=%d", m.MessageCount)}, nil
	case "consume":
		in, err := ch.Consume(args[1], opts["consumer"], flag("no_ack"), flag("exclusive"), false, false, nil)
		if err == nil {
			go func() {
				for m := range in {
					ch.deliveries <- m
				}
			}()
		}
		return ok(err)
	case "cancel":
		return ok(ch.Cancel(opts["consumer"], false))
	case "canceled":
		return await(ch.canceled, func(s string) string { return s }), nil
	case "take":
		n, _ := strconv.Atoi(opts["n"])
		var got []string
		for range max(n, 1) {
			got = append(got, await(ch.deliveries, amqp091Delivery)...)
		}
		return got, nil
	case "quiet":
		select {
		case m := <-ch.deliveries:
			return []string{amqp091Delivery(m)}, nil
		case <-time.After(lull):
			return []string{"nothing"}, nil
		}
	case "ack":
		return ok(ch.Ack(tag, flag("multiple")))
	case "nack":
		return ok(ch.Nack(tag, flag("multiple"), flag("requeue")))
	case "reject":
		return ok(ch.Reject(tag, flag("requeue")))
	case "recover":
		//lint:ignore SA1019 the broker answers it, so it is tested
		return ok(ch.Recover(flag("requeue")))
	}
	return nil, fmt.Errorf("no command %q", command)
}

func await[T any](from chan T, text func(T) string) []string {
	select {
	case v := <-from:
		return []string{text(v)}
	case <-time.After(patience):
		return []string{"nothing came"}
	}
}

func amqp091Closed(e *amqp091.Error) string {
	if e == nil {
		return "in order"
	}
	return amqp091Text(e)
}

func amqp091Count(n int, err error) ([]string, error) {
	return []string{fmt.Sprintf("%d messages", n)}[:btoi(err == nil)], err
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (d *amqp091Driver) connect(name string, opts map[string]string) error {
	user, vhost, password := "all", "/", amqpPassword
	if u := opts["user"]; u != "" {
		user = u
	}
	if v := opts["vhost"]; v != "" {
		vhost = v
	}
	if p := opts["password"]; p != "" {
		password = p
	}
	frames, _ := strconv.Atoi(opts["frame_max"])
	c := &amqp091Conn{closed: make(chan *amqp091.Error, 1)}
	conn, err := amqp091.DialConfig("amqp://"+d.target.address, amqp091.Config{
		SASL:      []amqp091.Authentication{&amqp091.PlainAuth{Username: user, Password: password}},
		Vhost:     vhost,
		FrameSize: frames,
		Dial: func(network, address string) (net.Conn, error) {
			nc, err := (&net.Dialer{Timeout: patience}).DialContext(context.Background(), network, address)
			c.nc = nc
			return nc, err
		},
	})
	if err != nil {
		// The library has its own words for these two.
		if errors.Is(err, amqp091.ErrCredentials) || errors.Is(err, amqp091.ErrVhost) {
			return errors.New("refused")
		}
		return err
	}
	c.Connection = conn
	conn.NotifyClose(c.closed)
	d.conns[name] = c
	return nil
}

func (d *amqp091Driver) channel(conn, name string, confirm bool) error {
	ch, err := d.conns[conn].Channel()
	if err != nil {
		return err
	}
	c := &amqp091Channel{
		Channel: ch, conn: conn, confirm: confirm, closed: make(chan *amqp091.Error, 1), returns: make(chan amqp091.Return, 100),
		canceled: make(chan string, 100), deliveries: make(chan amqp091.Delivery, 10000),
	}
	ch.NotifyClose(c.closed)
	ch.NotifyReturn(c.returns)
	ch.NotifyCancel(c.canceled)
	d.channels[name] = c
	if confirm {
		return ch.Confirm(false)
	}
	return nil
}

// publish sends n messages, and waits for their fate on a channel with
// confirms. Their number is put behind each body when there are several.
func (ch *amqp091Channel) publish(opts map[string]string) ([]string, error) {
	n := 1
	if s := opts["n"]; s != "" {
		n, _ = strconv.Atoi(s)
	}
	var pending []*amqp091.DeferredConfirmation
	for i := range n {
		body := opts["body"]
		if n > 1 {
			body += strconv.Itoa(i + 1)
		}
		p, err := amqp091Publishing(opts)
		if err != nil {
			return nil, err
		}
		p.Body = inflate(body)
		sent, err := ch.PublishWithDeferredConfirm(opts["exchange"], opts["key"], opts["mandatory"] == "yes", false, p)
		if err != nil {
			return nil, err
		}
		pending = append(pending, sent)
	}
	if !ch.confirm {
		return []string{"ok"}, nil
	}
	for _, p := range pending {
		select {
		case <-p.Done():
		case e := <-ch.closed:
			return nil, e
		case <-time.After(patience):
			return []string{"no confirmation"}, nil
		}
		if !p.Acked() {
			// The client also takes back what is pending when the channel is
			// closed; it has said so before.
			select {
			case e := <-ch.closed:
				return nil, e
			default:
				return []string{"refused"}, nil
			}
		}
	}
	select {
	case r := <-ch.returns:
		return []string{fmt.Sprintf("returned %d %s %s", r.ReplyCode, r.ReplyText, deflate(r.Body)), "confirmed"}, nil
	default:
		return []string{"confirmed"}, nil
	}
}
