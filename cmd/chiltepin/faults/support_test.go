package faults

import (
	"bytes"
	"sync"

	"chiltepin/globus/runtime/runtimetest"
)

// boxClients holds the credentials that the beds of each box share.
var boxClients sync.Map

// boxTokens holds the token store of the first login of each box.
var boxTokens sync.Map

// syncBuffer is a buffer that a process writes to while a test reads.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// real has the fixture use the real daemon.
func (b *fixture) real() {
	b.Helper()
	py := runtimetest.Env(b, runtimetest.Newest)
	b.set("PATH", py.Path())
}
