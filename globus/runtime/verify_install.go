package runtime

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// verifyInstall compares an environment with what its installer recorded of it: that
// every file is there and has its size. It finds what a full disk, a cleaner of
// old files or a crash left, in a twentieth of a second, without Python.
func verifyInstall(env string) error {
	records, err := filepath.Glob(filepath.Join(escapeGlob(env), "lib", "python3.*", "site-packages", "*.dist-info", "RECORD"))
	if err != nil {
		return err
	}
	if len(records) == 0 {
		return errors.New("it has no packages")
	}
	for _, record := range records {
		if err := verifyRecord(record); err != nil {
			return err
		}
	}
	return nil
}

func verifyRecord(record string) error {
	file, err := os.Open(record)
	if err != nil {
		return err
	}
	defer file.Close()
	site := filepath.Dir(filepath.Dir(record))
	rows := csv.NewReader(file)
	rows.FieldsPerRecord = 3
	rows.ReuseRecord = true
	for {
		row, err := rows.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading %s: %w", record, err)
		}
		// Compiled files and RECORD itself have no size.
		size, err := strconv.ParseInt(row[2], 10, 64)
		if err != nil {
			continue
		}
		path := row[0]
		if !filepath.IsAbs(path) {
			path = filepath.Join(site, path)
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if info.Size() != size {
			return fmt.Errorf("%s has %d bytes and was installed with %d", path, info.Size(), size)
		}
	}
}
