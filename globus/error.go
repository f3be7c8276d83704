package globus

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Error is a refusal: the service was reached and answered with a status
// outside 2xx. It keeps the service's code and words, and never a token.
type Error struct {
	// Service is the short name of who answered: "auth", "compute".
	Service string
	// Method and Path are what was asked, without query.
	Method, Path string
	// Status is the HTTP status.
	Status int
	// Code is the service's own word, such as "ENDPOINT_NOT_FOUND" or
	// "invalid_grant"; empty where it gave none.
	Code string
	// Message is the service's own sentence, cut to a sensible length.
	Message string
	// RequestID is what the service's operators ask for, where it is given.
	RequestID string
	// RetryAfter is how long the service asked to be left alone.
	RetryAfter time.Duration
	// Requirements is what the service asks of another login, if that would help.
	Requirements AuthRequirements
}

// Error tells who refused what, and in which words.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: Globus %s answered %d", e.Method, e.Path, e.Service, e.Status)
	if text := http.StatusText(e.Status); text != "" {
		b.WriteString(" " + text)
	}
	if e.Code != "" {
		b.WriteString(" (" + e.Code + ")")
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if !e.Requirements.IsZero() {
		b.WriteString("; it asks for a login with " + e.Requirements.String())
	}
	if e.RequestID != "" {
		b.WriteString(" [request " + e.RequestID + "]")
	}
	return b.String()
}

// Temporary is true when the same request may succeed later.
func (e *Error) Temporary() bool { return isTransient(e.Status) }

// isTransient lists the statuses that globus_sdk/transport/retry_config.py
// tries again.
func isTransient(status int) bool {
	switch status {
	case 429, 500, 502, 503, 504:
		return true
	}
	return false
}

// StatusOf is the HTTP status of the refusal in err, 0 when there is none.
func StatusOf(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Status
	}
	return 0
}

// IsNotFound is true when the service does not have what was asked for.
func IsNotFound(err error) bool { return StatusOf(err) == http.StatusNotFound }

// IsForbidden is true when the service knows who asks and will not do it.
func IsForbidden(err error) bool { return StatusOf(err) == http.StatusForbidden }

// IsUnavailable is true when nothing can be said about the request itself:
// the service could not be reached, could not be trusted, did not speak as it
// does, or said that it cannot answer now.
func IsUnavailable(err error) bool {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Temporary()
	}
	if _, ok := errors.AsType[*ForeignResponseError](err); ok {
		return true
	}
	_, ok := errors.AsType[*NetworkError](err)
	return ok
}

// ResponseError turns an answer outside 2xx into an [*Error]; it is nil for
// any other. It reads the body and leaves closing it to the caller.
func ResponseError(service string, resp *http.Response) error {
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return nil
	}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	e := &Error{Service: service, Status: resp.StatusCode, RetryAfter: parseRetryAfter(resp)}
	secret := ""
	if resp.Request != nil {
		e.Method, e.Path = resp.Request.Method, resp.Request.URL.Path
		_, secret, _ = strings.Cut(resp.Request.Header.Get("Authorization"), " ")
	}
	e.Code, e.Message, e.RequestID = parseErrorBody(resp.Header.Get("Content-Type"), body)
	e.Code = cleanWords(e.Code, secret, 80)
	e.Message = cleanWords(e.Message, secret, 500)
	e.RequestID = cleanWords(e.RequestID, secret, 80)
	if e.Status == http.StatusForbidden || e.Status == http.StatusUnauthorized {
		e.Requirements = ParseAuthRequirements(body)
	}
	return e
}

// parseErrorBody finds code, sentence and request id in the shapes that Globus uses:
// its own ({"code","message"} or {"code","reason"}), OAuth2's ({"error",
// "error_description"}), JSON:API's ({"errors":[{"code","detail"}]}) and that
// of a web framework ({"detail"}). Anything else that is text is the sentence.
func parseErrorBody(contentType string, body []byte) (code, message, requestID string) {
	var doc map[string]json.RawMessage
	if json.Unmarshal(body, &doc) != nil {
		if strings.HasPrefix(contentType, "text/plain") {
			return "", string(body), ""
		}
		return "", "", ""
	}
	text := func(fields ...string) string {
		for _, field := range fields {
			var s string
			if json.Unmarshal(doc[field], &s) == nil && s != "" {
				return s
			}
		}
		return ""
	}
	requestID = text("request_id")
	var list []map[string]json.RawMessage
	if json.Unmarshal(doc["errors"], &list) == nil && len(list) > 0 {
		doc = list[0]
	}
	code = text("code", "error")
	message = text("message", "reason", "error_description", "detail", "title")
	if message == "" && len(doc["detail"]) > 0 {
		message = string(doc["detail"])
	}
	return code, message, requestID
}

// cleanWords makes words of a stranger fit to be shown: one line, no control
// characters, bounded, and without the credentials that were sent.
func cleanWords(s, secret string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.Join(strings.Fields(s), " ")
	if len(secret) > 3 {
		s = strings.ReplaceAll(s, secret, "…")
	}
	if runes := []rune(s); len(runes) > limit {
		s = string(runes[:limit]) + "…"
	}
	return s
}

// parseRetryAfter reads the header in both of its forms, seconds and a date.
func parseRetryAfter(resp *http.Response) time.Duration {
	value := resp.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil && seconds > 0 && seconds < 1<<30 {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}
