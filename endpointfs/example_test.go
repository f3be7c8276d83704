package endpointfs_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"chiltepin/endpointfs"
)

// A configuration directory holds one directory for each endpoint.
func ExampleDir_Configure() {
	home, err := os.MkdirTemp("", "example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(home)
	dir := endpointfs.Open(filepath.Join(home, ".globus_compute"))

	if _, err := dir.Configure("mesa", endpointfs.NewEndpoint{DisplayName: "Mesa Lab"}); err != nil {
		log.Fatal(err)
	}
	_, err = dir.Configure("mesa", endpointfs.NewEndpoint{})
	fmt.Println("again:", err != nil)

	list, err := dir.Endpoints()
	if err != nil {
		log.Fatal(err)
	}
	for _, ep := range list {
		config, err := ep.Config()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s is shown as %q\n", ep.Name(), config.DisplayName)
	}
	// Output:
	// again: true
	// mesa is shown as "Mesa Lab"
}

// A name that could lead out of the directory is refused.
func ExampleCheckNewName() {
	fmt.Println(endpointfs.CheckNewName("mesa"))
	fmt.Println(endpointfs.CheckNewName("../precious") != nil)
	// Output:
	// <nil>
	// true
}
