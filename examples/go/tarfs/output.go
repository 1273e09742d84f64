package tarfs

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
)

// outputs are files that get their names when all are finished, and go away if they are not.
type outputs struct {
	files []output
}

type output struct {
	file *os.File
	temp string
	path string
}

// create makes a file under a temporary name, in the directory of path.
func (o *outputs) create(path string) (*os.File, error) {
	// Renaming would put a file in the place of a device or a directory.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, invalid(exportOp, path+" is there, and is not a regular file")
	}
	temp := filepath.Join(filepath.Dir(path), ".tarfs-"+rand.Text())
	file, err := os.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, err
	}
	o.files = append(o.files, output{file, temp, path})
	return file, nil
}

// finish gives all files their names; if one does not get its, none keeps it. Their bytes are on
// disk already, their names are when it returns.
func (o *outputs) finish() error {
	directories := map[string]bool{}
	for i, out := range o.files {
		if err := os.Rename(out.temp, out.path); err != nil {
			for _, done := range o.files[:i] {
				_ = os.Remove(done.path)
			}
			return err
		}
		directories[filepath.Dir(out.path)] = true
	}
	var failed error
	for _, out := range o.files {
		failed = errors.Join(failed, out.file.Close())
	}
	o.files = nil
	for dir := range directories {
		failed = errors.Join(failed, syncDirectory(dir))
	}
	return failed
}

// drop removes what has no name yet.
func (o *outputs) drop() {
	for _, out := range o.files {
		_ = out.file.Close()
		_ = os.Remove(out.temp)
	}
	o.files = nil
}

func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
