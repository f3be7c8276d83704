package tokenstore_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"chiltepin/globus/tokenstore"
)

// A store keeps one token for each resource server of a namespace, in the file
// that the Python programs read. A token never prints.
func ExampleStore() {
	home, err := os.MkdirTemp("", "example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(home)
	ctx := context.Background()
	var store tokenstore.Store = tokenstore.NewSQLite(filepath.Join(home, "storage.db"))

	err = store.Update(ctx, "user/production", func(rows tokenstore.Rows) error {
		rows["funcx_service"] = tokenstore.Token{
			ResourceServer: "funcx_service",
			Scope:          "all",
			AccessToken:    tokenstore.NewSecret("a-secret-text"),
			ExpiresAt:      1_900_000_000,
			TokenType:      "Bearer",
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	rows, err := store.Read(ctx, "user/production")
	if err != nil {
		log.Fatal(err)
	}
	token := rows["funcx_service"]
	fmt.Println(token.Scopes(), token.Expires().UTC().Year(), token.AccessToken)
	// Output:
	// [all] 2030 [secret]
}
