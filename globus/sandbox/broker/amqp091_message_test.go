package broker

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"
)

// amqp091Publishing makes a message with the properties of a command.
func amqp091Publishing(opts map[string]string) (amqp091.Publishing, error) {
	p := amqp091.Publishing{ContentType: opts["content_type"], CorrelationId: opts["correlation_id"], UserId: opts["user_id"]}
	if s := opts["timestamp"]; s != "" {
		seconds, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return p, err
		}
		p.Timestamp = time.Unix(seconds, 0)
	}
	if s := opts["headers"]; s != "" {
		var plain map[string]any
		if err := json.Unmarshal([]byte(s), &plain); err != nil {
			return p, err
		}
		p.Headers = amqp091Table(plain)
	}
	return p, nil
}

// amqp091Table turns what JSON has into what the library takes.
func amqp091Table(plain map[string]any) amqp091.Table {
	t := amqp091.Table{}
	for k, v := range plain {
		switch v := v.(type) {
		case map[string]any:
			t[k] = amqp091Table(v)
		case float64:
			t[k] = int64(v)
		default:
			t[k] = v
		}
	}
	return t
}

// amqp091Delivery describes a delivery, with the properties that are set.
func amqp091Delivery(m amqp091.Delivery) string {
	var b strings.Builder
	if m.ConsumerTag != "" {
		fmt.Fprintf(&b, "%s: ", m.ConsumerTag)
	}
	fmt.Fprintf(&b, "%d %s exchange=%s key=%s", m.DeliveryTag, deflate(m.Body), m.Exchange, m.RoutingKey)
	if m.Redelivered {
		b.WriteString(" redelivered")
	}
	for _, p := range [][2]string{{"content_type", m.ContentType}, {"correlation_id", m.CorrelationId}, {"user_id", m.UserId}} {
		if p[1] != "" {
			fmt.Fprintf(&b, " %s=%s", p[0], p[1])
		}
	}
	if !m.Timestamp.IsZero() {
		fmt.Fprintf(&b, " timestamp=%d", m.Timestamp.Unix())
	}
	if len(m.Headers) > 0 {
		j, _ := json.Marshal(m.Headers)
		fmt.Fprintf(&b, " headers=%s", j)
	}
	return b.String()
}

// inflate makes a body of what a story writes: "*5000" is 5000 bytes, in
// which none stands where another could.
func inflate(s string) []byte {
	n, err := strconv.Atoi(strings.TrimPrefix(s, "*"))
	if !strings.HasPrefix(s, "*") || err != nil {
		return []byte(s)
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

// deflate is the way back.
func deflate(b []byte) string {
	if len(b) <= 64 {
		return string(b)
	}
	if s := "*" + strconv.Itoa(len(b)); string(inflate(s)) == string(b) {
		return s
	}
	return fmt.Sprintf("%d bytes that are not those published", len(b))
}
