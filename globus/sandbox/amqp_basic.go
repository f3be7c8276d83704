package sandbox

// The methods of the class basic. Publish, Return, Deliver and GetOk are
// followed by a message.

type amqpBasicQos struct {
	Size   uint32
	Count  uint16
	Global bool
}

func (*amqpBasicQos) spec() amqpSpec { return amqpSpec{60, 10, "basic.qos"} }

func (m *amqpBasicQos) codec(c *amqpCodec) {
	c.long(&m.Size)
	c.short(&m.Count)
	c.bit(&m.Global)
}

type amqpBasicQosOk struct{}

func (*amqpBasicQosOk) spec() amqpSpec   { return amqpSpec{60, 11, "basic.qos-ok"} }
func (*amqpBasicQosOk) codec(*amqpCodec) {}

type amqpBasicConsume struct {
	Reserved1                         uint16
	Queue, Consumer                   string
	NoLocal, NoAck, Exclusive, NoWait bool
	Arguments                         map[string]any
}

func (*amqpBasicConsume) spec() amqpSpec { return amqpSpec{60, 20, "basic.consume"} }

func (m *amqpBasicConsume) codec(c *amqpCodec) {
	c.short(&m.Reserved1)
	c.shortstr(&m.Queue)
	c.shortstr(&m.Consumer)
	c.bit(&m.NoLocal)
	c.bit(&m.NoAck)
	c.bit(&m.Exclusive)
	c.bit(&m.NoWait)
	c.table(&m.Arguments)
}

type amqpBasicConsumeOk struct {
	Consumer string
}

func (*amqpBasicConsumeOk) spec() amqpSpec { return amqpSpec{60, 21, "basic.consume-ok"} }

func (m *amqpBasicConsumeOk) codec(c *amqpCodec) {
	c.shortstr(&m.Consumer)
}

type amqpBasicCancel struct {
	Consumer string
	NoWait   bool
}

func (*amqpBasicCancel) spec() amqpSpec { return amqpSpec{60, 30, "basic.cancel"} }

func (m *amqpBasicCancel) codec(c *amqpCodec) {
	c.shortstr(&m.Consumer)
	c.bit(&m.NoWait)
}

type amqpBasicCancelOk struct {
	Consumer string
}

func (*amqpBasicCancelOk) spec() amqpSpec { return amqpSpec{60, 31, "basic.cancel-ok"} }

func (m *amqpBasicCancelOk) codec(c *amqpCodec) {
	c.shortstr(&m.Consumer)
}

type amqpBasicPublish struct {
	Reserved1            uint16
	Exchange, Key        string
	Mandatory, Immediate bool
}

func (*amqpBasicPublish) spec() amqpSpec { return amqpSpec{60, 40, "basic.publish"} }

func (m *amqpBasicPublish) codec(c *amqpCodec) {
	c.short(&m.Reserved1)
	c.shortstr(&m.Exchange)
	c.shortstr(&m.Key)
	c.bit(&m.Mandatory)
	c.bit(&m.Immediate)
}

type amqpBasicReturn struct {
	Code                uint16
	Text, Exchange, Key string
}

func (*amqpBasicReturn) spec() amqpSpec { return amqpSpec{60, 50, "basic.return"} }

func (m *amqpBasicReturn) codec(c *amqpCodec) {
	c.short(&m.Code)
	c.shortstr(&m.Text)
	c.shortstr(&m.Exchange)
	c.shortstr(&m.Key)
}

type amqpBasicDeliver struct {
	queue string // for the journal; it is not sent

	Consumer      string
	Tag           uint64
	Redelivered   bool
	Exchange, Key string
}

func (*amqpBasicDeliver) spec() amqpSpec { return amqpSpec{60, 60, "basic.deliver"} }

func (m *amqpBasicDeliver) codec(c *amqpCodec) {
	c.shortstr(&m.Consumer)
	c.longlong(&m.Tag)
	c.bit(&m.Redelivered)
	c.shortstr(&m.Exchange)
	c.shortstr(&m.Key)
}

type amqpBasicGet struct {
	Reserved1 uint16
	Queue     string
	NoAck     bool
}

func (*amqpBasicGet) spec() amqpSpec { return amqpSpec{60, 70, "basic.get"} }

func (m *amqpBasicGet) codec(c *amqpCodec) {
	c.short(&m.Reserved1)
	c.shortstr(&m.Queue)
	c.bit(&m.NoAck)
}

type amqpBasicGetOk struct {
	Tag           uint64
	Redelivered   bool
	Exchange, Key string
	Messages      uint32
}

func (*amqpBasicGetOk) spec() amqpSpec { return amqpSpec{60, 71, "basic.get-ok"} }

func (m *amqpBasicGetOk) codec(c *amqpCodec) {
	c.longlong(&m.Tag)
	c.bit(&m.Redelivered)
	c.shortstr(&m.Exchange)
	c.shortstr(&m.Key)
	c.long(&m.Messages)
}

type amqpBasicGetEmpty struct {
	Reserved1 string
}

func (*amqpBasicGetEmpty) spec() amqpSpec { return amqpSpec{60, 72, "basic.get-empty"} }

func (m *amqpBasicGetEmpty) codec(c *amqpCodec) {
	c.shortstr(&m.Reserved1)
}

type amqpBasicAck struct {
	Tag      uint64
	Multiple bool
}

func (*amqpBasicAck) spec() amqpSpec { return amqpSpec{60, 80, "basic.ack"} }

func (m *amqpBasicAck) codec(c *amqpCodec) {
	c.longlong(&m.Tag)
	c.bit(&m.Multiple)
}

type amqpBasicReject struct {
	Tag     uint64
	Requeue bool
}

func (*amqpBasicReject) spec() amqpSpec { return amqpSpec{60, 90, "basic.reject"} }

func (m *amqpBasicReject) codec(c *amqpCodec) {
	c.longlong(&m.Tag)
	c.bit(&m.Requeue)
}

type amqpBasicRecoverAsync struct {
	Requeue bool
}

func (*amqpBasicRecoverAsync) spec() amqpSpec { return amqpSpec{60, 100, "basic.recover-async"} }

func (m *amqpBasicRecoverAsync) codec(c *amqpCodec) {
	c.bit(&m.Requeue)
}

type amqpBasicRecover struct {
	Requeue bool
}

func (*amqpBasicRecover) spec() amqpSpec { return amqpSpec{60, 110, "basic.recover"} }

func (m *amqpBasicRecover) codec(c *amqpCodec) {
	c.bit(&m.Requeue)
}

type amqpBasicRecoverOk struct{}

func (*amqpBasicRecoverOk) spec() amqpSpec   { return amqpSpec{60, 111, "basic.recover-ok"} }
func (*amqpBasicRecoverOk) codec(*amqpCodec) {}

type amqpBasicNack struct {
	Tag               uint64
	Multiple, Requeue bool
}

func (*amqpBasicNack) spec() amqpSpec { return amqpSpec{60, 120, "basic.nack"} }

func (m *amqpBasicNack) codec(c *amqpCodec) {
	c.longlong(&m.Tag)
	c.bit(&m.Multiple)
	c.bit(&m.Requeue)
}
