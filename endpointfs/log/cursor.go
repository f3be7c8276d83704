package log

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"io"
	"strconv"
	"strings"
)

// CursorError is a cursor that [Files.Query] did not give.
type CursorError struct{ Cursor string }

// Error quotes the cursor.
func (e *CursorError) Error() string { return fmt.Sprintf("%q is not a cursor of a log", e.Cursor) }

// Next says what to do.
func (e *CursorError) Next() string { return "give the cursor as it was received, or none" }

// cursor is a place in a log that outlives its rotation: a file is known again
// by its first bytes, which hold the time of its first record.
type cursor struct {
	older  bool  // go on with what is before offset, not after it
	offset int64 // in the file
	length int   // of the bytes that sum is of, at most offset
	sum    string
}

const cursorBytes = 64

func (c cursor) String() string {
	way := "n"
	if c.older {
		way = "o"
	}
	return fmt.Sprintf("%s.%d.%d.%s", way, c.offset, c.length, c.sum)
}

func parseCursor(s string) (cursor, error) {
	part := strings.Split(s, ".")
	if len(part) != 4 || part[0] != "n" && part[0] != "o" || len(part[3]) != 16 || len(s) > 80 {
		return cursor{}, &CursorError{s}
	}
	offset, err1 := strconv.ParseUint(part[1], 10, 63)
	length, err2 := strconv.ParseUint(part[2], 10, 8)
	if _, err3 := hex.DecodeString(part[3]); err1 != nil || err2 != nil || err3 != nil || length > cursorBytes {
		return cursor{}, &CursorError{s}
	}
	return cursor{part[0] == "o", int64(offset), int(length), part[3]}, nil
}

// cursorAt returns the cursor for an offset in a file.
func cursorAt(f io.ReaderAt, offset int64, older bool) (cursor, error) {
	c := cursor{older: older, offset: offset, length: int(min(offset, cursorBytes))}
	var err error
	c.sum, err = fingerprintHead(f, c.length)
	return c, err
}

// pointsInto says whether the cursor is one into this file.
func (c cursor) pointsInto(f io.ReaderAt, size int64) bool {
	if c.offset > size {
		return false
	}
	sum, err := fingerprintHead(f, c.length)
	return err == nil && sum == c.sum
}

func fingerprintHead(f io.ReaderAt, length int) (string, error) {
	data := make([]byte, length)
	if length > 0 {
		if n, err := f.ReadAt(data, 0); n < length {
			return "", err
		}
	}
	h := fnv.New64a()
	h.Write(data)
	return hex.EncodeToString(binary.BigEndian.AppendUint64(nil, h.Sum64())), nil
}
