package keep

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// IsHash says whether a name is a SHA-256 in hex.
func IsHash(name string) bool {
	_, err := hex.DecodeString(name)
	return err == nil && len(name) == hex.EncodedLen(sha256.Size) && strings.ToLower(name) == name
}

// KeyOf names something by all it is made of: plain structs and strings.
func KeyOf(parts ...any) string {
	sum := sha256.New()
	if err := json.NewEncoder(sum).Encode(parts); err != nil {
		panic(err) // not of plain structs and strings
	}
	return hex.EncodeToString(sum.Sum(nil))
}
