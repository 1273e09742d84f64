package tarfs

// #include <tarfs.h>
import "C"

// Device is a file that holds bodies of files: a layer's tar.
type Device struct {
	// Tag is its name: usually the hex digits of the blob's digest. Up to 64 bytes. Two devices may
	// have one tag: which file a device of a merged tree is, Origin tells.
	Tag string
	// Bytes is its length, from BaseOffset on.
	Bytes uint64
	// BaseOffset is the byte of its file that counts as its first.
	BaseOffset uint64
	// Blocks is its length in blocks of the filesystem; 0 in a tree, as the next two are.
	Blocks uint64
	// UniAddr is its first block in the unified address space of the image.
	UniAddr uint64
	// DiskOffset is its first byte in the disk; 0 in a bootstrap.
	DiskOffset uint64
	// Origin is, of a merged tree, where the device comes from.
	Origin Origin
}

// Origin is where a device of a merged tree comes from: of devices that are one, the lowest.
type Origin struct {
	// Layer is the number of the layer given to Merge, from 0.
	Layer int
	// Device is the number of the device in that layer's tree.
	Device int
}

// devices asks for one device after the other, in order.
func devices(op string, count uint64, get func(i C.size_t, d *C.tarfs_device, err **C.tarfs_error) C.int32_t) ([]Device, error) {
	all := make([]Device, 0, count)
	for i := range count {
		d := C.tarfs_device{size: C.sizeof_tarfs_device}
		err := simple(op, func(err **C.tarfs_error) C.int32_t { return get(C.size_t(i), &d, err) })
		if err != nil {
			return nil, err
		}
		all = append(all, device(&d))
	}
	return all, nil
}

// device copies a device of C.
func device(d *C.tarfs_device) Device {
	return Device{
		Tag:        text(d.tag, d.tag_len),
		Bytes:      uint64(d.bytes),
		BaseOffset: uint64(d.base_offset),
		Blocks:     uint64(d.blocks),
		UniAddr:    uint64(d.uniaddr),
		DiskOffset: uint64(d.disk_offset),
		Origin:     Origin{Layer: int(d.origin_layer), Device: int(d.origin_device)},
	}
}
