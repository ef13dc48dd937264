package runtime

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// records is a folder of JSON files: one per sandbox, container, and one each
// for images and the network. A file is replaced as a whole, so a reader after
// a crash finds either the old or the new state. Environments of containers
// can hold Secrets, hence the modes.
type records struct{ dir string }

const (
	sandboxRecords   = "sandboxes"
	containerRecords = "containers"
)

func (r records) prepare() error {
	for _, d := range []string{"", sandboxRecords, containerRecords} {
		if err := os.MkdirAll(filepath.Join(r.dir, d), 0o700); err != nil {
			return fmt.Errorf("make the runtime's folder: %w", err)
		}
	}
	return nil
}

// write stores v under a name like "containers/ID".
func (r records) write(name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("record %s: %w", name, err)
	}
	path := filepath.Join(r.dir, filepath.FromSlash(name)+".json")
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return fmt.Errorf("record %s: %w", name, err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("record %s: %w", name, err)
	}
	return nil
}

// read fills v from a record and reports whether there was one.
func (r records) read(name string, v any) (bool, error) {
	path := filepath.Join(r.dir, filepath.FromSlash(name)+".json")
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		return false, fmt.Errorf("read the runtime's record %s: %w", path, err)
	}
	return true, nil
}

func (r records) remove(name string) error {
	err := os.Remove(filepath.Join(r.dir, filepath.FromSlash(name)+".json"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove record %s: %w", name, err)
	}
	return nil
}

// ids lists the records in a folder.
func (r records) ids(folder string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(r.dir, folder))
	if err != nil {
		return nil, fmt.Errorf("read the runtime's records: %w", err)
	}
	var ids []string
	for _, e := range entries {
		if id, ok := strings.CutSuffix(e.Name(), ".json"); ok {
			ids = append(ids, id)
		}
	}
	return ids, nil
}
