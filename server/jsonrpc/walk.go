package jsonrpc

import (
	"bytes"
	"encoding/json"
)

// Members calls each for the members of a JSON object, in their order; of
// what is no object it does nothing. The text must be valid JSON, as
// everything is that a stream has read: it is looked through once and nothing
// is decoded. A name is without its escapes, a value as it was written.
func Members(object json.RawMessage, each func(name []byte, value json.RawMessage)) {
	i := skipSpace(object, 0)
	if i >= len(object) || object[i] != '{' {
		return
	}
	for i = skipSpace(object, i+1); i < len(object) && object[i] == '"'; i = skipSpace(object, i) {
		end := skipString(object, i)
		name := plainName(object[i:end])
		i = skipSpace(object, end)
		i = skipSpace(object, i+1) // the colon
		end = skipValue(object, i)
		each(name, object[i:end:end])
		i = skipSpace(object, end)
		if i < len(object) && object[i] == ',' {
			i++
		}
	}
}

// Elements calls each for the elements of a JSON array, as [Members] does.
func Elements(array json.RawMessage, each func(value json.RawMessage)) {
	i := skipSpace(array, 0)
	if i >= len(array) || array[i] != '[' {
		return
	}
	for i = skipSpace(array, i+1); i < len(array) && array[i] != ']'; i = skipSpace(array, i) {
		end := skipValue(array, i)
		each(array[i:end:end])
		i = skipSpace(array, end)
		if i < len(array) && array[i] == ',' {
			i++
		}
	}
}

// plainName is the text of a name in its quotation marks.
func plainName(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	var name string
	if json.Unmarshal(quoted, &name) != nil {
		return nil
	}
	return []byte(name)
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// skipString returns the index behind the string that begins at i.
func skipString(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

// skipValue returns the index behind the value that begins at i.
func skipValue(b []byte, i int) int {
	if i >= len(b) {
		return len(b)
	}
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		return skipNested(b, i)
	}
	for i < len(b) && bytes.IndexByte([]byte(",]} \t\r\n"), b[i]) < 0 {
		i++
	}
	return i
}

// skipNested returns the index behind the object or array that begins at i.
func skipNested(b []byte, i int) int {
	for depth := 0; i < len(b); {
		switch b[i] {
		case '"':
			i = skipString(b, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return len(b)
}
