package compute

import (
	"strings"
	"testing"
)

// A connection URL gives host and port, or an error; the password in it gets
// into neither.
func FuzzParseBroker(f *testing.F) {
	for _, s := range []string{"amqps://u:hush@broker.example.org/%2F", "amqp://u:hush@127.0.0.1:4711/", "amqps://u:hush@[::1]:443", "http://x", "amqp://", "amqps://u:hush@h:99999", "amqps://u:hu%zzsh@h"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := parseBroker(text)
		if err != nil {
			if b != (Broker{}) || len(err.Error()) > 80 {
				t.Errorf("%q: %+v, %v", text, b, err)
			}
			return
		}
		if b.Host == "" || b.Port < 1 || b.Port > 65535 || strings.Contains(b.Host, "@") {
			t.Errorf("%q: %+v", text, b)
		}
	})
}

func TestParseBroker(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"amqps://u:hush@broker.example.org/%2F": "broker.example.org:5671",
		"amqp://u:hush@127.0.0.1:4711/":         "127.0.0.1:4711",
		"amqps://u:hush@[::1]:443":              "[::1]:443",
		"amqp://u:hush@host":                    "host:5672",
		"https://host":                          "",
		"amqps://u:hush@h:99999":                "",
	} {
		b, err := parseBroker(text)
		if err == nil && b.Address() != want || err != nil && (want != "" || strings.Contains(err.Error(), "hush")) {
			t.Errorf("%s: %s, %v", text, b.Address(), err)
		}
	}
}
