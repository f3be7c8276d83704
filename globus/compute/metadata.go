package compute

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// Metadata is what was registered about an endpoint.
type Metadata struct {
	ID          string `json:"uuid"`
	Name        string `json:"name"`
	DisplayName string `json:"display_name"`
	MultiUser   bool   `json:"multi_user"`
	Public      bool   `json:"public"`
	// Hostname and Version are of the machine and the release that last
	// registered it.
	Hostname string `json:"hostname"`
	Version  string `json:"endpoint_version"`
	// All is the whole document, for members that have no field here.
	All json.RawMessage `json:"-"`
}

// Metadata asks GET /v2/endpoints/{id}.
func (c *Client) Metadata(ctx context.Context, id string) (Metadata, error) {
	var all json.RawMessage
	if err := c.callEndpoint(ctx, http.MethodGet, "v2", id, "", &all); err != nil {
		return Metadata{}, err
	}
	m := Metadata{All: all}
	if err := json.Unmarshal(all, &m); err != nil {
		return Metadata{}, fmt.Errorf("reading the metadata of endpoint %s: %w", id, err)
	}
	return m, nil
}

// Template is the user endpoints' template that was registered, "" when none
// is told.
func (m Metadata) Template() string {
	var doc struct {
		Template string `json:"user_config_template"`
	}
	if json.Unmarshal(m.All, &doc) != nil {
		return ""
	}
	return doc.Template
}

// Schema is the schema of the template's options that was registered, as a
// JSON text, "" when none is told.
func (m Metadata) Schema() string {
	var doc struct {
		Schema json.RawMessage `json:"user_config_schema"`
	}
	if json.Unmarshal(m.All, &doc) != nil || string(doc.Schema) == "null" {
		return ""
	}
	var text string
	if json.Unmarshal(doc.Schema, &text) == nil {
		return text
	}
	return string(doc.Schema)
}
