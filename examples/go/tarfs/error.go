package tarfs

// #include <tarfs.h>
import "C"

import (
	"io/fs"
	"math"
	"strconv"
	"strings"
	"syscall"
)

// Error is a failure of the library.
type Error struct {
	// Op is the call that failed, such as "LayerWriter.Write".
	Op string
	// Status is its kind.
	Status Status
	// Offset is where in the input it went wrong, in bytes from its start; -1 if the error is not
	// about a place. That of a tar is the offset of the entry.
	Offset int64
	// Errno is the system's error behind StatusIO; 0 if there is none.
	Errno syscall.Errno
	// Message is for people. Its wording may change with any release.
	Message string

	closed bool
}

// What errors.Is compares an [*Error] with; each is one [Status].
var (
	// ErrInvalidArgument is also fs.ErrInvalid.
	ErrInvalidArgument error = statusError(StatusInvalidArgument)
	ErrPanic           error = statusError(StatusPanic)
	ErrPoisoned        error = statusError(StatusPoisoned)
	ErrWrongOrder      error = statusError(StatusWrongOrder)
	ErrTar             error = statusError(StatusTar)
	ErrTree            error = statusError(StatusTree)
	ErrLayout          error = statusError(StatusLayout)
	ErrRead            error = statusError(StatusRead)
	ErrVerity          error = statusError(StatusVerity)
	ErrMismatch        error = statusError(StatusMismatch)
	ErrIO              error = statusError(StatusIO)
	// ErrNotFound is also fs.ErrNotExist.
	ErrNotFound error = statusError(StatusNotFound)
	ErrOutput   error = statusError(StatusOutput)
	// ErrCompressed has the offset in the compressed bytes.
	ErrCompressed error = statusError(StatusCompressed)
)

type statusError Status

func (s statusError) Error() string {
	return "tarfs: " + Status(s).String()
}

// Is makes what package fs has a name for findable by that name.
func (s statusError) Is(target error) bool {
	switch Status(s) {
	case StatusNotFound:
		return target == fs.ErrNotExist
	case StatusInvalidArgument:
		return target == fs.ErrInvalid
	}
	return false
}

// Error says what failed, and why, in one line.
func (e *Error) Error() string {
	text := "tarfs: " + e.Op + ": " + e.Message
	if e.Offset >= 0 {
		text += " (at byte " + strconv.FormatInt(e.Offset, 10) + ")"
	}
	return text
}

// Is reports whether target is the kind of this error: ErrTar and so on, fs.ErrNotExist for
// ErrNotFound, fs.ErrInvalid for ErrInvalidArgument, and fs.ErrClosed for a call after Close.
func (e *Error) Is(target error) bool {
	if e.closed && target == fs.ErrClosed {
		return true
	}
	kind := statusError(e.Status)
	return target == error(kind) || kind.Is(target)
}

// Unwrap gives Errno, or nil if it is 0.
func (e *Error) Unwrap() error {
	if e.Errno == 0 {
		return nil
	}
	return e.Errno
}

// invalid is an argument that this package refuses itself.
func invalid(op, message string) *Error {
	return &Error{Op: op, Status: StatusInvalidArgument, Offset: -1, Message: message}
}

// wrongOrder is a call at the wrong time that this package refuses itself.
func wrongOrder(op, message string) *Error {
	return &Error{Op: op, Status: StatusWrongOrder, Offset: -1, Message: message}
}

// fieldNames are what this package calls the options that C's messages name.
var fieldNames = strings.NewReplacer(
	"TARFS_VERITY_ANY_DATA_BLOCK", "AnyDataBlock",
	"data_block", "DataBlock",
	"block_size", "BlockSize",
)

// takeError makes a Go error of what C gave, and frees that. The status is what the call returned:
// it is there even if the error, for lack of memory, is not.
func takeError(op string, status C.int32_t, from *C.tarfs_error) *Error {
	e := &Error{Op: op, Status: Status(status), Offset: -1, Message: Status(status).String()}
	if from == nil {
		return e
	}
	defer C.tarfs_error_free(from)
	e.Message = C.GoString(C.tarfs_error_message(from))
	if e.Status == StatusInvalidArgument {
		e.Message = fieldNames.Replace(e.Message)
	}
	e.Errno = syscall.Errno(C.tarfs_error_errno(from))
	if offset := uint64(C.tarfs_error_offset(from)); offset <= math.MaxInt64 {
		e.Offset = int64(offset)
	}
	return e
}
