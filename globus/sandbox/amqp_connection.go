package sandbox

// The methods of the classes connection and channel. Fields stand in the order
// of the wire; ReservedN are the protocol's own and mean nothing.

type amqpConnectionStart struct {
	Major, Minor        uint8
	Properties          map[string]any
	Mechanisms, Locales string
}

func (*amqpConnectionStart) spec() amqpSpec { return amqpSpec{10, 10, "connection.start"} }

func (m *amqpConnectionStart) codeArguments(c *amqpCodec) {
	c.codeOctet(&m.Major)
	c.codeOctet(&m.Minor)
	c.codeTable(&m.Properties)
	c.codeLongString(&m.Mechanisms)
	c.codeLongString(&m.Locales)
}

type amqpConnectionStartOk struct {
	Properties                  map[string]any
	Mechanism, Response, Locale string
}

func (*amqpConnectionStartOk) spec() amqpSpec { return amqpSpec{10, 11, "connection.start-ok"} }

func (m *amqpConnectionStartOk) codeArguments(c *amqpCodec) {
	c.codeTable(&m.Properties)
	c.codeShortString(&m.Mechanism)
	c.codeLongString(&m.Response)
	c.codeShortString(&m.Locale)
}

type amqpConnectionTune struct {
	ChannelMax uint16
	FrameMax   uint32
	Heartbeat  uint16
}

func (*amqpConnectionTune) spec() amqpSpec { return amqpSpec{10, 30, "connection.tune"} }

func (m *amqpConnectionTune) codeArguments(c *amqpCodec) {
	c.codeShort(&m.ChannelMax)
	c.codeLong(&m.FrameMax)
	c.codeShort(&m.Heartbeat)
}

type amqpConnectionTuneOk struct {
	ChannelMax uint16
	FrameMax   uint32
	Heartbeat  uint16
}

func (*amqpConnectionTuneOk) spec() amqpSpec { return amqpSpec{10, 31, "connection.tune-ok"} }

func (m *amqpConnectionTuneOk) codeArguments(c *amqpCodec) {
	c.codeShort(&m.ChannelMax)
	c.codeLong(&m.FrameMax)
	c.codeShort(&m.Heartbeat)
}

type amqpConnectionOpen struct {
	VHost, Reserved1 string
	Reserved2        bool
}

func (*amqpConnectionOpen) spec() amqpSpec { return amqpSpec{10, 40, "connection.open"} }

func (m *amqpConnectionOpen) codeArguments(c *amqpCodec) {
	c.codeShortString(&m.VHost)
	c.codeShortString(&m.Reserved1)
	c.codeBit(&m.Reserved2)
}

type amqpConnectionOpenOk struct {
	Reserved1 string
}

func (*amqpConnectionOpenOk) spec() amqpSpec { return amqpSpec{10, 41, "connection.open-ok"} }

func (m *amqpConnectionOpenOk) codeArguments(c *amqpCodec) {
	c.codeShortString(&m.Reserved1)
}

type amqpConnectionClose struct {
	Code          uint16
	Text          string
	Class, Method uint16
}

func (*amqpConnectionClose) spec() amqpSpec { return amqpSpec{10, 50, "connection.close"} }

func (m *amqpConnectionClose) codeArguments(c *amqpCodec) {
	c.codeShort(&m.Code)
	c.codeShortString(&m.Text)
	c.codeShort(&m.Class)
	c.codeShort(&m.Method)
}

type amqpConnectionCloseOk struct{}

func (*amqpConnectionCloseOk) spec() amqpSpec           { return amqpSpec{10, 51, "connection.close-ok"} }
func (*amqpConnectionCloseOk) codeArguments(*amqpCodec) {}

type amqpChannelOpen struct {
	Reserved1 string
}

func (*amqpChannelOpen) spec() amqpSpec { return amqpSpec{20, 10, "channel.open"} }

func (m *amqpChannelOpen) codeArguments(c *amqpCodec) {
	c.codeShortString(&m.Reserved1)
}

type amqpChannelOpenOk struct {
	Reserved1 string
}

func (*amqpChannelOpenOk) spec() amqpSpec { return amqpSpec{20, 11, "channel.open-ok"} }

func (m *amqpChannelOpenOk) codeArguments(c *amqpCodec) {
	c.codeLongString(&m.Reserved1)
}

type amqpChannelFlow struct {
	Active bool
}

func (*amqpChannelFlow) spec() amqpSpec { return amqpSpec{20, 20, "channel.flow"} }

func (m *amqpChannelFlow) codeArguments(c *amqpCodec) {
	c.codeBit(&m.Active)
}

type amqpChannelFlowOk struct {
	Active bool
}

func (*amqpChannelFlowOk) spec() amqpSpec { return amqpSpec{20, 21, "channel.flow-ok"} }

func (m *amqpChannelFlowOk) codeArguments(c *amqpCodec) {
	c.codeBit(&m.Active)
}

type amqpChannelClose struct {
	Code          uint16
	Text          string
	Class, Method uint16
}

func (*amqpChannelClose) spec() amqpSpec { return amqpSpec{20, 40, "channel.close"} }

func (m *amqpChannelClose) codeArguments(c *amqpCodec) {
	c.codeShort(&m.Code)
	c.codeShortString(&m.Text)
	c.codeShort(&m.Class)
	c.codeShort(&m.Method)
}

type amqpChannelCloseOk struct{}

func (*amqpChannelCloseOk) spec() amqpSpec           { return amqpSpec{20, 41, "channel.close-ok"} }
func (*amqpChannelCloseOk) codeArguments(*amqpCodec) {}
