package snapshot

import (
	"errors"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
)

// Errors that callers tell apart with errors.Is. Errors of the fetcher, of the system and of
// package tarfs come through wrapped, so errors.Is and errors.As find them too.
var (
	// ErrClosed says that the manager was closed.
	ErrClosed = errors.New("snapshot: manager is closed")
	// ErrLocked says that another manager, of this process or another, holds the directory.
	ErrLocked = keep.ErrLocked
	// ErrNotFound says that a snapshot is not known: never prepared, or detached.
	ErrNotFound = errors.New("snapshot: no such snapshot")
	// ErrExists says that a snapshot is there already, of another layer, or mounted otherwise.
	ErrExists = errors.New("snapshot: exists with other contents")
	// ErrInvalid says that an argument breaks a rule.
	ErrInvalid = errors.New("snapshot: invalid argument")
	// ErrDigest says that the bytes that were fetched do not have the digest they were asked by.
	ErrDigest = errors.New("snapshot: fetched bytes do not have the digest asked for")
	// ErrDiffID says that an uncompressed layer does not have its diffID.
	ErrDiffID = errors.New("snapshot: layer does not have its diffID")
	// ErrStalled says that a fetch gave nothing for longer than its timeout.
	ErrStalled = errors.New("snapshot: fetch stalled")
	// ErrDamaged says that files were changed by someone else.
	ErrDamaged = keep.ErrDamaged
	// ErrUnsafe says that others than the owner could change the manager's directory.
	ErrUnsafe = keep.ErrUnsafe
	// ErrTooLarge says that a fetched document or layer is over its limit.
	ErrTooLarge = errors.New("snapshot: larger than allowed")
)
