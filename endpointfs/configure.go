package endpointfs

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"chiltepin/endpointfs/internal/pytext"
)

// files are the contents of a new endpoint, our own text.
//
//go:embed files
var files embed.FS

// NewEndpoint are what a new endpoint may be given. The zero value is
// an endpoint with all defaults.
type NewEndpoint struct {
	DisplayName string // what the service shows; the name when empty
	Email       string // contact, which the daemon demands of a privileged endpoint; may be empty
	Path        string // PATH of user endpoints; when empty they have the daemon's
	// UserDir is GLOBUS_COMPUTE_USER_DIR of user endpoints; when empty they have
	// the daemon's. A privileged daemon gives them none, and they would be put
	// below the home directory of the password file.
	UserDir string
	// Defaults are for options that a task leaves out or empty.
	Defaults TemplateDefaults
}

// TemplateDefaults are defaults in the template of a new endpoint; an empty one
// leaves an option to the provider, and Provider at "localhost".
type TemplateDefaults struct{ Provider, Partition, Queue, Account string }

// knownProviders are those that our schema takes.
func knownProviders() []string {
	data, err := files.ReadFile("files/user_config_schema.json")
	if err != nil {
		panic(err) // it is embedded
	}
	var schema struct {
		Properties struct {
			Provider struct{ Enum []string }
		}
	}
	if err := json.Unmarshal(data, &schema); err != nil {
		panic(err) // so is this
	}
	return schema.Properties.Provider.Enum
}

// isPlainWord says what a default may be: the template has it between quotation
// marks.
func isPlainWord(s string) bool {
	return s != "" && len(s) <= 128 && !strings.ContainsFunc(s, func(r rune) bool {
		return r >= 0x80 || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_.@+:-", r)
	})
}

// fillTemplate puts the defaults into our template.
func (d TemplateDefaults) fillTemplate(template []byte) []byte {
	word := func(s, none string) string {
		if s == "" {
			return none
		}
		return `'"` + s + `"'`
	}
	line := fmt.Sprintf(`{%%- set defaults = {"provider": %s, "partition": %s, "queue": %s, "account": %s} %%}`,
		word(d.Provider, `'"localhost"'`), word(d.Partition, `"null"`), word(d.Queue, `"null"`), word(d.Account, `"null"`))
	var filled []byte
	for old := range bytes.Lines(template) {
		if bytes.HasPrefix(old, []byte("{%- set defaults = ")) {
			old = []byte(line + "\n")
		}
		filled = append(filled, old...)
	}
	return filled
}

// OptionError says which option of [Dir.Configure] is wrong, and how.
type OptionError struct {
	Option  string // "display name", "email", "path"
	Problem string
	Remedy  string
}

// Error names the option and the problem.
func (e *OptionError) Error() string { return e.Option + ": " + e.Problem }

// Next says what to do.
func (e *OptionError) Next() string { return e.Remedy }

// Configure makes the directory of a new endpoint, and the configuration
// directory when there is none: config.yaml, the user endpoints' template with
// the options of Chiltepin's resource pools, a schema that refuses any other
// option, and their environment. It is all or nothing: the directory is made
// elsewhere and gets its name last. A name that is taken is an *[ExistsError].
// It works the same for every user, needs no other program, and leaves nothing
// running.
func (d *Dir) Configure(name string, opts NewEndpoint) (*Endpoint, error) {
	if err := CheckNewName(name); err != nil {
		return nil, err
	}
	if err := opts.checkOptions(); err != nil {
		return nil, fmt.Errorf("configuring endpoint %q: %w", name, err)
	}
	ep := d.endpointAt(name)
	if _, err := os.Lstat(ep.path); err == nil {
		return nil, &ExistsError{Name: name, Path: ep.path}
	}
	if err := makeDir(d.path); err != nil {
		return nil, fmt.Errorf("configuring endpoint %q: %w", name, err)
	}
	d.sweepLeftovers()
	if err := d.writeNewEndpoint(ep, opts); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil, &ExistsError{Name: name, Path: ep.path}
		}
		return nil, fmt.Errorf("configuring endpoint %q: %w", name, err)
	}
	return ep, nil
}

func (d *Dir) writeNewEndpoint(ep *Endpoint, opts NewEndpoint) (err error) {
	work, err := d.makeWorkDir()
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(work)
		}
	}()
	root, err := os.OpenRoot(work)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, f := range newFiles(ep.name, opts) {
		out, err := root.OpenFile(f.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			err = writeAndClose(out, f.data)
		}
		if err != nil {
			return err
		}
	}
	if err := syncDir(root); err != nil {
		return err
	}
	if err := renameNew(work, ep.path); err != nil {
		return err
	}
	parent, err := os.OpenRoot(filepath.Dir(ep.path))
	if err != nil {
		return err
	}
	defer parent.Close()
	return syncDir(parent)
}

type newFile struct {
	name string
	data []byte
}

func newFiles(name string, opts NewEndpoint) []newFile {
	own := func(name string) []byte {
		data, err := files.ReadFile("files/" + name)
		if err != nil {
			panic(err) // it is embedded
		}
		return data
	}
	var config bytes.Buffer
	fmt.Fprintf(&config, "display_name: %s\ndebug: true\n", yamlString(cmp.Or(opts.DisplayName, name)))
	if opts.Email != "" {
		fmt.Fprintf(&config, "email: %s\n", yamlString(opts.Email))
	}
	environment := own(environmentFile)
	if opts.Path != "" {
		environment = fmt.Appendf(environment, "PATH: %s\n", yamlString(opts.Path))
	}
	if opts.UserDir != "" {
		environment = fmt.Appendf(environment, "GLOBUS_COMPUTE_USER_DIR: %s\n", yamlString(opts.UserDir))
	}
	return []newFile{
		{templateFile, opts.Defaults.fillTemplate(own(templateFile))},
		{schemaFile, own(schemaFile)},
		{environmentFile, environment},
		{configYAML, config.Bytes()},
	}
}

// renameNew renames a directory to a name that is free, and is
// [fs.ErrExist] when it is not.
func renameNew(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) { // NFS among others
		return renamePlain(from, to)
	}
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

// renamePlain is renameNew where the file system cannot tell a free name: a
// plain rename of a directory replaces nothing but an empty directory.
func renamePlain(from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		return fs.ErrExist
	}
	err := unix.Rename(from, to)
	if errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, unix.ENOTDIR) {
		return fs.ErrExist
	}
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

func (o NewEndpoint) checkOptions() error {
	for _, opt := range []struct{ name, value string }{{"display name", o.DisplayName}, {"email", o.Email}, {"path", o.Path}, {"directory", o.UserDir}} {
		if !utf8.ValidString(opt.value) || strings.ContainsFunc(opt.value, unicode.IsControl) {
			return &OptionError{Option: opt.name, Problem: fmt.Sprintf("%q holds control characters or is not UTF-8", opt.value), Remedy: "leave them out"}
		}
	}
	for _, opt := range []struct{ name, value string }{{"provider", o.Defaults.Provider}, {"partition", o.Defaults.Partition}, {"queue", o.Defaults.Queue}, {"account", o.Defaults.Account}} {
		if opt.value != "" && !isPlainWord(opt.value) {
			return &OptionError{Option: opt.name, Problem: fmt.Sprintf("%q is no name of a %s", opt.value, opt.name), Remedy: "give letters, digits and _.@+:- only"}
		}
	}
	if known := knownProviders(); o.Defaults.Provider != "" && !slices.Contains(known, o.Defaults.Provider) {
		return &OptionError{Option: "provider", Problem: fmt.Sprintf("there is no provider %q", o.Defaults.Provider), Remedy: "choose one of " + strings.Join(known, ", ")}
	}
	if o.DisplayName != "" && strings.TrimSpace(o.DisplayName) == "" {
		return &OptionError{Option: "display name", Problem: "it is blank", Remedy: "leave it out to have the endpoint's name shown"}
	}
	user, host, ok := strings.Cut(o.Email, "@")
	if o.Email != "" && (!ok || user == "" || host == "" || strings.ContainsFunc(o.Email, pytext.IsSpace)) {
		return &OptionError{Option: "email", Problem: fmt.Sprintf("%q is not an address", o.Email), Remedy: "give an address such as you@example.org"}
	}
	return nil
}
