package sandbox

// The methods of the classes exchange, queue and confirm.

type amqpExchangeDeclare struct {
	Reserved1                                      uint16
	Exchange, Kind                                 string
	Passive, Durable, AutoDelete, Internal, NoWait bool
	Arguments                                      map[string]any
}

func (*amqpExchangeDeclare) spec() amqpSpec { return amqpSpec{40, 10, "exchange.declare"} }

func (m *amqpExchangeDeclare) codec(c *amqpCodec) {
	c.short(&m.Reserved1)
	c.shortstr(&m.Exchange)
	c.shortstr(&m.Kind)
	c.bit(&m.Passive)
	c.bit(&m.Durable)
	c.bit(&m.AutoDelete)
	c.bit(&m.Internal)
	c.bit(&m.NoWait)
	c.table(&m.Arguments)
}

type amqpExchangeDeclareOk struct{}

func (*amqpExchangeDeclareOk) spec() amqpSpec   { return amqpSpec{40, 11, "exchange.declare-ok"} }
func (*amqpExchangeDeclareOk) codec(*amqpCodec) {}

type amqpExchangeDelete struct {
	Reserved1        uint16
	Exchange         string
	IfUnused, NoWait bool
}

func (*amqpExchangeDelete) spec() amqpSpec { return amqpSpec{40, 20, "exchange.delete"} }

func (m *amqpExchangeDelete) codec(c *amqpCodec) {
	c.short(&m.Reserved1)
	c.shortstr(&m.Exchange)
	c.bit(&m.IfUnused)
	c.bit(&m.NoWait)
}

type amqpExchangeDeleteOk struct{}

func (*amqpExchangeDeleteOk) spec() amqpSpec   { return amqpSpec{40, 21, "exchange.delete-ok"} }
func (*amqpExchangeDeleteOk) codec(*amqpCodec) {}

type amqpQueueDeclare struct {
	Reserved1                                       uint16
	Queue                                           string
	Passive, Durable, Exclusive, AutoDelete, NoWait bool
	Arguments                                       map[string]any
}

func (*amqpQueueDeclare) spec() amqpSpec { return amqpSpec{50, 10, "queue.declare"} }

func (m *amqpQueueDeclare) codec(c *amqpCodec) {
	c.short(&m.Reserved1)
	c.shortstr(&m.Queue)
	c.bit(&m.Passive)
	c.bit(&m.Durable)
	c.bit(&m.Exclusive)
	c.bit(&m.AutoDelete)
	c.bit(&m.NoWait)
	c.table(&m.Arguments)
}

type amqpQueueDeclareOk struct {
	Queue               string
	Messages, Consumers uint32
}

func (*amqpQueueDeclareOk) spec() amqpSpec { return amqpSpec{50, 11, "queue.declare-ok"} }

func (m *amqpQueueDeclareOk) codec(c *amqpCodec) {
	c.shortstr(&m.Queue)
	c.long(&m.Messages)
	c.long(&m.Consumers)
}

type amqpQueueBind struct {
	Reserved1            uint16
	Queue, Exchange, Key string
	NoWait               bool
	Arguments            map[string]any
}

func (*amqpQueueBind) spec() amqpSpec { return amqpSpec{50, 20, "queue.bind"} }

func (m *amqpQueueBind) codec(c *amqpCodec) {
	c.short(&m.Reserved1)
	c.shortstr(&m.Queue)
	c.shortstr(&m.Exchange)
	c.shortstr(&m.Key)
	c.bit(&m.NoWait)
	c.table(&m.Arguments)
}

type amqpQueueBindOk struct{}

func (*amqpQueueBindOk) spec() amqpSpec   { return amqpSpec{50, 21, "queue.bind-ok"} }
func (*amqpQueueBindOk) codec(*amqpCodec) {}

type amqpQueuePurge struct {
	Reserved1 uint16
	Queue     string
	NoWait    bool
}

func (*amqpQueuePurge) spec() amqpSpec { return amqpSpec{50, 30, "queue.purge"} }

func (m *amqpQueuePurge) codec(c *amqpCodec) {
	c.short(&m.Reserved1)
	c.shortstr(&m.Queue)
	c.bit(&m.NoWait)
}

type amqpQueuePurgeOk struct {
	Messages uint32
}

func (*amqpQueuePurgeOk) spec() amqpSpec { return amqpSpec{50, 31, "queue.purge-ok"} }

func (m *amqpQueuePurgeOk) codec(c *amqpCodec) {
	c.long(&m.Messages)
}

type amqpQueueDelete struct {
	Reserved1                 uint16
	Queue                     string
	IfUnused, IfEmpty, NoWait bool
}

func (*amqpQueueDelete) spec() amqpSpec { return amqpSpec{50, 40, "queue.delete"} }

func (m *amqpQueueDelete) codec(c *amqpCodec) {
	c.short(&m.Reserved1)
	c.shortstr(&m.Queue)
	c.bit(&m.IfUnused)
	c.bit(&m.IfEmpty)
	c.bit(&m.NoWait)
}

type amqpQueueDeleteOk struct {
	Messages uint32
}

func (*amqpQueueDeleteOk) spec() amqpSpec { return amqpSpec{50, 41, "queue.delete-ok"} }

func (m *amqpQueueDeleteOk) codec(c *amqpCodec) {
	c.long(&m.Messages)
}

type amqpQueueUnbind struct {
	Reserved1            uint16
	Queue, Exchange, Key string
	Arguments            map[string]any
}

func (*amqpQueueUnbind) spec() amqpSpec { return amqpSpec{50, 50, "queue.unbind"} }

func (m *amqpQueueUnbind) codec(c *amqpCodec) {
	c.short(&m.Reserved1)
	c.shortstr(&m.Queue)
	c.shortstr(&m.Exchange)
	c.shortstr(&m.Key)
	c.table(&m.Arguments)
}

type amqpQueueUnbindOk struct{}

func (*amqpQueueUnbindOk) spec() amqpSpec   { return amqpSpec{50, 51, "queue.unbind-ok"} }
func (*amqpQueueUnbindOk) codec(*amqpCodec) {}

type amqpConfirmSelect struct {
	NoWait bool
}

func (*amqpConfirmSelect) spec() amqpSpec { return amqpSpec{85, 10, "confirm.select"} }

func (m *amqpConfirmSelect) codec(c *amqpCodec) {
	c.bit(&m.NoWait)
}

type amqpConfirmSelectOk struct{}

func (*amqpConfirmSelectOk) spec() amqpSpec   { return amqpSpec{85, 11, "confirm.select-ok"} }
func (*amqpConfirmSelectOk) codec(*amqpCodec) {}
