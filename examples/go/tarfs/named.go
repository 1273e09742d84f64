package tarfs

// #include <tarfs.h>
// #include "callback.h"
import "C"

import "unsafe"

// named is a name as C tells of it.
func named(path *C.tarfs_go_bytes, n C.size_t, mode, flags C.uint32_t) Named {
	where := string(unsafe.Slice((*byte)(path), int(n)))
	return Named{where, fileMode(uint32(mode)), StatFlags(flags)}
}

//export tarfs_go_exclude
func tarfs_go_exclude(ctx unsafe.Pointer, path *C.tarfs_go_bytes, n C.size_t, mode, flags C.uint32_t, excluded *C.uint32_t) C.int32_t {
	c := of(ctx)
	return c.outcome.run(func() error {
		yes, err := c.exclude(named(path, n, mode, flags))
		if yes {
			*excluded = 1
		}
		return err
	})
}

//export tarfs_go_label
func tarfs_go_label(ctx unsafe.Pointer, path *C.tarfs_go_bytes, n C.size_t, mode C.uint32_t, label **C.tarfs_go_bytes, labelLen *C.size_t) C.int32_t {
	c := of(ctx)
	return c.outcome.run(func() error {
		// C has copied the one before.
		c.answer.Unpin()
		text, err := c.label(named(path, n, mode, 0))
		if err != nil || text == "" {
			return err
		}
		first := unsafe.StringData(text)
		c.answer.Pin(first)
		*label, *labelLen = (*C.tarfs_go_bytes)(first), C.size_t(len(text))
		return nil
	})
}
