package main

import (
	"encoding/json"

	"github.com/rogpeppe/go-internal/testscript"

	"chiltepin/globus/sandbox"
)

// scriptBrokerFault orders a fault of the stand-in's broker, which fault clear
// ends with the others: broker JSON.
func scriptBrokerFault(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: broker JSON")
	}
	var f sandbox.BrokerFault
	ts.Check(json.Unmarshal([]byte(args[0]), &f))
	boxOf(ts).OrderBroker(f)
}
