package sandbox

// The methods of the classes connection and channel. Fields stand in the order
// of the wire; ReservedN are the protocol's own and mean nothing.

type amqpConnectionStart struct {
	Major, Minor        uint8
	Properties          map[string]any
	Mechanisms, Locales string
}

func (*amqpConnectionStart) spec() amqpSpec { return amqpSpec{10, 10, "connection.start"} }

func (m *amqpConnectionStart) codec(c *amqpCodec) {
	c.octet(&m.Major)
	c.octet(&m.Minor)
	c.table(&m.Properties)
	c.longstr(&m.Mechanisms)
	c.longstr(&m.Locales)
}

type amqpConnectionStartOk struct {
	Properties                  map[string]any
	Mechanism, Response, Locale string
}

func (*amqpConnectionStartOk) spec() amqpSpec { return amqpSpec{10, 11, "connection.start-ok"} }

func (m *amqpConnectionStartOk) codec(c *amqpCodec) {
	c.table(&m.Properties)
	c.shortstr(&m.Mechanism)
	c.longstr(&m.Response)
	c.shortstr(&m.Locale)
}

type amqpConnectionTune struct {
	ChannelMax uint16
	FrameMax   uint32
	Heartbeat  uint16
}

func (*amqpConnectionTune) spec() amqpSpec { return amqpSpec{10, 30, "connection.tune"} }

func (m *amqpConnectionTune) codec(c *amqpCodec) {
	c.short(&m.ChannelMax)
	c.long(&m.FrameMax)
	c.short(&m.Heartbeat)
}

type amqpConnectionTuneOk struct {
	ChannelMax uint16
	FrameMax   uint32
	Heartbeat  uint16
}

func (*amqpConnectionTuneOk) spec() amqpSpec { return amqpSpec{10, 31, "connection.tune-ok"} }

func (m *amqpConnectionTuneOk) codec(c *amqpCodec) {
	c.short(&m.ChannelMax)
	c.long(&m.FrameMax)
	c.short(&m.Heartbeat)
}

type amqpConnectionOpen struct {
	VHost, Reserved1 string
	Reserved2        bool
}

func (*amqpConnectionOpen) spec() amqpSpec { return amqpSpec{10, 40, "connection.open"} }

func (m *amqpConnectionOpen) codec(c *amqpCodec) {
	c.shortstr(&m.VHost)
	c.shortstr(&m.Reserved1)
	c.bit(&m.Reserved2)
}

type amqpConnectionOpenOk struct {
	Reserved1 string
}

func (*amqpConnectionOpenOk) spec() amqpSpec { return amqpSpec{10, 41, "connection.open-ok"} }

func (m *amqpConnectionOpenOk) codec(c *amqpCodec) {
	c.shortstr(&m.Reserved1)
}

type amqpConnectionClose struct {
	Code          uint16
	Text          string
	Class, Method uint16
}

func (*amqpConnectionClose) spec() amqpSpec { return amqpSpec{10, 50, "connection.close"} }

func (m *amqpConnectionClose) codec(c *amqpCodec) {
	c.short(&m.Code)
	c.shortstr(&m.Text)
	c.short(&m.Class)
	c.short(&m.Method)
}

type amqpConnectionCloseOk struct{}

func (*amqpConnectionCloseOk) spec() amqpSpec   { return amqpSpec{10, 51, "connection.close-ok"} }
func (*amqpConnectionCloseOk) codec(*amqpCodec) {}

type amqpChannelOpen struct {
	Reserved1 string
}

func (*amqpChannelOpen) spec() amqpSpec { return amqpSpec{20, 10, "channel.open"} }

func (m *amqpChannelOpen) codec(c *amqpCodec) {
	c.shortstr(&m.Reserved1)
}

type amqpChannelOpenOk struct {
	Reserved1 string
}

func (*amqpChannelOpenOk) spec() amqpSpec { return amqpSpec{20, 11, "channel.open-ok"} }

func (m *amqpChannelOpenOk) codec(c *amqpCodec) {
	c.longstr(&m.Reserved1)
}

type amqpChannelFlow struct {
	Active bool
}

func (*amqpChannelFlow) spec() amqpSpec { return amqpSpec{20, 20, "channel.flow"} }

func (m *amqpChannelFlow) codec(c *amqpCodec) {
	c.bit(&m.Active)
}

type amqpChannelFlowOk struct {
	Active bool
}

func (*amqpChannelFlowOk) spec() amqpSpec { return amqpSpec{20, 21, "channel.flow-ok"} }

func (m *amqpChannelFlowOk) codec(c *amqpCodec) {
	c.bit(&m.Active)
}

type amqpChannelClose struct {
	Code          uint16
	Text          string
	Class, Method uint16
}

func (*amqpChannelClose) spec() amqpSpec { return amqpSpec{20, 40, "channel.close"} }

func (m *amqpChannelClose) codec(c *amqpCodec) {
	c.short(&m.Code)
	c.shortstr(&m.Text)
	c.short(&m.Class)
	c.short(&m.Method)
}

type amqpChannelCloseOk struct{}

func (*amqpChannelCloseOk) spec() amqpSpec   { return amqpSpec{20, 41, "channel.close-ok"} }
func (*amqpChannelCloseOk) codec(*amqpCodec) {}
