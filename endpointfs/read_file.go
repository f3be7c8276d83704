package endpointfs

import (
	"fmt"

	"chiltepin/endpointfs/internal/regular"
)

// ReadFile returns the text of one file in the endpoint's directory, such as
// config.yaml, to be shown. It never waits, and a link that leads out of the
// directory is an error. A file that is not there is [fs.ErrNotExist]; a pipe,
// a device, a directory or a file of more than limit bytes is a *[FormatError].
func (e *Endpoint) ReadFile(name string, limit int) (string, error) {
	if !isComponent(name) {
		return "", fmt.Errorf("reading a file of endpoint %q: %q is not the name of a file in its directory", e.name, name)
	}
	root, err := e.openRoot()
	if err != nil {
		return "", err
	}
	defer root.Close()
	data, _, err := regular.ReadWithin(root, name, limit)
	return string(data), err
}
