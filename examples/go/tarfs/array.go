package tarfs

// #include <tarfs.h>
import "C"

// Arrays of C have elements of another type.

func bytes32(from [32]C.uint8_t) (to [32]byte) {
	for i := range from {
		to[i] = byte(from[i])
	}
	return to
}

func bytes64(from [64]C.uint8_t) (to [64]byte) {
	for i := range from {
		to[i] = byte(from[i])
	}
	return to
}

func bytes16(from [16]C.uint8_t) (to [16]byte) {
	for i := range from {
		to[i] = byte(from[i])
	}
	return to
}

func uuid(from [16]byte) (to [16]C.uint8_t) {
	for i := range from {
		to[i] = C.uint8_t(from[i])
	}
	return to
}
