package process

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// parseStat reads /proc/PID/stat, see proc(5). The name of the program is in
// parentheses and may hold anything, parentheses too.
func parseStat(data []byte) (p Process, state byte, err error) {
	text := strings.TrimSpace(string(data))
	open, end := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return Process{}, 0, errors.New("reading its stat: no program name")
	}
	fields := strings.Fields(text[end+1:])
	if len(fields) < 20 || len(fields[0]) != 1 {
		return Process{}, 0, errors.New("reading its stat: too few fields")
	}
	var errs [4]error
	p.PID, errs[0] = strconv.Atoi(strings.TrimSpace(text[:open]))
	p.Parent, errs[1] = strconv.Atoi(fields[1])
	p.Session, errs[2] = strconv.Atoi(fields[3])
	p.StartTime, errs[3] = strconv.ParseUint(fields[19], 10, 64)
	if err := errors.Join(errs[:]...); err != nil {
		return Process{}, 0, fmt.Errorf("reading its stat: %w", err)
	}
	return p, fields[0][0], nil
}

// splitArguments splits an argument list. setproctitle leaves the title and
// then zeros where the arguments were.
func splitArguments(data []byte) []string {
	data = bytes.TrimRight(data, "\x00")
	if len(data) == 0 {
		return nil
	}
	return strings.Split(string(data), "\x00")
}
