package tarfs_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// seal is the function that the package's documentation shows.
func seal(ctx context.Context, disk string, tars ...string) (root string, err error) {
	var layers []tarfs.Source // the lowest first
	for _, name := range tars {
		file, err := os.Open(name)
		if err != nil {
			return "", err
		}
		defer file.Close()
		layer, err := tarfs.IndexFile(ctx, file, &tarfs.LayerOptions{TagDiffID: true})
		if err != nil {
			return "", err
		}
		defer layer.Close()
		layers = append(layers, tarfs.Source{Tree: layer.Tree, Devices: []io.ReaderAt{file}})
	}
	made, err := tarfs.Export(ctx, tarfs.ImageBlockWithVerity, layers, disk, nil)
	if err != nil {
		return "", err
	}
	defer made[0].Verity.Close()
	return made[0].Verity.RootHex(), nil
}

// Layers become one disk with a hash tree behind it.
func Example() {
	dir, err := os.MkdirTemp("", "tarfs-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	base, app := filepath.Join(dir, "base.tar"), filepath.Join(dir, "app.tar")
	for name, tar := range map[string][]byte{
		base: small("etc/motd", "Good morning.\n"),
		app:  small("bin/true", "exit 0\n"),
	} {
		if err := os.WriteFile(name, tar, 0o600); err != nil {
			log.Fatal(err)
		}
	}
	root, err := seal(context.Background(), filepath.Join(dir, "image.disk"), base, app)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(root), "digits of the root hash")
	// Output:
	// 64 digits of the root hash
}
