// Package config reads the daemon's configuration: TOML in which a key that is not known is an error, with its name
// and line, so that nothing that was written down is silently not done.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// Config is all of it. README.md documents each key.
type Config struct {
	// Address is the path of the socket.
	Address   string   `toml:"address"`
	LogLevel  string   `toml:"log_level"`
	LogFormat string   `toml:"log_format"`
	StopWait  Duration `toml:"stop_wait"`

	Differ      Differ      `toml:"differ"`
	Verity      Verity      `toml:"verity"`
	Metrics     Metrics     `toml:"metrics"`
	Snapshotter Snapshotter `toml:"snapshotter"`
	Attached    Attached    `toml:"attached"`
	Limits      Limits      `toml:"limits"`
	// Experimental is what nydus-snapshotter reads: its users bring the section along.
	Experimental Experimental `toml:"experimental"`
}

// Differ is how layers are made, and changed containers compared.
type Differ struct {
	ContentRoot       string `toml:"content_root"`
	ContainerdAddress string `toml:"containerd_address"`
	ConcurrentLayers  int    `toml:"concurrent_layers"`
	BlockSize         uint32 `toml:"block_size"`
	Gunzip            string `toml:"gunzip"`
	MaxLayerBytes     int64  `toml:"max_layer_bytes"`
	MaxLayerEntries   uint64 `toml:"max_layer_entries"`
	Strict            bool   `toml:"strict"`
}

// Verity is which hash tree layers get.
type Verity struct {
	Layers string `toml:"layers"`
}

// Metrics is where Prometheus finds them.
type Metrics struct {
	Address string `toml:"address"`
}

// Snapshotter is the daemon's own snapshotter, which there is if it has a root.
type Snapshotter struct {
	Root             string   `toml:"root"`
	DefaultSize      int64    `toml:"default_size"`
	OverlayOptions   []string `toml:"overlay_options"`
	FollowLowerLinks bool     `toml:"follow_lower_links"`
	PlainMounts      bool     `toml:"plain_mounts"`
	ExportMode       string   `toml:"export_mode"`
	DMVerityMode     string   `toml:"dmverity_mode"`
	ExpectedRoots    string   `toml:"expected_roots"`
	ScrubInterval    Duration `toml:"scrub_interval"`
}

// Attached is what images come with in their registries: metadata and hash trees.
type Attached struct {
	Mode                string   `toml:"mode"`
	TrustedRepositories []string `toml:"trusted_repositories"`
	MaxFileBytes        int64    `toml:"max_file_bytes"`
	Registries          []string `toml:"registries"`
	HostsDir            string   `toml:"hosts_dir"`
	Credentials         string   `toml:"credentials"`
}

// Duration is a time as Go writes it, such as "30s".
type Duration time.Duration

// UnmarshalText reads one.
func (d *Duration) UnmarshalText(text []byte) error {
	read, err := time.ParseDuration(string(text))
	if err == nil && read < 0 {
		err = fmt.Errorf("%s: a negative time", text)
	}
	*d = Duration(read)
	return err
}

// Default is what holds where nothing else is said.
func Default() *Config {
	return &Config{
		Address:   "/run/tarfs-snapshotter/tarfs.sock",
		LogLevel:  "info",
		LogFormat: "text",
		StopWait:  Duration(30 * time.Second),
		Differ: Differ{
			ContentRoot:       "/var/lib/containerd/io.containerd.content.v1.content",
			ContainerdAddress: "/run/containerd/containerd.sock",
			Gunzip:            "auto",
			MaxLayerBytes:     64 << 30,
			MaxLayerEntries:   5_000_000,
		},
		Verity:      Verity{Layers: "off"},
		Snapshotter: Snapshotter{OverlayOptions: []string{}, DMVerityMode: "auto"},
		Attached: Attached{
			Mode: "off", TrustedRepositories: []string{}, MaxFileBytes: 256 << 20, Registries: []string{}, HostsDir: "/etc/containerd/certs.d",
		},
	}
}

// Load reads a file over the defaults.
func Load(path string) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	c, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// Parse reads a text over the defaults.
func Parse(data []byte) (*Config, error) {
	c := Default()
	decoder := toml.NewDecoder(strings.NewReader(string(data)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(c); err != nil {
		return nil, located(err)
	}
	if err := c.takeTarfs(); err != nil {
		return nil, fmt.Errorf("experimental.tarfs: %w", err)
	}
	return c, c.Check()
}

// located says lines and keys of errors, each in one line.
func located(err error) error {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) {
		var all []error
		for _, one := range unknown.Errors {
			line, _ := one.Position()
			all = append(all, fmt.Errorf("line %d: no key %q", line, strings.Join(one.Key(), ".")))
		}
		return errors.Join(all...)
	}
	var wrong *toml.DecodeError
	if errors.As(err, &wrong) {
		line, column := wrong.Position()
		key := strings.Join(wrong.Key(), ".")
		if key != "" {
			key = " key " + key + ":"
		}
		return fmt.Errorf("line %d, column %d:%s %w", line, column, key, err)
	}
	return err
}

// Check holds the values to their rules, where those who use them do not.
func (c *Config) Check() error {
	if _, err := c.Level(); err != nil {
		return err
	}
	if c.LogFormat != "text" && c.LogFormat != "json" {
		return fmt.Errorf("log_format: %q is neither \"text\" nor \"json\"", c.LogFormat)
	}
	if c.Address == "" || !strings.HasPrefix(c.Address, "/") {
		return fmt.Errorf("address: %q is not the absolute path of a socket", c.Address)
	}
	if err := c.Snapshotter.check(); err != nil {
		return fmt.Errorf("snapshotter: %w", err)
	}
	if err := c.checkAttached(); err != nil {
		return fmt.Errorf("attached: %w", err)
	}
	switch c.Verity.Layers {
	case "off", "containerd", "containerd-4k":
	default:
		return fmt.Errorf("verity.layers: %q is none of \"off\", \"containerd\", \"containerd-4k\"", c.Verity.Layers)
	}
	return nil
}

func (s *Snapshotter) check() error {
	switch {
	case s.DefaultSize < 0:
		return fmt.Errorf("default_size: %d is no number of bytes", s.DefaultSize)
	case s.PlainMounts && s.DefaultSize > 0:
		return errors.New("plain_mounts and default_size exclude each other")
	case s.Root != "" && !strings.HasPrefix(s.Root, "/"):
		return fmt.Errorf("root: %q is not an absolute path", s.Root)
	case s.ExportMode != "" && !slices.Contains(modes, s.ExportMode):
		return fmt.Errorf("export_mode: %q is none of %s", s.ExportMode, strings.Join(modes, ", "))
	case s.ExpectedRoots != "" && s.ExportMode != "image_block_with_verity" && s.ExportMode != "image_verity_only":
		return fmt.Errorf("expected_roots: export_mode %q gives images no root hash", s.ExportMode)
	case s.ExpectedRoots != "" && !strings.HasPrefix(s.ExpectedRoots, "/"):
		return fmt.Errorf("expected_roots: %q is not an absolute path", s.ExpectedRoots)
	case !slices.Contains([]string{"auto", "on", "off"}, s.DMVerityMode):
		return fmt.Errorf("dmverity_mode: %q is none of \"auto\", \"on\", \"off\"", s.DMVerityMode)
	case s.Root != "" && s.DMVerityMode == "on" && !s.VerityMounts():
		return errors.New("dmverity_mode: \"on\" wants export_mode \"image_block_with_verity\": containers stand on no other disks with a hash tree")
	case s.Root == "" && (s.DMVerityMode != "auto" || s.DefaultSize > 0 || s.PlainMounts || s.FollowLowerLinks || s.ExportMode != "" ||
		s.ScrubInterval > 0 || len(s.OverlayOptions) > 0):
		return errors.New("there is none without a root, and keys of it are set")
	}
	return nil
}

// VerityMounts says whether containers stand on something that dm-verity can be opened of.
func (s *Snapshotter) VerityMounts() bool { return s.ExportMode == "image_block_with_verity" }

// Level is the least level of what is logged.
func (c *Config) Level() (level slog.Level, err error) {
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return 0, fmt.Errorf("log_level: %q is none of debug, info, warn, error", c.LogLevel)
	}
	return level, nil
}
