package tokenstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
)

// applyChange lets change work on the rows of a namespace.
func applyChange(ctx context.Context, tx *sql.Tx, namespace string, change func(Rows) error) error {
	found, err := selectRows(ctx, tx, namespace)
	if err != nil {
		return err
	}
	write, remove, err := found.diffChange(change)
	if err != nil {
		return err
	}
	for _, server := range remove {
		if _, err := tx.ExecContext(ctx, "DELETE FROM token_storage WHERE namespace=? AND resource_server=?", namespace, server); err != nil {
			return err
		}
	}
	return replaceRows(ctx, tx, namespace, write)
}

func replaceRows(ctx context.Context, tx *sql.Tx, namespace string, write map[string][]byte) error {
	for server, raw := range write {
		_, err := tx.ExecContext(ctx, "REPLACE INTO token_storage(namespace, resource_server, token_data_json) VALUES(?, ?, ?)", namespace, server, string(raw))
		if err != nil {
			return err
		}
	}
	return nil
}

func selectRows(ctx context.Context, tx *sql.Tx, namespace string) (Rows, error) {
	var version string
	err := tx.QueryRowContext(ctx, "SELECT value FROM sdk_storage_adapter_internal WHERE attribute='globus-sdk.database_schema_version'").Scan(&version)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	if n, err := strconv.Atoi(version); err == nil && n > schemaVersion {
		return nil, &StoreFormatError{Problem: fmt.Sprintf("written by a later globus_sdk (schema %d)", n)}
	}
	found, err := tx.QueryContext(ctx, "SELECT resource_server, token_data_json FROM token_storage WHERE namespace=?", namespace)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	result := Rows{}
	for found.Next() {
		var server, raw string
		if err := found.Scan(&server, &raw); err != nil {
			return nil, err
		}
		result[server] = decodeToken([]byte(raw))
	}
	return result, found.Err()
}
