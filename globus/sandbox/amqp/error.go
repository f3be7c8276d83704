package amqp

import "fmt"

// The reply codes that a broker gives as reasons (AMQP 0-9-1 §1.2).
const (
	CodeNoRoute            = 312
	CodeConnectionForced   = 320
	CodeAccessRefused      = 403
	CodeNotFound           = 404
	CodeResourceLocked     = 405
	CodePreconditionFailed = 406
	CodeFrameError         = 501
	CodeCommandInvalid     = 503
	CodeChannelError       = 504
	CodeUnexpectedFrame    = 505
	CodeNotAllowed         = 530
	CodeNotImplemented     = 540
	CodeInternalError      = 541
)

// ReplyError is the reason for which a channel or a connection is closed, with the
// text that the client gets.
type ReplyError struct {
	Code uint16
	Text string // "NOT_FOUND - no queue 'x' in vhost '/'"
}

func (e *ReplyError) Error() string { return fmt.Sprintf("%d %s", e.Code, e.Text) }

// ClosesConnection reports whether the error ends the connection, and not only
// the channel.
func (e *ReplyError) ClosesConnection() bool { return e.Code == CodeConnectionForced || e.Code >= 500 }

// Errorf makes an Error whose text begins, as with RabbitMQ, with the name of
// the code. A text over the 255 bytes that a short string can hold is cut.
func Errorf(code uint16, format string, args ...any) *ReplyError {
	text := CodeName(code) + " - " + fmt.Sprintf(format, args...)
	if len(text) > 255 {
		text = text[:252] + "..."
	}
	return &ReplyError{code, text}
}

// CodeName is the name of a reply code, such as "NOT_FOUND".
func CodeName(code uint16) string {
	switch code {
	case CodeNoRoute:
		return "NO_ROUTE"
	case CodeConnectionForced:
		return "CONNECTION_FORCED"
	case CodeAccessRefused:
		return "ACCESS_REFUSED"
	case CodeNotFound:
		return "NOT_FOUND"
	case CodeResourceLocked:
		return "RESOURCE_LOCKED"
	case CodePreconditionFailed:
		return "PRECONDITION_FAILED"
	case CodeFrameError:
		return "FRAME_ERROR"
	case CodeCommandInvalid:
		return "COMMAND_INVALID"
	case CodeChannelError:
		return "CHANNEL_ERROR"
	case CodeUnexpectedFrame:
		return "UNEXPECTED_FRAME"
	case CodeNotAllowed:
		return "NOT_ALLOWED"
	case CodeNotImplemented:
		return "NOT_IMPLEMENTED"
	}
	return "INTERNAL_ERROR"
}
