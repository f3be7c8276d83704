package endpointfs

import (
	"errors"
	"io/fs"

	"chiltepin/endpointfs/internal/regular"
)

// Template returns the text of the user endpoints' template and its path. As
// for the daemon, one without the suffix .j2 does too.
func (e *Endpoint) Template() (text, path string, err error) {
	config, err := e.Config()
	if err != nil {
		return "", "", err
	}
	path = config.TemplatePath
	data, _, err := regular.Read(path, maxTemplate)
	if errors.Is(err, fs.ErrNotExist) && path == e.filePath(templateFile) {
		path = e.filePath(templateOld)
		data, _, err = regular.Read(path, maxTemplate)
	}
	return string(data), path, err
}

// Schema returns the text of the schema of the template's options and its
// path; a schema that is not there is "".
func (e *Endpoint) Schema() (text, path string, err error) {
	config, err := e.Config()
	if err != nil {
		return "", "", err
	}
	data, _, err := regular.Read(config.SchemaPath, maxTemplate)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return string(data), config.SchemaPath, err
}
