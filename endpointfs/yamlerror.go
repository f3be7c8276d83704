package endpointfs

import (
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
)

func isEOF(err error) bool { return errors.Is(err, io.EOF) }

// yamlError turns an error of the YAML library into one with a line of its
// own. The library counts some lines from 0.
func yamlError(err error) *FormatError {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	e := &FormatError{Problem: "it is not YAML: " + text, Remedy: "mend the line; strings with special characters need quotation marks, and indentation is by spaces", Err: err}
	if m := regexp.MustCompile(`^line (\d+): (.*)`).FindStringSubmatch(text); m != nil {
		e.Line, _ = strconv.Atoi(m[1])
		e.Problem = "it is not YAML: " + m[2]
	}
	return e
}
