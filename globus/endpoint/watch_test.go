package endpoint

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"chiltepin/endpointfs"
)

// followed is what a follower is told, one line a change.
type followed struct {
	t     *testing.T
	lines chan string
}

func follow(t *testing.T, m *Manager) *followed {
	t.Helper()
	f := &followed{t: t, lines: make(chan string, 100)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	first := make(chan struct{})
	go func() {
		done <- m.Follow(ctx, func(list []Status) error {
			for _, s := range list {
				f.lines <- fmt.Sprintf("first %s %s", s.Name, s.State)
			}
			close(first)
			return nil
		}, func(c Change) error {
			switch {
			case c.After == nil:
				f.lines <- c.Before.Name + " went"
			case c.Before == nil:
				f.lines <- fmt.Sprintf("%s came %s", c.After.Name, c.After.State)
			case c.Before.State == c.After.State:
				f.lines <- c.After.Name + " registered " + c.After.ID
			default:
				f.lines <- fmt.Sprintf("%s %s", c.After.Name, c.After.State)
			}
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Follow ended with %v", err)
		}
	})
	<-first
	return f
}

// wants waits until a line is told; what else is told on the way must be one
// of maybe.
func (f *followed) wants(want string, maybe ...string) {
	f.t.Helper()
	for {
		select {
		case got := <-f.lines:
			if got == want {
				return
			}
			if !strings.Contains(" "+strings.Join(maybe, " | ")+" ", " "+got+" ") {
				f.t.Fatalf("told %q, want %q", got, want)
			}
		case <-time.After(5 * time.Minute):
			f.t.Fatalf("not told %q", want)
		}
	}
}

// TestFollow: one that follows is told of a registration, a start, a crash, a
// stop, and of what comes and goes.
func TestFollow(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{})
	f := follow(t, b.Manager)
	f.wants("first mesa Initialized")

	r := b.start()
	f.wants("mesa Running", "mesa Starting", "mesa registered "+testID, "mesa Stopped")
	killed(t, r.Status.Evidence.Process.PID)
	f.wants("mesa Disconnected")
	b.start()
	f.wants("mesa Running", "mesa Starting", "mesa Stopped")
	if _, err := b.Stop(t.Context(), "mesa", StopOptions{}); err != nil {
		t.Fatal(err)
	}
	f.wants("mesa Stopped", "mesa Stopping", "mesa Disconnected")

	if _, err := b.Dir.Configure("dry", endpointfs.NewEndpoint{}); err != nil {
		t.Fatal(err)
	}
	f.wants("dry came Initialized")
	if err := os.WriteFile(filepath.Join(b.dir, "dry", "endpoint.json"), []byte(`{"endpoint_id": "`+testID+`"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	f.wants("dry Stopped", "dry registered "+testID)
	if err := os.RemoveAll(filepath.Join(b.dir, "dry")); err != nil {
		t.Fatal(err)
	}
	f.wants("dry went", "dry Stopped")
}

// TestFollowEnds: the error of a function ends it, and a directory that cannot
// be read is no empty one.
func TestFollowEnds(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{})
	enough := errors.New("enough")
	none := func(Change) error { return nil }
	if err := b.Follow(t.Context(), func([]Status) error { return enough }, none); !errors.Is(err, enough) {
		t.Errorf("got %v, want the error of first", err)
	}
	if err := os.RemoveAll(b.dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.Follow(t.Context(), func([]Status) error { return nil }, none); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("a file was followed as a directory: %v", err)
	}
}

// TestFollowMissesNothing changes an endpoint while the change before is told:
// it is told of within two seconds all the same.
func TestFollowMissesNothing(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		pid := filepath.Join(b.ep.Path(), "daemon.pid")
		if err := os.WriteFile(filepath.Join(b.ep.Path(), "endpoint.json"), []byte(`{"endpoint_id": "`+testID+`"}`), 0o600); err != nil {
			t.Fatal(err)
		}
		var began time.Time
		var told []State
		err := b.Follow(ctx, func([]Status) error {
			began = time.Now()
			return os.WriteFile(pid, []byte("4194300\n"), 0o600)
		}, func(c Change) error {
			told = append(told, c.After.State)
			switch len(told) {
			case 1:
				return os.Remove(pid)
			case 2:
				cancel()
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Follow ended with %v", err)
		}
		if d := cmp.Diff([]State{Disconnected, Stopped}, told); d != "" {
			t.Errorf("told (-want +got):\n%s", d)
		}
		if took := time.Since(began); took > 2*2*time.Second {
			t.Errorf("two changes were told after %s of looking", took)
		}
	})
}

func TestCompare(t *testing.T) {
	t.Parallel()
	s := func(name, id string, state State) Status { return Status{Name: name, ID: id, State: state} }
	before := []Status{s("a", "", Initialized), s("b", "1", Running), s("c", "1", Running), s("d", "", Stopped)}
	after := []Status{s("a", "1", Initialized), s("b", "1", Running), s("bb", "", Stopped), s("c", "1", Disconnected)}
	var got []string
	if err := reportChanges(before, after, func(c Change) error {
		text := ""
		for _, one := range []*Status{c.Before, c.After} {
			if one != nil {
				text += fmt.Sprint(one.Name, one.ID, one.State, " ")
			}
		}
		got = append(got, text)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"aInitialized a1Initialized ", "bbStopped ", "c1Running c1Disconnected ", "dStopped "}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
