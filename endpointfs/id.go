package endpointfs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"chiltepin/endpointfs/internal/pytext"
	"chiltepin/endpointfs/internal/regular"
)

const maxStateFile = 64 << 10

// ID returns the UUID under which the endpoint is registered, as the daemon
// keeps it in endpoint.json, and "" when it was never registered. A file that
// holds none is a *[FormatError].
func (e *Endpoint) ID() (string, error) {
	path := e.filePath(endpointJSON)
	data, _, err := regular.Read(path, maxStateFile)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	id, problem := parseEndpointJSON(data)
	if problem != "" {
		return "", &FormatError{File: path, Problem: problem, Remedy: `put {"endpoint_id": "UUID"} with the endpoint's UUID into the file, or remove the file to register anew`}
	}
	return id, nil
}

// parseEndpointJSON returns the id in canonical form, or what is wrong.
func parseEndpointJSON(data []byte) (id, problem string) {
	if len(data) == 0 {
		return "", "it is empty"
	}
	var v struct {
		ID *string `json:"endpoint_id"`
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return "", jsonProblem(err)
	}
	if v.ID == nil {
		return "", "it has no endpoint_id"
	}
	if id = pytext.CanonicalUUID(*v.ID); id == "" {
		return "", "endpoint_id is not a UUID"
	}
	return id, ""
}

// jsonProblem says what is wrong with JSON that should be one of our objects.
func jsonProblem(err error) string {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if wrong.Field == "" {
			return "it is JSON, but not an object"
		}
		return fmt.Sprintf("%s cannot be a %s", wrong.Field, wrong.Value)
	}
	return "it is not JSON: " + err.Error()
}
