package sandbox

// The methods of the classes exchange, queue and confirm.

type amqpExchangeDeclare struct {
	Reserved1                                      uint16
	Exchange, Kind                                 string
	Passive, Durable, AutoDelete, Internal, NoWait bool
	Arguments                                      map[string]any
}

func (*amqpExchangeDeclare) spec() amqpSpec { return amqpSpec{40, 10, "exchange.declare"} }

func (m *amqpExchangeDeclare) codeArguments(c *amqpCodec) {
	c.codeShort(&m.Reserved1)
	c.codeShortString(&m.Exchange)
	c.codeShortString(&m.Kind)
	c.codeBit(&m.Passive)
	c.codeBit(&m.Durable)
	c.codeBit(&m.AutoDelete)
	c.codeBit(&m.Internal)
	c.codeBit(&m.NoWait)
	c.codeTable(&m.Arguments)
}

type amqpExchangeDeclareOk struct{}

func (*amqpExchangeDeclareOk) spec() amqpSpec           { return amqpSpec{40, 11, "exchange.declare-ok"} }
func (*amqpExchangeDeclareOk) codeArguments(*amqpCodec) {}

type amqpExchangeDelete struct {
	Reserved1        uint16
	Exchange         string
	IfUnused, NoWait bool
}

func (*amqpExchangeDelete) spec() amqpSpec { return amqpSpec{40, 20, "exchange.delete"} }

func (m *amqpExchangeDelete) codeArguments(c *amqpCodec) {
	c.codeShort(&m.Reserved1)
	c.codeShortString(&m.Exchange)
	c.codeBit(&m.IfUnused)
	c.codeBit(&m.NoWait)
}

type amqpExchangeDeleteOk struct{}

func (*amqpExchangeDeleteOk) spec() amqpSpec           { return amqpSpec{40, 21, "exchange.delete-ok"} }
func (*amqpExchangeDeleteOk) codeArguments(*amqpCodec) {}

type amqpQueueDeclare struct {
	Reserved1                                       uint16
	Queue                                           string
	Passive, Durable, Exclusive, AutoDelete, NoWait bool
	Arguments                                       map[string]any
}

func (*amqpQueueDeclare) spec() amqpSpec { return amqpSpec{50, 10, "queue.declare"} }

func (m *amqpQueueDeclare) codeArguments(c *amqpCodec) {
	c.codeShort(&m.Reserved1)
	c.codeShortString(&m.Queue)
	c.codeBit(&m.Passive)
	c.codeBit(&m.Durable)
	c.codeBit(&m.Exclusive)
	c.codeBit(&m.AutoDelete)
	c.codeBit(&m.NoWait)
	c.codeTable(&m.Arguments)
}

type amqpQueueDeclareOk struct {
	Queue               string
	Messages, Consumers uint32
}

func (*amqpQueueDeclareOk) spec() amqpSpec { return amqpSpec{50, 11, "queue.declare-ok"} }

func (m *amqpQueueDeclareOk) codeArguments(c *amqpCodec) {
	c.codeShortString(&m.Queue)
	c.codeLong(&m.Messages)
	c.codeLong(&m.Consumers)
}

type amqpQueueBind struct {
	Reserved1            uint16
	Queue, Exchange, Key string
	NoWait               bool
	Arguments            map[string]any
}

func (*amqpQueueBind) spec() amqpSpec { return amqpSpec{50, 20, "queue.bind"} }

func (m *amqpQueueBind) codeArguments(c *amqpCodec) {
	c.codeShort(&m.Reserved1)
	c.codeShortString(&m.Queue)
	c.codeShortString(&m.Exchange)
	c.codeShortString(&m.Key)
	c.codeBit(&m.NoWait)
	c.codeTable(&m.Arguments)
}

type amqpQueueBindOk struct{}

func (*amqpQueueBindOk) spec() amqpSpec           { return amqpSpec{50, 21, "queue.bind-ok"} }
func (*amqpQueueBindOk) codeArguments(*amqpCodec) {}

type amqpQueuePurge struct {
	Reserved1 uint16
	Queue     string
	NoWait    bool
}

func (*amqpQueuePurge) spec() amqpSpec { return amqpSpec{50, 30, "queue.purge"} }

func (m *amqpQueuePurge) codeArguments(c *amqpCodec) {
	c.codeShort(&m.Reserved1)
	c.codeShortString(&m.Queue)
	c.codeBit(&m.NoWait)
}

type amqpQueuePurgeOk struct {
	Messages uint32
}

func (*amqpQueuePurgeOk) spec() amqpSpec { return amqpSpec{50, 31, "queue.purge-ok"} }

func (m *amqpQueuePurgeOk) codeArguments(c *amqpCodec) {
	c.codeLong(&m.Messages)
}

type amqpQueueDelete struct {
	Reserved1                 uint16
	Queue                     string
	IfUnused, IfEmpty, NoWait bool
}

func (*amqpQueueDelete) spec() amqpSpec { return amqpSpec{50, 40, "queue.delete"} }

func (m *amqpQueueDelete) codeArguments(c *amqpCodec) {
	c.codeShort(&m.Reserved1)
	c.codeShortString(&m.Queue)
	c.codeBit(&m.IfUnused)
	c.codeBit(&m.IfEmpty)
	c.codeBit(&m.NoWait)
}

type amqpQueueDeleteOk struct {
	Messages uint32
}

func (*amqpQueueDeleteOk) spec() amqpSpec { return amqpSpec{50, 41, "queue.delete-ok"} }

func (m *amqpQueueDeleteOk) codeArguments(c *amqpCodec) {
	c.codeLong(&m.Messages)
}

type amqpQueueUnbind struct {
	Reserved1            uint16
	Queue, Exchange, Key string
	Arguments            map[string]any
}

func (*amqpQueueUnbind) spec() amqpSpec { return amqpSpec{50, 50, "queue.unbind"} }

func (m *amqpQueueUnbind) codeArguments(c *amqpCodec) {
	c.codeShort(&m.Reserved1)
	c.codeShortString(&m.Queue)
	c.codeShortString(&m.Exchange)
	c.codeShortString(&m.Key)
	c.codeTable(&m.Arguments)
}

type amqpQueueUnbindOk struct{}

func (*amqpQueueUnbindOk) spec() amqpSpec           { return amqpSpec{50, 51, "queue.unbind-ok"} }
func (*amqpQueueUnbindOk) codeArguments(*amqpCodec) {}

type amqpConfirmSelect struct {
	NoWait bool
}

func (*amqpConfirmSelect) spec() amqpSpec { return amqpSpec{85, 10, "confirm.select"} }

func (m *amqpConfirmSelect) codeArguments(c *amqpCodec) {
	c.codeBit(&m.NoWait)
}

type amqpConfirmSelectOk struct{}

func (*amqpConfirmSelectOk) spec() amqpSpec           { return amqpSpec{85, 11, "confirm.select-ok"} }
func (*amqpConfirmSelectOk) codeArguments(*amqpCodec) {}
