/* What the tests of the C API share: checks, and a small tar. */
#ifndef KIT_H
#define KIT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tarfs.h>

#define CHECK(what)                                                                                \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what);                     \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* The call returns this status; where it fails, it stores an error of the same status. */
#define EXPECT(status, call)                                                                       \
    do {                                                                                           \
        tarfs_error *error = NULL;                                                                 \
        int32_t got = (call);                                                                      \
        if (got != (status)) {                                                                     \
            fprintf(stderr, "%s:%d: %s: %d, wanted %d: %s\n", __FILE__, __LINE__, #call, (int)got, \
                    (int)(status), error ? tarfs_error_message(error) : "no error");               \
            exit(1);                                                                               \
        }                                                                                          \
        CHECK((got == 0) == (error == NULL));                                                      \
        if (error) {                                                                               \
            CHECK(tarfs_error_status(error) == got);                                               \
            CHECK(strlen(tarfs_error_message(error)) > 0);                                         \
            CHECK(tarfs_error_errno(error) >= 0);                                                  \
            (void)tarfs_error_offset(error);                                                       \
        }                                                                                          \
        tarfs_error_free(error);                                                                   \
    } while (0)

#define OK(call) EXPECT(TARFS_STATUS_OK, call)
#define INVALID(call) EXPECT(TARFS_STATUS_INVALID_ARGUMENT, call)

/* A struct of the library, its size set, everything else zero. */
#define STRUCT(type, name)                                                                         \
    type name;                                                                                     \
    memset(&name, 0, sizeof name);                                                                 \
    name.size = sizeof name

#define TAR_BYTES (512 * 9)

static inline void header(uint8_t *at, const char *name, char type, unsigned size, const char *link) {
    unsigned sum = 0, i;
    memset(at, 0, 512);
    snprintf((char *)at, 100, "%s", name);
    memcpy(at + 100, type == '5' ? "0000755" : "0000644", 8);
    memcpy(at + 108, "0000001", 8);
    memcpy(at + 116, "0000002", 8);
    snprintf((char *)at + 124, 12, "%011o", size);
    snprintf((char *)at + 136, 12, "%011o", 1234567890u);
    memset(at + 148, ' ', 8);
    at[156] = (uint8_t)type;
    snprintf((char *)at + 157, 100, "%s", link);
    memcpy(at + 257, "ustar\00000", 8);
    for (i = 0; i < 512; i++)
        sum += at[i];
    snprintf((char *)at + 148, 8, "%06o", sum);
}

/* A directory, a file of 700 bytes, a symbolic link, and the end. */
static inline void small_tar(uint8_t *tar) {
    unsigned i;
    memset(tar, 0, TAR_BYTES);
    header(tar, "dir/", '5', 0, "");
    header(tar + 512, "dir/file", '0', 700, "");
    for (i = 0; i < 700; i++)
        tar[1024 + i] = (uint8_t)(i * 7);
    header(tar + 2048, "dir/link", '2', 0, "file");
    header(tar + 2560, "empty", '0', 0, "");
}

/* Memory as a source and as a sink. */
struct memory {
    uint8_t *bytes;
    uint64_t len;
    int32_t fail; /* what the callback returns instead */
};

static inline int32_t memory_read(void *ctx, uint64_t offset, uint8_t *buf, size_t len) {
    struct memory *memory = ctx;
    if (memory->fail)
        return memory->fail;
    if (offset > memory->len || len > memory->len - offset)
        return 99;
    memcpy(buf, memory->bytes + offset, len);
    return 0;
}

static inline int32_t memory_write(void *ctx, uint64_t offset, const uint8_t *data, size_t len) {
    struct memory *memory = ctx;
    if (memory->fail)
        return memory->fail;
    if (offset > memory->len || len > memory->len - offset)
        return 98;
    memcpy(memory->bytes + offset, data, len);
    return 0;
}

static inline tarfs_source source_of(struct memory *memory) {
    STRUCT(tarfs_source, source);
    source.read = memory_read;
    source.ctx = memory;
    return source;
}

static inline tarfs_sink sink_of(struct memory *memory) {
    STRUCT(tarfs_sink, sink);
    sink.write = memory_write;
    sink.ctx = memory;
    return sink;
}

/* The tree of the small tar, its leaves too if they are wanted. */
static inline tarfs_tree *small_tree(const uint8_t *tar, tarfs_leaves **leaves) {
    tarfs_layer *layer = NULL;
    tarfs_tree *tree = NULL;
    STRUCT(tarfs_verity_params, params);
    STRUCT(tarfs_layer_options, options);
    options.flags = TARFS_LAYER_TAG_DIFF_ID;
    options.leaves = leaves ? &params : NULL;
    OK(tarfs_layer_new(&options, &layer, &error));
    OK(tarfs_layer_push(layer, tar, TAR_BYTES, &error));
    OK(tarfs_layer_finish(layer, NULL, &tree, leaves, &error));
    tarfs_layer_free(layer);
    return tree;
}

#endif
