package broker

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"chiltepin/globus/runtime/runtimetest"
)

// TestRabbitMQ runs what the broker is tested with against a RabbitMQ of the
// test's own: the contract is what RabbitMQ does, not what we think it does.
func TestRabbitMQ(t *testing.T) {
	t.Parallel()
	runtimetest.Long(t)
	target := startRabbitMQ(t)
	if *updateAMQP {
		updateContract(t, target, driveAMQP091)
		return
	}
	t.Run("amqp091", func(t *testing.T) {
		t.Parallel()
		target := target
		target.run = "go"
		runContract(t, target, driveAMQP091)
	})
	t.Run("pika", func(t *testing.T) {
		t.Parallel()
		target := target
		target.run = "py"
		runContract(t, target, drivePika)
	})
	t.Run("bytes", func(t *testing.T) {
		t.Parallel()
		runWire(t, target)
	})
}

// rabbitMQScript runs the server and the port mapper that Erlang wants beside
// it until its input ends, so that they end with the test however that ends.
const rabbitMQScript = `
epmd -address 127.0.0.1 -port "$ERL_EPMD_PORT" </dev/null & mapper=$!
"$1" </dev/null & server=$!
cat >/dev/null
kill -9 $server $mapper
wait
`

// startRabbitMQ runs a RabbitMQ on loopback ports, with directories, a cookie
// and a port mapper of its own, until the test ends.
func startRabbitMQ(t *testing.T) amqpTarget {
	t.Helper()
	server := findRabbitMQ(t)
	// Not t.TempDir: the server may still be writing when the test ends, until
	// it is killed in the clean-up that is registered below.
	dir, err := os.MkdirTemp("", "rabbitmq")
	if err != nil {
		t.Fatal(err)
	}
	ports := freePorts(t, 3)
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	config := fmt.Sprintf("listeners.tcp.1 = 127.0.0.1:%d\nload_definitions = %s\n", ports[0], write("definitions.json", rabbitMQDefinitions(t)))
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()

	cmd := exec.Command("/bin/sh", "-c", rabbitMQScript, "sh", server)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	cmd.Env = []string{
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + dir, "LANG=C.UTF-8",
		"ERL_EPMD_ADDRESS=127.0.0.1", "ERL_EPMD_PORT=" + strconv.Itoa(ports[1]),
		"RABBITMQ_NODENAME=" + fmt.Sprintf("test%d@localhost", ports[0]),
		"RABBITMQ_NODE_IP_ADDRESS=127.0.0.1", "RABBITMQ_NODE_PORT=" + strconv.Itoa(ports[0]), "RABBITMQ_DIST_PORT=" + strconv.Itoa(ports[2]),
		"RABBITMQ_MNESIA_BASE=" + dir, "RABBITMQ_LOG_BASE=" + dir, "RABBITMQ_LOGS=-",
		"RABBITMQ_CONFIG_FILE=" + write("rabbitmq.conf", config), "RABBITMQ_ADVANCED_CONFIG_FILE=" + filepath.Join(dir, "none"),
		"RABBITMQ_CONF_ENV_FILE=" + write("env.conf", ""), "RABBITMQ_ENABLED_PLUGINS_FILE=" + write("plugins", "[]."),
		"RABBITMQ_ALLOW_INPUT=1", // no shell stays between the script and the server
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-noinput -kernel inet_dist_use_interface {127,0,0,1} +sbwt none",
	}
	leash, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		leash.Close()
		cmd.Wait()
		awaitGone(t, "HOME="+dir)
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})

	target := amqpTarget{address: fmt.Sprintf("127.0.0.1:%d", ports[0]), run: "update"}
	for until := time.Now().Add(10 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		c, err := amqp091.Dial("amqp://all:" + amqpPassword + "@" + target.address)
		if err == nil {
			c.Close()
			return target
		}
		if time.Now().After(until) {
			said, _ := os.ReadFile(log.Name())
			t.Fatalf("RabbitMQ does not answer after ten minutes: %v\n%s", err, said)
		}
	}
}

// findRabbitMQ returns the program of the server itself: what Debian puts on
// PATH changes to a user of its own first, who could not write here.
func findRabbitMQ(t *testing.T) string {
	t.Helper()
	const debian = "/usr/lib/rabbitmq/bin/rabbitmq-server"
	if _, err := os.Stat(debian); err == nil {
		return debian
	}
	if path, err := exec.LookPath("rabbitmq-server"); err == nil {
		return path
	}
	const how = "no rabbitmq-server here to compare with; on Debian or Ubuntu: apt-get install --no-install-recommends rabbitmq-server"
	if os.Getenv("CI") == "true" {
		t.Fatal(how)
	}
	t.Skip(how)
	return ""
}

// rabbitMQDefinitions describes the users that startBroker makes for ours.
func rabbitMQDefinitions(t *testing.T) string {
	t.Helper()
	salt := []byte("salt")
	sum := sha256.Sum256(append(salt, amqpPassword...))
	hash := base64.StdEncoding.EncodeToString(append(salt, sum[:]...))
	type object = map[string]any
	user := func(name string) object {
		return object{"name": name, "password_hash": hash, "hashing_algorithm": "rabbit_password_hashing_sha256", "tags": ""}
	}
	may := func(name, what string) object {
		return object{"user": name, "vhost": "/", "configure": what, "write": what, "read": what}
	}
	j, err := json.Marshal(object{
		"vhosts":      []object{{"name": "/"}},
		"users":       []object{user("all"), user("some")},
		"permissions": []object{may("all", ".*"), may("some", `^some\.`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(j)
}

func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// awaitGone waits until no process is left that has this in its environment.
func awaitGone(t *testing.T, variable string) {
	t.Helper()
	var left []string
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		left = nil
		files, _ := filepath.Glob("/proc/[0-9]*/environ")
		for _, f := range files {
			if env, _ := os.ReadFile(f); strings.Contains("\x00"+string(env), "\x00"+variable+"\x00") {
				left = append(left, f)
			}
		}
		if left == nil {
			return
		}
	}
	t.Errorf("processes are left: %s", left)
}
