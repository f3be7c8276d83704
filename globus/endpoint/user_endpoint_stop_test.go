package endpoint

import (
	"errors"
	"os"
	"testing"
	"time"

	"chiltepin/endpointfs"
)

// TestStopUserEndpoint ends one user endpoint and takes its directory away; its
// daemon lives on, and a stranger whose process id is named too.
func TestStopUserEndpoint(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		env  []string
	}{{"Gentle", nil}, {"Stubborn", []string{"FAKE_STUBBORN=1"}}} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, script{Users: []string{testUser}})
			b.Environ = append(b.Environ, row.env...)
			dir := b.userDir()
			daemon := b.start().Status.Evidence.Process.PID
			var user UserEndpoint
			for user.PID == 0 {
				if all := b.status().UserEndpoints; len(all) > 0 {
					user = all[0]
				}
			}
			p := stranger(t, "sleep", "1000")
			if err := b.StopUserEndpoint(t.Context(), "mesa", testUser, p.Pid, 300*time.Millisecond); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(dir); alive(user.PID) || !errors.Is(err, os.ErrNotExist) {
				t.Errorf("alive: %v; its directory: %v", alive(user.PID), err)
			}
			if !alive(daemon) || !alive(p.Pid) {
				t.Errorf("the daemon is alive: %v, the stranger: %v", alive(daemon), alive(p.Pid))
			}
			// Once more there is nothing to do.
			if err := b.StopUserEndpoint(t.Context(), "mesa", testUser, p.Pid, time.Second); err != nil || !alive(p.Pid) {
				t.Errorf("%v; the stranger is alive: %v", err, alive(p.Pid))
			}
		})
	}
	b := newBed(t, script{})
	var none *endpointfs.NotFoundError
	if err := b.StopUserEndpoint(t.Context(), "moon", testUser, 0, time.Second); !errors.As(err, &none) {
		t.Errorf("%v", err)
	}
}

// Amid another operation on its endpoint a user endpoint is left alone.
func TestStopUserEndpointAmidAnother(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{Users: []string{testUser}})
	dir := b.userDir()
	b.start()
	var user UserEndpoint
	for user.PID == 0 {
		if all := b.status().UserEndpoints; len(all) > 0 {
			user = all[0]
		}
	}
	other := b.locked("mesa")
	var busy *BusyError
	if err := b.StopUserEndpoint(t.Context(), "mesa", testUser, 0, 100*time.Millisecond); !errors.As(err, &busy) || !alive(user.PID) {
		t.Errorf("%v; alive: %v", err, alive(user.PID))
	}
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
	other.end()
	if err := b.StopUserEndpoint(t.Context(), "mesa", testUser, 0, 20*time.Second); err != nil || alive(user.PID) {
		t.Errorf("%v; alive: %v", err, alive(user.PID))
	}
}
