package amqp

// The methods of the classes exchange, queue and confirm.

// ExchangeDeclare makes an exchange of a kind (direct, topic, fanout), or with
// Passive asks whether it exists.
type ExchangeDeclare struct {
	Reserved1                                      uint16
	Exchange, Kind                                 string
	Passive, Durable, AutoDelete, Internal, NoWait bool
	Arguments                                      map[string]any
}

func (*ExchangeDeclare) methodSpec() MethodSpec {
	return MethodSpec{Class: 40, Method: 10, Name: "exchange.declare"}
}

func (m *ExchangeDeclare) codeArguments(c *codec) {
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

// ExchangeDeclareOk answers ExchangeDeclare.
type ExchangeDeclareOk struct{}

func (*ExchangeDeclareOk) methodSpec() MethodSpec {
	return MethodSpec{Class: 40, Method: 11, Name: "exchange.declare-ok"}
}
func (*ExchangeDeclareOk) codeArguments(*codec) {}

// ExchangeDelete deletes an exchange.
type ExchangeDelete struct {
	Reserved1        uint16
	Exchange         string
	IfUnused, NoWait bool
}

func (*ExchangeDelete) methodSpec() MethodSpec {
	return MethodSpec{Class: 40, Method: 20, Name: "exchange.delete"}
}

func (m *ExchangeDelete) codeArguments(c *codec) {
	c.codeShort(&m.Reserved1)
	c.codeShortString(&m.Exchange)
	c.codeBit(&m.IfUnused)
	c.codeBit(&m.NoWait)
}

// ExchangeDeleteOk answers ExchangeDelete.
type ExchangeDeleteOk struct{}

func (*ExchangeDeleteOk) methodSpec() MethodSpec {
	return MethodSpec{Class: 40, Method: 21, Name: "exchange.delete-ok"}
}
func (*ExchangeDeleteOk) codeArguments(*codec) {}

// QueueDeclare makes a queue, or with Passive asks whether it exists. An empty name
// has the server choose one.
type QueueDeclare struct {
	Reserved1                                       uint16
	Queue                                           string
	Passive, Durable, Exclusive, AutoDelete, NoWait bool
	Arguments                                       map[string]any
}

func (*QueueDeclare) methodSpec() MethodSpec {
	return MethodSpec{Class: 50, Method: 10, Name: "queue.declare"}
}

func (m *QueueDeclare) codeArguments(c *codec) {
	c.codeShort(&m.Reserved1)
	c.codeShortString(&m.Queue)
	c.codeBit(&m.Passive)
	c.codeBit(&m.Durable)
	c.codeBit(&m.Exclusive)
	c.codeBit(&m.AutoDelete)
	c.codeBit(&m.NoWait)
	c.codeTable(&m.Arguments)
}

// QueueDeclareOk answers QueueDeclare with the name of the queue and what it holds.
type QueueDeclareOk struct {
	Queue               string
	Messages, Consumers uint32
}

func (*QueueDeclareOk) methodSpec() MethodSpec {
	return MethodSpec{Class: 50, Method: 11, Name: "queue.declare-ok"}
}

func (m *QueueDeclareOk) codeArguments(c *codec) {
	c.codeShortString(&m.Queue)
	c.codeLong(&m.Messages)
	c.codeLong(&m.Consumers)
}

// QueueBind makes an exchange send on to a queue what has the routing key.
type QueueBind struct {
	Reserved1            uint16
	Queue, Exchange, Key string
	NoWait               bool
	Arguments            map[string]any
}

func (*QueueBind) methodSpec() MethodSpec {
	return MethodSpec{Class: 50, Method: 20, Name: "queue.bind"}
}

func (m *QueueBind) codeArguments(c *codec) {
	c.codeShort(&m.Reserved1)
	c.codeShortString(&m.Queue)
	c.codeShortString(&m.Exchange)
	c.codeShortString(&m.Key)
	c.codeBit(&m.NoWait)
	c.codeTable(&m.Arguments)
}

// QueueBindOk answers QueueBind.
type QueueBindOk struct{}

func (*QueueBindOk) methodSpec() MethodSpec {
	return MethodSpec{Class: 50, Method: 21, Name: "queue.bind-ok"}
}
func (*QueueBindOk) codeArguments(*codec) {}

// QueuePurge drops the messages that wait in a queue.
type QueuePurge struct {
	Reserved1 uint16
	Queue     string
	NoWait    bool
}

func (*QueuePurge) methodSpec() MethodSpec {
	return MethodSpec{Class: 50, Method: 30, Name: "queue.purge"}
}

func (m *QueuePurge) codeArguments(c *codec) {
	c.codeShort(&m.Reserved1)
	c.codeShortString(&m.Queue)
	c.codeBit(&m.NoWait)
}

// QueuePurgeOk answers QueuePurge with how many messages were dropped.
type QueuePurgeOk struct {
	Messages uint32
}

func (*QueuePurgeOk) methodSpec() MethodSpec {
	return MethodSpec{Class: 50, Method: 31, Name: "queue.purge-ok"}
}

func (m *QueuePurgeOk) codeArguments(c *codec) {
	c.codeLong(&m.Messages)
}

// QueueDelete deletes a queue.
type QueueDelete struct {
	Reserved1                 uint16
	Queue                     string
	IfUnused, IfEmpty, NoWait bool
}

func (*QueueDelete) methodSpec() MethodSpec {
	return MethodSpec{Class: 50, Method: 40, Name: "queue.delete"}
}

func (m *QueueDelete) codeArguments(c *codec) {
	c.codeShort(&m.Reserved1)
	c.codeShortString(&m.Queue)
	c.codeBit(&m.IfUnused)
	c.codeBit(&m.IfEmpty)
	c.codeBit(&m.NoWait)
}

// QueueDeleteOk answers QueueDelete with how many messages were dropped.
type QueueDeleteOk struct {
	Messages uint32
}

func (*QueueDeleteOk) methodSpec() MethodSpec {
	return MethodSpec{Class: 50, Method: 41, Name: "queue.delete-ok"}
}

func (m *QueueDeleteOk) codeArguments(c *codec) {
	c.codeLong(&m.Messages)
}

// QueueUnbind ends what QueueBind made.
type QueueUnbind struct {
	Reserved1            uint16
	Queue, Exchange, Key string
	Arguments            map[string]any
}

func (*QueueUnbind) methodSpec() MethodSpec {
	return MethodSpec{Class: 50, Method: 50, Name: "queue.unbind"}
}

func (m *QueueUnbind) codeArguments(c *codec) {
	c.codeShort(&m.Reserved1)
	c.codeShortString(&m.Queue)
	c.codeShortString(&m.Exchange)
	c.codeShortString(&m.Key)
	c.codeTable(&m.Arguments)
}

// QueueUnbindOk answers QueueUnbind.
type QueueUnbindOk struct{}

func (*QueueUnbindOk) methodSpec() MethodSpec {
	return MethodSpec{Class: 50, Method: 51, Name: "queue.unbind-ok"}
}
func (*QueueUnbindOk) codeArguments(*codec) {}

// ConfirmSelect asks for a confirmation (BasicAck) of each message that is published
// on the channel: an extension of RabbitMQ.
type ConfirmSelect struct {
	NoWait bool
}

func (*ConfirmSelect) methodSpec() MethodSpec {
	return MethodSpec{Class: 85, Method: 10, Name: "confirm.select"}
}

func (m *ConfirmSelect) codeArguments(c *codec) {
	c.codeBit(&m.NoWait)
}

// ConfirmSelectOk answers ConfirmSelect.
type ConfirmSelectOk struct{}

func (*ConfirmSelectOk) methodSpec() MethodSpec {
	return MethodSpec{Class: 85, Method: 11, Name: "confirm.select-ok"}
}
func (*ConfirmSelectOk) codeArguments(*codec) {}
