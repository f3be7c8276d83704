package amqp

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestFieldValue has a field of each type as pika and amqp091-go write it.
func TestFieldValue(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, hex string
		want      any
		rewritten string // what we write, when that is not the same
	}{
		{name: "nothing", hex: "56", want: nil},
		{name: "true", hex: "7401", want: true},
		{name: "false", hex: "7400", want: false},
		{name: "int8", hex: "62ff", want: int8(-1)},
		{name: "uint8", hex: "42ff", want: uint8(255)},
		{name: "int16", hex: "73fffe", want: int16(-2)},
		{name: "int16 of the standard", hex: "55fffe", want: int16(-2), rewritten: "73fffe"},
		{name: "uint16", hex: "75fffe", want: uint16(65534)},
		{name: "int32", hex: "49fffffffd", want: int32(-3)},
		{name: "uint32", hex: "69fffffffd", want: uint32(4294967293)},
		{name: "int64", hex: "6cfffffffffffffffc", want: int64(-4)},
		{name: "int64 of the standard", hex: "4cfffffffffffffffc", want: int64(-4), rewritten: "6cfffffffffffffffc"},
		{name: "float32", hex: "663fc00000", want: float32(1.5)},
		{name: "float64", hex: "643ff8000000000000", want: 1.5},
		{name: "decimal", hex: "4402000000ff", want: Decimal{Scale: 2, Value: 255}},
		{name: "time", hex: "54000000006ab1c500", want: time.Date(2026, 9, 22, 0, 0, 0, 0, time.UTC)},
		{name: "string", hex: "530000000568656c6c6f", want: "hello"},
		{name: "bytes", hex: "780000000200ff", want: []byte{0, 255}},
		{name: "list", hex: "4100000003620156", want: []any{int8(1), nil}},
		{name: "empty list", hex: "4100000000", want: []any{}},
		{name: "table", hex: "4600000004016162ff", want: map[string]any{"a": int8(-1)}},
		{name: "empty table", hex: "4600000000", want: map[string]any{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			in, err := hex.DecodeString("0178" + test.hex)
			if err != nil {
				t.Fatal(err)
			}
			got, err := parseTable(in, 0)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string]any{"x": test.want}, got); diff != "" {
				t.Errorf("reading (-want +got):\n%s", diff)
			}
			out, err := appendValue(nil, test.want)
			if err != nil {
				t.Fatal(err)
			}
			want := test.rewritten
			if want == "" {
				want = test.hex
			}
			if got := hex.EncodeToString(out); got != want {
				t.Errorf("written as %s, want %s", got, want)
			}
		})
	}
}

func TestTableErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, in, want string }{
		{"name too short", "\x05ab", `field "": value is cut short`},
		{"no value", "\x01a", `field "a": value is cut short`},
		{"unknown type", "\x01aQ", `field "a": unknown type 'Q'`},
		{"string too long", "\x01aS\xff\xff\xff\xffx", `field "a": value is cut short`},
		{"list too long", "\x01aA\x00\x00\x00\x09t\x01", `field "a": value is cut short`},
		{"inside a table", "\x01aF\x00\x00\x00\x03\x01bQ", `field "a": field "b": unknown type 'Q'`},
		{"too deep", deepTable(40), "tables are nested deeper than 32"},
		{"too deep a list", "\x01a" + deepList(40), "lists are nested deeper than 32"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseTable([]byte(test.in), 0)
			if err == nil || !strings.HasSuffix(err.Error(), test.want) || got != nil {
				t.Errorf("got %v, %v; want error %q", got, err, test.want)
			}
		})
	}
}

func deepTable(n int) string {
	if n == 0 {
		return ""
	}
	in := deepTable(n - 1)
	return "\x01aF" + string([]byte{0, 0, byte(len(in) >> 8), byte(len(in))}) + in
}

func deepList(n int) string {
	if n == 0 {
		return "V"
	}
	in := deepList(n - 1)
	return "A" + string([]byte{0, 0, byte(len(in) >> 8), byte(len(in))}) + in
}

func TestCannotBeWritten(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 256)
	for _, test := range []struct {
		m    Method
		want string
	}{
		{&BasicCancel{Consumer: long}, "writing basic.cancel: short string of 256 bytes: at most 255 can be sent"},
		{&QueueDeclare{Arguments: map[string]any{"a": struct{}{}}}, `writing queue.declare: field "a": a struct {} cannot be sent`},
		{&QueueDeclare{Arguments: map[string]any{long: 1}}, "writing queue.declare: field name of 256 bytes: at most 255 can be sent"},
	} {
		if _, err := AppendMethod(nil, test.m); err == nil || err.Error() != test.want {
			t.Errorf("%T: got %v, want %q", test.m, err, test.want)
		}
	}
}

// TestBits: nine booleans in a row take two octets.
func TestBits(t *testing.T) {
	t.Parallel()
	in := [9]bool{0: true, 7: true, 8: true}
	w := codec{}
	for i := range in {
		w.codeBit(&in[i])
	}
	after := uint8(7)
	w.codeOctet(&after)
	if got := hex.EncodeToString(w.buf); got != "810107" {
		t.Fatalf("written as %s, want 810107", got)
	}
	r := codec{buf: w.buf, reading: true}
	var out [9]bool
	for i := range out {
		r.codeBit(&out[i])
	}
	if out != in || r.err != nil {
		t.Errorf("read %v, %v", out, r.err)
	}
}

func TestReadFrameErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, in string
		want     error
	}{
		{"nothing", "", io.EOF},
		{"half a head", "\x01\x00", io.ErrUnexpectedEOF},
		{"no payload", "\x01\x00\x01\x00\x00\x00\x02", io.ErrUnexpectedEOF},
		{"half a payload", "\x01\x00\x01\x00\x00\x00\x02x", io.ErrUnexpectedEOF},
		{"wrong end", "\x01\x00\x01\x00\x00\x00\x01xx", ErrFrame},
		{"too large", "\x01\x00\x01\xff\xff\xff\xff", ErrFrame},
	} {
		if _, err := ReadFrame(strings.NewReader(test.in), 4096); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, err, test.want)
		}
	}
}

// FuzzFrames reads a stream of frames and writes them again.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("\x08\x00\x00\x00\x00\x00\x00\xce"))
	f.Add([]byte("\x01\x00\x01\x00\x00\x00\x04\x00\x3c\x00\x0b\xce\x03\x00\x01\x00\x00\x00\x01x\xce"))
	f.Fuzz(func(t *testing.T, in []byte) {
		const most = 1024
		r := bytes.NewReader(in)
		var out []byte
		for {
			frame, err := ReadFrame(r, most)
			if err != nil {
				break
			}
			if len(frame.Payload) > most || cap(frame.Payload) > most+1 {
				t.Fatalf("a payload of %d bytes in %d", len(frame.Payload), cap(frame.Payload))
			}
			out = AppendFrame(out, frame)
		}
		if !bytes.HasPrefix(in, out) {
			t.Fatalf("%x was read and written as %x", in, out)
		}
	})
}

// FuzzMethod: what is read, written and read again is the same, and what
// cannot be read is an error.
func FuzzMethod(f *testing.F) {
	for _, m := range []Method{
		&ConnectionStart{Minor: 9, Properties: map[string]any{"capabilities": map[string]any{"basic.nack": true}}, Mechanisms: "PLAIN", Locales: "en_US"},
		&ConnectionStartOk{Mechanism: "PLAIN", Response: "\x00all\x00secret", Locale: "en_US"},
		&ConnectionTuneOk{ChannelMax: 2047, FrameMax: 131072, Heartbeat: 60},
		&ChannelClose{Code: 404, Text: "NOT_FOUND - no queue 'q' in vhost '/'", Class: 50, Method: 10},
		&ExchangeDeclare{Exchange: "results", Kind: "topic", Durable: true, NoWait: true, Arguments: map[string]any{"x": int32(1)}},
		&QueueDeclare{Queue: "q", Passive: true, Durable: true, Exclusive: true, AutoDelete: true, NoWait: true},
		&BasicDeliver{Consumer: "t", Tag: 1 << 40, Redelivered: true, Exchange: "x", Key: "k"},
		&BasicNack{Tag: 9, Multiple: true, Requeue: true},
	} {
		p, err := AppendMethod(nil, m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		first, err := ParseMethod(in)
		if err != nil {
			return
		}
		out, err := AppendMethod(nil, first)
		if err != nil {
			t.Fatalf("%#v was read and cannot be written: %v", first, err)
		}
		second, err := ParseMethod(out)
		if err != nil {
			t.Fatalf("%x was written and cannot be read: %v", out, err)
		}
		again, err := AppendMethod(nil, second)
		if err != nil || !bytes.Equal(out, again) {
			t.Fatalf("%x was read and written as %x, %v", out, again, err)
		}
		if len(out) > len(in) { // nothing is made up
			t.Fatalf("%d bytes became %d", len(in), len(out))
		}
	})
}

// FuzzHeader is FuzzMethod for content headers.
func FuzzHeader(f *testing.F) {
	for _, h := range []Header{
		{Size: 5},
		{Size: 1 << 40, Properties: Properties{
			ContentType: "application/json", ContentEncoding: "utf-8", Headers: map[string]any{"task_uuid": "t", "list": []any{int64(1), 2.5}},
			DeliveryMode: 2, Priority: 9, CorrelationID: "c", ReplyTo: "r", Expiration: "1000", MessageID: "m",
			Timestamp: time.Unix(1790000000, 0), Type: "t", UserID: "u", AppID: "a", ClusterID: "l",
		}},
	} {
		p, err := AppendHeader(nil, h)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		first, err := ParseHeader(in)
		if err != nil {
			return
		}
		out, err := AppendHeader(nil, first)
		if err != nil {
			t.Fatalf("%+v was read and cannot be written: %v", first, err)
		}
		second, err := ParseHeader(out)
		if err != nil {
			t.Fatalf("%x was written and cannot be read: %v", out, err)
		}
		again, err := AppendHeader(nil, second)
		if err != nil || !bytes.Equal(out, again) {
			t.Fatalf("%x was read and written as %x, %v", out, again, err)
		}
	})
}

// TestMethodNumbers: what is read for a class and a method number is the
// method of these numbers, and no name is there twice.
func TestMethodNumbers(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for class := range uint16(100) {
		for method := range uint16(130) {
			m := newMethod(class, method)
			if m == nil {
				continue
			}
			spec := SpecOf(m)
			if spec.Class != class || spec.Method != method || names[spec.Name] {
				t.Errorf("%d, %d is read as %+v", class, method, spec)
			}
			names[spec.Name] = true
		}
	}
	if len(names) != 48 {
		t.Errorf("%d methods are known, want 48", len(names))
	}
}
