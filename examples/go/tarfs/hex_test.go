package tarfs_test

import "encoding/hex"

func hexOf(digest [32]byte) string {
	return hex.EncodeToString(digest[:])
}
