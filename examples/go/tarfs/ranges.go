package tarfs

// #include <tarfs.h>
import "C"

// Range is a part of a disk that a file holds already, or zeros.
type Range struct {
	// Offset is the byte of the disk at which it starts: where the one before ends. In what is given
	// to this package it is not looked at.
	Offset uint64
	// Bytes is its length.
	Bytes uint64
	// Zeros says that it is zeros, of no file.
	Zeros bool
	// File is the file's name, in UTF-8.
	File string
	// FileOffset is the byte of the file at which it starts.
	FileOffset uint64
}

// Held says which part of a file holds something.
type Held struct {
	// File is the file's name, in UTF-8.
	File string
	// Offset is the byte at which it starts.
	Offset uint64
	// Bytes is its length.
	Bytes uint64
}

// DiskFiles is where the parts of a disk are.
type DiskFiles struct {
	// Metadata is the name of what WriteMetadata wrote for a [Bootstrap]: all of the metadata in one
	// piece, whatever the layout is.
	Metadata string
	// Devices are the names of the devices' files, in the order of [Layout.Devices].
	Devices []string
	// Sealed is the disk's hash tree, wherever its hash area was written; in the disk it comes behind
	// the data. Nil for a disk without one.
	Sealed *Sealed
	// Hashes is the file that the hash area is in, and where in it: from Offset on.
	Hashes Held
}

// Ranges is the disk of the layout over the files that hold its bytes: nothing is copied, and no
// file is opened. Of a bootstrap it is the disk that its unified addresses describe. [DMLinear] and
// [VMDK] make a table or a descriptor of it, [NewGPT] puts it into a partition.
func (l *Layout) Ranges(files DiskFiles) ([]Range, error) {
	const op = "Layout.Ranges"
	c := newCall(op, nil)
	defer c.end()
	var names cStrings
	defer names.free()
	devices := make([]*C.char, len(files.Devices))
	for i, name := range files.Devices {
		devices[i] = names.add(name)
	}
	var first **C.char
	if len(devices) > 0 {
		first = &devices[0]
	}
	metadata, hashes := names.add(files.Metadata), names.add(files.Hashes.File)
	if names.bad {
		return nil, invalid(op, "a NUL in a file's name")
	}
	var made []Range
	with := func(sealed *C.tarfs_sealed) error {
		return l.use(op, func(layout *C.tarfs_layout) error {
			var ptr *C.tarfs_ranges
			err := c.do(func(err **C.tarfs_error) C.int32_t {
				return C.tarfs_ranges_of_disk(layout, metadata, first, C.size_t(len(devices)), sealed,
					hashes, C.uint64_t(files.Hashes.Offset), &ptr, err)
			})
			if err != nil {
				return err
			}
			defer C.tarfs_ranges_free(ptr)
			made, err = rangesOf(op, ptr)
			return err
		})
	}
	var err error
	if files.Sealed != nil {
		err = files.Sealed.use(op, with)
	} else {
		err = with(nil)
	}
	return made, err
}

// DMLinear is the device-mapper table of a disk: what "dmsetup create NAME --readonly" reads. Files
// are called by their loop devices, at paths or as MAJOR:MINOR. What is not whole sectors of 512
// bytes is ErrOutput.
func DMLinear(disk []Range) (string, error) {
	return rangesText("DMLinear", disk, C.TARFS_RANGES_DM_LINEAR, nil)
}

// VMDK is the VMDK descriptor of a disk, for QEMU and others. Files are called by paths, absolute or
// from the descriptor's directory on. Zeros says which part of a file holds nothing but zeros, at
// least [LongestZeros]: a hole will do. It may be nil for a disk that has none.
//
// What is not whole sectors of 512 bytes, or zeros that no file backs, is ErrOutput.
func VMDK(disk []Range, zeros *Held) (string, error) {
	return rangesText("VMDK", disk, C.TARFS_RANGES_VMDK, zeros)
}

// LongestZeros is the length of a disk's longest range of zeros.
func LongestZeros(disk []Range) uint64 {
	var longest uint64
	for _, r := range disk {
		if r.Zeros {
			longest = max(longest, r.Bytes)
		}
	}
	return longest
}

func rangesText(op string, disk []Range, kind C.uint32_t, zeros *Held) (string, error) {
	var names cStrings
	defer names.free()
	var file *C.char
	var held Held
	if zeros != nil {
		held, file = *zeros, names.add(zeros.File)
	}
	if names.bad {
		return "", invalid(op, "a NUL in a file's name")
	}
	var made string
	err := withRanges(op, disk, func(ptr *C.tarfs_ranges) error {
		var err error
		made, err = ownText(op, func(text **C.char, err **C.tarfs_error) C.int32_t {
			return C.tarfs_ranges_get_text(ptr, kind, file, C.uint64_t(held.Offset), C.uint64_t(held.Bytes), text, err)
		})
		return err
	})
	return made, err
}

// withRanges gives C a disk for the time of work.
func withRanges(op string, disk []Range, work func(ptr *C.tarfs_ranges) error) error {
	c := newCall(op, nil)
	defer c.end()
	list := make([]C.tarfs_range, len(disk))
	for i, r := range disk {
		list[i] = C.tarfs_range{size: C.sizeof_tarfs_range, bytes: C.uint64_t(r.Bytes), file_offset: C.uint64_t(r.FileOffset)}
		if !r.Zeros {
			// A name without a byte is one as well, and not zeros.
			name := []byte(r.File + "\x00")
			list[i].file, _ = c.bytes(name)
			list[i].file_len = C.size_t(len(r.File))
		}
	}
	var first *C.tarfs_range
	if len(list) > 0 {
		first = &list[0]
		c.pin.Pin(first)
	}
	var ptr *C.tarfs_ranges
	err := c.do(func(err **C.tarfs_error) C.int32_t {
		return C.tarfs_ranges_new(first, C.size_t(len(list)), &ptr, err)
	})
	if err != nil {
		return err
	}
	defer C.tarfs_ranges_free(ptr)
	return work(ptr)
}

// rangesOf copies a disk out of C.
func rangesOf(op string, ptr *C.tarfs_ranges) ([]Range, error) {
	info := C.tarfs_ranges_info{size: C.sizeof_tarfs_ranges_info}
	err := simple(op, func(err **C.tarfs_error) C.int32_t {
		return C.tarfs_ranges_get_info(ptr, &info, err)
	})
	if err != nil {
		return nil, err
	}
	all := make([]Range, 0, info.count)
	for i := range uint64(info.count) {
		r := C.tarfs_range{size: C.sizeof_tarfs_range}
		err := simple(op, func(err **C.tarfs_error) C.int32_t {
			return C.tarfs_ranges_get(ptr, C.size_t(i), &r, err)
		})
		if err != nil {
			return nil, err
		}
		all = append(all, Range{
			Offset:     uint64(r.offset),
			Bytes:      uint64(r.bytes),
			Zeros:      r.file == nil,
			File:       text(r.file, r.file_len),
			FileOffset: uint64(r.file_offset),
		})
	}
	return all, nil
}
