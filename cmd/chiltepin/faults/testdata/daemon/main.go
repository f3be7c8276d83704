// Command daemon stands in for globus-compute-endpoint where the real one would
// take too long: it writes the same files, log and title, and registers with
// the service. Under other names it is a stranger, or the first process of a
// machine.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	switch name := os.Args[0]; {
	case os.Getenv("FAULTS_INIT") != "":
		initLives()
		return
	case os.Getenv("FAULTS_STRANGER") != "":
		os.Exit(strangerLives())
	case strings.HasPrefix(name, "Globus Compute Endpoint ("):
		os.Exit(userServes())
	case strings.HasPrefix(name, "Globus Compute Endpoint "), strings.HasPrefix(name, "[shutdown in progress] "):
		os.Exit(daemonServes())
	}
	os.Exit(daemonLoads())
}

// script is how the stand-in for the daemon behaves, handed down in the variable
// FAULTS_SCRIPT. Its zero value behaves.
type script struct {
	// Exit, unless nil, is the status with which it ends At a stage: "launch"
	// (before it registers), "registered" (before its pid file), "marker".
	Exit *int   `json:",omitempty"`
	At   string `json:",omitempty"`
	// Print goes to its standard error as it loads.
	Print string `json:",omitempty"`
	// Load is how long it loads.
	Load time.Duration `json:",omitempty"`
	// Stubborn keeps SIGTERM from ending it.
	Stubborn bool `json:",omitempty"`
	// Dying is how long it takes to end.
	Dying time.Duration `json:",omitempty"`
	// User is the id of a user endpoint that it has; empty for none.
	User string `json:",omitempty"`
}

func theScript() (s script) {
	if text := os.Getenv("FAULTS_SCRIPT"); text != "" {
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			panic(err)
		}
	}
	return s
}

// daemonLoads is globus-compute-endpoint -c DIR start NAME until it has a title:
// it looks for another one, registers, and writes its files, in the order of
// the real one (start_endpoint in cli.py).
func daemonLoads() int {
	s := theScript()
	config, started := "", false
	if len(os.Args) > 1 && os.Args[1] == "-c" { // as people type it
		config, started = os.Args[2], os.Args[3] == "start"
	} else if len(os.Args) > 3 {
		config, started = strings.TrimPrefix(os.Args[1], "--config-dir="), os.Args[2] == "start"
	}
	if !started || !filepath.IsAbs(config) || os.Getenv("GLOBUS_COMPUTE_ENDPOINT_DIR") != "" {
		fmt.Fprintln(os.Stderr, "unexpected command line or environment:", os.Args)
		return 2
	}
	syscall.Umask(0o077)
	name := os.Args[len(os.Args)-1]
	dir := filepath.Join(config, name)
	fmt.Fprint(os.Stderr, s.Print)
	time.Sleep(s.Load)
	if s.Exit != nil && s.At == "launch" {
		return *s.Exit
	}
	pidPath := filepath.Join(dir, "daemon.pid")
	if info, err := os.Stat(pidPath); err == nil {
		if time.Since(info.ModTime()) < 90*time.Second {
			daemonLogs(dir, "ERROR", "Another instance of this endpoint is running.")
			return 73
		}
		os.Remove(pidPath)
	}
	id, err := register(dir, name)
	if err != nil {
		daemonLogs(dir, "ERROR", "Endpoint registration blocked: "+err.Error())
		return 69
	}
	if s.Exit != nil && s.At == "registered" {
		return *s.Exit
	}
	if err := os.WriteFile(pidPath, fmt.Appendf(nil, "%d\n", os.Getpid()), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := os.WriteFile(filepath.Join(dir, "endpoint.json"), fmt.Appendf(nil, `{"endpoint_id": %q}`, id), 0o600); err != nil {
		os.Remove(pidPath)
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	os.Setenv("FAULTS_DIR", dir)
	os.Setenv("FAULTS_ID", id)
	become(fmt.Sprintf("Globus Compute Endpoint *(%s, %s) [%s]", id, name, strings.Join(os.Args, " ")))
	return 0
}

// become changes the title of this process; its id and start time stay.
func become(title string) {
	panic(syscall.Exec("/proc/self/exe", []string{title}, os.Environ()))
}

// daemonServes is the daemon from its title on. It touches its pid file every
// 15 seconds, and ends when it is gone (_touch_pid in cli.py).
func daemonServes() int {
	s, dir, id := theScript(), os.Getenv("FAULTS_DIR"), os.Getenv("FAULTS_ID")
	pidPath := filepath.Join(dir, "daemon.pid")
	if strings.HasPrefix(os.Args[0], "[shutdown in progress] ") {
		time.Sleep(s.Dying)
		os.Remove(pidPath)
		daemonLogs(dir, "INFO", "Shutdown complete.\n---------- Core Endpoint ends: "+id+"\n\n")
		return 0
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	daemonLogs(dir, "INFO", "\n\n========== Core Endpoint begins: "+id)
	daemonLogs(dir, "DEBUG", "Ascertaining user identity set ({})")
	if s.Exit != nil && s.At == "marker" {
		daemonLogs(dir, "ERROR", "(GlobusAPIError) 403\n    Failed to determine identity set; try `whoami` command?")
		os.Remove(pidPath)
		return *s.Exit
	}
	daemonLogs(dir, "DEBUG", "User-endpoint start requests are valid from identities: {'1'}")
	user := make(chan struct{})
	var child *os.Process
	if s.User != "" {
		child = startUser(dir, id, s.User)
		go func() {
			_, _ = child.Wait()
			close(user)
		}()
	}
	touch := time.NewTicker(15 * time.Second)
	for {
		select {
		case <-touch.C:
			now := time.Now()
			if err := os.Chtimes(pidPath, now, now); !errors.Is(err, os.ErrNotExist) {
				continue
			}
		case <-signals:
		}
		if child != nil && !s.Stubborn {
			_ = child.Signal(syscall.SIGTERM)
			<-user
		}
		if !s.Stubborn {
			become("[shutdown in progress] " + os.Args[0])
		}
	}
}

// startUser starts a user endpoint in a session of its own.
func startUser(dir, id, user string) *os.Process {
	name := "uep." + id + "." + user
	home := filepath.Join(filepath.Dir(dir), name)
	if err := os.MkdirAll(home, 0o700); err != nil {
		panic(err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		panic(err)
	}
	p, err := os.StartProcess("/proc/self/exe", []string{"Globus Compute Endpoint (" + user + ", " + name + ") [x]"},
		&os.ProcAttr{Dir: home, Env: append(os.Environ(), fmt.Sprint("FAULTS_PARENT=", os.Getpid())), Files: []*os.File{null, null, null}, Sys: &syscall.SysProcAttr{Setsid: true}})
	if err != nil {
		panic(err)
	}
	return p
}

// userServes is a user endpoint. It ends when its daemon has, which it looks for
// every second (endpoint.py).
func userServes() int {
	dir, err := os.Getwd()
	if err != nil {
		return 1
	}
	daemonLogs(dir, "INFO", "\n\n========== Endpoint begins: "+theScript().User)
	parent, term := os.Getenv("FAULTS_PARENT"), make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	for fmt.Sprint(os.Getppid()) == parent {
		select {
		case <-term:
			return 0
		case <-time.After(time.Second):
		}
	}
	return 0
}

func daemonLogs(dir, level, text string) {
	f, err := os.OpenFile(filepath.Join(dir, "endpoint.log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return // the disk is full, perhaps
	}
	defer f.Close()
	fmt.Fprintf(f, "%s,000000 %s MainProcess-%d MainThread-1 fake:1 fake %s\n", time.Now().Format(time.DateTime), level, os.Getpid(), text)
}

// register registers the endpoint with the service, under the id that it has,
// and returns the id.
func register(dir, name string) (string, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/all"}}
	ask, err := http.NewRequest(http.MethodPost, "https://auth.globus.org/v2/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	ask.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	ask.SetBasicAuth(os.Getenv("GLOBUS_COMPUTE_CLIENT_ID"), os.Getenv("GLOBUS_COMPUTE_CLIENT_SECRET"))
	var token struct {
		Access string `json:"access_token"`
	}
	if err := answered(ask, &token); err != nil {
		return "", err
	}
	var kept struct {
		ID string `json:"endpoint_id"`
	}
	method, path := http.MethodPost, "/v3/endpoints"
	if data, err := os.ReadFile(filepath.Join(dir, "endpoint.json")); err == nil && json.Unmarshal(data, &kept) == nil && kept.ID != "" {
		method, path = http.MethodPut, path+"/"+kept.ID
	}
	body, err := json.Marshal(map[string]any{"endpoint_name": name, "metadata": map[string]any{"endpoint_version": "4.19.0"}})
	if err != nil {
		return "", err
	}
	put, err := http.NewRequest(method, "https://compute.api.globus.org"+path, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	put.Header.Set("Content-Type", "application/json")
	put.Header.Set("Authorization", "Bearer "+token.Access)
	if err := answered(put, &kept); err != nil {
		return "", err
	}
	if kept.ID == "" {
		return "", errors.New("the service gave no id")
	}
	return kept.ID, nil
}

func answered(r *http.Request, into any) error {
	client := http.Client{Timeout: 30 * time.Second}
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode >= 300 {
		return fmt.Errorf("%s %s", answer.Status, data)
	}
	return json.Unmarshal(data, into)
}

// strangerLives is a process that is nobody's daemon. It notes every signal
// that it can get, and ends with its parent.
func strangerLives() int {
	got := make(chan os.Signal, 1)
	signal.Notify(got)
	// The pipe at standard input is closed when the test ends, however it ends.
	gone := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(gone)
	}()
	fmt.Println("ready")
	for {
		select {
		case s := <-got:
			if s != unix.SIGURG && s != unix.SIGCONT { // the Go runtime's own, and what follows SIGSTOP
				fmt.Println("signalled:", s)
			}
		case <-gone:
			return 0
		}
	}
}

// initLives is the first process of a machine: it buries the dead, and ends with
// the test.
func initLives() {
	go func() {
		for {
			if _, err := syscall.Wait4(-1, nil, 0, nil); err == syscall.ECHILD {
				time.Sleep(10 * time.Millisecond)
			}
		}
	}()
	_, _ = io.Copy(io.Discard, os.Stdin)
}
