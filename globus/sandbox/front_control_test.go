package sandbox_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus/sandbox"
	"chiltepin/globus/sandbox/sandboxtest"
)

// control sends a control request and returns status and body.
func control(t *testing.T, b *sandboxtest.Box, method, what, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(method, "http://127.0.0.1/_sandbox/"+what, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := b.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	out, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(out)
}

func TestControlRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	b := sandboxtest.New(t)
	tests := []struct{ what, body, want string }{
		{"faults", `{"statsu":500}`, `{"error":"json: unknown field \"statsu\""}`},
		{"faults", `{"delay":"soon"}`, `{"error":"delay: want a duration such as \"90s\", got \"soon\""}`},
		{"settings", `{"access_lifetime":"2 days"}`, `{"error":"access_lifetime: want a duration such as \"90s\", got \"2 days\""}`},
		{"settings", `{"consent":"maybe"}`, `{"error":"consent: want auto, ask or deny, got \"maybe\""}`},
		{"clock", `{"offset":"late"}`, `{"error":"offset: want a duration such as \"90s\", got \"late\""}`},
		{"tokens/expire", `{"kind":"all"}`, `{"error":"kind: want access or refresh, got \"all\""}`},
		{"broker/faults", `{"kind":"explode"}`, `{"error":"kind: want refuse, auth, close, silent or delay, got \"explode\""}`},
		{"down", ``, `{"error":"the sandbox is not started"}`},
	}
	for _, tt := range tests {
		status, body := control(t, b, "POST", tt.what, tt.body)
		if status != http.StatusBadRequest || strings.TrimSpace(body) != tt.want {
			t.Errorf("%s %s: %d %s, want %s", tt.what, tt.body, status, body, tt.want)
		}
	}
}

func TestControl(t *testing.T) {
	t.Parallel()
	b := sandboxtest.New(t)
	must := func(method, what, body string) string {
		t.Helper()
		status, out := control(t, b, method, what, body)
		if status != http.StatusOK {
			t.Fatalf("%s %s: %d %s", method, what, status, out)
		}
		return out
	}
	must("POST", "faults", `{"path":"/v2/version","status":503,"times":1,"delay":"1ms"}`)
	if got := must("GET", "faults", ""); got != `{"faults":[{"path":"/v2/version","times":1,"status":503,"delay":"1ms"}]}`+"\n" {
		t.Errorf("faults = %s", got)
	}
	if got := fetch(b.Client(), t.Context(), versionURL).Status; got != 503 {
		t.Errorf("the ordered fault gave %d", got)
	}
	must("POST", "faults", `{"status":503}`)
	must("POST", "broker/faults", `{"kind":"delay","method":"basic.publish","delay":"10ms"}`)
	must("DELETE", "faults", "")
	if got := must("GET", "faults", ""); got != `{"faults":[]}`+"\n" {
		t.Errorf("faults after DELETE = %s", got)
	}

	got := login(t, b)
	userinfo := func() int {
		return call(t, b.Client(), "GET", "https://auth.globus.org/v2/oauth2/userinfo", got.Access, "", nil)
	}
	must("POST", "clock", `{"offset":"47h59m"}`)
	if status := userinfo(); status != 200 {
		t.Errorf("just before its end: %d", status)
	}
	must("POST", "clock", `{"offset":"48h1m"}`)
	if status := userinfo(); status != 401 {
		t.Errorf("after its end: %d", status)
	}
	must("POST", "clock", `{"offset":"0s"}`)
	if out := must("POST", "tokens/expire", `{}`); out != `{"tokens":2}`+"\n" || userinfo() != 401 {
		t.Errorf("expire = %s", out)
	}

	must("POST", "settings", `{"consent":"deny","access_lifetime":"2s"}`)
	must("POST", "settings", `{"identity":"eve"}`)
	must("POST", "identities", `{"username":"eve"}`)
	var client sandbox.Application
	if err := json.Unmarshal([]byte(must("POST", "clients", `{"name":"robot","confidential":true}`)), &client); err != nil || client.Secret == "" {
		t.Errorf("client = %+v, %v", client, err)
	}
	state := b.State()
	settings := []any{state.Settings["consent"], state.Settings["access_lifetime"], state.Settings["identity"]}
	if diff := cmp.Diff([]any{"deny", "2s", "eve"}, settings); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	if text := must("GET", "state", ""); strings.Contains(text, client.Secret) || !strings.Contains(text, `"username":"eve"`) {
		t.Errorf("state = %s", text)
	}
	lines := strings.Split(strings.TrimSpace(must("GET", "journal?path=/v2/oauth2/userinfo", "")), "\n")
	if len(lines) != 3 || !strings.Contains(lines[0], `"token":"access#1"`) {
		t.Errorf("journal = %q", lines)
	}
}
