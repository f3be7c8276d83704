package daemon

import "testing"

// TestUserEndpointLines reads lines as core_endpoint.py of 4.19.0 writes them.
func TestUserEndpointLines(t *testing.T) {
	t.Parallel()
	const (
		id   = "3d91cf13-d085-5e8c-8cd7-acc1cb87c61e"
		name = "uep.d5375b9c-a1a9-4b79-a9e2-e35c77d43c77." + id
		args = " [(root, " + name + ") globus-compute-endpoint _start-user-endpoint " + name + "]"
	)
	start, ok := ParseUserEndpointStart("Creating new user endpoint (pid: 4279)" + args)
	if want := (UserEndpointStart{PID: 4279, ID: id, Directory: name}); !ok || start != want {
		t.Errorf("%+v, %v", start, ok)
	}
	for line, want := range map[string]UserEndpointEnd{
		"Command stopped normally (4279)" + args:         {PID: 4279, How: "stopped normally", ExitStatus: -1},
		"Command return code: 83 (4279)" + args:          {PID: 4279, How: "return code: 83", ExitStatus: UserExitNoProgram},
		"Command terminated by signal: 15 (4279)" + args: {PID: 4279, How: "terminated by signal: 15", ExitStatus: -1},
	} {
		if end, ok := ParseUserEndpointEnd(line); !ok || end != want {
			t.Errorf("%s: %+v, %v", line, end, ok)
		}
	}
	message := "Request payload failed validation: Unable to start user endpoint process for root [exit code: 83; (FileNotFoundError) [Errno 2] No such file or directory: b'/bin/globus-compute-endpoint']"
	if status, ok := ParseBootstrapExit(message); !ok || status != UserExitNoProgram {
		t.Errorf("%d, %v", status, ok)
	}
	if _, ok := ParseBootstrapExit("exit code: 83"); ok {
		t.Error("any exit code counts")
	}
}
