package faults

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"chiltepin/endpointfs"
	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/sandbox/sandboxtest"
)

func environmentRows() []row {
	const group = "environment"
	const (
		runs  = "Running | Running | already_running | stopped | restarted | conflict | shown"
		stays = "Stopped | Stopped | started | not_running | restarted | deleted | shown"
	)
	return []row{
		{group: group, fault: "GLOBUS_COMPUTE_ENDPOINT_DIR and its companions name another endpoint", want: stays,
			lay: func(b *fixture) {
				b.stopped()
				other := filepath.Join(b.dir, "other")
				if _, err := endpointfs.Open(b.dir).Configure("other", endpointfs.NewEndpoint{Email: "me@example.org"}); err != nil {
					b.Fatal(err)
				}
				b.must("endpoint", "start", "other")
				b.others = 1
				b.set("GLOBUS_COMPUTE_ENDPOINT_DIR", other)
				b.set("GLOBUS_COMPUTE_ENDPOINT_NAME", "other")
				b.set("GLOBUS_COMPUTE_LOG_PATH", filepath.Join(other, "endpoint.log"))
			}},
		{group: group, fault: "HOME unset", want: stays,
			lay: func(b *fixture) { b.set("GLOBUS_COMPUTE_USER_DIR", b.dir); b.stopped(); b.unset("HOME") }},
		{group: group, fault: "HOME unwritable", want: stays, long: true,
			lay: func(b *fixture) { b.set("GLOBUS_COMPUTE_USER_DIR", b.dir); b.stopped(); b.set("HOME", "/proc/nowhere") }},
		{group: group, fault: "PATH without the runtime", want: "Stopped | Stopped | unsupported | not_running | unsupported | deleted | shown",
			lay: func(b *fixture) { b.stopped(); b.set("PATH", "/usr/bin:/bin") }},
		{group: group, fault: "a proxy that refuses", want: "Stopped | Stopped | failed | not_running | failed | unavailable | shown",
			lay: func(b *fixture) {
				b.stopped()
				b.set("HTTPS_PROXY", "http://127.0.0.1:1")
				b.set("https_proxy", "http://127.0.0.1:1")
			}},
		{group: group, fault: "umask 000", want: runs, long: true, lay: func(b *fixture) { b.shell("umask 000"); b.started() }, after: closed},
		{group: group, fault: "umask 777", want: runs, lay: func(b *fixture) { b.shell("umask 777"); b.started() }, after: closed},
		{group: group, fault: "a locale that is not UTF-8", want: runs, long: true,
			lay: func(b *fixture) { b.set("LC_ALL", "POSIX"); b.set("LANG", "C"); b.started() }},
		{group: group, fault: "standard output closed",
			want: "exit status 0 | exit status 0 | exit status 0 | exit status 0 | exit status 0 | conflict | exit status 0",
			lay:  func(b *fixture) { b.started(); b.shell("exec 1>&-"); b.mute = true }},
		{group: group, fault: "standard output full",
			want: "internal | internal | internal | internal | internal | conflict | internal",
			lay:  func(b *fixture) { b.started(); b.shell("exec 1>/dev/full"); b.mute = true }},
		{group: group, fault: "all three standard streams closed",
			want: "exit status 0 | exit status 0 | exit status 0 | exit status 0 | exit status 0 | exit status 9 | exit status 0",
			lay:  func(b *fixture) { b.started(); b.shell("exec 0<&- 1>&- 2>&-"); b.mute = true }},
		// Go's runtime takes two descriptors to wait on files, and aborts where it
		// does not get them: before anything was done, and with exit status 2.
		{group: group, fault: "six file descriptors, of which Go's runtime wants two or aborts", want: "exit status 2 | exit status 2 | exit status 2 | exit status 2 | exit status 2 | exit status 2 | exit status 2",
			lay: func(b *fixture) { b.few(6) }, after: livesOn},
		{group: group, fault: "seven file descriptors, of which Go's runtime wants two or aborts", want: "exit status 2 | exit status 2 | unsupported | unsupported | unsupported | unsupported | exit status 2",
			lay: func(b *fixture) { b.few(7) }, after: livesOn},
		{group: group, fault: "eight file descriptors", want: "unsupported | unsupported | unsupported | unsupported | unsupported | unsupported | unsupported",
			lay: func(b *fixture) { b.few(8) }, after: livesOn},
	}
}

// few starts the endpoint, and lets operations have few file descriptors, none
// of which this test was born with.
func (b *fixture) few(n int) {
	b.Helper()
	b.started()
	b.daemons, b.aborts = b.living(), true
	b.shell(fmt.Sprint("exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; ulimit -n ", n))
}

// TestDescriptors: with few file descriptors the program says what is so, or
// fails; it never takes what it could not look at for gone.
func TestDescriptors(t *testing.T) {
	t.Parallel()
	runtimetest.Long(t)
	b := newFixture(t, sandboxtest.Start(t))
	b.started()
	for n := 4; n < 24; n++ {
		b.shell(fmt.Sprint("ulimit -n ", n))
		for _, args := range [][]string{{"list"}, {"status", "--offline", "mesa"}, {"start", "mesa"}} {
			a := b.run(append([]string{"endpoint"}, args...)...)
			if a.exit == 0 && !strings.Contains(a.stdout, "Running") || a.exit != 0 && a.stderr == "" {
				t.Errorf("with %d descriptors, %s: exit status %d\n%s%s", n, args, a.exit, a.stdout, a.stderr)
			}
		}
		if living := b.living(); len(living) != 1 {
			t.Fatalf("with %d descriptors: daemons %v live", n, living)
		}
	}
}

// closed wants what we write to be for its owner alone, whatever the umask.
func closed(b *fixture, operation string, _ cell) {
	for _, name := range []string{"chiltepin.json", "chiltepin.out"} {
		b.private(b.file(name), 0o600)
	}
	b.private(filepath.Join(b.dir, ".chiltepin"), 0o700)
}
