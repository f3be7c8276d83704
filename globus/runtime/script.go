package runtime

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"

	"chiltepin/globus/runtime/internal/venv"
)

// A script is what the first lines of a program say about how it runs.
type script struct {
	// interpreter is the path that the kernel or a shell starts. Empty when the
	// program is no script.
	interpreter string
	// lookup says that interpreter is a name to be found on PATH.
	lookup bool
	// pyenv is the root of the pyenv whose shim this is.
	pyenv string
}

// isPython says whether the interpreter is a Python.
func (s script) isPython() bool {
	return strings.HasPrefix(filepath.Base(s.interpreter), "python")
}

// headSize is how much of a program is read: a first line has no limit in
// files, but the kernel takes 255 bytes of it, and a shim says what it is early.
const headSize = 4096

// readScript reads what a program's first lines say. What is not a script, or
// cannot be made out, is the zero value.
func readScript(path string) (script, error) {
	file, err := os.Open(path)
	if err != nil {
		return script{}, err
	}
	defer file.Close()
	head, err := io.ReadAll(io.LimitReader(file, headSize))
	if err != nil {
		return script{}, err
	}
	return parseScript(head), nil
}

func parseScript(head []byte) script {
	first, rest, _ := bytes.Cut(head, []byte{'\n'})
	line, found := bytes.CutPrefix(first, []byte("#!"))
	if !found || bytes.IndexByte(head, 0) >= 0 {
		return script{}
	}
	words := strings.Fields(string(line))
	if len(words) == 0 || !filepath.IsAbs(words[0]) {
		return script{}
	}
	if root := findPyenvRoot(rest); root != "" && bytes.Contains(rest, []byte("/pyenv\" exec ")) {
		return script{interpreter: words[0], pyenv: root}
	}
	if filepath.Base(words[0]) == "env" {
		for _, word := range words[1:] {
			// "env -S python3 -I" splits; assignments come before the name.
			if strings.HasPrefix(word, "-") || strings.Contains(word, "=") {
				continue
			}
			return script{interpreter: word, lookup: !strings.Contains(word, "/")}
		}
		return script{}
	}
	if filepath.Base(words[0]) == "sh" {
		if path := findExecPath(rest); path != "" {
			return script{interpreter: path}
		}
	}
	return script{interpreter: words[0]}
}

// findPyenvRoot returns the directory of pyenv in a line that all its shims have.
func findPyenvRoot(text []byte) string {
	for line := range strings.Lines(string(text)) {
		root, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), `export PYENV_ROOT="`)
		if !ok {
			continue
		}
		if root, ok = strings.CutSuffix(root, `"`); ok && filepath.IsAbs(root) && !strings.Contains(root, `"`) {
			return root
		}
	}
	return ""
}

// findExecPath returns the interpreter in the line that pip and uv write where a
// path is too long, or has spaces, for the kernel: a shell line that Python reads
// as a string.
func findExecPath(text []byte) string {
	line, ok := strings.CutPrefix(string(text), "'''exec' ")
	if !ok || line == "" {
		return ""
	}
	path, rest := "", ""
	if quote := line[:1]; quote == `"` || quote == "'" {
		path, rest, ok = strings.Cut(line[1:], quote)
		rest = strings.TrimPrefix(rest, " ")
	} else {
		path, rest, ok = strings.Cut(line, " ")
	}
	if !ok || !filepath.IsAbs(path) || !strings.HasPrefix(rest, `"$0" "$@"`) {
		return ""
	}
	return path
}

// resolveInterpreter returns the absolute path of the script's interpreter, or "" when it
// is not there.
func (s script) resolveInterpreter(pathEnv string) string {
	if s.lookup {
		return venv.LookPath(pathEnv, s.interpreter)
	}
	if !filepath.IsAbs(s.interpreter) {
		return ""
	}
	return venv.LookPath("", s.interpreter)
}
