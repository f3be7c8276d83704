package faults

import (
	"os"
	"path/filepath"
	"strings"
)

func nameRows() []row {
	const group = "name"
	const refused = "Running | invalid | invalid | invalid | invalid | invalid | invalid"
	var all []row
	for _, n := range []struct{ fault, name, want string }{
		{"empty", "", refused},
		{".", ".", refused},
		{"..", "..", refused},
		{"../precious", "../precious", refused},
		{"./mesa", "./mesa", refused},
		{"mesa/", "mesa/", refused},
		{"an absolute path", "/precious", refused},
		{"with a backslash", `..\precious`, refused},
		{"with white space", "me sa", refused},
		{"with a line feed", "mesa\n", refused},
		{"hidden", ".chiltepin", refused},
		{"129 characters", strings.Repeat("x", 129), refused},
		{"128 characters, not there", strings.Repeat("x", 128), "Running | not_found | not_found | not_found | not_found | not_found | not_found"},
		{"like an option", "--force", "Running | not_found | not_found | not_found | not_found | not_found | not_found"},
		{"of a folder of the daemon's", "uep.11111111-2222-3333-4444-555555555555.66666666-7777-8888-9999-000000000000", "Running | not_found | not_found | not_found | not_found | not_found | not_found"},
	} {
		all = append(all, row{group: group, fault: n.fault, want: n.want, lay: func(b *fixture) {
			b.started()
			b.name = n.name
			if n.name == "/precious" {
				b.name = filepath.Join(b.home, "precious")
			}
			if err := os.Mkdir(filepath.Join(b.home, "precious"), 0o700); err != nil {
				b.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(b.home, "precious", "config.yaml"), nil, 0o600); err != nil {
				b.Fatal(err)
			}
		}, after: func(b *fixture, operation string, _ cell) {
			for _, path := range []string{filepath.Join(b.home, "precious", "config.yaml"), b.file("config.yaml"), b.file("daemon.pid")} {
				if _, err := os.Stat(path); err != nil {
					b.Errorf("%s %q: %v", operation, b.name, err)
				}
			}
		}})
	}
	return all
}
