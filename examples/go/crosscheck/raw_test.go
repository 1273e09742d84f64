package crosscheck

import (
	"fmt"
	"strings"
)

// raw is a tar, written byte by byte: what archive/tar would not write.
type raw struct{ strings.Builder }

// field puts text at a place of a header.
type field struct {
	at   int
	text string
}

// Fields by name.
func mtime(text string) field  { return field{136, text} }
func size(text string) field   { return field{124, text} }
func magic(text string) field  { return field{257, text} }
func mode(text string) field   { return field{100, text} }
func owner(text string) field  { return field{108, text} }
func target(text string) field { return field{157, text} }
func prefix(text string) field { return field{345, text} }
func major(text string) field  { return field{329, text} }

// add adds an entry: its fields, then its body.
func (r *raw) add(kind byte, name, body string, fields ...field) *raw {
	h := make([]byte, 512)
	copy(h, name)
	copy(h[100:], "0000644\x000000001\x000000002\x00")
	copy(h[124:], fmt.Sprintf("%011o\x0014524770400\x00", len(body)))
	h[156] = kind
	copy(h[257:], "ustar\x0000")
	for _, f := range fields {
		copy(h[f.at:], f.text)
	}
	copy(h[148:], "        ")
	sum := 0
	for _, b := range h {
		sum += int(b)
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
	r.Write(h)
	r.WriteString(body)
	r.WriteString(strings.Repeat("\x00", -len(body)&511))
	return r
}

// pax adds an extended header: "key=value" each.
func (r *raw) pax(kind byte, pairs ...string) *raw {
	var body strings.Builder
	for _, pair := range pairs {
		n := len(pair) + 3
		for len(fmt.Sprint(n))+len(pair)+2 != n {
			n++
		}
		fmt.Fprintf(&body, "%d %s\n", n, pair)
	}
	return r.add(kind, "PaxHeaders/x", body.String())
}

// end ends it, with so many zero blocks.
func (r *raw) end(blocks int) []byte {
	return []byte(r.String() + strings.Repeat("\x00", 512*blocks))
}
