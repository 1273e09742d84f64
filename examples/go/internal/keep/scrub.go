package keep

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"os"
)

// Verify reads a layer that is kept under the SHA-256 of its tar: a tar with another one is ErrDamaged. Metadata that
// has other bytes than it had is made again of the tar.
func (f Files) Verify(ctx context.Context, key string) error {
	tar, err := openUnlinked(f.Tar)
	if err != nil {
		return damage(err)
	}
	defer tar.Close()
	if err := f.isOf(ctx, tar, key); err != nil {
		return err
	}
	if f.damaged() == nil {
		return nil
	}
	tree, err := f.tree(ctx, tar)
	if err != nil {
		return err
	}
	tree.Close()
	return nil
}

// isOf holds a tar against its digest, whatever was read of it before.
func (f Files) isOf(ctx context.Context, tar *os.File, key string) error {
	sum := sha256.New()
	if _, err := io.Copy(sum, &reader{ctx, io.NewSectionReader(tar, 0, math.MaxInt64)}); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return Unreadable(err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != key {
		return fmt.Errorf("%w: %s has the digest sha256:%s", ErrDamaged, f.Tar, got)
	}
	return nil
}

// reader ends with its context.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.r.Read(p)
}
