package operation

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
)

// ConfigDirField is the argument by which a call names its directory.
const ConfigDirField = "config_dir"

// setRoots keeps the directories at or below which a call may name its own. The
// directory of the server is one of them where there are any.
func (o *Offer) setRoots(roots []string) error {
	if len(roots) == 0 {
		return nil
	}
	if o.policy.RealPath == nil {
		return &Error{Code: CodeInternal, Message: "directories may be named, and nobody can resolve their links"}
	}
	for _, root := range roots {
		if !filepath.IsAbs(root) {
			return Invalid("config-root", "an absolute path", root)
		}
		o.roots = append(o.roots, filepath.Clean(root))
	}
	if o.dir != "" {
		o.roots = append(o.roots, o.dir)
	}
	return nil
}

// isOwnDir says whether a call names the directory that it would get anyway.
func (o *Offer) isOwnDir(given json.RawMessage) bool {
	var dir string
	return o.dir != "" && json.Unmarshal(given, &dir) == nil && dir != "" && filepath.Clean(dir) == o.dir
}

// admitDir returns the directory that a call names, cleaned. It must be at or
// below one of the roots both as it is written and with all links resolved, so
// that neither a ".." nor a link leads out.
func (o *Offer) admitDir(given json.RawMessage) (string, error) {
	var dir string
	if err := json.Unmarshal(given, &dir); err != nil || !filepath.IsAbs(dir) || strings.ContainsRune(dir, 0) {
		return "", Invalid(ConfigDirField, "an absolute path", dir)
	}
	outside := &Error{Code: CodeRefused, Message: ConfigDirField + ": the person who runs the server allowed " + strings.Join(o.roots, ", ") + " and what is below, and this is elsewhere"}
	if slices.Contains(strings.Split(dir, "/"), "..") {
		return "", outside
	}
	dir = filepath.Clean(dir)
	if !slices.ContainsFunc(o.roots, func(root string) bool { return isBelow(root, dir) }) {
		return "", outside
	}
	real, err := o.policy.RealPath(dir)
	if err != nil {
		return "", outside.Because(err)
	}
	for _, root := range o.roots {
		if realRoot, err := o.policy.RealPath(root); err == nil && isBelow(realRoot, real) {
			return dir, nil
		}
	}
	return "", outside
}

// isBelow says whether a clean path is a directory or below it.
func isBelow(dir, path string) bool {
	return path == dir || dir == "/" || strings.HasPrefix(path, dir+"/")
}
