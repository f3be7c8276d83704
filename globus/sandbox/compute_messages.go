package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
)

// The messages between service and endpoint: a version byte, then JSON with a
// type and its data (globus-compute-common messagepack, protocol 1).
const packVersion = 1

type packedMessage struct {
	Type string          `json:"message_type"`
	Data json.RawMessage `json:"data"`
}

func packMessage(kind string, data any) ([]byte, error) {
	raw, err := json.Marshal(data)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(packedMessage{Type: kind, Data: raw})
	if err != nil {
		return nil, err
	}
	return append([]byte{packVersion}, body...), nil
}

// unpackMessage decodes a message of the given kind into data.
func unpackMessage(body []byte, kind string, data any) error {
	if len(body) == 0 {
		return errors.New("an empty message")
	}
	if body[0] != packVersion {
		return fmt.Errorf("message version %d, want %d", body[0], packVersion)
	}
	var p packedMessage
	if err := json.Unmarshal(body[1:], &p); err != nil {
		return fmt.Errorf("reading a message: %w", err)
	}
	if p.Type != kind {
		return fmt.Errorf("a message of type %q, want %q", p.Type, kind)
	}
	if err := json.Unmarshal(p.Data, data); err != nil {
		return fmt.Errorf("reading the data of a %s: %w", kind, err)
	}
	return nil
}

// statusReport is a heartbeat. Old releases call the state ep_status_report.
type statusReport struct {
	EndpointID string         `json:"endpoint_id"`
	State      map[string]any `json:"global_state"`
	OldState   map[string]any `json:"ep_status_report"`
}

func (s *statusReport) endpointState() map[string]any {
	if s.State != nil {
		return s.State
	}
	return s.OldState
}

type taskMessage struct {
	TaskID      string `json:"task_id"`
	ContainerID any    `json:"container_id"`
	Container   any    `json:"container"`
	Buffer      string `json:"task_buffer"`
}

type resultMessage struct {
	TaskID  string         `json:"task_id"`
	Data    string         `json:"data"`
	Details map[string]any `json:"details"`
	Error   *struct {
		Code        string `json:"code"`
		UserMessage string `json:"user_message"`
	} `json:"error_details"`
}
