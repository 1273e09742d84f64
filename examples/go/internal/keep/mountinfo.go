package keep

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/sys/mountinfo"
)

// MountsBelow finds what is mounted on the entries of a directory: the sources by mount point, of
// EROFS, the lowest first; of something else the source is empty.
func MountsBelow(dir string) (map[string][]string, error) {
	infos, err := mountinfo.GetMounts(func(info *mountinfo.Info) (skip, stop bool) {
		return filepath.Dir(info.Mountpoint) != dir, false
	})
	if err != nil {
		return nil, err
	}
	shown := map[string][]string{}
	for _, info := range infos {
		source := info.Source
		if info.FSType != "erofs" {
			source = ""
		}
		shown[info.Mountpoint] = append(shown[info.Mountpoint], source)
	}
	return shown, nil
}

// BackedBy says whether a mount's source is a file, or a loop device before it.
func BackedBy(source, path string) bool {
	if device, ok := strings.CutPrefix(source, "/dev/"); ok {
		data, err := os.ReadFile(filepath.Join("/sys/block", device, "loop/backing_file"))
		if err != nil {
			return false
		}
		source = strings.TrimSuffix(string(data), "\n")
	}
	return source == path
}
