package daemon

import (
	"encoding/json"
	"testing"
)

func TestReportedTasks(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"":                             -1,
		"{}":                           -1,
		"null":                         -1,
		"[]":                           -1,
		`{"outstanding_tasks": null}`:  -1,
		`{"outstanding_tasks": 0}`:     0,
		`{"outstanding_tasks": 12}`:    12,
		`{"outstanding_tasks": -2}`:    -1,
		`{"outstanding_tasks": "two"}`: -1,
	} {
		if got := ReportedTasks(json.RawMessage(text)); got != want {
			t.Errorf("outstanding(%s) = %d, want %d", text, got, want)
		}
	}
}
