package sandbox

import (
	"net/http"
	"slices"
	"strings"
)

// handleList shows the caller's own, or with ?role=any every one.
func (c *compute) handleList(w http.ResponseWriter, r *http.Request, t token) {
	role := r.URL.Query().Get("role")
	c.mu.Lock()
	defer c.mu.Unlock()
	list := []map[string]any{}
	for _, e := range c.endpoints {
		if role == "any" || c.isOwner(t.identity, e) {
			list = append(list, map[string]any{
				"uuid": e.id, "name": e.doc.Name, "display_name": e.doc.shownName(), "owner": e.owner,
			})
		}
	}
	slices.SortFunc(list, func(a, b map[string]any) int {
		return strings.Compare(a["uuid"].(string), b["uuid"].(string))
	})
	writeJSON(w, http.StatusOK, list)
}

func (d *registration) shownName() string {
	if d.DisplayName != "" {
		return d.DisplayName
	}
	return d.Name
}

func (c *compute) handleMetadata(w http.ResponseWriter, r *http.Request, t token) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.findEndpoint(w, r)
	if !ok {
		return
	}
	doc := map[string]any{
		"uuid": e.id, "name": e.doc.Name, "display_name": e.doc.shownName(),
		"multi_user": e.doc.MultiUser, "public": e.doc.Public, "high_assurance": e.doc.HighAssurance,
		"subscription_uuid": orNull(e.doc.Subscription), "subscription_admin_verified": false,
		"description": nil, "ip_address": "127.0.0.1",
	}
	for _, key := range []string{
		"endpoint_config", "user_config_template", "user_config_schema", "hostname",
		"local_user", "endpoint_version", "sdk_version", "python_version",
	} {
		doc[key] = e.doc.Metadata[key]
	}
	writeJSON(w, http.StatusOK, doc)
}

// handleStatus answers for endpoints and for the user endpoints they start.
func (c *compute) handleStatus(w http.ResponseWriter, r *http.Request, t token) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := strings.ToLower(r.PathValue("id"))
	if u, ok := c.userEndpoints[id]; ok {
		entryOf(r).UserEndpoint = id
		c.writeStatus(w, &u.liveness)
		return
	}
	e, ok := c.findEndpoint(w, r)
	if !ok {
		return
	}
	c.writeStatus(w, &e.liveness)
}

func (c *compute) writeStatus(w http.ResponseWriter, l *liveness) {
	word := "offline"
	if c.isOnline(l) {
		word = "online"
	}
	count := func(key string) any {
		if v, ok := l.state[key]; ok {
			return v
		}
		return 0
	}
	writeJSON(w, http.StatusOK, map[string]any{"status": word, "details": map[string]any{
		"total_workers": count("total_workers"), "idle_workers": count("idle_workers"),
		"pending_tasks": count("pending_tasks"), "outstanding_tasks": count("outstanding_tasks"),
		"managers": count("managers"),
	}})
}
