package tokenstore_test

import (
	"testing"

	"chiltepin/globus/tokenstore"
	"chiltepin/globus/tokenstore/tokenstoretest"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	tokenstoretest.Run(t, "storage.db", func(path string) tokenstore.Store { return tokenstore.NewSQLite(path) })
}

func TestJSON(t *testing.T) {
	t.Parallel()
	tokenstoretest.Run(t, "tokens.json", func(path string) tokenstore.Store { return tokenstore.NewJSON(path) })
}
