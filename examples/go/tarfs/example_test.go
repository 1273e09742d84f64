package tarfs_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// small makes a tar of names and contents.
func small(pairs ...string) []byte {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for i := 0; i < len(pairs); i += 2 {
		h := tar.Header{Typeflag: tar.TypeReg, Name: pairs[i], Mode: 0o644, Size: int64(len(pairs[i+1])), ModTime: time.Unix(1700000000, 0)}
		if err := w.WriteHeader(&h); err != nil {
			log.Fatal(err)
		}
		if _, err := io.WriteString(w, pairs[i+1]); err != nil {
			log.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	return out.Bytes()
}

// layerOf makes a layer of a tar in memory, as Export takes it.
func layerOf(data []byte) (tarfs.Source, io.Closer) {
	w, err := tarfs.NewLayerWriter(context.Background(), &tarfs.LayerOptions{TagDiffID: true})
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	if _, err := w.Write(data); err != nil {
		log.Fatal(err)
	}
	layer, err := w.Finish()
	if err != nil {
		log.Fatal(err)
	}
	return tarfs.Source{Tree: layer.Tree, Devices: []io.ReaderAt{bytes.NewReader(data)}}, layer
}

// A layer streams in. Its bytes go to the tee, unchanged, as they come.
func ExampleLayerWriter() {
	stream := bytes.NewReader(small("etc/motd", "Good morning.\n", "bin/true", "exit 0\n"))

	var kept bytes.Buffer
	w, err := tarfs.NewLayerWriter(context.Background(), &tarfs.LayerOptions{TagDiffID: true, Tee: &kept})
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	if _, err := io.Copy(w, stream); err != nil {
		log.Fatal(err)
	}
	layer, err := w.Finish()
	if err != nil {
		log.Fatal(err)
	}
	defer layer.Close()

	fmt.Println(layer.Info.Entries, "entries,", kept.Len(), "bytes")
	motd, err := layer.Tree.FS(bytes.NewReader(kept.Bytes())).ReadFile("etc/motd")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", motd)
	// Output:
	// 2 entries, 3072 bytes
	// Good morning.
}

// What a layer's whiteouts name is gone from the merged tree.
func ExampleMerge() {
	base, closeBase := layerOf(small("etc/motd", "Good morning.\n", "etc/secret", "42\n"))
	defer closeBase.Close()
	upper, closeUpper := layerOf(small("etc/.wh.secret", "", "etc/motd", "Good evening.\n"))
	defer closeUpper.Close()

	image, err := tarfs.Merge([]*tarfs.Tree{base.Tree, upper.Tree}, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer image.Close()
	entries, err := image.FS().ReadDir("etc")
	if err != nil {
		log.Fatal(err)
	}
	for _, entry := range entries {
		fmt.Println(entry.Name())
	}
	// The lower tar has nothing that is still to be seen.
	fmt.Println(image.Info().Devices, "device")
	// Output:
	// motd
	// 1 device
}

// A disk of merged layers, with a dm-verity hash tree behind it.
func ExampleExport() {
	dir, err := os.MkdirTemp("", "tarfs-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	base, closeBase := layerOf(small("etc/motd", "Good morning.\n"))
	defer closeBase.Close()
	upper, closeUpper := layerOf(small("bin/true", "exit 0\n"))
	defer closeUpper.Close()

	disk := filepath.Join(dir, "image.disk")
	made, err := tarfs.Export(context.Background(), tarfs.ImageBlockWithVerity, []tarfs.Source{base, upper}, disk, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer made[0].Verity.Close()

	info := made[0].Verity.Info()
	fmt.Println(made[0].Size, "bytes, the hash tree from byte", info.HashOffset)
	label, root, _ := strings.Cut(made[0].Verity.NydusLabel(), ":")
	fmt.Println("Nydus's label:", label, "and a root hash of", len(root), "digits")
	// Output:
	// 16384 bytes, the hash tree from byte 12288
	// Nydus's label: 20,12288,sha256 and a root hash of 64 digits
}

// An image is a file system. A disk has all its data itself.
func ExampleOpenImage() {
	layer, closeLayer := layerOf(small("usr/share/doc/README", "Read me.\n", "usr/bin/env", "#!\n"))
	defer closeLayer.Close()
	dir, err := os.MkdirTemp("", "tarfs-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	disk := filepath.Join(dir, "layer.disk")
	if _, err := tarfs.Export(context.Background(), tarfs.LayerBlock, []tarfs.Source{layer}, disk, nil); err != nil {
		log.Fatal(err)
	}

	file, err := os.Open(disk)
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	image, err := tarfs.OpenImage(file, 0)
	if err != nil {
		log.Fatal(err)
	}
	defer image.Close()
	fsys, err := image.FS()
	if err != nil {
		log.Fatal(err)
	}
	defer fsys.Close()
	err = fs.WalkDir(fsys, ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			content, _ := fs.ReadFile(fsys, path)
			fmt.Printf("%s: %q\n", path, content)
		}
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// usr/bin/env: "#!\n"
	// usr/share/doc/README: "Read me.\n"
}

// Data is sealed, then checked: a byte that changed is found, and where.
func ExampleSeal() {
	data := make([]byte, 1<<20)
	hashes, err := os.CreateTemp("", "tarfs-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.Remove(hashes.Name())
	defer hashes.Close()

	ctx := context.Background()
	sealed, err := tarfs.Seal(ctx, bytes.NewReader(data), int64(len(data)), nil, hashes, 0)
	if err != nil {
		log.Fatal(err)
	}
	defer sealed.Close()
	fmt.Println("intact:", tarfs.Verify(ctx, bytes.NewReader(data), hashes, sealed, 0) == nil)

	data[70_000] = 1
	err = tarfs.Verify(ctx, bytes.NewReader(data), hashes, sealed, 0)
	var failed *tarfs.Error
	if errors.As(err, &failed) && errors.Is(err, tarfs.ErrMismatch) {
		fmt.Println("mismatch in the block at byte", failed.Offset)
	}
	// Output:
	// intact: true
	// mismatch in the block at byte 69632
}

// Errors are told by errors.Is. Those of a tar say which entry it was.
func ExampleError() {
	data := small("a", "a", "b", "b")
	data[1024+150] ^= 1 // in the checksum of the second header

	w, err := tarfs.NewLayerWriter(context.Background(), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	_, err = w.Write(data)
	var failed *tarfs.Error
	if errors.As(err, &failed) {
		fmt.Println(errors.Is(err, tarfs.ErrTar), errors.Is(err, tarfs.ErrIO), "at byte", failed.Offset)
	}
	_, err = w.Write(data)
	fmt.Println("afterwards:", errors.Is(err, tarfs.ErrWrongOrder))
	// Output:
	// true false at byte 1024
	// afterwards: true
}

// A context that is done ends what is at work with its cause, and leaves no file.
func ExampleExport_cancelled() {
	layer, closeLayer := layerOf(small("etc/motd", "Good morning.\n"))
	defer closeLayer.Close()
	dir, err := os.MkdirTemp("", "tarfs-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("the node is going down"))
	_, err = tarfs.Export(ctx, tarfs.LayerBlock, []tarfs.Source{layer}, filepath.Join(dir, "layer.disk"), nil)
	fmt.Println(err)
	left, err := os.ReadDir(dir)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(left), "files are left")
	// Output:
	// the node is going down
	// 0 files are left
}
