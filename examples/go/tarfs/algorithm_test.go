package tarfs_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// An export with a hash tree of SHA-512 in format 0 is what veritysetup verifies.
func TestAlgorithms(t *testing.T) {
	veritysetup, err := exec.LookPath("veritysetup")
	if err != nil {
		t.Skip("no veritysetup")
	}
	dir := t.TempDir()
	path, disk := filepath.Join(dir, "a.tar"), filepath.Join(dir, "a.disk")
	if err := os.WriteFile(path, archive(t, fileEntry("etc/motd", "hello")), 0o600); err != nil {
		t.Fatal(err)
	}
	params := &tarfs.VerityParams{Algorithm: tarfs.SHA512, ChromeOS: true, Salt: []byte("salt"), Superblock: tarfs.SuperblockDerived}
	options := &tarfs.ExportOptions{Verity: params}
	made := must[[]tarfs.Exported](t)(tarfs.Export(t.Context(), tarfs.ImageBlockWithVerity, tarfs.Tars(path), disk, options))
	sealed := made[0].Verity
	defer sealed.Close()
	info := sealed.Info()
	if info.Algorithm != tarfs.SHA512 || info.RootLen != 64 || len(sealed.RootHex()) != 128 || info.Root != [32]byte{} {
		t.Errorf("%+v", info)
	}
	if out, err := exec.Command(veritysetup, "verify", disk, disk, sealed.RootHex(), "--hash-offset", strconv.FormatUint(info.HashOffset, 10)).CombinedOutput(); err != nil {
		t.Errorf("veritysetup: %v: %s", err, out)
	}

	// What is known of it elsewhere.
	file := must[*os.File](t)(os.Open(disk))
	defer file.Close()
	superblock := make([]byte, 512)
	if _, err := file.ReadAt(superblock, int64(info.HashOffset)); err != nil {
		t.Fatal(err)
	}
	again := must[*tarfs.Sealed](t)(tarfs.ParseSealed(superblock, tarfs.HashAt, info.HashOffset, sealed.RootHex()))
	defer again.Close()
	if again.RootHex() != sealed.RootHex() {
		t.Error("another root hash")
	}
	if _, err := tarfs.SealedFromSuperblock(superblock, tarfs.HashAt, info.HashOffset, [32]byte{}); !errors.Is(err, tarfs.ErrInvalidArgument) {
		t.Errorf("a root hash of 32 bytes: %v", err)
	}
	if _, err := tarfs.NewSealed(params, info.DataBytes, [32]byte{}); !errors.Is(err, tarfs.ErrInvalidArgument) {
		t.Errorf("a root hash of 32 bytes: %v", err)
	}
	if _, err := tarfs.ParseSealed(superblock, tarfs.HashAt, info.HashOffset, "ab\x00"); err == nil {
		t.Error("a NUL was taken")
	}
	known := must[*tarfs.Sealed](t)(tarfs.NewSealedRoot(params, info.DataBytes, info.LongRoot[:]))
	known.Close()
}
