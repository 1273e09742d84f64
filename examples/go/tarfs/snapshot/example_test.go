package snapshot_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs/snapshot"
)

// A layer becomes a disk with a hash tree, and a label that says how to open it.
func Example() {
	root, err := os.MkdirTemp("", "example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(root)

	blob := make([]byte, 1024) // the empty tar
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(blob))
	fetcher := snapshot.FetcherFunc(func(context.Context, string, string) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(blob)), nil
	})
	m, err := snapshot.NewManager(root, snapshot.Options{Fetcher: fetcher, ExportMode: tarfs.ImageBlockWithVerity})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()

	ctx := context.Background()
	layer := snapshot.Layer{Ref: "example.org/image:1", Digest: digest, DiffID: digest}
	if err := m.PrepareLayer(ctx, "1", layer); err != nil {
		log.Fatal(err)
	}
	if err := m.WaitLayerReady(ctx, "1"); err != nil {
		log.Fatal(err)
	}
	labels := map[string]string{}
	container := snapshot.Snapshot{ID: "2", ParentIDs: []string{"1"}}
	if _, err := m.ExportBlockData(ctx, container, false, labels); err != nil {
		log.Fatal(err)
	}
	fmt.Println(labels[snapshot.LabelImageBlock])
	// Output: 8,4096,sha256:7d373287e1b757a8d434272ac45735dd86a201b0a72dc76c451281315f27aa60
}
