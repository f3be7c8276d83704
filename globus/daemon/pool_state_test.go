package daemon

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const liveLog = `2026-11-26 01:28:20,850637 DEBUG UserEndpointProcess_Bootstrap(PreExec) Endpoint Begin Compute endpoint configuration (3 lines):
  | engine: { type: GlobusComputeEngine }
End Compute endpoint configuration
2026-11-26 01:28:20,850637 DEBUG UserEndpointProcess_Bootstrap(PreExec) Endpoint Begin Compute endpoint configuration (14 lines):
  | # a comment
  | idle_heartbeats_soft: 120
  | idle_heartbeats_hard: 5760
  | engine:
  |   type: GlobusMPIEngine
  |   max_workers_per_block: 2
  |   mpi_launcher: srun
  |   provider:
  |     type: SlurmProvider
  |     launcher: { type: SimpleLauncher }
  |     max_blocks: 4
  |     account: ""
  |     qos: null
  |     walltime: "01:00:00"
  |     partition: debug
End Compute endpoint configuration
2026-11-26 01:28:27,653783 DEBUG MainProcess-24175 x parsl.jobs.strategy:224 _general_strategy Executor 1 active tasks, 0 active slots, and 0/0 running/pending blocks
2026-11-26 01:28:32,653783 DEBUG MainProcess-24175 x parsl.jobs.strategy:224 _general_strategy Executor 3 active tasks, 8 active slots, and 1/2 running/pending blocks
`

const providerLog = `2026-11-26 01:28:22,651049 DEBUG MainProcess-24175 MainThread-1 parsl.executors.high_throughput.executor:437 initialize_scaling Starting GlobusMPIEngine-MPIExecutor with provider:
SlurmProvider(
    account='', 
    cmd_timeout=10, 
    cores_per_node=None, 
    launcher=SimpleLauncher(debug=True), 
    max_blocks=1, 
    nodes_per_block=2, 
    partition='debug', 
    qos='high', 
    walltime='00:10:00', 
    worker_init='x=1\\ny'
)
`

func TestLive(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "endpoint.log")
	if err := os.WriteFile(path, []byte(liveLog), 0o600); err != nil {
		t.Fatal(err)
	}
	bare := filepath.Join(t.TempDir(), "endpoint.log")
	if err := os.WriteFile(bare, []byte(providerLog), 0o600); err != nil {
		t.Fatal(err)
	}
	options := map[string]string{"mpi": "true", "max_mpi_apps": "2", "mpi_launcher": "srun", "provider": "slurm", "max_blocks": "4", "walltime": "01:00:00", "partition": "debug"}
	for _, tt := range []struct {
		name, path, title string
		details           string
		want              PoolState
	}{
		{"Busy", path, "Globus Compute Endpoint (x)", "", PoolState{Options: options, Running: 1, Pending: 2, Workers: 8, Soft: time.Hour, Hard: 48 * time.Hour}},
		{"Idle", path, "[idle; shut down in 3,570s] Globus Compute Endpoint (x)", `{"total_workers":9}`, PoolState{Options: options, Running: 1, Pending: 2, Workers: 9, Soft: time.Hour, Hard: 48 * time.Hour, StopsIn: 3570 * time.Second}},
		{"NoConfiguration", bare, "", "", PoolState{Options: map[string]string{"mpi": "true", "provider": "slurm", "max_blocks": "1", "walltime": "00:10:00", "partition": "debug", "queue": "high", "nodes_per_block": "2"}, Running: -1, Pending: -1, Workers: -1, Soft: 10 * time.Minute, Hard: 96 * time.Hour}},
		{"NoLog", path + ".none", "[possibly idle; shut down in 60s] Globus", `{"total_workers":2}`, PoolState{Running: -1, Pending: -1, Workers: 2, StopsIn: time.Minute, Soft: 10 * time.Minute, Hard: 96 * time.Hour}},
		{"Nothing", "/dev/null", "", `[]`, PoolState{Running: -1, Pending: -1, Workers: -1, Soft: 10 * time.Minute, Hard: 96 * time.Hour}},
	} {
		if diff := cmp.Diff(&tt.want, ReadPoolState(tt.path, tt.title, json.RawMessage(tt.details), "idle_heartbeats_soft: 10\nheartbeat_period: 60\n")); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// FuzzLive reads any log without a panic.
func FuzzLive(f *testing.F) {
	f.Add([]byte(liveLog))
	f.Add([]byte("Begin Compute endpoint configuration (1 lines):\n  | engine: [\nEnd Compute endpoint configuration"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if config := findConfiguration(data); config != nil {
			(&PoolState{}).applyConfiguration(config)
		}
		(&PoolState{}).applyProvider(data)
		(&PoolState{}).applyLimits(string(data))
	})
}
