package amqp

// The methods of the classes connection and channel. Fields stand in the order
// of the wire; ReservedN are the protocol's own and mean nothing.

// ConnectionStart is the first method on a connection: what the server is and can do.
type ConnectionStart struct {
	Major, Minor        uint8
	Properties          map[string]any
	Mechanisms, Locales string
}

func (*ConnectionStart) methodSpec() MethodSpec {
	return MethodSpec{Class: 10, Method: 10, Name: "connection.start"}
}

func (m *ConnectionStart) codeArguments(c *codec) {
	c.codeOctet(&m.Major)
	c.codeOctet(&m.Minor)
	c.codeTable(&m.Properties)
	c.codeLongString(&m.Mechanisms)
	c.codeLongString(&m.Locales)
}

// ConnectionStartOk answers ConnectionStart: what the client is and can do, and who
// it is.
type ConnectionStartOk struct {
	Properties                  map[string]any
	Mechanism, Response, Locale string
}

func (*ConnectionStartOk) methodSpec() MethodSpec {
	return MethodSpec{Class: 10, Method: 11, Name: "connection.start-ok"}
}

func (m *ConnectionStartOk) codeArguments(c *codec) {
	c.codeTable(&m.Properties)
	c.codeShortString(&m.Mechanism)
	c.codeLongString(&m.Response)
	c.codeShortString(&m.Locale)
}

// ConnectionTune offers limits; a Heartbeat of 0 seconds asks for none.
type ConnectionTune struct {
	ChannelMax uint16
	FrameMax   uint32
	Heartbeat  uint16
}

func (*ConnectionTune) methodSpec() MethodSpec {
	return MethodSpec{Class: 10, Method: 30, Name: "connection.tune"}
}

func (m *ConnectionTune) codeArguments(c *codec) {
	c.codeShort(&m.ChannelMax)
	c.codeLong(&m.FrameMax)
	c.codeShort(&m.Heartbeat)
}

// ConnectionTuneOk answers ConnectionTune with limits that are no wider.
type ConnectionTuneOk struct {
	ChannelMax uint16
	FrameMax   uint32
	Heartbeat  uint16
}

func (*ConnectionTuneOk) methodSpec() MethodSpec {
	return MethodSpec{Class: 10, Method: 31, Name: "connection.tune-ok"}
}

func (m *ConnectionTuneOk) codeArguments(c *codec) {
	c.codeShort(&m.ChannelMax)
	c.codeLong(&m.FrameMax)
	c.codeShort(&m.Heartbeat)
}

// ConnectionOpen opens a virtual host.
type ConnectionOpen struct {
	VHost, Reserved1 string
	Reserved2        bool
}

func (*ConnectionOpen) methodSpec() MethodSpec {
	return MethodSpec{Class: 10, Method: 40, Name: "connection.open"}
}

func (m *ConnectionOpen) codeArguments(c *codec) {
	c.codeShortString(&m.VHost)
	c.codeShortString(&m.Reserved1)
	c.codeBit(&m.Reserved2)
}

// ConnectionOpenOk answers ConnectionOpen: the connection can be used.
type ConnectionOpenOk struct {
	Reserved1 string
}

func (*ConnectionOpenOk) methodSpec() MethodSpec {
	return MethodSpec{Class: 10, Method: 41, Name: "connection.open-ok"}
}

func (m *ConnectionOpenOk) codeArguments(c *codec) {
	c.codeShortString(&m.Reserved1)
}

// ConnectionClose ends the connection, from either side. Class and Method are those of
// the method that was wrong, or zero.
type ConnectionClose struct {
	Code          uint16
	Text          string
	Class, Method uint16
}

func (*ConnectionClose) methodSpec() MethodSpec {
	return MethodSpec{Class: 10, Method: 50, Name: "connection.close"}
}

func (m *ConnectionClose) codeArguments(c *codec) {
	c.codeShort(&m.Code)
	c.codeShortString(&m.Text)
	c.codeShort(&m.Class)
	c.codeShort(&m.Method)
}

// ConnectionCloseOk answers ConnectionClose.
type ConnectionCloseOk struct{}

func (*ConnectionCloseOk) methodSpec() MethodSpec {
	return MethodSpec{Class: 10, Method: 51, Name: "connection.close-ok"}
}
func (*ConnectionCloseOk) codeArguments(*codec) {}

// ChannelOpen opens the channel that it comes on.
type ChannelOpen struct {
	Reserved1 string
}

func (*ChannelOpen) methodSpec() MethodSpec {
	return MethodSpec{Class: 20, Method: 10, Name: "channel.open"}
}

func (m *ChannelOpen) codeArguments(c *codec) {
	c.codeShortString(&m.Reserved1)
}

// ChannelOpenOk answers ChannelOpen.
type ChannelOpenOk struct {
	Reserved1 string
}

func (*ChannelOpenOk) methodSpec() MethodSpec {
	return MethodSpec{Class: 20, Method: 11, Name: "channel.open-ok"}
}

func (m *ChannelOpenOk) codeArguments(c *codec) {
	c.codeLongString(&m.Reserved1)
}

// ChannelFlow asks the other side to stop or to go on with sending messages.
type ChannelFlow struct {
	Active bool
}

func (*ChannelFlow) methodSpec() MethodSpec {
	return MethodSpec{Class: 20, Method: 20, Name: "channel.flow"}
}

func (m *ChannelFlow) codeArguments(c *codec) {
	c.codeBit(&m.Active)
}

// ChannelFlowOk answers ChannelFlow.
type ChannelFlowOk struct {
	Active bool
}

func (*ChannelFlowOk) methodSpec() MethodSpec {
	return MethodSpec{Class: 20, Method: 21, Name: "channel.flow-ok"}
}

func (m *ChannelFlowOk) codeArguments(c *codec) {
	c.codeBit(&m.Active)
}

// ChannelClose ends the channel, from either side, as ConnectionClose does a
// connection.
type ChannelClose struct {
	Code          uint16
	Text          string
	Class, Method uint16
}

func (*ChannelClose) methodSpec() MethodSpec {
	return MethodSpec{Class: 20, Method: 40, Name: "channel.close"}
}

func (m *ChannelClose) codeArguments(c *codec) {
	c.codeShort(&m.Code)
	c.codeShortString(&m.Text)
	c.codeShort(&m.Class)
	c.codeShort(&m.Method)
}

// ChannelCloseOk answers ChannelClose.
type ChannelCloseOk struct{}

func (*ChannelCloseOk) methodSpec() MethodSpec {
	return MethodSpec{Class: 20, Method: 41, Name: "channel.close-ok"}
}
func (*ChannelCloseOk) codeArguments(*codec) {}
