package daemon

// ExitAnotherRuns is EX_CANTCREAT, with which the daemon gives way to another
// one of the same endpoint.
const ExitAnotherRuns = 73

// ExitMeaning says what an exit status of the daemon means, "" for one that has
// no meaning: cli.py and core_endpoint.py use those of sysexits.h.
func ExitMeaning(status int) string {
	switch status {
	case 0:
		return "it ended in an orderly way, without serving"
	case 1:
		return "it reported an error"
	case 2:
		return "it did not understand its command line"
	case 65:
		return "the service refused the data of the registration"
	case 69:
		return "the service refused to register the endpoint"
	case 70:
		return "the service's answer did not fit the endpoint"
	case ExitAnotherRuns:
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

// Statuses with which the child that becomes a user endpoint ends before it is
// one (cmd_start_endpoint in core_endpoint.py).
const (
	// UserExitNoProgram: the program is not on the PATH of user endpoints.
	UserExitNoProgram = 83
	// UserExitTempFail and UserExitSoftware are EX_TEMPFAIL and EX_SOFTWARE: no
	// configuration could be made of the template and the options.
	UserExitTempFail = 75
	UserExitSoftware = 70
)
