package store

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// describeTree says in an item what the hash tree of its disk is. Where the tree has a superblock, containerd's sidecar is
// written into the item's directory; it says where that superblock is. The label says where the tree itself is, as those
// who read labels know of no superblock: so one disk is for both.
func describeTree(it *keep.Item, sealed *tarfs.Sealed, dir string) error {
	info := sealed.Info()
	it.Label = fmt.Sprintf("%d,%d,sha256:%s", info.DataBlocks, info.TreeOffset, sealed.RootHex())
	if !info.HasSuperblock {
		return nil
	}
	it.Sums = keep.Sums(sidecarFile)
	return os.WriteFile(filepath.Join(dir, sidecarFile), []byte(sealed.ContainerdJSON()), 0o600)
}

// checkSidecar refuses a disk whose sidecar has another root hash than its label: containerd opens the disk by the one,
// and expected roots are held against the other.
func checkSidecar(disk Disk) error {
	data, err := os.ReadFile(disk.Sidecar)
	if err != nil {
		return err
	}
	var sidecar struct {
		RootHash string `json:"roothash"`
	}
	if err := json.Unmarshal(data, &sidecar); err != nil {
		return fmt.Errorf("%w: %s: %w", keep.ErrDamaged, disk.Sidecar, err)
	}
	if "sha256:"+sidecar.RootHash != disk.Root() {
		return fmt.Errorf("%w: %s has the root hash %s, and the disk was made with %s", keep.ErrDamaged, disk.Sidecar,
			sidecar.RootHash, disk.Root())
	}
	return nil
}
