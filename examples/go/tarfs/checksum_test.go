package tarfs_test

import "fmt"

// fixChecksum makes the checksum of the header at the start of a tar right again.
func fixChecksum(tar []byte) {
	for at := 0; at+512 <= len(tar); at += 512 {
		header := tar[at : at+512]
		if string(header[257:262]) != "ustar" || header[156] == 'x' {
			continue
		}
		copy(header[148:156], "        ")
		sum := 0
		for _, b := range header {
			sum += int(b)
		}
		copy(header[148:156], fmt.Sprintf("%06o\x00 ", sum))
	}
}
