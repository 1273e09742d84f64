// One line for each entry of each tar, as Go's archive/tar reads it; see `line` in mod.rs.
package main

import (
	"archive/tar"
	"bufio"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strings"
)

var kinds = map[byte]string{'0': "f", '7': "f", 'S': "f", '1': "h", '2': "l", '3': "c", '4': "b", '5': "d", '6': "p"}

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for _, name := range os.Args[1:] {
		fmt.Fprintln(out, "==")
		file, err := os.Open(name)
		if err != nil {
			panic(err)
		}
		for reader := tar.NewReader(file); ; {
			e, err := reader.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				panic(fmt.Sprint(name, ": ", err))
			}
			if e.Typeflag == 'g' {
				continue
			}
			sum := crc32.NewIEEE()
			size, err := io.Copy(sum, reader)
			if err != nil {
				panic(fmt.Sprint(name, ": ", err))
			}
			link := ""
			if e.Typeflag == '1' || e.Typeflag == '2' {
				link = e.Linkname
			}
			var device [2]int64
			if e.Typeflag == '3' || e.Typeflag == '4' {
				device = [2]int64{e.Devmajor, e.Devminor}
			}
			fmt.Fprintf(out, "%s %x .%x %o %d %d .%x %d %d:%d %d %08x\n", kinds[e.Typeflag],
				strings.TrimRight(e.Name, "/"), link, e.Mode, e.Uid, e.Gid, e.Uname,
				e.ModTime.Unix(), device[0], device[1], size, sum.Sum32())
		}
		file.Close()
	}
}
