package tarfs_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// seal is the function that the package's documentation shows.
func seal(ctx context.Context, w io.Writer, disk string, tars ...string) error {
	layers := tarfs.Tars(tars...) // the lowest first
	made, err := tarfs.Export(ctx, tarfs.ImageBlockWithVerity, layers, disk, nil)
	if err != nil {
		return err
	}
	defer made[0].Verity.Close()
	fmt.Fprintln(w, made[0].Verity.RootHex())
	fmt.Fprintln(w, made[0].Verity.OpenCommand(disk, "image", disk))
	fmt.Fprintln(w, "mount -t erofs -o ro /dev/mapper/image /mnt")
	return nil
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
	var said strings.Builder
	if err := seal(context.Background(), &said, filepath.Join(dir, "image.disk"), base, app); err != nil {
		log.Fatal(err)
	}
	root, _, _ := strings.Cut(said.String(), "\n")
	fmt.Println(len(root), "digits of the root hash")
	// Output:
	// 64 digits of the root hash
}
