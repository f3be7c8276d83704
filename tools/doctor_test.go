package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus/doctor"
	"chiltepin/globus/next"
	"chiltepin/tools/operation"
)

// fakeDoctor finds what it is told to, and repairs a failure when asked.
type fakeDoctor struct {
	found []doctor.Finding
	asked []doctor.ExamineOptions
}

func (f *fakeDoctor) Examine(_ context.Context, o doctor.ExamineOptions) ([]doctor.Finding, error) {
	f.asked = append(f.asked, o)
	found := append([]doctor.Finding(nil), f.found...)
	for i := range found {
		if o.Fix && found[i].Verdict == doctor.Failed {
			found[i].Verdict, found[i].Next = doctor.Fixed, nil
		}
	}
	return found, nil
}

// TestDoctor holds the verdict over all, the bytes, the text, and that only
// what may repair something is noted.
func TestDoctor(t *testing.T) {
	t.Parallel()
	healthy := doctor.Finding{Check: "settings", Verdict: doctor.OK, Evidence: "fine"}
	warning := doctor.Finding{Check: "disk", Subject: "/gc", Verdict: doctor.Warning, Evidence: "64 MiB are free at /gc", Next: []next.Step{next.Do("make room")}}
	failed := doctor.Finding{Check: "endpoint", Subject: "mesa", Verdict: doctor.Failed, Evidence: "Disconnected: gone\x1b[31m", Next: []next.Step{next.Endpoint(next.EndpointStart, "mesa", "")}}
	skipped := doctor.Finding{Check: "clock", Verdict: doctor.Skipped, Evidence: "nobody to ask"}
	for _, tt := range []struct {
		args    string
		found   []doctor.Finding
		verdict string
		noted   int
	}{
		{`{}`, []doctor.Finding{healthy, skipped}, "ok", 0},
		{`{"offline":true}`, []doctor.Finding{healthy, warning}, "warning", 0},
		{`{}`, []doctor.Finding{failed, warning}, "failed", 0},
		{`{"fix":true}`, []doctor.Finding{failed, healthy}, "ok", 2},
	} {
		fake, journal := &fakeDoctor{found: tt.found}, &fakeJournal{}
		tool := All(Services{
			Doctors: func(context.Context, Place) (Doctors, error) { return fake, nil },
			Journal: func(context.Context, string) (Journal, error) { return journal, nil },
		}).Lookup("doctor")
		res, err := tool.Call(t.Context(), json.RawMessage(tt.args))
		if err != nil {
			t.Fatal(err)
		}
		conforms(t, tool, res.JSON)
		var d Diagnosis
		if err := json.Unmarshal(res.JSON, &d); err != nil || d.Verdict != tt.verdict || len(d.Findings) != len(tt.found) {
			t.Errorf("%s: %s, %v", tt.args, res.JSON, err)
		}
		if len(journal.entries) != tt.noted {
			t.Errorf("%s: %d entries in the journal, want %d", tt.args, len(journal.entries), tt.noted)
		}
		if tt.noted == 2 && (journal.entries[1].Outcome != "fixed" || len(journal.entries[1].Evidence) != 1) {
			t.Errorf("noted as %+v", journal.entries[1])
		}
	}
	var text bytes.Buffer
	d := diagnosisResult([]doctor.Finding{healthy, warning, failed})
	if err := d.WriteText(&operation.Printer{Writer: &text}); err != nil {
		t.Fatal(err)
	}
	const want = `ok      settings        fine
warning disk            64 MiB are free at /gc
                          next: make room
failed  endpoint        mesa: Disconnected: gone\u{1b}[31m
                          next: endpoint.start {"name":"mesa"}
`
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
