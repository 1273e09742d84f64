/* The Go functions that the library calls back, as C sees them. */
#ifndef TARFS_GO_CALLBACK_H
#define TARFS_GO_CALLBACK_H

#include <stddef.h>
#include <stdint.h>

/* cgo has no const, but a name for it keeps it. */
typedef const uint8_t tarfs_go_bytes;

extern int32_t tarfs_go_read(void *ctx, uint64_t offset, uint8_t *buf, size_t len);
extern int32_t tarfs_go_write(void *ctx, uint64_t offset, tarfs_go_bytes *data, size_t len);
/* And none for text. */
typedef const char tarfs_go_text;

extern void tarfs_go_note(void *ctx, uint32_t kind, size_t layer, tarfs_go_bytes *path, size_t len, tarfs_go_text *text);
extern int32_t tarfs_go_exclude(void *ctx, tarfs_go_bytes *path, size_t len, uint32_t mode, uint32_t flags, uint32_t *excluded);
extern int32_t tarfs_go_label(void *ctx, tarfs_go_bytes *path, size_t len, uint32_t mode, tarfs_go_bytes **label, size_t *label_len);
extern int32_t tarfs_go_progress(void *ctx, uint64_t bytes);

#endif
