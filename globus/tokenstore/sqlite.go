package tokenstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// SQLite is SQLiteTokenStorage of globus_sdk/token_storage/sqlite.py: one
// table of rows with a JSON text each. It waits five seconds for another
// program's lock, as Python does, keeps to the rollback journal, which works
// on network file systems where a write-ahead log does not, and holds the file
// open for one transaction at a time. It is made by [NewSQLite].
type SQLite struct {
	path string
	wait time.Duration
}

// NewSQLite names a store. It does no I/O.
func NewSQLite(path string) *SQLite { return &SQLite{path, 5 * time.Second} }

// schema is what SQLiteTokenStorage creates.
const schema = `
CREATE TABLE token_storage (
    namespace VARCHAR NOT NULL,
    resource_server VARCHAR NOT NULL,
    token_data_json VARCHAR NOT NULL,
    PRIMARY KEY (namespace, resource_server)
);
CREATE TABLE sdk_storage_adapter_internal (
    attribute VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    PRIMARY KEY (attribute)
);
INSERT INTO sdk_storage_adapter_internal(attribute, value) VALUES
    ('globus-sdk.version', '` + sdkVersion + `'),
    ('globus-sdk.database_schema_version', '2');
`

// schemaVersion is the newest that is understood. 1 is that of globus_sdk 3,
// which has a table more.
const schemaVersion = 2

// Path is the file.
func (s *SQLite) Path() string { return s.path }

// Namespaces lists the parts of the store.
func (s *SQLite) Namespaces(ctx context.Context) ([]string, error) {
	var names []string
	err := s.readTransaction(ctx, func(tx *sql.Tx) error {
		found, err := tx.QueryContext(ctx, "SELECT DISTINCT namespace FROM token_storage ORDER BY namespace")
		if err != nil {
			return err
		}
		defer found.Close()
		for found.Next() {
			var name string
			if err := found.Scan(&name); err != nil {
				return err
			}
			names = append(names, name)
		}
		return found.Err()
	})
	return names, err
}

// Read returns the tokens of a namespace.
func (s *SQLite) Read(ctx context.Context, namespace string) (Rows, error) {
	found := Rows{}
	err := s.readTransaction(ctx, func(tx *sql.Tx) (err error) {
		found, err = selectRows(ctx, tx, namespace)
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// readTransaction runs do in a transaction, unless the file is missing.
func (s *SQLite) readTransaction(ctx context.Context, do func(*sql.Tx) error) error {
	info, err := os.Stat(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().IsRegular() && info.Size() == 0 {
		return &StoreFormatError{Path: s.path, Problem: "the file is empty", Empty: true}
	}
	return s.runTransaction(ctx, s.path, "deferred", do)
}

// Update changes the tokens of a namespace.
func (s *SQLite) Update(ctx context.Context, namespace string, change func(Rows) error) error {
	info, err := os.Stat(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = s.createFile(ctx, namespace, change); !errors.Is(err, fs.ErrExist) {
			return err
		}
		info, err = os.Stat(s.path)
	}
	if err != nil {
		return err
	}
	if info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		if err := os.Chmod(s.path, 0o600); err != nil {
			return err
		}
	}
	return s.runTransaction(ctx, s.path, "immediate", func(tx *sql.Tx) error {
		if info.Size() == 0 {
			if _, err := tx.ExecContext(ctx, schema); err != nil {
				return err
			}
		}
		return applyChange(ctx, tx, namespace, change)
	})
}

// createFile makes the file complete beside its place and then puts it there, so
// that the Python programs never find one without tables, which they cannot
// use. Somebody else being faster is [fs.ErrExist].
func (s *SQLite) createFile(ctx context.Context, namespace string, change func(Rows) error) error {
	write, _, err := Rows{}.diffChange(change)
	if err != nil || len(write) == 0 {
		return err
	}
	path := followLink(s.path)
	directory := filepath.Dir(path)
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(directory, "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	f.Close()
	defer os.Remove(f.Name())
	err = s.runTransaction(ctx, f.Name(), "immediate", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, schema); err != nil {
			return err
		}
		return replaceRows(ctx, tx, namespace, write)
	})
	if err != nil {
		return err
	}
	err = os.Link(f.Name(), path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		// No hard links here. The window is small, and its worst is that
		// the first of two logins is lost.
		if _, statErr := os.Lstat(path); statErr == nil {
			return fs.ErrExist
		}
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return err
	}
	syncDirectory(directory)
	return nil
}

// runTransaction opens the file, runs do in one transaction and closes it.
func (s *SQLite) runTransaction(ctx context.Context, path, lock string, do func(*sql.Tx) error) (err error) {
	defer func() { err = s.explainError(err) }()
	path, err = filepath.Abs(path)
	if err != nil {
		return err
	}
	query := fmt.Sprintf("mode=rw&_pragma=busy_timeout(%d)&_txlock=%s", s.wait.Milliseconds(), lock)
	address := url.URL{Scheme: "file", Path: path, RawQuery: query}
	db, err := sql.Open("sqlite", address.String())
	if err != nil {
		return err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// explainError says in the words of a person what SQLite says in its own.
func (s *SQLite) explainError(err error) error {
	if format, ok := errors.AsType[*StoreFormatError](err); ok && format.Path == "" {
		format.Path = s.path
	}
	cause, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	switch cause.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return &StoreLockedError{Path: s.path, Err: err}
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR:
		return &StoreFormatError{Path: s.path, Problem: "not a token store of globus_sdk", Err: err}
	}
	return fmt.Errorf("using %q: %w", s.path, err)
}
