package keep

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// TempPrefix starts the names of what is being made. Nothing else has such a name, so what is left
// of it by a crash is known by it.
const TempPrefix = ".tmp-"

// Step is called before and after each change of the directory that others could find half made. It
// is where a test ends the process.
var Step = func() {}

// IsTemp says whether a name is that of something unfinished.
func IsTemp(name string) bool { return strings.HasPrefix(name, TempPrefix) }

// SyncPath brings a file or directory to the disk.
func SyncPath(path string) error {
	Step()
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// WriteJSON makes a file or replaces it: after a crash it has the old contents or the new, and once
// this returned, the new.
func WriteJSON(path string, value any) (err error) {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, TempPrefix+"*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	Step()
	_, err = f.Write(append(data, '\n'))
	Step()
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return SyncPath(dir)
}

// ReadJSON reads a file that WriteJSON made.
func ReadJSON(path string, value any) error {
	f, err := openUnlinked(path)
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, value)
}

// RemoveFile removes a file so that it stays removed. One that is not there is fine.
func RemoveFile(path string) error {
	Step()
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return SyncPath(filepath.Dir(path))
}

// RemoveTemps removes what a crash left in a directory.
func RemoveTemps(dir string) (removed int, err error) {
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		if IsTemp(entry.Name()) {
			Step()
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, entry.Name())))
			removed++
		}
	}
	return removed, err
}
