package attached

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
)

// ArtifactType is what is attached, as `tarfs push --attach` calls it, and the media types of its files.
const (
	ArtifactType  = "application/vnd.erofs.tarfs.image.v1"
	mediaMetadata = "application/vnd.erofs"
	mediaHashTree = "application/vnd.erofs.tarfs.hash-tree.v1"
)

// prefix is that of its annotations.
const prefix = "org.erofs.tarfs."

// Format is the format version, of which CHANGELOG.md tells: of another one the same layers give other bytes.
const Format = "4"

// artifact is what a manifest says of the two files that it brings.
type artifact struct {
	metadata, tree ocispec.Descriptor
	root           digest.Digest
	dataBlocks     uint64
}

// read checks a manifest against the image to which it is to be attached, and against how images are made here.
func (f *Finder) readArtifact(manifest *ocispec.Manifest, of *image) (*artifact, error) {
	if manifest.ArtifactType != ArtifactType {
		return nil, fmt.Errorf("is of type %s", short(manifest.ArtifactType))
	}
	if manifest.Subject == nil || manifest.Subject.Digest != of.desc.Digest {
		return nil, errors.New("refers to another image")
	}
	wanted := map[string]string{
		"format": Format, "mode": "image_block_with_verity",
		"block-size": "512", "data-block-size": "512", "hash-block-size": "4096", "salt": "-",
		"follow-lower-links": strconv.FormatBool(f.options.FollowLowerLinks),
		"layers":             joined(of.layers), "diff-ids": joined(of.diffIDs),
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if said, want := manifest.Annotations[prefix+name], wanted[name]; said != want {
			return nil, fmt.Errorf("says %s%s %s, and here it is %s", prefix, name, short(said), short(want))
		}
	}
	if len(manifest.Layers) != 2 || manifest.Layers[0].MediaType != mediaMetadata || manifest.Layers[1].MediaType != mediaHashTree {
		return nil, fmt.Errorf("has not two files, of types %s and %s", mediaMetadata, mediaHashTree)
	}
	a := &artifact{metadata: plain(manifest.Layers[0]), tree: plain(manifest.Layers[1]), root: digest.Digest(manifest.Annotations[prefix+"root"])}
	if err := a.root.Validate(); err != nil || a.root.Algorithm() != digest.SHA256 {
		return nil, fmt.Errorf("%sroot: %s is no SHA-256", prefix, short(a.root.String()))
	}
	blocks, err := strconv.ParseUint(manifest.Annotations[prefix+"data-blocks"], 10, 48)
	if err != nil {
		return nil, fmt.Errorf("%sdata-blocks: %s is no number of blocks", prefix, short(manifest.Annotations[prefix+"data-blocks"]))
	}
	a.dataBlocks = blocks
	if err := a.fits(); err != nil {
		return nil, err
	}
	return a, f.allowed(a)
}

// plain is a descriptor without what else it says: where its bytes may be too would be asked, whoever that is.
func plain(desc ocispec.Descriptor) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: desc.MediaType, Digest: desc.Digest, Size: desc.Size}
}

// fits refuses files of other lengths than those of a disk of so many blocks, before they are fetched.
func (a *artifact) fits() error {
	for _, desc := range []ocispec.Descriptor{a.metadata, a.tree} {
		if err := desc.Digest.Validate(); err != nil {
			return fmt.Errorf("digest %s: %w", named(desc.Digest), err)
		}
	}
	tree, err := store.TreeBytes(a.dataBlocks)
	if err != nil {
		return fmt.Errorf("%sdata-blocks: %w", prefix, err)
	}
	if a.tree.Size != tree {
		return fmt.Errorf("file %s has %d bytes, and a hash tree of %d blocks has %d", a.tree.Digest, a.tree.Size, a.dataBlocks, tree)
	}
	if a.metadata.Size < 0 || uint64(a.metadata.Size) > a.dataBlocks*512 {
		return fmt.Errorf("file %s has %d bytes, and is to be a part of a disk of %d blocks", a.metadata.Digest, a.metadata.Size, a.dataBlocks)
	}
	return nil
}

// allowed holds an artifact to what is configured.
func (f *Finder) allowed(a *artifact) error {
	for _, desc := range []ocispec.Descriptor{a.metadata, a.tree} {
		if most := f.options.MaxBytes; most > 0 && desc.Size > most {
			return fmt.Errorf("file %s has %d bytes, and attached.max_file_bytes allows %d", desc.Digest, desc.Size, most)
		}
	}
	if f.options.Expected == nil {
		return nil
	}
	switch ok, err := f.options.Expected(a.root.String()); {
	case err != nil:
		return fmt.Errorf("expected roots: %w", err)
	case !ok:
		return fmt.Errorf("its root hash %s is not expected", a.root)
	}
	return nil
}

func joined(ids []digest.Digest) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	return strings.Join(texts, ",")
}
