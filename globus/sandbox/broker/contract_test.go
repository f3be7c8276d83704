package broker

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// The contract is testdata/contract.txtar: stories of what clients do,
// and what they see. A line that begins with "<" is what the line above it
// answers; the other lines are commands, which two drivers understand, one
// over amqp091-go and one over pika. "@name" is a name of the story's own.
// The user "some" may touch names that begin with "some." only.
//
// Both drivers are run against our broker and against a real RabbitMQ. Where
// they differ RabbitMQ is right: -update-amqp writes down what it says.

var updateAMQP = flag.Bool("update-amqp", false, "rewrite the AMQP contract with what RabbitMQ answers to amqp091-go")

const contractFile = "testdata/contract.txtar"

// amqpTarget is a broker under test. Two users are known to it: "all", who
// may do everything, and "some", who may touch names that begin with "some.".
type amqpTarget struct {
	address string // host:port
	run     string // ends every name, so that runs do not meet
}

const amqpPassword = "tell-nobody"

// amqpDriver runs stories over a client. Each is a list of commands; the
// answer to each command is a list of lines.
type amqpDriver func(t *testing.T, target amqpTarget, stories [][]string) [][][]string

// runContract has the driver run every story and compares what it saw.
func runContract(t *testing.T, target amqpTarget, run amqpDriver) {
	t.Helper()
	contract := readContract(t)
	var stories [][]string
	for _, f := range contract.Files {
		stories = append(stories, commands(f, target))
	}
	seen := run(t, target, stories)
	for i, f := range contract.Files {
		t.Run(f.Name, func(t *testing.T) {
			got := transcript(f, target, seen[i])
			if diff := cmp.Diff(strings.Split(string(f.Data), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("the client sees other answers than the contract has (-contract +seen):\n%s", diff)
			}
		})
	}
}

func readContract(t *testing.T) *txtar.Archive {
	t.Helper()
	a, err := txtar.ParseFile(filepath.FromSlash(contractFile))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// isCommand tells commands from comments, answers and empty lines.
func isCommand(line string) bool {
	return line != "" && !strings.HasPrefix(line, "<") && !strings.HasPrefix(line, "#")
}

// commands are the commands of a story, its names made unique.
func commands(f txtar.File, target amqpTarget) []string {
	var list []string
	for _, line := range strings.Split(string(f.Data), "\n") {
		if isCommand(line) {
			list = append(list, regexp.MustCompile(`@([a-z0-9.-]+)`).ReplaceAllString(line, "${1}"+nameEnd(f, target)))
		}
	}
	return list
}

func nameEnd(f txtar.File, target amqpTarget) string { return "~" + f.Name + "~" + target.run }

// transcript puts the answers that were seen where the old ones stand.
func transcript(f txtar.File, target amqpTarget, answers [][]string) string {
	names := regexp.MustCompile(`([a-z0-9.-]+)` + regexp.QuoteMeta(nameEnd(f, target)))
	var b strings.Builder
	n := 0
	for _, line := range strings.SplitAfter(string(f.Data), "\n") {
		if strings.HasPrefix(line, "<") {
			continue
		}
		b.WriteString(line)
		if !isCommand(strings.TrimSuffix(line, "\n")) {
			continue
		}
		if n < len(answers) {
			for _, a := range answers[n] {
				fmt.Fprintf(&b, "< %s\n", names.ReplaceAllString(a, "@$1"))
			}
		}
		n++
	}
	return b.String()
}

// updateContract rewrites the contract with what the driver sees.
func updateContract(t *testing.T, target amqpTarget, run amqpDriver) {
	t.Helper()
	contract := readContract(t)
	for i, f := range contract.Files {
		seen := run(t, target, [][]string{commands(f, target)})
		contract.Files[i].Data = []byte(transcript(f, target, seen[0]))
	}
	if err := os.WriteFile(filepath.FromSlash(contractFile), txtar.Format(contract), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestBrokerContractAMQP091(t *testing.T) {
	t.Parallel()
	runContract(t, startBroker(t, ServerConfig{}), driveAMQP091)
}
