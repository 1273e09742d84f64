package snapshot

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// tempPrefix starts the names of what is being made. Nothing else has such a name, so what is left
// of it by a crash is known by it.
const tempPrefix = ".tmp-"

// step is called before and after each change of the directory that others could find half made. It
// is where a test ends the process.
var step = func() {}

func isTemp(name string) bool { return strings.HasPrefix(name, tempPrefix) }

// syncPath brings a file or directory to the disk.
func syncPath(path string) error {
	step()
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// writeJSON makes a file or replaces it: after a crash it has the old contents or the new, and once
// this returned, the new.
func writeJSON(path string, value any) (err error) {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, tempPrefix+"*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	step()
	_, err = f.Write(append(data, '\n'))
	step()
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncPath(dir)
}

func readJSON(path string, value any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, value)
}

// removeFile removes a file so that it stays removed. One that is not there is fine.
func removeFile(path string) error {
	step()
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return syncPath(filepath.Dir(path))
}

// removeTemps removes what a crash left in a directory.
func removeTemps(dir string) (removed int, err error) {
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		if isTemp(entry.Name()) {
			step()
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, entry.Name())))
			removed++
		}
	}
	return removed, err
}
