package daemon

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Names of what parsl writes in the directory of a user endpoint.
const (
	submitDirectory = "submit_scripts"
	interchangeLog  = "interchange.log"
)

// FindBlockScripts returns the scripts of the blocks of the user endpoint in
// dir, the newest last.
func FindBlockScripts(dir string) []string {
	found, _ := filepath.Glob(filepath.Join(quoteGlob(dir), submitDirectory, "*.block-*")) // the pattern is right
	stamps := map[string]string{}
	for _, path := range found {
		if stamp, ok := ParseBlockScript(filepath.Base(path)); ok {
			stamps[path] = stamp
		}
	}
	return slices.SortedFunc(maps.Keys(stamps), func(a, b string) int {
		return cmp.Or(cmp.Compare(stamps[a], stamps[b]), cmp.Compare(a, b))
	})
}

// BlockJobName returns the name that parsl gives the job of a block, by its
// script.
func BlockJobName(script string) string {
	return strings.TrimSuffix(strings.TrimSuffix(filepath.Base(script), ".sh"), ".submit")
}

// BlockExit returns the status with which a block on the endpoint's own host
// has ended, "" while it has not or is elsewhere: parsl writes it beside the
// script.
func BlockExit(script string) string {
	text, err := os.ReadFile(script + ".ec")
	status := strings.TrimSpace(string(text))
	if err != nil || status == "-" { // what parsl writes before it starts the block
		return ""
	}
	return status
}

// BlockOutputs are the files that a block's output goes to, the most telling
// first: of a block on the host itself and of one of a scheduler.
func BlockOutputs(script string) []string {
	return []string{script + ".err", script + ".stderr", script + ".out", script + ".stdout"}
}

// InterchangeLogs are the logs in which parsl notes that workers have
// connected to the user endpoint in dir.
func InterchangeLogs(dir string) []string {
	found, _ := filepath.Glob(filepath.Join(quoteGlob(dir), "*", interchangeLog)) // the pattern is right
	return found
}

// IsAboutSubmission says whether a line of a user endpoint's log is about a
// block that could not be submitted. programs are those that submit.
func IsAboutSubmission(line string, programs []string) bool {
	line = strings.ToLower(line)
	has := func(word string) bool { return strings.Contains(line, word) }
	return slices.ContainsFunc([]string{"submit", "scaling", "schedulermissingargs", "scriptpatherror"}, has) || slices.ContainsFunc(programs, has)
}

// RepeatsProgram says whether a line repeats what one of the programs has
// printed: parsl quotes their standard error.
func RepeatsProgram(line string, programs []string) bool {
	line = strings.ToLower(line)
	return slices.ContainsFunc(append([]string{"stderr"}, programs...), func(word string) bool {
		return strings.Contains(line, word+":") || strings.Contains(line, word+"=")
	})
}
