package keep

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
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

// BackedBy says whether a mount's source is a file, or a loop device before it, or a device of device-mapper over that.
func BackedBy(source, path string) bool {
	if !strings.HasPrefix(source, "/dev/") {
		return source == path
	}
	var stat unix.Stat_t
	if err := unix.Stat(source, &stat); err != nil {
		return false
	}
	device := fmt.Sprintf("/sys/dev/block/%d:%d", unix.Major(stat.Rdev), unix.Minor(stat.Rdev))
	below, _ := filepath.Glob(device + "/slaves/*") // of a loop device there are none
	for _, one := range append(below, device) {
		data, err := os.ReadFile(one + "/loop/backing_file")
		if err == nil && strings.TrimSuffix(string(data), "\n") == path {
			return true
		}
	}
	return false
}
