// Package linux_arm64 holds libtarfs.a of this platform, once `make -C examples/go lib` has put it here.
package linux_arm64
