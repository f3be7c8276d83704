package cli

import (
	"testing"

	"chiltepin/globus/next"
	"chiltepin/tools"
)

// A step is a command that can be pasted.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	catalog := tools.All(tools.Services{})
	for _, test := range []struct {
		step next.Step
		dir  string
		want string
	}{
		{next.Do("make room on the disk"), "/gc", "make room on the disk"},
		{next.Call(next.Login, nil, "log in"), "", "chiltepin login"},
		{next.Call(next.Login, next.Args{"method": "paste", "port": 8765, "services": []string{"compute", "transfer"}}, ""), "", "chiltepin login --services=compute,transfer --method=paste --port=8765"},
		{next.Endpoint(next.EndpointStart, "mesa", ""), "/my dir", "chiltepin endpoint -c '/my dir' start mesa"},
		{next.Call(next.EndpointLogs, next.Args{"name": "-o'f", "user_endpoint": "1"}, ""), "", `chiltepin endpoint logs --user-endpoint=1 -- '-o'\''f'`},
		{next.Call(next.EndpointList, next.Args{"remote": true, "offline": false}, ""), "", "chiltepin endpoint list --remote"},
	} {
		if got := CommandLine(catalog, test.step, test.dir); got != test.want {
			t.Errorf("%+v in %q: %s, want %s", test.step, test.dir, got, test.want)
		}
	}
}
