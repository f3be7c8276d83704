package runtime

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"strings"
)

// requirements is what Install installs: every package with its hashes, for
// Python 3.10 to 3.13. It is never changed at run time.
//
//go:generate sh -c "cd ../.. && go run ./globus/runtime/cmd/lock"
//go:embed requirements.txt
var requirements string

// LockedVersion returns the release of the daemon that Install installs.
func LockedVersion() string {
	_, rest, _ := strings.Cut(requirements, "\n"+Program+"==")
	return rest[:max(0, strings.IndexAny(rest, ` ;\\`))]
}

// digestLock identifies a lock.
func digestLock(lock string) string {
	sum := sha256.Sum256([]byte(lock))
	return hex.EncodeToString(sum[:])
}
