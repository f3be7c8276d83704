package endpoint

import (
	"errors"
	"syscall"

	"chiltepin/globus/next"
)

// explainDiskError names the cause of a file that could not be written.
func explainDiskError(err error) (cause string, steps []next.Step) {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return "the disk is full", []next.Step{next.Do("make room and try again")}
	case errors.Is(err, syscall.EDQUOT):
		return "the disk quota is used up", []next.Step{next.Do("make room and try again")}
	case errors.Is(err, syscall.EROFS):
		return "the file system is read-only", []next.Step{next.Do("try again once it can be written")}
	}
	return "", nil
}
