package tarfs

// #include <tarfs.h>
import "C"

import (
	"errors"
	"fmt"
)

// exportLayers are layers for C, for the time of a call.
func exportLayers(c *call, names *cStrings, layers []Source) ([]C.tarfs_export_layer, error) {
	given := make([]C.tarfs_export_layer, len(layers))
	for i, layer := range layers {
		g := &given[i]
		g.size = C.sizeof_tarfs_export_layer
		var err error
		switch {
		case layer.Tar == "":
			if g.tree, err = c.tree(layer.Tree); err == nil {
				g.sources, g.source_count, err = c.readers(layer.Devices...)
			}
			if err == nil {
				g.leaves, err = c.leaves(layer.Leaves, len(layer.Devices))
			}
		case layer.Tree != nil || len(layer.Devices) > 0 || len(layer.Leaves) > 0:
			err = invalid(c.op, "a tar, and something else too")
		default:
			g.tar = names.add(layer.Tar)
		}
		if err != nil {
			return nil, inLayer(i, err)
		}
	}
	return given, nil
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
		form:         names.optional(string(o.Form)),
		partitions:   names.optional(string(o.Partitions)),
		architecture: names.optional(o.Architecture),
		layout:       o.Layout.c(call),
		params:       o.Verity.c(call),
		changes:      o.Changes.c(call, names),
		thread_count: C.uint32_t(max(o.Threads, 0)),
		limits:       o.Limits.c(call),
	}
	if o.NoSync {
		given.flags |= C.TARFS_EXPORT_NO_SYNC
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
