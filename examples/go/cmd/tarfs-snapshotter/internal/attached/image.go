package attached

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Labels of containerd's blobs: what a blob refers to, and which repositories of a registry have it.
const (
	labelRefers = "containerd.io/gc.ref.content."
	labelSource = "containerd.io/distribution.source."
)

// mostRead is how many images with a layer are read, the newest first: base layers are of many. Of those that have it in
// its place so many are looked for.
const (
	mostRead   = 64
	mostImages = 4
)

// mostDocument is the most bytes of a manifest or configuration; registries take no larger ones.
const mostDocument = 4 << 20

// image is one in containerd's store.
type image struct {
	desc ocispec.Descriptor
	// The layers as they are in the registry, and their diffIDs, the lowest first.
	layers, diffIDs []digest.Digest
	// The chain IDs of the layers up to each.
	chains []digest.Digest
	// Where it came from: HOST/REPOSITORY each.
	sources []string
	// And where it is not asked for.
	others []string
}

// names are the repositories that have it.
func (i *image) names() string {
	return strings.Join(append(slices.Clone(i.sources), i.others...), ", ")
}

// place is the number of a layer that has this blob and is the uppermost of this chain; -1 without one.
func (i *image) place(blob, chain digest.Digest) int {
	for at, layer := range i.layers {
		if layer == blob && i.chains[at] == chain {
			return at
		}
	}
	return -1
}

// imagesOf finds the images that have a layer as the uppermost of a chain, the newest first.
func (f *Finder) imagesOf(ctx context.Context, blob, chain digest.Digest) ([]*image, error) {
	var found []content.Info
	err := f.options.Content.Walk(ctx, func(info content.Info) error {
		if refersTo(info, blob) {
			found = append(found, info)
		}
		return nil
	}, `labels."`+labelRefers+`config"`)
	if err != nil {
		return nil, fmt.Errorf("containerd's content store: %w", err)
	}
	slices.SortStableFunc(found, func(a, b content.Info) int { return b.UpdatedAt.Compare(a.UpdatedAt) })
	var images []*image
	for _, info := range found[:min(len(found), mostRead)] {
		image, err := f.read(ctx, info)
		if err != nil {
			f.log.Debug("an image that has the layer is not read", "layer", blob, "manifest", info.Digest, "cause", bounded(err))
			continue // another may be the one that is meant
		}
		if image != nil && image.place(blob, chain) >= 0 {
			images = append(images, image)
		}
		if len(images) == mostImages {
			break
		}
	}
	return images, nil
}

func refersTo(info content.Info, blob digest.Digest) bool {
	for name, value := range info.Labels {
		if strings.HasPrefix(name, labelRefers) && value == blob.String() {
			return true
		}
	}
	return false
}

// read reads the manifest and the configuration of an image; nil if it is none.
func (f *Finder) read(ctx context.Context, info content.Info) (*image, error) {
	var manifest ocispec.Manifest
	if err := f.document(ctx, ocispec.Descriptor{Digest: info.Digest, Size: info.Size}, &manifest); err != nil {
		return nil, err
	}
	var config ocispec.Image
	if err := f.document(ctx, manifest.Config, &config); err != nil {
		return nil, fmt.Errorf("configuration %s: %w", manifest.Config.Digest, err)
	}
	if len(manifest.Layers) == 0 || len(manifest.Layers) != len(config.RootFS.DiffIDs) {
		return nil, nil
	}
	i := &image{
		desc:    ocispec.Descriptor{MediaType: manifest.MediaType, Digest: info.Digest, Size: info.Size},
		diffIDs: config.RootFS.DiffIDs,
	}
	for _, layer := range manifest.Layers {
		i.layers = append(i.layers, layer.Digest)
	}
	i.chains = identity.ChainIDs(slices.Clone(i.diffIDs))
	f.addSources(i, info.Labels)
	return i, nil
}

// document reads JSON of containerd's store, which has checked its digest.
func (f *Finder) document(ctx context.Context, desc ocispec.Descriptor, into any) error {
	at, err := f.options.Content.ReaderAt(ctx, desc)
	if err != nil {
		return err
	}
	defer at.Close()
	if at.Size() > mostDocument {
		return fmt.Errorf("has %d bytes, more than %d", at.Size(), mostDocument)
	}
	data := make([]byte, at.Size())
	if _, err := at.ReadAt(data, 0); err != nil && int64(len(data)) != at.Size() {
		return err
	}
	if got := desc.Digest.Algorithm().FromBytes(data); got != desc.Digest {
		return fmt.Errorf("has the digest %s", got)
	}
	return json.Unmarshal(data, into)
}
