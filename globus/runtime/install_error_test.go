package runtime

import (
	"strings"
	"testing"
)

func TestCause(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]Cause{
		"ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device":                                                   CauseDisk,
		"ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n        Expected sha256 00\n             Got        8abb":       CauseHash,
		"error: Failed to download `six==1.16.0`\n  cause: Hash mismatch for `six==1.16.0`":                                                         CauseHash,
		"WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError'\nERROR: No matching distribution found for six==1.16.0": CauseRegistry,
		"error: Failed to fetch: http://127.0.0.1:9/simple/six/\n  cause: tcp connect error":                                                        CauseRegistry,
		"ERROR: No matching distribution found for six==1.16.0":                                                                                     CauseMissing,
		"error: No solution found when resolving dependencies":                                                                                      CauseMissing,
		"  ERROR: Failed building wheel for psutil":                                                                                                 CauseCompiler,
		"error: something new": CauseUnknown,
		"":                     CauseUnknown,
	} {
		if got := findCause(strings.Split(said, "\n")); got != want {
			t.Errorf("cause of %q is %q, want %q", said, got, want)
		}
	}
}
