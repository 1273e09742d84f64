package tarfs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// formed is a merged image: files that have its parts, and its disk with the hash tree behind it.
type formed struct {
	dir    string
	ranges []tarfs.Range
	disk   []byte
}

// form makes files in a directory: "meta" and "0.tar", "1.tar" and so on, "hashes".
func form(t *testing.T) formed {
	t.Helper()
	f := formed{dir: t.TempDir()}
	var trees []*tarfs.Tree
	var sources []io.ReaderAt
	names := make(map[string]string)
	for i, tar := range [][]byte{baseTar(t), upperTar(t), topTar(t)} {
		layer := index(t, tar, asTool())
		name := fmt.Sprintf("%d.tar", i)
		writeFile(t, filepath.Join(f.dir, name), tar)
		devices, err := layer.Tree.Devices()
		ok(t, err)
		if len(devices) > 0 {
			names[devices[0].Tag] = name
		}
		trees = append(trees, layer.Tree)
	}
	merged, err := tarfs.Merge(trees, nil)
	ok(t, err)
	defer merged.Close()
	layout, err := tarfs.Plan(merged, nil)
	ok(t, err)
	defer layout.Close()
	var meta, disk memory
	ok(t, layout.WriteMetadata(t.Context(), &meta))
	writeFile(t, filepath.Join(f.dir, "meta"), meta)
	files := tarfs.DiskFiles{Metadata: "meta", Hashes: tarfs.Held{File: "hashes"}}
	for _, device := range layout.Devices() {
		name := names[device.Tag]
		file, err := os.Open(filepath.Join(f.dir, name))
		ok(t, err)
		defer file.Close()
		sources, files.Devices = append(sources, file), append(files.Devices, name)
	}
	ok(t, layout.WriteDisk(t.Context(), sources, &disk))
	var hashes memory
	files.Sealed, err = layout.HashDisk(t.Context(), sources, nil, nil, &hashes)
	ok(t, err)
	defer files.Sealed.Close()
	writeFile(t, filepath.Join(f.dir, "hashes"), hashes)
	behind, err := layout.HashDisk(t.Context(), sources, nil, &tarfs.VerityParams{Placement: tarfs.HashBehindData}, &disk)
	ok(t, err)
	behind.Close()
	f.disk = disk
	f.ranges, err = layout.Ranges(files)
	ok(t, err)
	return f
}

// assemble is a disk, byte for byte, out of its files.
func assemble(t *testing.T, dir string, disk []tarfs.Range) []byte {
	t.Helper()
	var all []byte
	for _, r := range disk {
		if uint64(len(all)) != r.Offset {
			t.Fatalf("a range at %d, the one before ends at %d", r.Offset, len(all))
		}
		part := make([]byte, r.Bytes)
		if !r.Zeros {
			file, err := os.Open(filepath.Join(dir, r.File))
			ok(t, err)
			_, err = file.ReadAt(part, int64(r.FileOffset))
			ok(t, err)
			ok(t, file.Close())
		}
		all = append(all, part...)
	}
	return all
}

func TestRangesAreTheDisk(t *testing.T) {
	noLeak(t)
	f := form(t)
	same(t, "disk", assemble(t, f.dir, f.ranges), f.disk)
	table, err := tarfs.DMLinear(f.ranges)
	ok(t, err)
	if lines := strings.Count(table, "\n"); lines != len(f.ranges) {
		t.Errorf("%d lines for %d ranges:\n%s", lines, len(f.ranges), table)
	}
	// The table again, as the kernel's documentation has it.
	var again []tarfs.Range
	for line := range strings.Lines(table) {
		var start, count, from uint64
		var name string
		if n, _ := fmt.Sscanf(line, "%d %d linear %s %d\n", &start, &count, &name, &from); n != 4 {
			if n, _ = fmt.Sscanf(line, "%d %d zero\n", &start, &count); n != 2 {
				t.Fatalf("not a line of a table: %q", line)
			}
		}
		again = append(again, tarfs.Range{Offset: start * 512, Bytes: count * 512, Zeros: name == "", File: name, FileOffset: from * 512})
	}
	same(t, "disk of the table", assemble(t, f.dir, again), f.disk)
}

func TestQEMUReadsTheDescriptor(t *testing.T) {
	noLeak(t)
	qemu := program(t, "qemu-img")
	f := form(t)
	longest := tarfs.LongestZeros(f.ranges)
	zeros := filepath.Join(f.dir, "zeros")
	writeFile(t, zeros, nil)
	ok(t, os.Truncate(zeros, int64(longest)))
	text, err := tarfs.VMDK(f.ranges, &tarfs.Held{File: "zeros", Bytes: longest})
	ok(t, err)
	vmdk, raw := filepath.Join(f.dir, "disk.vmdk"), filepath.Join(f.dir, "disk.raw")
	writeFile(t, vmdk, []byte(text))
	run(t, qemu, "convert", "-f", "vmdk", "-O", "raw", vmdk, raw)
	got, err := os.ReadFile(raw)
	ok(t, err)
	same(t, "what QEMU reads", got, f.disk)
	if _, err := tarfs.VMDK(f.ranges, nil); longest > 0 && !errors.Is(err, tarfs.ErrOutput) {
		t.Errorf("zeros that no file backs: %v", err)
	}
}

func TestFdiskReadsThePartitions(t *testing.T) {
	noLeak(t)
	sfdisk, sgdisk := program(t, "sfdisk"), program(t, "sgdisk")
	f := form(t)
	whole := tarfs.Range{Bytes: uint64(len(f.disk)), File: "disk"}
	writeFile(t, filepath.Join(f.dir, "disk"), f.disk)
	partitions := []tarfs.Partition{
		{Name: "image", Identity: []byte{1}, Disk: f.ranges},
		{Name: "its disk", Identity: []byte{2}, Disk: []tarfs.Range{whole}},
	}
	gpt, disk, err := tarfs.NewGPT(partitions, 0, tarfs.Held{File: "table", Offset: 512})
	ok(t, err)
	table := bytes.Join([][]byte{make([]byte, 512), gpt.Head, gpt.Tail}, nil)
	writeFile(t, filepath.Join(f.dir, "table"), table)
	all := assemble(t, f.dir, disk)
	if uint64(len(all)) != gpt.Bytes {
		t.Errorf("%d bytes, said to be %d", len(all), gpt.Bytes)
	}
	for i, placed := range gpt.Partitions {
		same(t, partitions[i].Name, all[placed.Offset:placed.Offset+placed.Bytes], f.disk)
	}
	raw := filepath.Join(f.dir, "gpt.raw")
	writeFile(t, raw, all)
	var found struct {
		PartitionTable struct {
			Label, ID  string
			Partitions []struct {
				Start, Size uint64
				Name, UUID  string
			}
		}
	}
	ok(t, json.Unmarshal([]byte(run(t, sfdisk, "--json", raw)), &found))
	if got := found.PartitionTable; got.Label != "gpt" || got.ID != guid(gpt.GUID) || len(got.Partitions) != 2 {
		t.Fatalf("sfdisk found %+v", got)
	}
	for i, got := range found.PartitionTable.Partitions {
		placed := gpt.Partitions[i]
		if got.Start*512 != placed.Offset || got.Size*512 != placed.Bytes || got.Name != partitions[i].Name || got.UUID != guid(placed.GUID) {
			t.Errorf("partition %d: sfdisk found %+v, it is %+v", i+1, got, placed)
		}
	}
	if said := run(t, sgdisk, "-v", raw); !strings.Contains(said, "No problems found") {
		t.Errorf("sgdisk says: %s", said)
	}
}

func TestSystemdsPartitions(t *testing.T) {
	noLeak(t)
	root := bytes.Repeat([]byte{0xab, 0xcd}, 16)
	pair := []tarfs.Partition{
		{Identity: root, Disk: []tarfs.Range{{Bytes: 4096, Zeros: true}}, Role: tarfs.PartitionUsr, Architecture: "arm64"},
		{Identity: root, Disk: []tarfs.Range{{Bytes: 4096, Zeros: true}}, Role: tarfs.PartitionUsrVerity, Architecture: "arm64"},
	}
	gpt, _, err := tarfs.NewGPT(pair, 0, tarfs.Held{File: "t"})
	ok(t, err)
	types := []string{"B0E01050-EE5F-4390-949A-9101B17104E9", "6E11A4E7-FBCA-4DED-B9E9-E1A512BB664E"}
	for i, placed := range gpt.Partitions {
		if guid(placed.Type) != types[i] || !bytes.Equal(placed.GUID[:], root[16*i:16*i+16]) {
			t.Errorf("partition %d: %s, %s", i+1, guid(placed.Type), guid(placed.GUID))
		}
	}
	_, _, unpaired := tarfs.NewGPT(pair[1:], 0, tarfs.Held{File: "t"})
	if !errors.Is(unpaired, tarfs.ErrOutput) {
		t.Errorf("a hash tree alone: %v", unpaired)
	}
	pair[0].Architecture = "vax"
	_, _, vax := tarfs.NewGPT(pair, 0, tarfs.Held{File: "t"})
	pair[0].Architecture = "a\x00"
	_, _, nul := tarfs.NewGPT(pair, 0, tarfs.Held{File: "t"})
	for i, err := range []error{vax, nul} {
		if !errors.Is(err, tarfs.ErrInvalidArgument) {
			t.Errorf("architecture %d: %v", i, err)
		}
	}
}

// guid is how sfdisk writes one.
func guid(g [16]byte) string {
	return strings.ToUpper(fmt.Sprintf("%x-%x-%x-%x-%x", g[:4], g[4:6], g[6:8], g[8:10], g[10:]))
}

func TestWhatNoFormCanSay(t *testing.T) {
	noLeak(t)
	file := func(name string, bytes uint64) []tarfs.Range {
		return []tarfs.Range{{Bytes: bytes, File: name}}
	}
	one := func(disk []tarfs.Range) []tarfs.Partition {
		return []tarfs.Partition{{Name: "a", Disk: disk}}
	}
	_, dm := tarfs.DMLinear(file("a", 100))
	_, dmName := tarfs.DMLinear(file("a\nb", 512))
	_, dmEmpty := tarfs.DMLinear(file("", 512))
	_, vmdk := tarfs.VMDK([]tarfs.Range{{Bytes: 512, Zeros: true}}, nil)
	_, few := tarfs.VMDK([]tarfs.Range{{Bytes: 1024, Zeros: true}}, &tarfs.Held{File: "z", Bytes: 512})
	_, none := tarfs.VMDK(nil, nil)
	_, quote := tarfs.VMDK(file(`a"b`, 512), nil)
	_, _, empty := tarfs.NewGPT(nil, 0, tarfs.Held{File: "t"})
	_, _, align := tarfs.NewGPT(one(file("a", 512)), 1000, tarfs.Held{File: "t"})
	_, _, sectors := tarfs.NewGPT(one(file("a", 511)), 0, tarfs.Held{File: "t"})
	_, tooLong := tarfs.DMLinear([]tarfs.Range{{Bytes: 1 << 63, File: "a"}, {Bytes: 1 << 63, File: "b"}})
	for i, err := range []error{dm, dmName, dmEmpty, vmdk, few, none, quote, empty, align, sectors, tooLong} {
		if !errors.Is(err, tarfs.ErrOutput) {
			t.Errorf("case %d: %v", i, err)
		}
	}
	_, nul := tarfs.VMDK(file("a", 512), &tarfs.Held{File: "a\x00b", Bytes: 512})
	_, _, nulTable := tarfs.NewGPT(one(file("a", 512)), 0, tarfs.Held{File: "\x00"})
	_, notText := tarfs.DMLinear(file("\xff", 512))
	for i, err := range []error{nul, nulTable, notText} {
		if !errors.Is(err, tarfs.ErrInvalidArgument) {
			t.Errorf("text %d: %v", i, err)
		}
	}
}
