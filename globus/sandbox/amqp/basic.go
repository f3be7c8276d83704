package amqp

// The methods of the class basic. Publish, Return, Deliver and GetOk are
// followed by a message.

// BasicQos asks for at most Count unacknowledged deliveries at a time, for each new
// consumer of the channel or, with Global, for all of them together.
type BasicQos struct {
	Size   uint32
	Count  uint16
	Global bool
}

func (*BasicQos) methodSpec() MethodSpec { return MethodSpec{Class: 60, Method: 10, Name: "basic.qos"} }

func (m *BasicQos) codeArguments(c *codec) {
	c.codeLong(&m.Size)
	c.codeShort(&m.Count)
	c.codeBit(&m.Global)
}

// BasicQosOk answers BasicQos.
type BasicQosOk struct{}

func (*BasicQosOk) methodSpec() MethodSpec {
	return MethodSpec{Class: 60, Method: 11, Name: "basic.qos-ok"}
}
func (*BasicQosOk) codeArguments(*codec) {}

// BasicConsume starts a consumer on a queue.
type BasicConsume struct {
	Reserved1                         uint16
	Queue, Consumer                   string
	NoLocal, NoAck, Exclusive, NoWait bool
	Arguments                         map[string]any
}

func (*BasicConsume) methodSpec() MethodSpec {
	return MethodSpec{Class: 60, Method: 20, Name: "basic.consume"}
}

func (m *BasicConsume) codeArguments(c *codec) {
	c.codeShort(&m.Reserved1)
	c.codeShortString(&m.Queue)
	c.codeShortString(&m.Consumer)
	c.codeBit(&m.NoLocal)
	c.codeBit(&m.NoAck)
	c.codeBit(&m.Exclusive)
	c.codeBit(&m.NoWait)
	c.codeTable(&m.Arguments)
}

// BasicConsumeOk answers BasicConsume with the consumer tag.
type BasicConsumeOk struct {
	Consumer string
}

func (*BasicConsumeOk) methodSpec() MethodSpec {
	return MethodSpec{Class: 60, Method: 21, Name: "basic.consume-ok"}
}

func (m *BasicConsumeOk) codeArguments(c *codec) {
	c.codeShortString(&m.Consumer)
}

// BasicCancel ends a consumer; a server sends it too, when the queue was deleted.
type BasicCancel struct {
	Consumer string
	NoWait   bool
}

func (*BasicCancel) methodSpec() MethodSpec {
	return MethodSpec{Class: 60, Method: 30, Name: "basic.cancel"}
}

func (m *BasicCancel) codeArguments(c *codec) {
	c.codeShortString(&m.Consumer)
	c.codeBit(&m.NoWait)
}

// BasicCancelOk answers BasicCancel.
type BasicCancelOk struct {
	Consumer string
}

func (*BasicCancelOk) methodSpec() MethodSpec {
	return MethodSpec{Class: 60, Method: 31, Name: "basic.cancel-ok"}
}

func (m *BasicCancelOk) codeArguments(c *codec) {
	c.codeShortString(&m.Consumer)
}

// BasicPublish sends the message that follows it to an exchange.
type BasicPublish struct {
	Reserved1            uint16
	Exchange, Key        string
	Mandatory, Immediate bool
}

func (*BasicPublish) methodSpec() MethodSpec {
	return MethodSpec{Class: 60, Method: 40, Name: "basic.publish"}
}

func (m *BasicPublish) codeArguments(c *codec) {
	c.codeShort(&m.Reserved1)
	c.codeShortString(&m.Exchange)
	c.codeShortString(&m.Key)
	c.codeBit(&m.Mandatory)
	c.codeBit(&m.Immediate)
}

// BasicReturn gives back a mandatory message that reached no queue.
type BasicReturn struct {
	Code                uint16
	Text, Exchange, Key string
}

func (*BasicReturn) methodSpec() MethodSpec {
	return MethodSpec{Class: 60, Method: 50, Name: "basic.return"}
}

func (m *BasicReturn) codeArguments(c *codec) {
	c.codeShort(&m.Code)
	c.codeShortString(&m.Text)
	c.codeShortString(&m.Exchange)
	c.codeShortString(&m.Key)
}

// BasicDeliver gives a consumer the message that follows it.
type BasicDeliver struct {
	Consumer      string
	Tag           uint64
	Redelivered   bool
	Exchange, Key string
}

func (*BasicDeliver) methodSpec() MethodSpec {
	return MethodSpec{Class: 60, Method: 60, Name: "basic.deliver"}
}

func (m *BasicDeliver) codeArguments(c *codec) {
	c.codeShortString(&m.Consumer)
	c.codeLongLong(&m.Tag)
	c.codeBit(&m.Redelivered)
	c.codeShortString(&m.Exchange)
	c.codeShortString(&m.Key)
}

// BasicGet asks for one message of a queue.
type BasicGet struct {
	Reserved1 uint16
	Queue     string
	NoAck     bool
}

func (*BasicGet) methodSpec() MethodSpec { return MethodSpec{Class: 60, Method: 70, Name: "basic.get"} }

func (m *BasicGet) codeArguments(c *codec) {
	c.codeShort(&m.Reserved1)
	c.codeShortString(&m.Queue)
	c.codeBit(&m.NoAck)
}

// BasicGetOk answers BasicGet with the message that follows it; Messages are left.
type BasicGetOk struct {
	Tag           uint64
	Redelivered   bool
	Exchange, Key string
	Messages      uint32
}

func (*BasicGetOk) methodSpec() MethodSpec {
	return MethodSpec{Class: 60, Method: 71, Name: "basic.get-ok"}
}

func (m *BasicGetOk) codeArguments(c *codec) {
	c.codeLongLong(&m.Tag)
	c.codeBit(&m.Redelivered)
	c.codeShortString(&m.Exchange)
	c.codeShortString(&m.Key)
	c.codeLong(&m.Messages)
}

// BasicGetEmpty answers BasicGet when the queue has no message.
type BasicGetEmpty struct {
	Reserved1 string
}

func (*BasicGetEmpty) methodSpec() MethodSpec {
	return MethodSpec{Class: 60, Method: 72, Name: "basic.get-empty"}
}

func (m *BasicGetEmpty) codeArguments(c *codec) {
	c.codeShortString(&m.Reserved1)
}

// BasicAck acknowledges a delivery, or with Multiple all up to it. A server
// sends it to confirm what was published.
type BasicAck struct {
	Tag      uint64
	Multiple bool
}

func (*BasicAck) methodSpec() MethodSpec { return MethodSpec{Class: 60, Method: 80, Name: "basic.ack"} }

func (m *BasicAck) codeArguments(c *codec) {
	c.codeLongLong(&m.Tag)
	c.codeBit(&m.Multiple)
}

// BasicReject refuses one delivery, which with Requeue goes back to its queue.
type BasicReject struct {
	Tag     uint64
	Requeue bool
}

func (*BasicReject) methodSpec() MethodSpec {
	return MethodSpec{Class: 60, Method: 90, Name: "basic.reject"}
}

func (m *BasicReject) codeArguments(c *codec) {
	c.codeLongLong(&m.Tag)
	c.codeBit(&m.Requeue)
}

// BasicRecoverAsync is BasicRecover without an answer.
type BasicRecoverAsync struct {
	Requeue bool
}

func (*BasicRecoverAsync) methodSpec() MethodSpec {
	return MethodSpec{Class: 60, Method: 100, Name: "basic.recover-async"}
}

func (m *BasicRecoverAsync) codeArguments(c *codec) {
	c.codeBit(&m.Requeue)
}

// BasicRecover asks for everything that was delivered and not acknowledged again.
type BasicRecover struct {
	Requeue bool
}

func (*BasicRecover) methodSpec() MethodSpec {
	return MethodSpec{Class: 60, Method: 110, Name: "basic.recover"}
}

func (m *BasicRecover) codeArguments(c *codec) {
	c.codeBit(&m.Requeue)
}

// BasicRecoverOk answers BasicRecover.
type BasicRecoverOk struct{}

func (*BasicRecoverOk) methodSpec() MethodSpec {
	return MethodSpec{Class: 60, Method: 111, Name: "basic.recover-ok"}
}
func (*BasicRecoverOk) codeArguments(*codec) {}

// BasicNack is BasicReject for several deliveries: an extension of RabbitMQ.
type BasicNack struct {
	Tag               uint64
	Multiple, Requeue bool
}

func (*BasicNack) methodSpec() MethodSpec {
	return MethodSpec{Class: 60, Method: 120, Name: "basic.nack"}
}

func (m *BasicNack) codeArguments(c *codec) {
	c.codeLongLong(&m.Tag)
	c.codeBit(&m.Multiple)
	c.codeBit(&m.Requeue)
}
