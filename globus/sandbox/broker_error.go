package sandbox

import "fmt"

// The reply codes in use.
const (
	amqpNoRoute            = 312
	amqpConnectionForced   = 320
	amqpAccessRefused      = 403
	amqpNotFound           = 404
	amqpResourceLocked     = 405
	amqpPreconditionFailed = 406
	amqpFrameError         = 501
	amqpCommandInvalid     = 503
	amqpChannelError       = 504
	amqpUnexpectedFrame    = 505
	amqpNotAllowed         = 530
	amqpNotImplemented     = 540
	amqpInternalError      = 541
)

// amqpError is why a channel or a connection is closed, in the words a client
// is told.
type amqpError struct {
	Code uint16
	Text string // "NOT_FOUND - no queue 'x' in vhost '/'"
}

func (e *amqpError) Error() string { return fmt.Sprintf("%d %s", e.Code, e.Text) }

// closesConnection tells whether it ends the connection and not only the channel.
func (e *amqpError) closesConnection() bool { return e.Code == amqpConnectionForced || e.Code >= 500 }

// amqpErrorf writes the text as RabbitMQ does: the name of the code first.
func amqpErrorf(code uint16, format string, args ...any) *amqpError {
	text := amqpCodeName(code) + " - " + fmt.Sprintf(format, args...)
	if len(text) > 255 {
		text = text[:252] + "..."
	}
	return &amqpError{code, text}
}

func amqpCodeName(code uint16) string {
	switch code {
	case amqpNoRoute:
		return "NO_ROUTE"
	case amqpConnectionForced:
		return "CONNECTION_FORCED"
	case amqpAccessRefused:
		return "ACCESS_REFUSED"
	case amqpNotFound:
		return "NOT_FOUND"
	case amqpResourceLocked:
		return "RESOURCE_LOCKED"
	case amqpPreconditionFailed:
		return "PRECONDITION_FAILED"
	case amqpFrameError:
		return "FRAME_ERROR"
	case amqpCommandInvalid:
		return "COMMAND_INVALID"
	case amqpChannelError:
		return "CHANNEL_ERROR"
	case amqpUnexpectedFrame:
		return "UNEXPECTED_FRAME"
	case amqpNotAllowed:
		return "NOT_ALLOWED"
	case amqpNotImplemented:
		return "NOT_IMPLEMENTED"
	}
	return "INTERNAL_ERROR"
}
