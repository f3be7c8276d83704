package sandbox

import (
	"path"
	"slices"
	"strings"
)

// IsRequest says whether e is an answered request of method ("" for any) to
// path, a pattern in which * stands for any run without a slash.
func (e Entry) IsRequest(method, pattern string) bool {
	if e.Kind != "http" || method != "" && !strings.EqualFold(method, e.Method) {
		return false
	}
	ok, err := path.Match(pattern, e.Path)
	return ok && err == nil
}

// IsEvent says whether e is an event of that name about that endpoint or user
// endpoint ("" for any).
func (e Entry) IsEvent(name, endpoint string) bool {
	return e.Kind == "event" && e.Event == name &&
		(endpoint == "" || endpoint == e.Endpoint || endpoint == e.UserEndpoint)
}

// Unrevoked returns the labels of the access and refresh tokens that entries
// show issued and not revoked, in order of issue.
func Unrevoked(entries []Entry) []string {
	var left []string
	for _, e := range entries {
		for _, label := range e.Issued {
			if !strings.HasPrefix(label, "code#") {
				left = append(left, label)
			}
		}
		for _, label := range e.Revoked {
			left = slices.DeleteFunc(left, func(l string) bool { return l == label })
		}
	}
	return left
}
