package applier

import (
	"fmt"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// isCompressed says whether the blob of a layer may be compressed; how, its first bytes say. Of all other types,
// such as encrypted layers and EROFS's own, another differ may know something.
func isCompressed(mediaType string) (bool, error) {
	switch mediaType {
	case ocispec.MediaTypeImageLayer, ocispec.MediaTypeImageLayerNonDistributable:
		return false, nil
	case ocispec.MediaTypeImageLayerGzip, ocispec.MediaTypeImageLayerZstd,
		ocispec.MediaTypeImageLayerNonDistributableGzip, ocispec.MediaTypeImageLayerNonDistributableZstd,
		// Without a suffix Docker's type says nothing of compression.
		images.MediaTypeDockerSchema2Layer, images.MediaTypeDockerSchema2LayerForeign,
		images.MediaTypeDockerSchema2LayerGzip, images.MediaTypeDockerSchema2LayerForeignGzip,
		images.MediaTypeDockerSchema2LayerZstd:
		return true, nil
	}
	return false, fmt.Errorf("media type %q is not that of a layer's tar: %w", mediaType, errdefs.ErrNotImplemented)
}
