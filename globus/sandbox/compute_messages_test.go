package sandbox

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What packMessage wrote, unpackMessage reads back; what it refuses is an error.
func FuzzMessagepack(f *testing.F) {
	f.Add([]byte("\x01{\"message_type\":\"result\",\"data\":{\"task_id\":\"x\",\"data\":\"y\"}}"))
	f.Add([]byte("\x01{}"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, body []byte) {
		var got resultMessage
		if err := unpackMessage(body, "result", &got); err != nil {
			return
		}
		again, err := packMessage("result", map[string]any{
			"task_id": got.TaskID, "data": got.Data, "details": got.Details, "error_details": errorDetails(got),
		})
		if err != nil {
			t.Fatal(err)
		}
		var back resultMessage
		if err := unpackMessage(again, "result", &back); err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		if diff := cmp.Diff(got, back); diff != "" {
			t.Errorf("(-first +second):\n%s", diff)
		}
	})
}

func errorDetails(r resultMessage) any {
	if r.Error == nil {
		return nil
	}
	return map[string]any{"code": r.Error.Code, "user_message": r.Error.UserMessage}
}
