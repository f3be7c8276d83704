package endpoint

import (
	"errors"
	"syscall"
)

// meaning says what an exit status of the daemon means: cli.py and
// core_endpoint.py use those of sysexits.h.
func meaning(status int) string {
	switch status {
	case 0:
		return "it ended in an orderly way, without serving"
	case 1:
		return "it reported an error"
	case 2:
		return "it did not understand its command line"
	case 65:
		return "the service refused what it was told about the endpoint"
	case 69:
		return "the service refused to register the endpoint"
	case 70:
		return "the service's answer did not fit the endpoint"
	case 73:
		return "daemon.pid says that another daemon of this endpoint runs"
	case 75:
		return "the network failed while it registered"
	case 77:
		return "the login was refused, or a file of the configuration may not be read"
	case 78:
		return "its configuration is wrong"
	case 126, 127:
		return "its program could not be run"
	}
	return ""
}

// diskTrouble names the cause of a file that could not be written.
func diskTrouble(err error) (cause, remedy string) {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return "the disk is full", "make room and try again"
	case errors.Is(err, syscall.EDQUOT):
		return "the disk quota is used up", "make room and try again"
	case errors.Is(err, syscall.EROFS):
		return "the file system is read-only", "try again once it can be written"
	}
	return "", ""
}
