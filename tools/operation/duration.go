package operation

import (
	"encoding/json"
	"fmt"
	"time"
)

// Duration is a span of time as people and models write it: "90s", "2m30s".
// The zero value means that none was given.
type Duration time.Duration

// durationPattern is what [Duration] accepts, as a JSON Schema pattern.
const durationPattern = `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`

// MarshalJSON writes the form that UnmarshalJSON reads.
func (d Duration) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Duration(d).String())
}

// UnmarshalJSON reads a string such as "90s"; negative spans are refused.
func (d *Duration) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf(`want a duration such as "90s", got %s`, b)
	}
	v, err := time.ParseDuration(s)
	if err != nil || v < 0 {
		return fmt.Errorf(`want a duration such as "90s", got %q`, s)
	}
	*d = Duration(v)
	return nil
}
