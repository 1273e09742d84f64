package snapshot_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs/snapshot"
)

// oddSparse is a tar with a sparse file whose piece starts off the grid of blocks, so that the tar
// cannot serve it: the metadata has to hold it. archive/tar writes no such thing.
func oddSparse(name string, seed uint64) []byte {
	var out bytes.Buffer
	header := func(name string, kind byte, size int) {
		var b [512]byte
		copy(b[:], name)
		copy(b[100:], "0000644\x000000000\x000000000\x00")
		copy(b[124:], fmt.Sprintf("%011o\x0014524770000\x00        %c", size, kind))
		copy(b[257:], "ustar\x0000")
		sum := 0
		for _, c := range b {
			sum += int(c)
		}
		copy(b[148:], fmt.Sprintf("%06o\x00 ", sum))
		out.Write(b[:])
	}
	body := func(data string) {
		out.WriteString(data)
		out.Write(make([]byte, (512-len(data)%512)%512))
	}
	record := func(key, value string) string {
		line := fmt.Sprintf(" GNU.sparse.%s=%s\n", key, value)
		return fmt.Sprint(len(line)+2) + line
	}
	attributes := record("major", "1") + record("minor", "0") + record("name", name) + record("realsize", "9000")
	header("PaxHeaders/"+name, 'x', len(attributes))
	body(attributes)
	sparse := fmt.Sprintf("%-512s", "2\n700\n3000\n9000\n0\n")
	sparse = strings.ReplaceAll(sparse, " ", "\x00") + noise(seed, 3000)
	header("GNUSparseFile.1/"+name, '0', len(sparse))
	body(sparse)
	header(name+".txt", '0', 5)
	body("plain")
	out.Write(make([]byte, 1024))
	return out.Bytes()
}

func TestSparseFilesOffTheGrid(t *testing.T) {
	canMount(t)
	tars := [][]byte{oddSparse("a", 1), oddSparse("b", 2)}
	r, root := newRegistry(), diskDir(t)
	m := manager(t, root, snapshot.Options{Fetcher: r})
	s := image(t, m, r, "s", tars...)
	if _, err := os.Stat(filepath.Join(root, "layers", sum(tars[0]), "bootstrap")); !os.IsNotExist(err) {
		t.Errorf("a layer with a bootstrap that is a device, too: %v", err)
	}
	target, err := m.MountTarErofs(t.Context(), s.ID, s)
	ok(t, err)
	sameTree(t, target, unpacked(t, tars...))
}
