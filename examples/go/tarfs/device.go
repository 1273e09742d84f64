package tarfs

// #include <tarfs.h>
import "C"

import "unsafe"

// Device is a file that holds bodies of files: a layer's tar.
type Device struct {
	// Tag tells it from others: usually the hex digits of the blob's digest. Up to 64 bytes.
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
		all = append(all, Device{
			Tag:        text(d.tag, d.tag_len),
			Bytes:      uint64(d.bytes),
			BaseOffset: uint64(d.base_offset),
			Blocks:     uint64(d.blocks),
			UniAddr:    uint64(d.uniaddr),
			DiskOffset: uint64(d.disk_offset),
		})
	}
	return all, nil
}

// text copies bytes of the library.
func text(data *C.uint8_t, n C.size_t) string {
	return string(unsafe.Slice((*byte)(data), int(n)))
}
