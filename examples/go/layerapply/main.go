// Layerapply extracts layers one over the other with the code of containerd or of moby. It is an
// oracle of the Rust tests: tests/wild/containerd.rs.
//
// Each line of its input is a directory and tars, with tabs between them; it answers each with a
// line, "ok" or the number of the tar that failed, a tab, and the error.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/containerd/containerd/v2/pkg/archive"
	"github.com/containerd/log"
	moby "github.com/moby/go-archive"
)

func containerd(root string, layer io.Reader) error {
	_, err := archive.Apply(context.Background(), root, layer)
	return err
}

func mobys(root string, layer io.Reader) error {
	_, err := moby.ApplyUncompressedLayer(root, layer, &moby.TarOptions{})
	return err
}

func main() {
	apply := map[string]func(string, io.Reader) error{"containerd": containerd, "moby": mobys}
	if len(os.Args) != 2 || apply[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: layerapply containerd|moby")
		os.Exit(2)
	}
	// Attributes that it passes over are its own affair.
	if err := log.SetLevel("error"); err != nil {
		panic(err)
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Split(lines.Text(), "\t")
		fmt.Println(all(apply[os.Args[1]], words[0], words[1:]))
	}
}

func all(apply func(string, io.Reader) error, root string, tars []string) string {
	for number, tar := range tars {
		f, err := os.Open(tar)
		if err == nil {
			err = apply(root, f)
			f.Close()
		}
		if err != nil {
			return fmt.Sprintf("%d\t%q", number, err)
		}
	}
	return "ok"
}
