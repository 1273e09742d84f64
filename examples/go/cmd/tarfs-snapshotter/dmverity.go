package main

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/config"
)

// kernelVerity is nil where the kernel has dm-verity, built in or loaded, and else an error that says how it gets it.
// containerd looks at the same place before it opens a device.
func kernelVerity() error {
	if _, err := os.Stat("/sys/module/dm_verity"); err != nil {
		return fmt.Errorf("this kernel has no dm-verity (%w): `modprobe dm-verity` loads it, and a file in /etc/modules-load.d at each start", err)
	}
	return nil
}

// sayVerity says at the start what would else be seen when the first container is to run.
func sayVerity(kernel error, log *slog.Logger) {
	if kernel != nil {
		log.Warn("layers get hash trees, and containerd mounts them only with dmverity_mode = \"off\"", "cause", kernel)
	}
}

// dmVerity decides at the start whether containers' mounts go through dm-verity, by what the configuration wants and what
// the kernel has, and says so. It stays so until the next start.
func dmVerity(o *config.Snapshotter, kernel error, log *slog.Logger) (bool, error) {
	switch {
	case o.DMVerityMode == "on" && kernel != nil:
		return false, fmt.Errorf("dmverity_mode is \"on\", and %w; with \"auto\" images are mounted without it", kernel)
	case !o.VerityMounts():
		return false, nil
	case o.DMVerityMode == "off":
		log.Info("images are mounted without dm-verity", "cause", "dmverity_mode is \"off\"")
		return false, nil
	case kernel != nil:
		log.Warn("images are mounted without dm-verity", "cause", kernel)
		return false, nil
	}
	log.Info("images are mounted through dm-verity", "dmverity_mode", o.DMVerityMode)
	return true, nil
}
