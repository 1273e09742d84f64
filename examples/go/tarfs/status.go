package tarfs

// #include <tarfs.h>
import "C"

import "strconv"

// Status is the number of a kind of failure, as the C API has it. Newer libraries may have more.
type Status int32

// The kinds of failures.
const (
	// StatusInvalidArgument: an argument breaks a rule, such as nil where none is allowed.
	StatusInvalidArgument Status = C.TARFS_STATUS_INVALID_ARGUMENT
	// StatusPanic: a defect of the library. What the call was made on accepts nothing but Close.
	StatusPanic Status = C.TARFS_STATUS_PANIC
	// StatusPoisoned: an earlier call on the same thing ended with StatusPanic.
	StatusPoisoned Status = C.TARFS_STATUS_POISONED
	// StatusWrongOrder: the call comes after Close, Finish, or an error that ended the work.
	StatusWrongOrder Status = C.TARFS_STATUS_WRONG_ORDER
	// StatusTar: a tar is malformed, or cut short.
	StatusTar Status = C.TARFS_STATUS_TAR
	// StatusTree: a layer breaks a rule, or layers do not merge.
	StatusTree Status = C.TARFS_STATUS_TREE
	// StatusLayout: something does not fit EROFS.
	StatusLayout Status = C.TARFS_STATUS_LAYOUT
	// StatusRead: an image is malformed, or of a kind that is not read.
	StatusRead Status = C.TARFS_STATUS_READ
	// StatusVerity: parameters, superblock or use of a hash tree is wrong.
	StatusVerity Status = C.TARFS_STATUS_VERITY
	// StatusMismatch: data does not have the digest that hash tree or root hash says.
	StatusMismatch Status = C.TARFS_STATUS_MISMATCH
	// StatusIO: the system failed to read or write.
	StatusIO Status = C.TARFS_STATUS_IO
	// StatusNotFound: there is no such path, inode, device or index.
	StatusNotFound Status = C.TARFS_STATUS_NOT_FOUND
	// StatusOutput: something does not fit a device-mapper table, a VMDK descriptor or a partition
	// table.
	StatusOutput Status = C.TARFS_STATUS_OUTPUT
	// StatusCompressed: a compressed stream is malformed, cut short, or over Limits.MaxRatio; or the library was
	// built without what reads it.
	StatusCompressed Status = C.TARFS_STATUS_COMPRESSED
)

var statusNames = map[Status]string{
	StatusInvalidArgument: "invalid argument",
	StatusPanic:           "defect in the library",
	StatusPoisoned:        "unusable after a defect",
	StatusWrongOrder:      "call at the wrong time",
	StatusTar:             "malformed tar",
	StatusTree:            "layer breaks a rule",
	StatusLayout:          "does not fit EROFS",
	StatusRead:            "malformed image",
	StatusVerity:          "wrong use of dm-verity",
	StatusMismatch:        "data does not match its hash",
	StatusIO:              "cannot read or write",
	StatusNotFound:        "not found",
	StatusOutput:          "does not fit the form of a disk",
	StatusCompressed:      "malformed compressed stream",
}

// String says it in words.
func (s Status) String() string {
	if name, ok := statusNames[s]; ok {
		return name
	}
	return "status " + strconv.Itoa(int(s))
}
