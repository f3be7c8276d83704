package sandbox

// The methods of the class basic. Publish, Return, Deliver and GetOk are
// followed by a message.

type amqpBasicQos struct {
	Size   uint32
	Count  uint16
	Global bool
}

func (*amqpBasicQos) spec() amqpSpec { return amqpSpec{60, 10, "basic.qos"} }

func (m *amqpBasicQos) codeArguments(c *amqpCodec) {
	c.codeLong(&m.Size)
	c.codeShort(&m.Count)
	c.codeBit(&m.Global)
}

type amqpBasicQosOk struct{}

func (*amqpBasicQosOk) spec() amqpSpec           { return amqpSpec{60, 11, "basic.qos-ok"} }
func (*amqpBasicQosOk) codeArguments(*amqpCodec) {}

type amqpBasicConsume struct {
	Reserved1                         uint16
	Queue, Consumer                   string
	NoLocal, NoAck, Exclusive, NoWait bool
	Arguments                         map[string]any
}

func (*amqpBasicConsume) spec() amqpSpec { return amqpSpec{60, 20, "basic.consume"} }

func (m *amqpBasicConsume) codeArguments(c *amqpCodec) {
	c.codeShort(&m.Reserved1)
	c.codeShortString(&m.Queue)
	c.codeShortString(&m.Consumer)
	c.codeBit(&m.NoLocal)
	c.codeBit(&m.NoAck)
	c.codeBit(&m.Exclusive)
	c.codeBit(&m.NoWait)
	c.codeTable(&m.Arguments)
}

type amqpBasicConsumeOk struct {
	Consumer string
}

func (*amqpBasicConsumeOk) spec() amqpSpec { return amqpSpec{60, 21, "basic.consume-ok"} }

func (m *amqpBasicConsumeOk) codeArguments(c *amqpCodec) {
	c.codeShortString(&m.Consumer)
}

type amqpBasicCancel struct {
	Consumer string
	NoWait   bool
}

func (*amqpBasicCancel) spec() amqpSpec { return amqpSpec{60, 30, "basic.cancel"} }

func (m *amqpBasicCancel) codeArguments(c *amqpCodec) {
	c.codeShortString(&m.Consumer)
	c.codeBit(&m.NoWait)
}

type amqpBasicCancelOk struct {
	Consumer string
}

func (*amqpBasicCancelOk) spec() amqpSpec { return amqpSpec{60, 31, "basic.cancel-ok"} }

func (m *amqpBasicCancelOk) codeArguments(c *amqpCodec) {
	c.codeShortString(&m.Consumer)
}

type amqpBasicPublish struct {
	Reserved1            uint16
	Exchange, Key        string
	Mandatory, Immediate bool
}

func (*amqpBasicPublish) spec() amqpSpec { return amqpSpec{60, 40, "basic.publish"} }

func (m *amqpBasicPublish) codeArguments(c *amqpCodec) {
	c.codeShort(&m.Reserved1)
	c.codeShortString(&m.Exchange)
	c.codeShortString(&m.Key)
	c.codeBit(&m.Mandatory)
	c.codeBit(&m.Immediate)
}

type amqpBasicReturn struct {
	Code                uint16
	Text, Exchange, Key string
}

func (*amqpBasicReturn) spec() amqpSpec { return amqpSpec{60, 50, "basic.return"} }

func (m *amqpBasicReturn) codeArguments(c *amqpCodec) {
	c.codeShort(&m.Code)
	c.codeShortString(&m.Text)
	c.codeShortString(&m.Exchange)
	c.codeShortString(&m.Key)
}

type amqpBasicDeliver struct {
	Consumer      string
	Tag           uint64
	Redelivered   bool
	Exchange, Key string
}

func (*amqpBasicDeliver) spec() amqpSpec { return amqpSpec{60, 60, "basic.deliver"} }

func (m *amqpBasicDeliver) codeArguments(c *amqpCodec) {
	c.codeShortString(&m.Consumer)
	c.codeLongLong(&m.Tag)
	c.codeBit(&m.Redelivered)
	c.codeShortString(&m.Exchange)
	c.codeShortString(&m.Key)
}

type amqpBasicGet struct {
	Reserved1 uint16
	Queue     string
	NoAck     bool
}

func (*amqpBasicGet) spec() amqpSpec { return amqpSpec{60, 70, "basic.get"} }

func (m *amqpBasicGet) codeArguments(c *amqpCodec) {
	c.codeShort(&m.Reserved1)
	c.codeShortString(&m.Queue)
	c.codeBit(&m.NoAck)
}

type amqpBasicGetOk struct {
	Tag           uint64
	Redelivered   bool
	Exchange, Key string
	Messages      uint32
}

func (*amqpBasicGetOk) spec() amqpSpec { return amqpSpec{60, 71, "basic.get-ok"} }

func (m *amqpBasicGetOk) codeArguments(c *amqpCodec) {
	c.codeLongLong(&m.Tag)
	c.codeBit(&m.Redelivered)
	c.codeShortString(&m.Exchange)
	c.codeShortString(&m.Key)
	c.codeLong(&m.Messages)
}

type amqpBasicGetEmpty struct {
	Reserved1 string
}

func (*amqpBasicGetEmpty) spec() amqpSpec { return amqpSpec{60, 72, "basic.get-empty"} }

func (m *amqpBasicGetEmpty) codeArguments(c *amqpCodec) {
	c.codeShortString(&m.Reserved1)
}

type amqpBasicAck struct {
	Tag      uint64
	Multiple bool
}

func (*amqpBasicAck) spec() amqpSpec { return amqpSpec{60, 80, "basic.ack"} }

func (m *amqpBasicAck) codeArguments(c *amqpCodec) {
	c.codeLongLong(&m.Tag)
	c.codeBit(&m.Multiple)
}

type amqpBasicReject struct {
	Tag     uint64
	Requeue bool
}

func (*amqpBasicReject) spec() amqpSpec { return amqpSpec{60, 90, "basic.reject"} }

func (m *amqpBasicReject) codeArguments(c *amqpCodec) {
	c.codeLongLong(&m.Tag)
	c.codeBit(&m.Requeue)
}

type amqpBasicRecoverAsync struct {
	Requeue bool
}

func (*amqpBasicRecoverAsync) spec() amqpSpec { return amqpSpec{60, 100, "basic.recover-async"} }

func (m *amqpBasicRecoverAsync) codeArguments(c *amqpCodec) {
	c.codeBit(&m.Requeue)
}

type amqpBasicRecover struct {
	Requeue bool
}

func (*amqpBasicRecover) spec() amqpSpec { return amqpSpec{60, 110, "basic.recover"} }

func (m *amqpBasicRecover) codeArguments(c *amqpCodec) {
	c.codeBit(&m.Requeue)
}

type amqpBasicRecoverOk struct{}

func (*amqpBasicRecoverOk) spec() amqpSpec           { return amqpSpec{60, 111, "basic.recover-ok"} }
func (*amqpBasicRecoverOk) codeArguments(*amqpCodec) {}

type amqpBasicNack struct {
	Tag               uint64
	Multiple, Requeue bool
}

func (*amqpBasicNack) spec() amqpSpec { return amqpSpec{60, 120, "basic.nack"} }

func (m *amqpBasicNack) codeArguments(c *amqpCodec) {
	c.codeLongLong(&m.Tag)
	c.codeBit(&m.Multiple)
	c.codeBit(&m.Requeue)
}
