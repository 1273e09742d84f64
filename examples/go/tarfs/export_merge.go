package tarfs

import (
	"fmt"
	"io"
)

// merged makes one source of many: the merged tree, and for each of its devices the file of the
// layer that it came from.
func merged(layers []Source) (Source, error) {
	trees := make([]*Tree, len(layers))
	for i, layer := range layers {
		trees[i] = layer.Tree
	}
	tree, err := Merge(trees, nil)
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

// find finds the file of a device. A tag says what the content is; without one, which is meant
// cannot always be told.
func find(layers []Source, device Device) (file io.ReaderAt, leaves *Leaves, err error) {
	found := 0
	for _, layer := range layers {
		for i, other := range layer.Tree.devices {
			if other != device {
				continue
			}
			if found++; found > 1 {
				if device.Tag == "" {
					return nil, nil, invalid(exportOp, "two devices have no tag, and the same length")
				}
				continue
			}
			if i >= len(layer.Devices) {
				return nil, nil, invalid(exportOp, fmt.Sprintf("device %q has no file", device.Tag))
			}
			file = layer.Devices[i]
			if i < len(layer.Leaves) {
				leaves = layer.Leaves[i]
			}
		}
	}
	if found == 0 {
		return nil, nil, invalid(exportOp, fmt.Sprintf("device %q is of none of the layers", device.Tag))
	}
	return file, leaves, nil
}
