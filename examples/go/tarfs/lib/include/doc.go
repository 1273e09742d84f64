// Package include holds tarfs.h, once `make -C examples/go lib` has put it here.
package include
