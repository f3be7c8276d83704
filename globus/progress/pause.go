package progress

import (
	"context"
	"time"
)

// Pause waits for d, or until ctx ends, and then returns the error of ctx. It
// is for operations that look again and again until something has happened.
func Pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(max(d, 0))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
