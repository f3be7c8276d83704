package endpointfs

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chiltepin/endpointfs/log"
)

// TestRecordedEndpoints reads what real releases have written:
// testdata/endpoints at the top of the module, by the script there.
func TestRecordedEndpoints(t *testing.T) {
	t.Parallel()
	type seen struct {
		Registered, Running bool
		Records             int // of endpoint.log
		Levels              string
		Last                log.MarkerKind
		User                int // user endpoints
		UserRunning         int
		UserLast            log.MarkerKind
		UserForeign         int // records of other programs in the user endpoint's log
	}
	configured := seen{}
	for release, states := range map[string]map[string]seen{
		"4.6": {
			"configured": configured,
			"running":    {Registered: true, Running: true, Records: 7, Levels: "INFO", Last: log.Begins, User: 1, UserRunning: 1, UserLast: log.Begins},
			// The daemon killed it, so its pid file and its log have no end.
			"stopped": {Registered: true, Records: 14, Levels: "INFO WARNING", Last: log.Ends, User: 1, UserRunning: 1, UserLast: log.Begins},
		},
		"4.15": {
			"configured": configured,
			"running":    {Registered: true, Running: true, Records: 7, Levels: "INFO", Last: log.Begins, User: 1, UserRunning: 1, UserLast: log.Begins},
			"stopped":    {Registered: true, Records: 13, Levels: "INFO WARNING", Last: log.Ends, User: 1, UserLast: log.Ends},
		},
		"4.19": {
			"configured": configured,
			"running":    {Registered: true, Running: true, Records: 7, Levels: "INFO", Last: log.Begins, User: 1, UserRunning: 1, UserLast: log.Begins, UserForeign: 1},
			"stopped":    {Registered: true, Records: 13, Levels: "INFO WARNING", Last: log.Ends, User: 1, UserLast: log.Ends, UserForeign: 1},
		},
	} {
		for state, want := range states {
			t.Run(release+" "+state, func(t *testing.T) {
				t.Parallel()
				dir := Open(filepath.Join("..", "testdata", "endpoints", release, state))
				all, err := dir.Endpoints()
				if err != nil || len(all) != 1 || all[0].Name() != "cluster" {
					t.Fatal(all, err)
				}
				ep := all[0]
				if problems := ep.ValidateFor(release + ".0"); len(problems) > 0 {
					t.Error(problems)
				}
				if c, err := ep.Config(); err != nil || c.DisplayName != "" || c.HasEngine || c.HeartbeatPeriod != 30*time.Second {
					t.Errorf("%+v, %v", c, err)
				}
				got := seen{}
				id, err := ep.ID()
				if err != nil {
					t.Error(err)
				}
				got.Registered = id != ""
				got.Running = pidOf(t, ep.PIDFile)
				levels := map[string]bool{}
				for _, line := range recordsOf(t, ep.Log()) {
					got.Records++
					levels[line.Level] = true
					if line.Time.IsZero() {
						t.Errorf("no time: %q", line.Text)
					}
				}
				for _, level := range []string{"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"} {
					if levels[level] {
						got.Levels = strings.TrimSpace(got.Levels + " " + level)
					}
				}
				got.Last = markerOf(t, ep.Log(), id)
				ueps, err := ep.UserEndpoints()
				if err != nil {
					t.Error(err)
				}
				for _, u := range ueps {
					got.User++
					if pidOf(t, u.PIDFile) {
						got.UserRunning++
					}
					got.UserLast = markerOf(t, u.Log(), u.ID)
					for _, line := range recordsOf(t, u.Log()) {
						if line.Time.IsZero() {
							got.UserForeign++
						}
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
				if again, err := dir.Endpoint(id); id != "" && (err != nil || again.Name() != "cluster") {
					t.Errorf("by its id: %v, %v", again, err)
				}
			})
		}
	}
}

func pidOf(t *testing.T, read func() (PIDFile, error)) bool {
	t.Helper()
	p, err := read()
	if err != nil || p.Exists != (p.PID > 0) {
		t.Errorf("%+v, %v", p, err)
	}
	return p.Exists
}

func recordsOf(t *testing.T, l log.Files) []log.Record {
	t.Helper()
	page, err := l.Query(t.Context(), log.Query{})
	if err != nil || page.More || page.Older != "" {
		t.Errorf("%+v, %v", page, err)
	}
	return page.Records
}

// markerOf is the last marker, which must be of that id and have a time.
func markerOf(t *testing.T, l log.Files, id string) log.MarkerKind {
	t.Helper()
	m, ok, err := l.LastMarker()
	if err != nil || ok && (m.ID != id || m.Time.IsZero()) {
		t.Errorf("%+v, %v, want %s", m, err, id)
	}
	return m.Kind
}
