package config

import (
	"errors"
	"fmt"
	"net"
	"strings"
)

// checkAttached holds the section attached to its rules, and to what it goes with.
func (c *Config) checkAttached() error {
	a, s := c.Attached, c.Snapshotter
	for key, path := range map[string]string{"hosts_dir": a.HostsDir, "credentials": a.Credentials} {
		if path != "" && !strings.HasPrefix(path, "/") {
			return fmt.Errorf("%s: %q is not an absolute path", key, path)
		}
	}
	for _, registry := range a.Registries {
		if _, port, err := net.SplitHostPort(registry); err != nil || port == "" {
			return fmt.Errorf("registries: %q is no HOST:PORT", registry)
		}
	}
	for _, trusted := range a.TrustedRepositories {
		host, _, _ := strings.Cut(trusted, "/")
		if host == "" || strings.Contains(trusted, "://") || strings.ContainsAny(trusted, "@* ") {
			return fmt.Errorf("trusted_repositories: %q is no HOST[:PORT][/PATH]", trusted)
		}
	}
	switch {
	case a.MaxFileBytes < 0:
		return fmt.Errorf("max_file_bytes: %d is no number of bytes", a.MaxFileBytes)
	case a.Mode == "off":
		return nil
	case a.Mode != "use" && a.Mode != "require":
		return fmt.Errorf("mode: %q is none of \"off\", \"use\", \"require\"", a.Mode)
	case s.Root == "":
		return errors.New("mode: it is for layers of the daemon's own snapshotter: snapshotter.root is wanted")
	case c.Differ.ContainerdAddress == "":
		return errors.New("mode: images are found in containerd's store: differ.containerd_address is wanted")
	case c.Differ.Strict:
		return errors.New("mode: differ.strict looks into layers, and those of images that come with their metadata are not looked into")
	case strings.HasPrefix(s.ExportMode, "layer_"):
		return fmt.Errorf("mode: what is attached is of whole images, and export_mode %q makes disks of layers", s.ExportMode)
	case s.ExpectedRoots == "" && len(a.TrustedRepositories) == 0:
		return errors.New("mode: who may push to an image's repository says there what the files are, of each image with the same layers: " +
			"snapshotter.expected_roots lists the root hashes that are believed, or trusted_repositories where all are")
	}
	return nil
}
