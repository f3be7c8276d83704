package stdio

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
)

// Mask returns message as the wire log may show it: the values of members
// that are named like secrets, and texts that look like tokens, are gone.
// What is no JSON is only told by its length.
func Mask(message []byte) []byte {
	dec := json.NewDecoder(bytes.NewReader(message))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return []byte(`"(not JSON)"`)
	}
	masked, err := json.Marshal(masker{bearer: bearerPattern()}.maskValue("", "", v))
	if err != nil {
		return []byte(`"(not shown)"`)
	}
	return masked
}

const hidden = "***"

// bearerPattern matches what is a token by its form: a bearer header, a JSON web
// token, a Globus token.
func bearerPattern() *regexp.Regexp {
	return regexp.MustCompile(`(?i)bearer\s+[\w.~+/=-]+|eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|\bAg[\w]{30,}`)
}

type masker struct{ bearer *regexp.Regexp }

func (m masker) maskValue(within, name string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			v[key] = m.maskValue(name, key, member)
		}
		return v
	case []any:
		for i, item := range v {
			v[i] = m.maskValue(within, name, item)
		}
		return v
	case string:
		// A code is a secret as an argument, and a word about an error elsewhere.
		if isSecretName(name) || name == "code" && (within == "arguments" || within == "params") {
			return hidden
		}
		return m.bearer.ReplaceAllString(v, hidden)
	}
	return v
}

// isSecretName is true for the name of a member whose text is never shown. The
// protocol's progressToken is no secret.
func isSecretName(name string) bool {
	name = strings.ToLower(name)
	if name == "progresstoken" {
		return false
	}
	for _, word := range []string{"token", "secret", "password", "authorization", "requeststate", "auth_code"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}
