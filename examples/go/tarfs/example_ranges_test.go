package tarfs_test

import (
	"crypto/sha256"
	"fmt"
	"log"
	"strings"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// The disks of two layers become partitions of one, which a virtual machine opens by a descriptor:
// nothing is copied. The file "table" has Head, Tail, and a hole that backs what lies between.
func ExampleNewGPT() {
	base, top := sha256.Sum256([]byte("base")), sha256.Sum256([]byte("top")) // their root hashes
	layers := []tarfs.Partition{
		{Name: "base", Identity: base[:], Disk: []tarfs.Range{{Bytes: 8192, File: "base.disk"}}},
		{Name: "top", Identity: top[:], Disk: []tarfs.Range{{Bytes: 12288, File: "top.disk"}}},
	}
	gpt, disk, err := tarfs.NewGPT(layers, 0, tarfs.Held{File: "table"})
	if err != nil {
		log.Fatal(err)
	}
	table := uint64(len(gpt.Head) + len(gpt.Tail))
	hole := &tarfs.Held{File: "table", Offset: table, Bytes: tarfs.LongestZeros(disk)}
	vmdk, err := tarfs.VMDK(disk, hole)
	if err != nil {
		log.Fatal(err)
	}
	for line := range strings.Lines(vmdk) {
		if strings.HasPrefix(line, "RW") {
			fmt.Print(line)
		}
	}
	fmt.Println("the second partition starts at byte", gpt.Partitions[1].Offset)
	// Output:
	// RW 34 FLAT "table" 0
	// RW 2014 FLAT "table" 67
	// RW 16 FLAT "base.disk" 0
	// RW 2032 FLAT "table" 67
	// RW 24 FLAT "top.disk" 0
	// RW 33 FLAT "table" 34
	// the second partition starts at byte 2097152
}
