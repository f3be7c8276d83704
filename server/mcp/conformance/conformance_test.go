package conformance

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"chiltepin/globus/runtime/runtimetest"
)

// The two servers that the suite is run against: the product, and this test
// program with the suite's fixtures on the same server and transport.
const (
	product  = "product"
	fixtures = "fixtures"
)

// withoutFixtures are the scenarios that the product is held to; the others
// call for tools, prompts and resources that it does not have. In every
// scenario, its messages must be valid by the schema of the revision.
var withoutFixtures = []string{
	"server-initialize", "server-session-lifecycle", "server-stateless", "ping", "completion-complete", "tools-list", "server-sse-multiple-streams", "resources-list",
	"sep-2164-resource-not-found", "prompts-list", "caching", "input-required-result-unsupported-methods",
}

// TestSuite runs the requirement sets of the newest revision of each era. What
// may fail, and why, is in expected-failures.txt; nothing else may, and all of
// that must.
func TestSuite(t *testing.T) {
	t.Parallel()
	expected := readExpected(t)
	suite := runtimetest.Node(t, runtimetest.Conformance)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "chiltepin")
	build := exec.Command("go", "build", "-o", program, "chiltepin/cmd/chiltepin")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building chiltepin: %v\n%s", err, out)
	}
	for _, server := range []string{product, fixtures} {
		for _, revision := range []string{"2025-11-25", "2026-07-28"} {
			t.Run(server+" "+revision, func(t *testing.T) {
				t.Parallel()
				command := []string{program, "mcp"}
				env := []string{"HOME=" + t.TempDir(), "PATH=/usr/bin:/bin"}
				if server == fixtures {
					command, env = []string{self}, append(env, serving+"=yes", "GORACE=atexit_sleep_ms=10")
				}
				http := httptest.NewServer(newBridge(t, env, command[0], command[1:]...))
				t.Cleanup(func() {
					http.CloseClientConnections() // streams of a GET stay open
					http.Close()
				})
				got := run(t, suite, http.URL+"/mcp", revision)
				for scenario := range required(t, suite, revision) {
					if _, ok := got.passed[scenario]; !ok {
						t.Errorf("%s did not run, or nothing in it passed", scenario)
					}
				}
				want := map[string]bool{}
				for check := range expected[server+" "+revision] {
					want[check] = true
				}
				for check, why := range got.failed {
					scenario, id, _ := strings.Cut(check, ":")
					if server == product && id != "wire-schema-valid" && !slices.Contains(withoutFixtures, scenario) {
						continue
					}
					if !want[check] {
						t.Errorf("%s failed: %s", check, why)
					}
					delete(want, check)
				}
				for check := range want {
					t.Errorf("%s is expected to fail, and passed or did not run", check)
				}
			})
		}
	}
}

// outcome is what a run came to: the scenarios in which something passed, and
// the checks, as scenario:check, that failed or were warned about, with what
// was said.
type outcome struct {
	passed map[string]bool
	failed map[string]string
}

// run runs the requirement set of a revision.
func run(t *testing.T, suite runtimetest.NodePackages, url, revision string) outcome {
	t.Helper()
	dir := t.TempDir()
	c := exec.CommandContext(t.Context(), suite.Program, suite.Package("@modelcontextprotocol/conformance", "dist", "index.js"),
		"server", "--url", url, "--requirements", revision, "--output-dir", dir)
	c.Env = []string{"HOME=" + dir, "PATH=/usr/bin:/bin"}
	text, _ := c.CombinedOutput() // it fails when any check does
	res := outcome{map[string]bool{}, map[string]string{}}
	files, err := filepath.Glob(filepath.Join(dir, "server-*", "checks.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("the suite left no results (%v):\n%s", err, text)
	}
	name := regexp.MustCompile(`^server-(.*)-\d{4}-\d\d-\d\dT[\d-]+Z$`)
	for _, file := range files {
		scenario := name.FindStringSubmatch(filepath.Base(filepath.Dir(file)))[1]
		if strings.HasPrefix(scenario, "tasks-") {
			continue // an extension, which we do not speak
		}
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var checks []struct{ ID, Status, ErrorMessage string }
		if err := json.Unmarshal(body, &checks); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, check := range checks {
			switch check.Status {
			case "SUCCESS":
				res.passed[scenario] = true
			case "FAILURE", "WARNING":
				res.failed[scenario+":"+check.ID] = strings.ToLower(check.Status) + ": " + check.ErrorMessage
			}
		}
	}
	return res
}

// required are the scenarios of a requirement set that count.
func required(t *testing.T, suite runtimetest.NodePackages, revision string) map[string]bool {
	t.Helper()
	body, err := os.ReadFile(suite.Package("@modelcontextprotocol/conformance", "requirements", revision+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var set struct{ Server []string }
	if err := yaml.Unmarshal(body, &set); err != nil || len(set.Server) < 30 {
		t.Fatalf("reading the requirement set: %d scenarios, %v", len(set.Server), err)
	}
	all := map[string]bool{}
	for _, s := range set.Server {
		all[s] = true
	}
	return all
}

// readExpected reads expected-failures.txt: by server and revision, the checks
// that may fail, each with its reason.
func readExpected(t *testing.T) map[string]map[string]string {
	t.Helper()
	f, err := os.Open("expected-failures.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string]map[string]string{}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		what, reason, ok := strings.Cut(line, " because ")
		words := strings.Fields(what)
		if !ok || len(words) != 3 || !strings.Contains(words[2], ":") {
			t.Fatalf("expected-failures.txt:%d: want SERVER REVISION SCENARIO:CHECK because REASON", n)
		}
		servers := []string{words[0]}
		if words[0] == "both" {
			servers = []string{product, fixtures}
		}
		for _, s := range servers {
			key := s + " " + words[1]
			if all[key] == nil {
				all[key] = map[string]string{}
			}
			all[key][words[2]] = reason
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	known := []string{"fixtures 2025-11-25", "fixtures 2026-07-28", "product 2025-11-25", "product 2026-07-28"}
	for key := range maps.Keys(all) {
		if !slices.Contains(known, key) {
			t.Fatal(fmt.Errorf("expected-failures.txt: no server and revision %q", key))
		}
	}
	return all
}
