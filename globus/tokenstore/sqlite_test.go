package tokenstore

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// made is the path of a store that holds one token, and a connection to it
// such as another program would have.
func made(t *testing.T) (path string, other *sql.DB) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "with ?#% in it", "storage.db")
	if err := NewSQLite(path).Update(t.Context(), "n", add("a")); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	other, err := sql.Open("sqlite", link)
	if err != nil {
		t.Fatal(err)
	}
	other.SetMaxOpenConns(1)
	t.Cleanup(func() { other.Close() })
	return path, other
}

func add(server string) func(Rows) error {
	return func(rows Rows) error {
		rows[server] = Token{ResourceServer: server, AccessToken: NewSecret("t")}
		return nil
	}
}

func execute(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(statement, err)
		}
	}
}

func TestSQLiteWaitsForALock(t *testing.T) {
	t.Parallel()
	path, other := made(t)
	execute(t, other, "BEGIN EXCLUSIVE")
	go func() {
		time.Sleep(100 * time.Millisecond)
		other.Exec("COMMIT")
	}()
	if err := NewSQLite(path).Update(t.Context(), "n", add("b")); err != nil {
		t.Error(err)
	}
}

func TestSQLiteLocked(t *testing.T) {
	t.Parallel()
	path, other := made(t)
	execute(t, other, "BEGIN EXCLUSIVE")
	defer other.Exec("ROLLBACK")
	s := &SQLite{path: path, wait: 20 * time.Millisecond}
	err := s.Update(t.Context(), "n", add("b"))
	if locked, ok := errors.AsType[*StoreLockedError](err); !ok || locked.Path != path {
		t.Errorf("Update: %v, want a *LockedError", err)
	}
	_, err = s.Read(t.Context(), "n")
	if _, ok := errors.AsType[*StoreLockedError](err); !ok {
		t.Errorf("Read: %v, want a *LockedError", err)
	}
}

func TestSQLiteOfAnotherSchema(t *testing.T) {
	t.Parallel()
	for statement, fine := range map[string]bool{
		"UPDATE sdk_storage_adapter_internal SET value='3' WHERE attribute LIKE '%schema_version'": false,
		"UPDATE sdk_storage_adapter_internal SET value='1' WHERE attribute LIKE '%schema_version'": true,
		"DELETE FROM sdk_storage_adapter_internal":                                                 true,
		"ALTER TABLE token_storage ADD COLUMN more VARCHAR":                                        true,
		"ALTER TABLE token_storage RENAME COLUMN token_data_json TO something":                     false,
	} {
		path, other := made(t)
		execute(t, other, statement)
		err := NewSQLite(path).Update(t.Context(), "n", add("b"))
		if _, isFormat := errors.AsType[*StoreFormatError](err); isFormat == fine || (err == nil) != fine {
			t.Errorf("after %s: %v", statement, err)
		}
		if rows, err := NewSQLite(path).Read(t.Context(), "n"); fine && (err != nil || len(rows) != 2) {
			t.Errorf("after %s: %d rows, %v", statement, len(rows), err)
		}
	}
}

// A row that the Python programs cannot read is shown with its problem, kept
// by an update of others, and goes when it is deleted.
func TestSQLiteBrokenRow(t *testing.T) {
	t.Parallel()
	path, other := made(t)
	const broken = `{"resource_server": "b", "scope": "s", "access_token": "t", "refresh_token": "f", "expires_at_seconds": 5.5}`
	execute(t, other, "INSERT INTO token_storage VALUES('n', 'b', '"+broken+"')")
	s := NewSQLite(path)
	if err := s.Update(t.Context(), "n", add("c")); err != nil {
		t.Fatal(err)
	}
	var kept string
	if err := other.QueryRow("SELECT token_data_json FROM token_storage WHERE resource_server='b'").Scan(&kept); err != nil || kept != broken {
		t.Errorf("the broken row is now %s, %v", kept, err)
	}
	rows, err := s.Read(t.Context(), "n")
	if err != nil || len(rows) != 3 || rows["b"].Problem == nil || rows["b"].RefreshToken.Reveal() != "f" || rows["a"].Problem != nil {
		t.Errorf("read %v, %v", rows, err)
	}
	err = s.Update(t.Context(), "n", func(rows Rows) error {
		delete(rows, "b")
		return nil
	})
	if rows, readErr := s.Read(t.Context(), "n"); err != nil || readErr != nil || len(rows) != 2 {
		t.Errorf("after deletion: %v, %v, %v", rows, err, readErr)
	}
}

func TestJSONFormat1(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tokens.json")
	const old = `{"by_rs": {"a": {"resource_server": "a", "scope": "s", "access_token": "t", "expires_at_seconds": 5}}, "globus-sdk.version": "3.0.0", "format_version": "1.0"}`
	if err := os.WriteFile(path, []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := NewJSON(path).Update(t.Context(), "DEFAULT", add("b")); err != nil {
		t.Fatal(err)
	}
	const want = `{"data": {"DEFAULT": {"a": {"resource_server": "a", "scope": "s", "access_token": "t", "expires_at_seconds": 5}, "b": {"resource_server": "b", "scope": "", "access_token": "t", "expires_at_seconds": 0}}}, "format_version": "2.0", "globus-sdk.version": "4.9.1"}`
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
}
