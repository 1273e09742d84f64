package crosscheck

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/containerd/go-dmverity/pkg/verity"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// sealing is parameters, and the same for go-dmverity.
type sealing struct {
	name string
	tarfs.VerityParams
}

func sealings() []sealing {
	salt := []byte(noise(5, 32))
	id := [16]byte{1, 2, 3, 4, 5, 6, 0x47, 8, 0x89}
	return []sealing{
		{"nydus", tarfs.VerityParams{DataBlock: 512, HashBlock: 4096}},
		{"containerd, tar index", tarfs.VerityParams{DataBlock: 512, HashBlock: 512, Salt: salt, Superblock: tarfs.SuperblockUUID, UUID: id}},
		{"containerd", tarfs.VerityParams{DataBlock: 4096, HashBlock: 4096, Salt: salt, Superblock: tarfs.SuperblockUUID, UUID: id}},
		{"a derived superblock", tarfs.VerityParams{DataBlock: 512, HashBlock: 4096, Superblock: tarfs.SuperblockDerived}},
		{"large blocks", tarfs.VerityParams{DataBlock: 4096, HashBlock: 65536, Salt: []byte{7}}},
		{"a long salt", tarfs.VerityParams{DataBlock: 1024, HashBlock: 1024, Salt: []byte(noise(6, 256))}},
	}
}

func (s sealing) theirs(bytes, hashOffset uint64) *verity.Params {
	p := verity.DefaultParams()
	p.DataBlockSize, p.HashBlockSize = s.DataBlock, s.HashBlock
	p.DataBlocks = bytes / uint64(s.DataBlock)
	p.Salt, p.SaltSize = s.Salt, uint16(len(s.Salt))
	p.HashAreaOffset = hashOffset
	p.NoSuperblock, p.UUID = s.Superblock == tarfs.SuperblockNone, s.UUID
	return &p
}

// inFile writes bytes to a file.
func inFile(t testing.TB, data []byte) *os.File {
	t.Helper()
	f := must[*os.File](t)(os.Create(filepath.Join(t.TempDir(), "disk")))
	t.Cleanup(func() { f.Close() })
	must[int](t)(f.Write(data))
	return f
}

// holdVerity has both seal a disk, and each verify what the other wrote.
func holdVerity(t *testing.T, disk memory, s sealing) {
	t.Helper()
	if rest := len(disk) % int(s.DataBlock); rest > 0 {
		disk = append(disk[:len(disk):len(disk)], make([]byte, int(s.DataBlock)-rest)...)
	}
	// The hash area is at the same place for both: behind the data.
	params := s.VerityParams
	params.Placement = tarfs.HashBehindData
	padding := must[uint64](t)(params.Padding(uint64(len(disk))))
	disk = append(disk[:len(disk):len(disk)], make([]byte, padding)...)

	file := inFile(t, disk)
	sealed := must[*tarfs.Sealed](t)(tarfs.Seal(t.Context(), file, int64(len(disk)), &params, file, 0))
	defer sealed.Close()
	info, root := sealed.Info(), sealed.Root()
	// Without a superblock go-dmverity is told where the tree is, with one where the superblock is.
	given := func() *verity.Params { return s.theirs(info.DataBytes, info.HashOffset) }
	if err := verity.Verify(given(), file.Name(), file.Name(), root[:]); err != nil {
		t.Fatalf("go-dmverity does not verify what tarfs sealed: %v", err)
	}

	other := inFile(t, disk)
	create := given()
	create.UUID = info.UUID
	if found := must[[]byte](t)(verity.Create(create, other.Name(), other.Name())); !bytes.Equal(found, root[:]) {
		t.Errorf("root hash %x, go-dmverity says %x", root, found)
	}
	if err := tarfs.Verify(t.Context(), other, other, sealed, 0); err != nil {
		t.Errorf("tarfs does not verify what go-dmverity sealed: %v", err)
	}
	a, b := must[[]byte](t)(os.ReadFile(file.Name())), must[[]byte](t)(os.ReadFile(other.Name()))
	// One data block has no tree; go-dmverity then leaves the superblock's block short.
	if info.TreeBytes == 0 && len(b) < len(a) {
		b = append(b, make([]byte, len(a)-len(b))...)
	}
	if !bytes.Equal(a, b) {
		t.Errorf("%d and %d bytes of disk and hash area differ", len(a), len(b))
	}

	// One bit of the data, then one of the tree's first digest.
	wrong := []int64{int64(len(disk) / 2)}
	if info.TreeBytes > 0 {
		wrong = append(wrong, int64(info.TreeOffset)+3)
	}
	for _, at := range wrong {
		bit := make([]byte, 1)
		must[int](t)(file.ReadAt(bit, at))
		bit[0] ^= 4
		must[int](t)(file.WriteAt(bit, at))
		theirs := verity.Verify(given(), file.Name(), file.Name(), root[:])
		ours := tarfs.Verify(t.Context(), file, file, sealed, 0)
		if theirs == nil || ours == nil {
			t.Errorf("byte %d is wrong: go-dmverity says %v, tarfs %v", at, theirs, ours)
		}
		bit[0] ^= 4
		must[int](t)(file.WriteAt(bit, at))
	}
}

func TestGoDmverity(t *testing.T) {
	l := must[layer](t)(indexed(t, everything(t)))
	disk, _ := laidOut(t, merged(t, l), form{name: "disk", LayoutOptions: tarfs.LayoutOptions{Artifact: tarfs.DiskMetadataFirst}})
	for _, s := range sealings() {
		t.Run(s.name, func(t *testing.T) {
			holdVerity(t, disk, s)
			// One block, two, a full hash block and one more.
			for _, blocks := range []int{1, 2, 16, 17, 128, 129} {
				holdVerity(t, memory(noise(8, blocks*int(s.DataBlock))), s)
			}
		})
	}
}

func TestGoDmverityOnTheRealImage(t *testing.T) {
	layers := realImage(t)
	disk, _ := laidOut(t, merged(t, layers...), form{name: "disk", LayoutOptions: tarfs.LayoutOptions{Artifact: tarfs.DiskDataFirst}})
	holdVerity(t, disk, sealings()[2])
}

// What a superblock says is read alike.
func TestGoDmverityReadsSuperblocks(t *testing.T) {
	for _, s := range sealings() {
		if s.Superblock == tarfs.SuperblockNone {
			continue
		}
		var hashes memory
		data := memory(noise(9, 1<<20))
		sealed := must[*tarfs.Sealed](t)(tarfs.Seal(t.Context(), data, 1<<20, &s.VerityParams, &hashes, 0))
		defer sealed.Close()
		sb := must[*verity.Superblock](t)(verity.ReadSuperblock(io.NewSectionReader(hashes, 0, int64(len(hashes))), 0))
		info := sealed.Info()
		if sb.UUID != info.UUID || sb.DataBlocks != info.DataBlocks || sb.DataBlockSize != info.DataBlock || sb.HashBlockSize != info.HashBlock || int(sb.SaltSize) != len(s.Salt) {
			t.Errorf("%s: go-dmverity reads %+v, tarfs wrote %+v", s.name, sb, info)
		}
		again := must[*tarfs.Sealed](t)(tarfs.SealedFromSuperblock(hashes[:512], tarfs.HashOwnFile, 0, sealed.Root()))
		again.Close()
	}
}
