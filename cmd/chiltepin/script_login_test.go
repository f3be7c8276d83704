package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptSetting changes settings of the stand-in: setting JSON.
func scriptSetting(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: setting JSON")
	}
	answer, err := http.Post(ts.Getenv("GLOBUS_SANDBOX_URL")+"/_sandbox/settings", "application/json", strings.NewReader(args[0]))
	ts.Check(err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		ts.Fatalf("the stand-in answered %s", answer.Status)
	}
}

// scriptAlive checks how many tokens nobody has revoked: alive COUNT.
func scriptAlive(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: alive COUNT")
	}
	if left := boxOf(ts).Unrevoked(); fmt.Sprint(len(left)) != args[0] {
		ts.Fatalf("%d tokens are alive, want %s: %v", len(left), args[0], left)
	}
}
