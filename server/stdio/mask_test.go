package stdio_test

import (
	"testing"

	"chiltepin/server/stdio"
)

func TestMask(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"params":{"name":"mesa","access_token":"abc","n":9007199254740993}}`:            `{"params":{"access_token":"***","n":9007199254740993,"name":"mesa"}}`,
		`{"client_secret":["a","b"],"requestState":"x","_meta":{"progressToken":"p"}}`:    `{"_meta":{"progressToken":"p"},"client_secret":["***","***"],"requestState":"***"}`,
		`{"text":"Authorization: Bearer abc.def and eyJhbGciOiJSUzI1NiJ9.eyJzdWIi.c2ln"}`: `{"text":"Authorization: *** and ***"}`,
		`{"text":"AgABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 and Agenda"}`:                    `{"text":"*** and Agenda"}`,
		`{"params":{"arguments":{"flow":"f","code":"abc"}}}`:                              `{"params":{"arguments":{"code":"***","flow":"f"}}}`,
		`{"params":{"code":"abc"},"error":{"data":{"code":"invalid"},"code":"x"}}`:        `{"error":{"code":"x","data":{"code":"invalid"}},"params":{"code":"***"}}`,
		`nonsense`: `"(not JSON)"`,
	} {
		if got := string(stdio.Mask([]byte(in))); got != want {
			t.Errorf("Mask(%s)\n got %s\nwant %s", in, got, want)
		}
	}
}
