package tarfs

// #include <tarfs.h>
import "C"

import "slices"

// SegmentKind is what a part of a disk is.
type SegmentKind uint32

// The kinds of segments.
const (
	// SegmentHead is the head: WriteMetadata writes it.
	SegmentHead SegmentKind = C.TARFS_SEGMENT_HEAD
	// SegmentBody is the rest of the metadata: likewise.
	SegmentBody SegmentKind = C.TARFS_SEGMENT_BODY
	// SegmentDevice is a part of a device's file.
	SegmentDevice SegmentKind = C.TARFS_SEGMENT_DEVICE
	// SegmentZeros is zeros; a hole will do.
	SegmentZeros SegmentKind = C.TARFS_SEGMENT_ZEROS
	// SegmentCarried is of a file whose bytes the layer has itself: WriteDisk writes it.
	SegmentCarried SegmentKind = C.TARFS_SEGMENT_CARRIED
)

// Segment is a part of a disk.
type Segment struct {
	// Offset is the byte of the disk at which it starts: where the one before ends.
	Offset uint64
	// Bytes is its length.
	Bytes uint64
	// Kind is what it is.
	Kind SegmentKind
	// Device is the index of its device, if it is a part of one.
	Device int
	// DeviceOffset is the byte of the device's file at which it starts.
	DeviceOffset uint64
}

// segments asks for all parts of a disk.
func segments(op string, ptr *C.tarfs_layout, count uint64) (all []Segment, err error) {
	for i := range count {
		s := C.tarfs_segment{size: C.sizeof_tarfs_segment}
		err := simple(op, func(err **C.tarfs_error) C.int32_t {
			return C.tarfs_layout_get_segment(ptr, C.size_t(i), &s, err)
		})
		if err != nil {
			return nil, err
		}
		all = append(all, Segment{
			Offset:       uint64(s.offset),
			Bytes:        uint64(s.bytes),
			Kind:         SegmentKind(s.kind),
			Device:       int(s.device),
			DeviceOffset: uint64(s.device_offset),
		})
	}
	return all, nil
}

// Segments are the parts of the disk, in ascending order without gaps; those of a bootstrap are of
// the disk that its unified addresses describe. It works after Close, too.
func (l *Layout) Segments() []Segment {
	if l == nil {
		return nil
	}
	return slices.Clone(l.segments)
}
