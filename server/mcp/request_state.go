package mcp

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// sealLife is how long a person may take to answer.
	sealLife = 15 * time.Minute
	// sealMost is how many questions may be open at once.
	sealMost = 256
)

// ticket is what a question is about. It travels through the client, which
// could change it or send it twice, so it travels sealed.
type ticket struct {
	Operation string `json:"op"`
	Arguments string `json:"args"` // digest
	Subject   string `json:"subject"`
	ID        string `json:"id"`
	ConfigDir string `json:"dir"`
	Address   string `json:"url,omitempty"` // digest of where a person is sent, "" for a question
	Serial    uint64 `json:"n"`
	Expires   int64  `json:"exp"`
}

var (
	errForged  = errors.New("requestState was not given out by this server")
	errExpired = errors.New("requestState has expired; call again without it")
	errUsed    = errors.New("requestState was used already; call again without it")
)

// sealer seals tickets with a key that lives as long as the process, and
// redeems each once.
type sealer struct {
	aead cipher.AEAD

	mu     sync.Mutex
	last   uint64
	issued map[uint64]int64 // serial → when it expires
}

func newSealer() (*sealer, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: crypto/rand
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	return &sealer{aead: aead, issued: map[uint64]int64{}}, nil
}

// sealState gives t a serial number and a time to live, and returns it sealed.
func (s *sealer) sealState(t ticket) (string, error) {
	s.mu.Lock()
	now := time.Now()
	s.last++
	t.Serial, t.Expires = s.last, now.Add(sealLife).Unix()
	for serial, expires := range s.issued {
		if expires < now.Unix() || serial+sealMost <= s.last {
			delete(s.issued, serial)
		}
	}
	s.issued[t.Serial] = t.Expires
	s.mu.Unlock()
	plain, err := json.Marshal(t)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, plain, []byte(serverName))), nil
}

// openState returns the ticket in a state that this process sealed. It stays good
// until it is spent.
func (s *sealer) openState(state string) (ticket, error) {
	var t ticket
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(state)
	if err != nil {
		return t, errForged
	}
	plain, err := s.aead.Open(nil, nil, sealed, []byte(serverName))
	if err != nil {
		return t, errForged
	}
	if err := json.Unmarshal(plain, &t); err != nil {
		return t, errForged
	}
	if time.Now().Unix() > t.Expires {
		return t, errExpired
	}
	return t, nil
}

// spendState makes t good for nothing, and fails if it was so before.
func (s *sealer) spendState(t ticket) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.issued[t.Serial]; !ok {
		return errUsed
	}
	delete(s.issued, t.Serial)
	return nil
}
