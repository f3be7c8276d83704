// Package spell finds the word that a misspelled one was meant to be, for
// every place that suggests one: arguments, options of the daemon, options of
// resource pools. It knows no words itself.
package spell

import "strings"

// longest bounds the words that are compared; ours are shorter by far.
const longest = 40

// Nearest returns the known word within two edits of word, whatever the case,
// "" if there is none; of several equally near the first.
func Nearest(word string, known []string) string {
	best, found := 3, ""
	for _, k := range known {
		if d := Distance(strings.ToLower(word), k); d < best {
			best, found = d, k
		}
	}
	return found
}

// Distance is how many bytes must be changed, added or left out to make b of a
// (Levenshtein); a word that is too long is far from all others.
func Distance(a, b string) int {
	if len(a) > longest || len(b) > longest {
		return longest
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
