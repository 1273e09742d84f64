package tarfs

// #include <tarfs.h>
import "C"

import (
	"errors"
	"fmt"
)

// held are objects of C that are in use.
type held []func()

func (h held) release() {
	for _, release := range h {
		release()
	}
}

// exportLayers are layers for C, for the time of a call; the objects that they refer to are held.
func exportLayers(c *call, names *cStrings, layers []Source) ([]C.tarfs_export_layer, held, error) {
	given := make([]C.tarfs_export_layer, len(layers))
	var in held
	for i, layer := range layers {
		g := &given[i]
		g.size = C.sizeof_tarfs_export_layer
		if layer.Tar != "" {
			g.tar = names.add(layer.Tar)
		}
		if layer.Tar != "" && (layer.Tree != nil || len(layer.Devices) > 0 || len(layer.Leaves) > 0) {
			return nil, in, invalid(c.op, fmt.Sprintf("layer %d: a tar, and something else too", i+1))
		}
		if layer.Tar != "" {
			continue
		}
		var h *handle[*C.tarfs_tree]
		if layer.Tree != nil {
			h = layer.Tree.handle
		}
		tree, err := h.acquire(c.op)
		if err != nil {
			return nil, in, inLayer(i, err)
		}
		in = append(in, h.release)
		g.tree = tree
		if g.sources, g.source_count, err = c.readers(layer.Devices...); err != nil {
			return nil, in, inLayer(i, err)
		}
		if len(layer.Leaves) == 0 {
			continue
		}
		if len(layer.Leaves) != len(layer.Devices) {
			return nil, in, invalid(c.op, fmt.Sprintf("layer %d: leaves and devices differ in number", i+1))
		}
		leaves := make([]*C.tarfs_leaves, len(layer.Leaves))
		for j, one := range layer.Leaves {
			if one == nil {
				continue
			}
			if leaves[j], err = one.handle.acquire(c.op); err != nil {
				return nil, in, inLayer(i, err)
			}
			in = append(in, one.handle.release)
		}
		c.pin.Pin(&leaves[0])
		g.leaves = &leaves[0]
	}
	return given, in, nil
}

// inLayer says which layer an error of this package is about.
func inLayer(i int, err error) error {
	if own, ok := err.(*Error); ok {
		own.Message = fmt.Sprintf("layer %d: %s", i+1, own.Message)
	}
	return err
}

// c is the options for C, for the time of a call.
func (o *ExportOptions) c(call *call, names *cStrings, mode Mode) *C.tarfs_export_options {
	given := &C.tarfs_export_options{
		size:         C.sizeof_tarfs_export_options,
		mode:         names.add(string(mode)),
		layout:       o.Layout.c(call),
		params:       o.Verity.c(call),
		thread_count: C.uint32_t(max(o.Threads, 0)),
	}
	if o.Form != "" {
		given.form = names.add(string(o.Form))
	}
	if o.Partitions != "" {
		given.partitions = names.add(string(o.Partitions))
	}
	if o.Architecture != "" {
		given.architecture = names.add(o.Architecture)
	}
	if o.Merge != nil {
		merge := &C.tarfs_merge_options{size: C.sizeof_tarfs_merge_options}
		o.Merge.c(call, merge)
		call.pin.Pin(merge)
		given.merge = merge
	}
	call.pin.Pin(given)
	return given
}

// exported is what C knows of the files.
func exported(op string, made *C.tarfs_exported) (all []Exported, err error) {
	for i := range C.tarfs_exported_count(made) {
		info := C.tarfs_exported_info{size: C.sizeof_tarfs_exported_info}
		err := simple(op, func(err **C.tarfs_error) C.int32_t {
			return C.tarfs_exported_get_info(made, i, &info, err)
		})
		if err != nil {
			closeAll(all)
			return nil, err
		}
		one := Exported{Path: C.GoString(info.path), Size: int64(info.bytes)}
		for f := range C.size_t(info.filesystems) {
			found, err := filesystem(op, made, i, f, &info)
			if err != nil {
				closeAll(append(all, one))
				return nil, err
			}
			one.Filesystems = append(one.Filesystems, found)
		}
		one.Verity, one.Devices = one.Filesystems[0].Verity, one.Filesystems[0].Devices
		all = append(all, one)
	}
	return all, nil
}

// filesystem is what C knows of one in a file.
func filesystem(op string, made *C.tarfs_exported, i, f C.size_t, info *C.tarfs_exported_info) (one Filesystem, err error) {
	// Each has as many devices as it answers for.
	for j := C.size_t(0); ; j++ {
		d := C.tarfs_device{size: C.sizeof_tarfs_device}
		err := simple(op, func(err **C.tarfs_error) C.int32_t {
			return C.tarfs_exported_get_device(made, i, f, j, &d, err)
		})
		if errors.Is(err, ErrNotFound) {
			break
		}
		if err != nil {
			return one, err
		}
		one.Devices = append(one.Devices, device(&d))
	}
	if info.has_verity == 0 {
		return one, nil
	}
	var sealed *C.tarfs_sealed
	err = simple(op, func(err **C.tarfs_error) C.int32_t {
		return C.tarfs_exported_get_sealed(made, i, f, &sealed, err)
	})
	if err == nil {
		one.Verity, err = newSealed(op, sealed)
	}
	return one, err
}

func closeAll(all []Exported) {
	for _, one := range all {
		for _, filesystem := range one.Filesystems {
			filesystem.Verity.Close()
		}
	}
}
