package attached

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Labels of containerd's blobs: what a blob refers to, and which repositories of a registry have it.
const (
	labelRefers = "containerd.io/gc.ref.content."
	labelSource = "containerd.io/distribution.source."
)

// mostImages is how many images with a layer are looked at, the newest first: base layers are of many.
const mostImages = 4

// mostDocument is the most bytes of a manifest or configuration; registries take no larger ones.
const mostDocument = 4 << 20

// image is one in containerd's store.
type image struct {
	desc ocispec.Descriptor
	// The layers as they are in the registry, and their diffIDs, the lowest first.
	layers, diffIDs []digest.Digest
	// Where it came from: HOST/REPOSITORY each.
	sources []string
}

func (i *image) names() string { return strings.Join(i.sources, ", ") }

// imagesOf finds the images that have a layer, the newest first.
func (f *Finder) imagesOf(ctx context.Context, blob digest.Digest) ([]*image, error) {
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
	for _, info := range found[:min(len(found), mostImages)] {
		image, err := f.read(ctx, info)
		if err != nil {
			return nil, fmt.Errorf("manifest %s: %w", info.Digest, err)
		}
		if image != nil && slices.Contains(image.layers, blob) {
			images = append(images, image)
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
	for _, name := range slices.Sorted(maps.Keys(info.Labels)) {
		value := info.Labels[name]
		if host, ok := strings.CutPrefix(name, labelSource); ok {
			for repository := range strings.SplitSeq(value, ",") {
				for _, host := range f.hostsOf(host) {
					i.sources = append(i.sources, host+"/"+repository)
				}
			}
		}
	}
	return i, nil
}

// hostsOf are those that a label may mean, which leaves ports out: the registries that are known by a port, or the host.
func (f *Finder) hostsOf(host string) (hosts []string) {
	for _, known := range f.options.Registries {
		if name, _, err := net.SplitHostPort(known); err == nil && name == host {
			hosts = append(hosts, known)
		}
	}
	if len(hosts) == 0 {
		return []string{host}
	}
	return hosts
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
