package faults

import (
	"path/filepath"

	"chiltepin/endpointfs"
)

func environmentRows() []row {
	const group = "environment"
	const (
		runs  = "Running | Running | already_running | stopped | restarted | conflict | shown"
		stays = "Stopped | Stopped | started | not_running | restarted | deleted | shown"
	)
	return []row{
		{group: group, fault: "GLOBUS_COMPUTE_ENDPOINT_DIR and its companions name another endpoint", want: stays,
			lay: func(b *bed) {
				b.stopped()
				other := filepath.Join(b.dir, "other")
				if _, err := endpointfs.Open(b.dir).Configure("other", endpointfs.ConfigureOptions{Email: "me@example.org"}); err != nil {
					b.Fatal(err)
				}
				b.must("endpoint", "start", "other")
				b.others = 1
				b.set("GLOBUS_COMPUTE_ENDPOINT_DIR", other)
				b.set("GLOBUS_COMPUTE_ENDPOINT_NAME", "other")
				b.set("GLOBUS_COMPUTE_LOG_PATH", filepath.Join(other, "endpoint.log"))
			}},
		{group: group, fault: "HOME unset", want: stays,
			lay: func(b *bed) { b.set("GLOBUS_COMPUTE_USER_DIR", b.dir); b.stopped(); b.unset("HOME") }},
		{group: group, fault: "HOME unwritable", want: stays, long: true,
			lay: func(b *bed) { b.set("GLOBUS_COMPUTE_USER_DIR", b.dir); b.stopped(); b.set("HOME", "/proc/nowhere") }},
		{group: group, fault: "PATH without the runtime", want: "Stopped | Stopped | unsupported | not_running | unsupported | deleted | shown",
			lay: func(b *bed) { b.stopped(); b.set("PATH", "/usr/bin:/bin") }},
		{group: group, fault: "a proxy that refuses", want: "Stopped | Stopped | failed | not_running | failed | unavailable | shown",
			lay: func(b *bed) {
				b.stopped()
				b.set("HTTPS_PROXY", "http://127.0.0.1:1")
				b.set("https_proxy", "http://127.0.0.1:1")
			}},
		{group: group, fault: "umask 000", want: runs, long: true, lay: func(b *bed) { b.shell("umask 000"); b.started() }, after: closed},
		{group: group, fault: "umask 777", want: runs, lay: func(b *bed) { b.shell("umask 777"); b.started() }, after: closed},
		{group: group, fault: "a locale that is not UTF-8", want: runs, long: true,
			lay: func(b *bed) { b.set("LC_ALL", "POSIX"); b.set("LANG", "C"); b.started() }},
		{group: group, fault: "standard output closed",
			want: "exit status 0 | exit status 0 | exit status 0 | exit status 0 | exit status 0 | conflict | exit status 0",
			lay:  func(b *bed) { b.started(); b.shell("exec 1>&-"); b.mute = true }},
		{group: group, fault: "standard output full",
			want: "internal | internal | internal | internal | internal | conflict | internal",
			lay:  func(b *bed) { b.started(); b.shell("exec 1>/dev/full"); b.mute = true }},
		{group: group, fault: "all three standard streams closed",
			want: "exit status 0 | exit status 0 | exit status 0 | exit status 0 | exit status 0 | exit status 9 | exit status 0",
			lay:  func(b *bed) { b.started(); b.shell("exec 0<&- 1>&- 2>&-"); b.mute = true }},
		{group: group, fault: "file descriptors exhausted",
			want: "unsupported | unsupported | unsupported | unsupported | unsupported | unsupported | unsupported",
			lay:  func(b *bed) { b.started(); b.shell("ulimit -n 8") }, blind: true},
	}
}

// closed wants what we write to be for its owner alone, whatever the umask.
func closed(b *bed, operation string, _ cell) {
	for _, name := range []string{"chiltepin.json", "chiltepin.out"} {
		b.private(b.file(name), 0o600)
	}
	b.private(filepath.Join(b.dir, ".chiltepin"), 0o700)
}
