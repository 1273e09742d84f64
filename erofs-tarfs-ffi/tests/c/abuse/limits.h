/* Limits: none of a wrong size; and each at its edge, as tests/limits.rs has them of the library. */
#ifndef ABUSE_LIMITS_H
#define ABUSE_LIMITS_H

#include "../kit.h"

#define EDGES_BYTES (512 * 14)
#define HOLE "67108864" /* 64 MiB */

static inline size_t record(char *body, size_t at, const char *key, const char *value) {
    /* The length counts its own digits. */
    size_t len = strlen(key) + strlen(value) + 3, digits = len + 1 > 9 ? 2 : 1;
    return at + (size_t)sprintf(body + at, "%zu %s=%s\n", len + digits, key, value);
}

static inline uint8_t *extended(uint8_t *at, char type, const char *body, size_t len) {
    header(at, "pax", type, (unsigned)len, "");
    memcpy(at + 512, body, len);
    return at + 1024;
}

/* A global target and attribute; a file with an attribute, a sparse file, and a file 20 directories deep. */
static inline void edges_tar(uint8_t *tar) {
    char body[512];
    uint8_t *at = tar;
    size_t len;
    memset(tar, 0, EDGES_BYTES);
    len = record(body, 0, "linkpath", "0123456789");
    at = extended(at, 'g', body, record(body, len, "SCHILY.xattr.user.a", "0123456789"));
    at = extended(at, 'x', body, record(body, 0, "SCHILY.xattr.user.b", "value"));
    header(at, "a-long-name/f", '0', 0, "");
    at += 512;
    len = record(body, 0, "GNU.sparse.size", HOLE);
    len = record(body, len, "GNU.sparse.map", "512,1,67107840,1," HOLE ",0");
    at = extended(at, 'x', body, len);
    header(at, "s", '0', 2, "");
    memcpy(at + 512, "xy", 2);
    at += 1024;
    header(at, "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/f", '0', 0, "");
}

/* The tar, its tree merged, and its layout, under limits; the status of the first that fails, and its message. */
static inline int32_t under(const uint8_t *tar, tarfs_limits *limits, char *message, size_t room,
                            uint64_t *metadata) {
    tarfs_layer *layer = NULL;
    tarfs_tree *tree = NULL, *merged = NULL;
    tarfs_layout *layout = NULL;
    tarfs_error *error = NULL;
    int32_t status;
    STRUCT(tarfs_layer_options, layers);
    STRUCT(tarfs_merge_options, merge);
    STRUCT(tarfs_layout_options, how);
    layers.limits = merge.limits = how.limits = limits;
    status = tarfs_layer_new(&layers, &layer, &error);
    if (!status)
        status = tarfs_layer_push(layer, tar, EDGES_BYTES, &error);
    if (!status)
        status = tarfs_layer_finish(layer, NULL, &tree, NULL, &error);
    if (!status)
        status = tarfs_tree_merge((const tarfs_tree *const *)&tree, 1, &merge, &merged, &error);
    if (!status)
        status = tarfs_layout_new(merged, &how, &layout, &error);
    snprintf(message, room, "%s", error ? tarfs_error_message(error) : "");
    tarfs_error_free(error);
    if (!status && metadata) {
        STRUCT(tarfs_layout_info, info);
        OK(tarfs_layout_get_info(layout, &info, &error));
        *metadata = info.metadata_bytes;
    }
    tarfs_layout_free(layout);
    tarfs_tree_free(merged);
    tarfs_tree_free(tree);
    tarfs_layer_free(layer);
    return status;
}

static inline void limits_at_their_edges(void) {
    uint8_t tar[EDGES_BYTES];
    tarfs_layer *layer = NULL;
    char message[512], wanted[64];
    size_t i;
    STRUCT(tarfs_limits, limits);
    STRUCT(tarfs_limits, defaults);
    STRUCT(tarfs_layer_options, options);
    /* The field, how much the tar has of it, and who refuses more. */
    struct {
        const char *name;
        uint64_t *field, most;
        int32_t status;
    } rows[] = {
        {"max_bytes", &limits.max_bytes, EDGES_BYTES, TARFS_STATUS_TAR},
        {"max_entries", &limits.max_entries, 3, TARFS_STATUS_TREE},
        {"max_inodes", &limits.max_inodes, 1 + 2 + 1 + 21, TARFS_STATUS_TREE},
        {"max_implied", &limits.max_implied, 21 - 3 * 4, TARFS_STATUS_TREE},
        {"max_depth", &limits.max_depth, 21, TARFS_STATUS_TREE},
        {"max_path_bytes", &limits.max_path_bytes, 52, TARFS_STATUS_TAR},
        {"max_name_bytes", &limits.max_name_bytes, 11, TARFS_STATUS_TREE},
        {"max_extension_bytes", &limits.max_extension_bytes, 28 + 46, TARFS_STATUS_TAR},
        {"max_xattr_bytes", &limits.max_xattr_bytes, 27, TARFS_STATUS_TAR},
        {"max_global_path_bytes", &limits.max_global_path_bytes, 10, TARFS_STATUS_TAR},
        {"max_global_xattr_bytes", &limits.max_global_xattr_bytes, 32, TARFS_STATUS_TAR},
        {"max_sparse_segments", &limits.max_sparse_segments, 3, TARFS_STATUS_TAR},
        /* Attributes, with 8 bytes each for their lengths, of the first file with the global one and of the others
           without; and a block for each byte of the sparse file. */
        {"max_carried", &limits.max_carried, (8 + 6 + 10) + (8 + 6 + 5) + (8 + 6 + 10) + 2 * 512, TARFS_STATUS_TREE},
        /* 8 bytes for each block of the sparse file; nothing of it is in the tar, so there is no device to count. */
        {"max_table_bytes", &limits.max_table_bytes, (64 << 20) / 512 * 8, TARFS_STATUS_LAYOUT},
        {"max_metadata_bytes", &limits.max_metadata_bytes, 0, TARFS_STATUS_LAYOUT},
    };

    edges_tar(tar);
    CHECK(under(tar, NULL, message, sizeof message, &rows[sizeof rows / sizeof *rows - 1].most) == 0);
    for (i = 0; i < sizeof rows / sizeof *rows; i++) {
        *rows[i].field = rows[i].most;
        if (under(tar, &limits, message, sizeof message, NULL)) {
            fprintf(stderr, "%s: %s\n", rows[i].name, message);
            exit(1);
        }
        *rows[i].field = UINT64_MAX;
        CHECK(under(tar, &limits, message, sizeof message, NULL) == 0);
        *rows[i].field = rows[i].most - 1;
        CHECK(under(tar, &limits, message, sizeof message, NULL) == rows[i].status);
        snprintf(wanted, sizeof wanted, "are over the limit %s of %llu", rows[i].name,
                 (unsigned long long)rows[i].most - 1);
        if (!strstr(message, wanted)) {
            fprintf(stderr, "%s: %s\n", rows[i].name, message);
            exit(1);
        }
        *rows[i].field = 0;
    }

    /* Of before there was the struct, which counts where both are set. */
    options.max_entries = 2;
    OK(tarfs_layer_new(&options, &layer, &error));
    EXPECT(TARFS_STATUS_TREE, tarfs_layer_push(layer, tar, EDGES_BYTES, &error));
    tarfs_layer_free(layer);
    limits.max_entries = 3;
    options.limits = &limits;
    OK(tarfs_layer_new(&options, &layer, &error));
    OK(tarfs_layer_push(layer, tar, EDGES_BYTES, &error));
    tarfs_layer_free(layer);
    layer = NULL;

    INVALID(tarfs_limits_get_default(NULL, &error));
    defaults.size = 4;
    INVALID(tarfs_limits_get_default(&defaults, &error));
    limits.size = 4;
    INVALID(tarfs_layer_new(&options, &layer, &error));
    defaults.size = sizeof defaults;
    OK(tarfs_limits_get_default(&defaults, &error));
    CHECK(defaults.max_bytes == UINT64_MAX && defaults.max_ratio == 200 && defaults.max_name_bytes == 255);
    CHECK(defaults.size == sizeof defaults && defaults.max_json_bytes == 4 << 20);
}

#endif
