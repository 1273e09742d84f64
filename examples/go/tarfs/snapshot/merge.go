package snapshot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// MergeLayers makes the image that the parents of a snapshot are, unless it is there. It waits for
// each of them to be ready.
func (m *Manager) MergeLayers(ctx context.Context, s Snapshot) error {
	end, err := m.begin()
	if err != nil {
		return err
	}
	defer end()
	layers, release, err := m.parents(ctx, s)
	if err != nil {
		return err
	}
	defer release()
	_, err = m.ensureImage(ctx, layers)
	return err
}

// parents waits for the parents of a snapshot, and returns their layers, the lowest first, kept
// from being collected until release.
func (m *Manager) parents(ctx context.Context, s Snapshot) (layers []string, release func(), err error) {
	n := len(s.ParentIDs)
	if n == 0 {
		return nil, nil, fmt.Errorf("%w: snapshot %s has no parent", ErrInvalid, s.ID)
	}
	layers = make([]string, n)
	for i, id := range s.ParentIDs {
		if layers[n-1-i], err = m.readyLayer(ctx, id); err != nil {
			return nil, nil, err
		}
	}
	release = m.hold(layers...)
	for _, key := range layers { // one may have been detached and collected before the hold
		if !m.store.has(layersDir, key) {
			release()
			return nil, nil, fmt.Errorf("%w: layer %s", ErrNotFound, key)
		}
	}
	return layers, release, nil
}

// keyOf names something by all it is made of.
func keyOf(parts ...any) string {
	sum := sha256.New()
	if err := json.NewEncoder(sum).Encode(parts); err != nil {
		panic(err) // plain structs and strings only
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// ensureImage merges layers, the lowest first, and returns the image's key.
func (m *Manager) ensureImage(ctx context.Context, layers []string) (string, error) {
	key := keyOf(append([]any{"image", layers}, m.mergeKey()...)...)
	return key, m.ensure(ctx, imagesDir, key, func(ctx context.Context, dir string) (*item, error) {
		sources, err := m.openLayers(ctx, layers)
		if err != nil {
			return nil, err
		}
		defer sources.close()
		image, err := tarfs.Merge(sources.trees(), m.mergeOptions())
		if err != nil {
			return nil, err
		}
		defer image.Close()
		return &item{Layers: layers}, writeBootstrap(ctx, image, dir)
	})
}

// mergeKey is what the bytes of merged layers depend on besides the layers.
func (m *Manager) mergeKey() []any {
	if m.options.FollowLowerLinks {
		return []any{"follow lower links"}
	}
	return nil
}

func (m *Manager) mergeOptions() *tarfs.MergeOptions {
	return &tarfs.MergeOptions{
		// Each layer was checked against its tag, its diffID, before it was kept.
		TrustTags:        true,
		FollowLowerLinks: m.options.FollowLowerLinks,
		Note:             func(note tarfs.Note) { m.logf("merge: %s", note.Text) },
	}
}

// ensure makes an item unless it is there. Callers who want the same one share the work.
func (m *Manager) ensure(ctx context.Context, kind, key string,
	fill func(ctx context.Context, dir string) (*item, error)) error {
	_, err := m.flights.do(ctx, kind+"/"+key, nil, func(ctx context.Context, _ func()) error {
		if m.store.has(kind, key) {
			return nil
		}
		return m.store.publish(kind, key, func(dir string) (*item, error) { return fill(ctx, dir) })
	})
	return err
}

// sources are layers that are open: trees, and the tars behind them.
type sources struct {
	list  []tarfs.Source
	files []*os.File
	roots []*tarfs.Tree
}

func (s *sources) close() {
	for _, tree := range s.roots {
		tree.Close()
	}
	for _, f := range s.files {
		f.Close()
	}
}

func (s *sources) trees() []*tarfs.Tree {
	trees := make([]*tarfs.Tree, len(s.list))
	for i := range s.list {
		trees[i] = s.list[i].Tree
	}
	return trees
}

// openLayers opens layers; one that is repeated is opened once.
func (m *Manager) openLayers(ctx context.Context, layers []string) (*sources, error) {
	s := &sources{}
	byKey := map[string]tarfs.Source{}
	for _, key := range layers {
		source, ok := byKey[key]
		if !ok {
			var err error
			if source, err = m.openLayer(ctx, s, key); err != nil {
				s.close()
				return nil, fmt.Errorf("layer %s: %w", key, err)
			}
			byKey[key] = source
		}
		s.list = append(s.list, source)
	}
	return s, nil
}

// openLayer opens a layer's tar and reads its bootstrap; s will close both.
func (m *Manager) openLayer(ctx context.Context, s *sources, key string) (tarfs.Source, error) {
	tar, err := os.Open(m.store.path(layersDir, key, tarFile))
	if err != nil {
		return tarfs.Source{}, err
	}
	s.files = append(s.files, tar)
	tree, err := readBootstrap(m.store.path(layersDir, key, bootstrapFile))
	if errors.Is(err, fs.ErrNotExist) {
		tree, err = m.indexAgain(ctx, tar, key)
	}
	if err != nil {
		return tarfs.Source{}, err
	}
	s.roots = append(s.roots, tree)
	source := tarfs.Source{Tree: tree}
	devices, err := tree.Devices()
	if err != nil || len(devices) == 0 { // no file of it has data
		return source, err
	}
	if len(devices) != 1 || devices[0].Tag != key {
		return source, fmt.Errorf("%w: bootstrap is not of its tar", ErrDamaged)
	}
	source.Devices = []io.ReaderAt{tar}
	return source, nil
}

// indexAgain makes the tree of a layer that has no bootstrap.
func (m *Manager) indexAgain(ctx context.Context, tar *os.File, key string) (*tarfs.Tree, error) {
	layer, err := tarfs.IndexFile(ctx, tar, m.layerOptions(key))
	if err != nil {
		return nil, err
	}
	return layer.Tree, nil
}

// openBootstrap opens an image.
func openBootstrap(path string) (*tarfs.Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return tarfs.OpenImage(f, 0)
}

// readBootstrap reads an image's tree.
func readBootstrap(path string) (*tarfs.Tree, error) {
	image, err := openBootstrap(path)
	if err != nil {
		return nil, err
	}
	defer image.Close()
	return image.Tree(nil)
}
