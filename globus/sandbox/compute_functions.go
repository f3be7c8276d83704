package sandbox

import (
	"fmt"
	"net/http"
	"unicode/utf8"

	"github.com/google/uuid"
)

type function struct {
	id, owner string
	doc       functionDoc
}

type functionDoc struct {
	Name        string         `json:"function_name"`
	Code        string         `json:"function_code"`
	Serialized  *bool          `json:"serialized"` // since 4.17; absent means it is
	Description string         `json:"description"`
	Meta        map[string]any `json:"meta"`
	Metadata    map[string]any `json:"metadata"` // the v2 name
	Public      bool           `json:"public"`
	Group       string         `json:"group"`
}

// packedCode returns the function as it stands at the head of a task's buffer:
// what the SDK serialized, or source code as the service packs it.
func (d *functionDoc) packedCode() string {
	if d.Serialized == nil || *d.Serialized {
		return d.Code
	}
	buffer := "st\n" + d.Name + ":" + d.Code
	return fmt.Sprintf("%d\n%s", utf8.RuneCountInString(buffer), buffer)
}

func (c *compute) handleRegisterFunction(w http.ResponseWriter, r *http.Request, t token) {
	var doc functionDoc
	if !readJSON(w, r, &doc) {
		return
	}
	if doc.Name == "" || doc.Code == "" {
		writeInvalid(w, r, "function_name and function_code: fields required")
		return
	}
	f := &function{id: uuid.NewString(), owner: t.identity, doc: doc}
	c.mu.Lock()
	c.functions[f.id] = f
	c.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]any{"function_uuid": f.id})
}

func (c *compute) handleGetFunction(w http.ResponseWriter, r *http.Request, t token) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, ok := c.functions[r.PathValue("id")]
	if !ok {
		writeComputeError(w, r, http.StatusNotFound, "FUNCTION_NOT_FOUND", "Function "+r.PathValue("id")+" does not exist")
		return
	}
	meta := f.doc.Meta
	if meta == nil {
		meta = f.doc.Metadata
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"function_uuid": f.id, "function_name": f.doc.Name, "function_code": f.doc.Code,
		"description": f.doc.Description, "metadata": meta,
	})
}

func (c *compute) handleDeleteFunction(w http.ResponseWriter, r *http.Request, t token) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, ok := c.functions[r.PathValue("id")]
	switch {
	case !ok:
		writeComputeError(w, r, http.StatusNotFound, "FUNCTION_NOT_FOUND", "Function "+r.PathValue("id")+" does not exist")
	case f.owner != t.identity:
		writeComputeError(w, r, http.StatusForbidden, "FUNCTION_ACCESS_FORBIDDEN", "the function belongs to another identity")
	default:
		delete(c.functions, f.id)
		writeJSON(w, http.StatusOK, map[string]any{"result": 302})
	}
}
