package tarfs

import (
	"fmt"
	"io"
)

// merged makes one source of many: the merged tree, and for each of its devices the file of the
// layer that it came from.
func merged(layers []Source, opts *MergeOptions) (Source, error) {
	trees := make([]*Tree, len(layers))
	for i, layer := range layers {
		trees[i] = layer.Tree
	}
	tree, err := Merge(trees, opts)
	if err != nil {
		return Source{}, err
	}
	result := Source{Tree: tree}
	for _, device := range tree.devices {
		file, leaves, err := find(layers, device)
		if err != nil {
			tree.Close()
			return Source{}, err
		}
		result.Devices = append(result.Devices, file)
		result.Leaves = append(result.Leaves, leaves)
	}
	if !anyLeaves(result.Leaves) {
		result.Leaves = nil
	}
	return result, nil
}

func anyLeaves(all []*Leaves) bool {
	for _, leaves := range all {
		if leaves != nil {
			return true
		}
	}
	return false
}

// find finds the file of a device: in the layer that it comes from.
func find(layers []Source, device Device) (file io.ReaderAt, leaves *Leaves, err error) {
	layer, i := layers[device.Origin.Layer], device.Origin.Device
	if i >= len(layer.Devices) {
		return nil, nil, invalid(exportOp, fmt.Sprintf("device %q has no file", device.Tag))
	}
	if i < len(layer.Leaves) {
		leaves = layer.Leaves[i]
	}
	return layer.Devices[i], leaves, nil
}
