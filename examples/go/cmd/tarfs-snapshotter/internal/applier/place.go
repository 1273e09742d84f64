package applier

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"
)

const (
	layerName   = "layer.erofs"
	sidecarName = layerName + ".dmverity"
	// tempPrefix starts the names of what is being made.
	tempPrefix = ".tarfs-tmp-"
)

// step is called before each change of the directory that a kill could leave half done. It is where a test ends
// the process.
var step = func() {}

// place is a snapshot's directory, while one job works in it. What the job makes has temporary names until it is
// published.
type place struct {
	dir  string
	root *os.Root
	// Holds the lock, which ends with the process at the latest.
	lock  *os.File
	temps map[string]bool
}

// enter locks the directory, and removes what a killed process left.
func enter(dir string) (*place, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	p := &place{dir: dir, root: root, temps: map[string]bool{}}
	if p.lock, err = root.Open("."); err != nil {
		root.Close()
		return nil, err
	}
	if err := unix.Flock(int(p.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		p.leave()
		return nil, fmt.Errorf("%s: another call is at work in it: %w: %w", dir, err, errdefs.ErrUnavailable)
	}
	if err := p.removeLeft(); err != nil {
		p.leave()
		return nil, err
	}
	return p, nil
}

func (p *place) removeLeft() error {
	names, err := p.lock.Readdirnames(-1)
	for _, name := range names {
		if strings.HasPrefix(name, tempPrefix) {
			err = errors.Join(err, p.root.Remove(name))
		}
	}
	return err
}

// leave removes what was not published.
func (p *place) leave() error {
	var err error
	for name := range p.temps {
		err = errors.Join(err, p.remove(tempPrefix+name))
	}
	return errors.Join(err, p.lock.Close(), p.root.Close())
}

// create makes a file that will have this name. All may read it, as what containerd's own differ makes; the
// directories above are the snapshotter's, and root's alone.
func (p *place) create(name string) (*os.File, error) {
	step()
	f, err := p.root.OpenFile(tempPrefix+name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.dir, err)
	}
	p.temps[name] = true
	return f, nil
}

// remove removes a file, if it is there.
func (p *place) remove(name string) error {
	if err := p.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// publish gives a layer its name, and its sidecar before, whichever was made; both are on the disk by then. A
// sidecar that another attempt left is never taken for this layer's.
func (p *place) publish() (err error) {
	for name := range p.temps {
		if name != layerName && name != sidecarName {
			if err := p.remove(tempPrefix + name); err != nil {
				return err
			}
			delete(p.temps, name)
		}
	}
	for _, old := range []string{layerName, sidecarName} {
		if err := p.remove(old); err != nil {
			return err
		}
	}
	defer func() {
		// What is not known to be on the disk has no name.
		if err != nil {
			p.remove(layerName)
			p.remove(sidecarName)
		}
	}()
	for _, name := range []string{sidecarName, layerName} {
		if !p.temps[name] {
			continue
		}
		step()
		if err := p.root.Rename(tempPrefix+name, name); err != nil {
			return fmt.Errorf("%s: %w", p.dir, err)
		}
		delete(p.temps, name)
		if err := p.lock.Sync(); err != nil {
			return fmt.Errorf("%s: %w", p.dir, err)
		}
	}
	step()
	return nil
}
