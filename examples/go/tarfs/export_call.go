package tarfs

// #include <tarfs.h>
import "C"

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
		if layer.Tree == nil && layer.Tar != "" {
			continue
		}
		var h *handle[*C.tarfs_tree]
		if layer.Tree != nil {
			h = layer.Tree.handle
		}
		tree, err := h.acquire(c.op)
		if err != nil {
			return nil, in, err
		}
		in = append(in, h.release)
		g.tree = tree
		if g.sources, g.source_count, err = c.readers(layer.Devices...); err != nil {
			return nil, in, err
		}
		if len(layer.Leaves) == 0 {
			continue
		}
		if len(layer.Leaves) != len(layer.Devices) {
			return nil, in, invalid(c.op, "leaves and devices differ in number")
		}
		leaves := make([]*C.tarfs_leaves, len(layer.Leaves))
		for j, one := range layer.Leaves {
			if one == nil {
				continue
			}
			if leaves[j], err = one.handle.acquire(c.op); err != nil {
				return nil, in, err
			}
			in = append(in, one.handle.release)
		}
		c.pin.Pin(&leaves[0])
		g.leaves = &leaves[0]
	}
	return given, in, nil
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
	defer func() {
		if err != nil {
			for _, one := range all {
				one.Verity.Close()
			}
			all = nil
		}
	}()
	for i := range C.tarfs_exported_count(made) {
		info := C.tarfs_exported_info{size: C.sizeof_tarfs_exported_info}
		err := simple(op, func(err **C.tarfs_error) C.int32_t {
			return C.tarfs_exported_get_info(made, i, &info, err)
		})
		if err != nil {
			return all, err
		}
		one := Exported{Path: C.GoString(info.path), Size: int64(info.bytes)}
		one.Devices, err = devices(op, uint64(info.devices), func(j C.size_t, d *C.tarfs_device, err **C.tarfs_error) C.int32_t {
			return C.tarfs_exported_get_device(made, i, 0, j, d, err)
		})
		if err != nil {
			return all, err
		}
		if info.has_verity != 0 {
			var sealed *C.tarfs_sealed
			err := simple(op, func(err **C.tarfs_error) C.int32_t {
				return C.tarfs_exported_get_sealed(made, i, 0, &sealed, err)
			})
			if err != nil {
				return all, err
			}
			if one.Verity, err = newSealed(op, sealed); err != nil {
				return all, err
			}
		}
		all = append(all, one)
	}
	return all, nil
}
