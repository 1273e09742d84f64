// Archive_tar is an oracle of fuzzing: it reads tars from standard input, each behind its length in four
// bytes, and answers what Go's archive/tar makes of each: a line for each entry, as fuzz/entries.rs has
// them, or a line that begins with "error", behind its length too.
package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strings"
)

var kinds = map[byte]string{'0': "f", '7': "f", 'S': "f", '1': "h", '2': "l", '3': "c", '4': "b", '5': "d", '6': "p"}

// head is how much of a body counts: one that is sparse may have no end.
const head = 64 << 10

func describe(archive []byte) string {
	var out strings.Builder
	for reader := tar.NewReader(bytes.NewReader(archive)); ; {
		e, err := reader.Next()
		if err == io.EOF {
			return out.String()
		}
		if err != nil {
			return "error: " + err.Error()
		}
		if e.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		sum := crc32.NewIEEE()
		if _, err := io.Copy(sum, io.LimitReader(reader, head)); err != nil {
			return "error: " + err.Error()
		}
		link, size := "", int64(0)
		if e.Typeflag == tar.TypeLink || e.Typeflag == tar.TypeSymlink {
			link = e.Linkname
		}
		if kinds[e.Typeflag] == "f" {
			size = e.Size
		}
		var device [2]int64
		if e.Typeflag == tar.TypeChar || e.Typeflag == tar.TypeBlock {
			device = [2]int64{e.Devmajor, e.Devminor}
		}
		kind := kinds[e.Typeflag]
		if kind == "" {
			kind = fmt.Sprintf("%q", e.Typeflag)
		}
		fmt.Fprintf(&out, "%s %x .%x %o %d %d %d %d:%d %d %08x\n", kind, strings.TrimRight(e.Name, "/"), link,
			e.Mode&0o7777, e.Uid, e.Gid, e.ModTime.Unix(), device[0], device[1], size, sum.Sum32())
	}
}

func main() {
	in, out := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	for {
		var length uint32
		if binary.Read(in, binary.LittleEndian, &length) != nil {
			return
		}
		archive := make([]byte, length)
		if _, err := io.ReadFull(in, archive); err != nil {
			panic(err)
		}
		said := describe(archive)
		binary.Write(out, binary.LittleEndian, uint32(len(said)))
		out.WriteString(said)
		out.Flush()
	}
}
