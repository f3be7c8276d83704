package log

import (
	"bytes"
	"strconv"
)

// WrittenBy returns the lines of a piece of a log that are not another
// process's than pid, and whether there are such. Every daemon of an endpoint,
// and every program that tries to start one, writes to the same log. Text
// before the first record, and in a record that names no process, is taken for
// the process's own.
func WrittenBy(pid int, data []byte) (own []byte, others bool) {
	foreign := false
	for line := range bytes.Lines(data) {
		if _, ok := parseHeader(line); ok {
			author := recordAuthor(line)
			foreign = author != 0 && author != pid
			others = others || foreign
		}
		if !foreign {
			own = append(own, line...)
		}
	}
	return own, others
}

// recordAuthor returns the id of the process that wrote a record, and 0 where
// its first line does not say: "… INFO MainProcess-41 MainThread-139 …"
// (DEFAULT_FORMAT of logging_config.py, the same in releases 4.6 to 4.19).
func recordAuthor(line []byte) int {
	fields := bytes.SplitN(line[len(timeShape):], []byte(" "), 3)
	if len(fields) < 3 {
		return 0
	}
	i := bytes.LastIndexByte(fields[1], '-')
	if i < 0 || !bytes.Contains(fields[1][:i], []byte("Process")) {
		return 0
	}
	pid, err := strconv.Atoi(string(fields[1][i+1:]))
	if err != nil || pid < 0 {
		return 0
	}
	return pid
}
