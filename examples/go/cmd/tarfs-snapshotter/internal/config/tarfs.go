package config

import "errors"

// modes are the export modes, by the names that all who use them have.
var modes = []string{
	"layer_block", "image_block", "layer_block_with_verity", "image_block_with_verity", "layer_verity_only", "image_verity_only",
}

// Experimental is the section of nydus-snapshotter in which its tarfs mode is.
type Experimental struct {
	Tarfs Tarfs `toml:"tarfs"`
}

// Tarfs is nydus-snapshotter's tarfs mode.
type Tarfs struct {
	EnableTarfs       bool   `toml:"enable_tarfs"`
	MountTarfsOnHost  bool   `toml:"mount_tarfs_on_host"`
	TarfsHint         bool   `toml:"tarfs_hint"`
	MaxConcurrentProc int    `toml:"max_concurrent_proc"`
	ExportMode        string `toml:"export_mode"`
}

// takeTarfs does what nydus-snapshotter's section asks for, where it is enabled. What is not there is refused, as
// containers would be other ones without it.
func (c *Config) takeTarfs() error {
	t := c.Experimental.Tarfs
	if !t.EnableTarfs {
		return nil
	}
	switch {
	case c.Snapshotter.Root == "":
		return errors.New("wants the snapshotter: snapshotter.root is not set")
	case !t.MountTarfsOnHost:
		return errors.New("mount_tarfs_on_host = false: images are mounted on the host here; Kata's virtual volumes are not made")
	case t.TarfsHint:
		return errors.New("tarfs_hint = true: all layers are tarfs here, whatever annotations their images have")
	case t.MaxConcurrentProc < 0:
		return errors.New("max_concurrent_proc: a number below 0")
	}
	if c.Differ.ConcurrentLayers == 0 {
		c.Differ.ConcurrentLayers = t.MaxConcurrentProc
	}
	// To nydus-snapshotter all other names are one: no export.
	if c.Snapshotter.ExportMode == "" && t.ExportMode != "none" {
		c.Snapshotter.ExportMode = t.ExportMode
	}
	return nil
}
