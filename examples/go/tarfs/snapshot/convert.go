package snapshot

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/unpack"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// ensureLayer makes the layer of a diffID, in hex, unless it is there. Callers of one diffID share
// the work; moving is called when bytes flow.
func (m *Manager) ensureLayer(ctx context.Context, layer Layer, key string, moving func()) error {
	for {
		// What is there may have got its name this moment: only its flight says that it is synced.
		led, err := m.flights.Do(ctx, layersDir+"/"+key, moving, func(ctx context.Context, moving func()) error {
			if has, err := m.store.Has(layersDir, key); has && !m.isMarked(key) || err != nil {
				return err
			}
			return m.fetchLayer(ctx, layer, key, moving)
		})
		// Someone else's fetch may fail where this one's reference does not.
		if err == nil || led || ctx.Err() != nil || m.ctx.Err() != nil {
			return err
		}
	}
}

// fetchLayer fetches and converts, with retries. Only so many conversions run at a time; a pause
// between attempts does not count.
func (m *Manager) fetchLayer(ctx context.Context, layer Layer, key string, moving func()) error {
	return m.options.Fetch.retry(ctx, func(ctx context.Context) (bool, error) {
		select {
		case m.slots <- struct{}{}:
			defer func() { <-m.slots }()
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
		b, err := openBlob(ctx, m.options.Fetcher, m.options.Fetch, layer.Ref, layer.Digest)
		if err != nil {
			return true, err
		}
		defer b.Close()
		// One that is there is damaged: it stays until this one is whole.
		publish := m.store.Publish
		if has, err := m.store.Has(layersDir, key); err != nil {
			return false, err
		} else if has {
			publish = m.store.Replace
		}
		err = publish(layersDir, key, func(dir string) (*keep.Item, error) {
			return m.convert(ctx, b, key, dir, moving)
		})
		if err == nil {
			m.mark(layersDir, key, false)
			return false, nil
		}
		if failed := b.failed(); failed != nil {
			return true, failed
		}
		return errors.Is(err, ErrDigest), err
	})
}

// convert writes tar and bootstrap into a directory. It returns nothing that is not verified.
func (m *Manager) convert(ctx context.Context, b *blob, key, dir string, moving func()) (*keep.Item, error) {
	tar, err := os.OpenFile(filepath.Join(dir, tarFile), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	defer tar.Close()
	options := m.layerOptions(key)
	options.DiffID, options.Tee = true, tar
	w, err := tarfs.NewLayerWriter(ctx, options)
	if err != nil {
		return nil, err
	}
	defer w.Close()

	err = m.pump(w, b, moving)
	if err == nil || !isLocal(err) {
		// A blob that came cut or bent says so here, whatever else it looks like.
		if mismatch := b.verify(); mismatch != nil {
			return nil, mismatch
		}
	}
	if err != nil {
		return nil, err
	}
	layer, err := w.Finish()
	if err != nil {
		return nil, err
	}
	defer layer.Close()
	if got := hex.EncodeToString(layer.Info.DiffID[:]); got != key {
		return nil, fmt.Errorf("%w: %s%s, not %s%s", ErrDiffID, algorithm, got, algorithm, key)
	}
	if err := tar.Close(); err != nil {
		return nil, err
	}
	m.logDropped(key, layer.Info)
	return &keep.Item{Layers: []string{key}, Sums: keep.Sums(bootstrapFile)}, keep.WriteLayer(ctx, layer.Tree, filepath.Join(dir, bootstrapFile), m.options.Limits)
}

// layerOptions is how a layer's tar is read, whenever it is.
func (m *Manager) layerOptions(key string) *tarfs.LayerOptions {
	return &tarfs.LayerOptions{Tag: key, KeepPending: true, DropUnknownXattrs: !m.options.Strict, Limits: m.options.Limits}
}

// logDropped says what a layer does not have as its tar has it.
func (m *Manager) logDropped(key string, info tarfs.LayerInfo) {
	for _, dropped := range []struct {
		count uint64
		what  string
	}{
		{info.DroppedXattrs, "extended attributes of namespaces that EROFS has not: dropped"},
		{info.DroppedACLs, "access control lists that name users without their numbers: dropped"},
		{info.UnsetOwners, "entries with the owner or group 4294967295: set to 0"},
	} {
		if dropped.count > 0 {
			m.logf("layer %s: %d %s", key, dropped.count, dropped.what)
		}
	}
}

// pump uncompresses a blob into a layer.
func (m *Manager) pump(w io.Writer, b *blob, moving func()) error {
	plain, err := unpack.NewReader(b)
	if err != nil {
		return err
	}
	defer plain.Close()
	moving()
	var r io.Reader = plain
	if m.options.MaxLayerBytes > 0 {
		r = io.LimitReader(plain, m.options.MaxLayerBytes+1)
	}
	n, err := io.Copy(w, r)
	if err == nil && m.options.MaxLayerBytes > 0 && n > m.options.MaxLayerBytes {
		return fmt.Errorf("%w: layer is over %d bytes", ErrTooLarge, m.options.MaxLayerBytes)
	}
	return err
}

// isLocal says whether an error is about this machine, not about what was fetched.
func isLocal(err error) bool {
	var errno syscall.Errno
	return errors.Is(err, tarfs.ErrIO) || errors.As(err, &errno)
}
