package applier

import (
	"context"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// job is one layer that is made, wherever it goes.
type job struct {
	*Options
	desc       ocispec.Descriptor
	to         destination
	compressed bool
	progress   func(int64)
	// Bytes of the blob that were read, and hashed.
	read int64
	// The root hash, once there is one.
	root string
	// The diffID of a layer that need not be indexed, as what came with its image has all that its tar would be read for.
	attached digest.Digest
	// Ends what look has begun; nil if that is nothing.
	release func()
}

// destination is where a layer goes.
type destination interface {
	// name is the snapshot's, for the log.
	name() string
	// there is the layer, if it is there already, so that its blob needs not be read.
	there(ctx context.Context) (ocispec.Descriptor, bool, error)
	// look looks for what came with its image. A registry may take its time, in which others make their layers: it is not
	// called in turn.
	look(ctx context.Context, j *job) error
	// make makes it of a tar, which is read to its end. It returns the tar's descriptor.
	make(ctx context.Context, j *job, tar *source) (ocispec.Descriptor, error)
}

func (j *job) run(ctx context.Context) (ocispec.Descriptor, error) {
	tar, err := j.source(ctx)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	defer func() {
		tar.Close()
		j.read = tar.blob.read
	}()
	return j.to.make(ctx, j, tar)
}

// ofTar is the descriptor of a layer's tar.
func ofTar(diffID digest.Digest, bytes int64) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Size: bytes, Digest: diffID}
}
