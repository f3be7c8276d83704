package tools

// GroupSummary is one line about the operations that share the first word of
// their name, or "" for a word that no operation starts with.
func GroupSummary(word string) string {
	switch word {
	case "endpoint":
		return "Configure, start, watch, stop and delete endpoints"
	case "pool":
		return "Check, show and prove the resource pools of a Chiltepin configuration"
	case "runtime":
		return "The globus-compute-endpoint that endpoints are run with"
	}
	return ""
}
