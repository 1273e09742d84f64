/* Layers and trees: at the wrong time, after an error, of what is not there. */
#ifndef ABUSE_TREES_H
#define ABUSE_TREES_H

#include "../kit.h"

static inline int32_t cancel(void *ctx, uint64_t bytes) {
    (void)bytes;
    return *(int32_t *)ctx;
}

static inline void layer_structs(void) {
    tarfs_layer *layer = NULL;
    struct {
        tarfs_layer_options now;
        uint64_t later;
    } newer;
    STRUCT(tarfs_layer_options, options);

    options.size = 0;
    INVALID(tarfs_layer_new(&options, &layer, &error));
    options.size = 4;
    INVALID(tarfs_layer_new(&options, &layer, &error));
    options.size = sizeof options;
    options.flags = 1u << 31;
    INVALID(tarfs_layer_new(&options, &layer, &error));
    options.flags = 0;
    options.compression = TARFS_COMPRESSION_BZIP2 + 1;
    INVALID(tarfs_layer_new(&options, &layer, &error));
    options.compression = TARFS_COMPRESSION_NONE;
    options.tag = (const uint8_t *)"x";
    options.tag_len = 65;
    INVALID(tarfs_layer_new(&options, &layer, &error));
    options.tag = NULL;
    INVALID(tarfs_layer_new(&options, &layer, &error));
    memset(&newer, 0, sizeof newer);
    newer.now.size = sizeof newer;
    OK(tarfs_layer_new(&newer.now, &layer, &error));
    tarfs_layer_free(layer);
    layer = NULL;
    newer.later = 1;
    INVALID(tarfs_layer_new(&newer.now, &layer, &error));
    CHECK(layer == NULL); /* outputs are written on success only */
}

static inline void layer_order(uint8_t *tar) {
    tarfs_layer *layer = NULL;
    tarfs_tree *tree = NULL;
    tarfs_leaves *leaves = NULL;
    int32_t stop = 42;
    struct memory memory = {tar, TAR_BYTES, 0};
    tarfs_source source = source_of(&memory);
    tarfs_sink sink = sink_of(&memory);
    STRUCT(tarfs_layer_options, options);
    uint8_t junk[512];

    /* After an error. */
    memset(junk, 'x', sizeof junk);
    OK(tarfs_layer_new(NULL, &layer, &error));
    EXPECT(TARFS_STATUS_TAR, tarfs_layer_push(layer, junk, sizeof junk, &error));
    EXPECT(TARFS_STATUS_WRONG_ORDER, tarfs_layer_push(layer, tar, 512, &error));
    EXPECT(TARFS_STATUS_WRONG_ORDER, tarfs_layer_finish(layer, NULL, &tree, NULL, &error));
    tarfs_layer_free(layer);
    /* Cut short. */
    OK(tarfs_layer_new(NULL, &layer, &error));
    OK(tarfs_layer_push(layer, tar, 1500, &error));
    EXPECT(TARFS_STATUS_TAR, tarfs_layer_finish(layer, NULL, &tree, NULL, &error));
    EXPECT(TARFS_STATUS_WRONG_ORDER, tarfs_layer_finish(layer, NULL, &tree, NULL, &error));
    tarfs_layer_free(layer);
    /* After the end. */
    OK(tarfs_layer_new(NULL, &layer, &error));
    OK(tarfs_layer_push(layer, tar, TAR_BYTES, &error));
    OK(tarfs_layer_finish(layer, NULL, &tree, &leaves, &error));
    CHECK(leaves == NULL);
    EXPECT(TARFS_STATUS_WRONG_ORDER, tarfs_layer_push(layer, tar, 512, &error));
    EXPECT(TARFS_STATUS_WRONG_ORDER, tarfs_layer_finish(layer, NULL, &tree, NULL, &error));
    tarfs_layer_free(layer);
    tarfs_tree_free(tree);
    /* Cancelled, and a source and a tee that fail: their numbers come back. */
    OK(tarfs_layer_new(NULL, &layer, &error));
    EXPECT(42, tarfs_layer_push_source(layer, &source, 0, TAR_BYTES, cancel, &stop, &error));
    EXPECT(TARFS_STATUS_WRONG_ORDER, tarfs_layer_push(layer, tar, 512, &error));
    tarfs_layer_free(layer);
    memory.fail = 77;
    OK(tarfs_layer_new(NULL, &layer, &error));
    EXPECT(77, tarfs_layer_push_source(layer, &source, 0, TAR_BYTES, NULL, NULL, &error));
    tarfs_layer_free(layer);
    options.tee = &sink;
    memory.fail = -5;
    OK(tarfs_layer_new(&options, &layer, &error));
    EXPECT(-5, tarfs_layer_push(layer, tar, TAR_BYTES, &error));
    tarfs_layer_free(layer);
    memory.fail = 0;
    OK(tarfs_layer_new(NULL, &layer, &error));
    INVALID(tarfs_layer_push_source(layer, &source, UINT64_MAX, 2, NULL, NULL, &error));
    EXPECT(99, tarfs_layer_push_source(layer, &source, TAR_BYTES, 1, NULL, NULL, &error));
    tarfs_layer_free(layer);
    /* No such file. */
    OK(tarfs_layer_new(NULL, &layer, &error));
    INVALID(tarfs_layer_push_fd(layer, -1, NULL, NULL, &error));
    EXPECT(TARFS_STATUS_IO, tarfs_layer_push_fd(layer, 987654, NULL, NULL, &error));
    source.read = NULL;
    source.fd = -3;
    INVALID(tarfs_layer_push_source(layer, &source, 0, 1, NULL, NULL, &error));
    tarfs_layer_free(layer);
}

/* What a callback of changes answers. */
struct answer {
    int32_t status;
    const char *label;
    size_t label_len, times;
};

static int32_t answer_exclude(void *ctx, const uint8_t *path, size_t n, uint32_t mode, uint32_t flags,
                              uint32_t *excluded) {
    struct answer *answer = ctx;
    (void)mode, (void)flags;
    CHECK(n > 0 && path[0] != 0);
    answer->times++;
    *excluded = 1; /* not looked at where the call ends */
    return answer->status;
}

static int32_t answer_label(void *ctx, const uint8_t *path, size_t n, uint32_t mode, const uint8_t **label,
                            size_t *label_len) {
    struct answer *answer = ctx;
    CHECK(path != NULL && (n > 0 || (mode == 0040000 && path[0] == 0)));
    answer->times++;
    *label = (const uint8_t *)answer->label;
    *label_len = answer->label_len;
    return answer->status;
}

/* A callback that ends the call is not called again, its number comes back, and there is no tree; a label that
 * is none is an error. */
static inline void wrong_choices(const tarfs_tree *tree) {
    static char text[65536];
    struct answer answer = {0};
    tarfs_tree *other = NULL;
    tarfs_exported *made = NULL;
    STRUCT(tarfs_changes, changes);
    STRUCT(tarfs_export_options, options);
    STRUCT(tarfs_export_layer, layer);
    STRUCT(tarfs_source, source);
    uint8_t none[TAR_BYTES] = {0};
    struct memory memory = {0};
    int i;

    memory.bytes = none;
    memory.len = sizeof none;
    source = source_of(&memory);
    layer.tree = tree;
    layer.sources = &source;
    layer.source_count = 1;
    options.mode = "layer_block";
    options.changes = &changes;
    changes.exclude_ctx = changes.label_ctx = &answer;
    for (i = 0; i < 2; i++) {
        changes.exclude_if = i ? NULL : answer_exclude;
        changes.label = i ? answer_label : NULL;
        answer.status = i ? -4321 : 4321;
        answer.times = 0;
        EXPECT(answer.status, tarfs_tree_change(tree, &changes, &other, &error));
        CHECK(answer.times == 1 && other == NULL);
        EXPECT(answer.status,
               tarfs_export(&layer, 1, "/no/such/directory", &options, NULL, NULL, &made, &error));
        CHECK(answer.times == 2 && made == NULL);
        answer.status = 0;
    }
    answer.label_len = 1;
    INVALID(tarfs_tree_change(tree, &changes, &other, &error)); /* a label at NULL */
    answer.label_len = SIZE_MAX;
    answer.label = text;
    INVALID(tarfs_tree_change(tree, &changes, &other, &error));
    answer.label_len = 0; /* there, and empty */
    EXPECT(TARFS_STATUS_TREE, tarfs_tree_change(tree, &changes, &other, &error));
    answer.label_len = sizeof text; /* one too many */
    EXPECT(TARFS_STATUS_TREE, tarfs_tree_change(tree, &changes, &other, &error));
    CHECK(other == NULL);
    answer.label_len--;
    OK(tarfs_tree_change(tree, &changes, &other, &error));
    tarfs_tree_free(other);
    /* All that is there is left out. */
    changes.label = NULL;
    changes.exclude_if = answer_exclude;
    OK(tarfs_tree_change(tree, &changes, &other, &error));
    {
        STRUCT(tarfs_tree_info, info);
        OK(tarfs_tree_get_info(other, &info, &error));
        CHECK(info.inodes == 1);
    }
    tarfs_tree_free(other);
}

static inline void wrong_changes(const tarfs_tree *tree) {
    tarfs_tree *other = NULL;
    const char *paths[] = {"dir", NULL};
    STRUCT(tarfs_changes, changes);

    changes.flags = 8;
    INVALID(tarfs_tree_change(tree, &changes, &other, &error));
    changes.flags = 0;
    changes.latest_nsec = 1000000000;
    INVALID(tarfs_tree_change(tree, &changes, &other, &error));
    changes.latest_nsec = 0;
    changes.exclude_count = 2;
    INVALID(tarfs_tree_change(tree, &changes, &other, &error));
    changes.exclude = paths;
    INVALID(tarfs_tree_change(tree, &changes, &other, &error));
    changes.exclude_count = 1;
    changes.uid_offset = -1;
    EXPECT(TARFS_STATUS_TREE, tarfs_tree_change(tree, &changes, &other, &error));
    CHECK(other == NULL);
    wrong_choices(tree);
}

static inline void wrong_trees(uint8_t *tar) {
    tarfs_tree *tree = small_tree(tar, NULL), *other = NULL;
    const tarfs_tree *layers[2];
    uint8_t buf[64];
    size_t done = 5;
    uint32_t inode = 0;
    struct memory memory = {tar, TAR_BYTES, 0};
    tarfs_source source = source_of(&memory);
    STRUCT(tarfs_stat, stat);
    STRUCT(tarfs_device, device);
    STRUCT(tarfs_merge_options, merge);

    EXPECT(TARFS_STATUS_NOT_FOUND, tarfs_tree_lookup(tree, (const uint8_t *)"no", 2, &inode, &error));
    EXPECT(TARFS_STATUS_NOT_FOUND, tarfs_tree_get_stat(tree, 9999, &stat, &error));
    EXPECT(TARFS_STATUS_NOT_FOUND, tarfs_tree_get_device(tree, 1, &device, &error));
    EXPECT(TARFS_STATUS_NOT_FOUND, tarfs_tree_get_child(tree, 0, 99, NULL, NULL, NULL, &error));
    EXPECT(TARFS_STATUS_NOT_FOUND,
           tarfs_tree_get_xattr(tree, 0, 0, NULL, NULL, NULL, NULL, &error));
    INVALID(tarfs_tree_read(tree, 0, NULL, 0, 0, buf, sizeof buf, &done, &error));
    OK(tarfs_tree_lookup(tree, (const uint8_t *)"/dir/file", 9, &inode, &error));
    INVALID(tarfs_tree_read(tree, inode, NULL, 0, 0, buf, sizeof buf, &done, &error));
    INVALID(tarfs_tree_read(tree, inode, &source, 1, 0, NULL, 1, &done, &error));
    CHECK(done == 5);
    OK(tarfs_tree_read(tree, inode, &source, 1, UINT64_MAX, buf, sizeof buf, &done, &error));
    CHECK(done == 0);
    OK(tarfs_tree_read(tree, inode, &source, 1, 690, buf, sizeof buf, &done, &error));
    CHECK(done == 10 && buf[0] == (uint8_t)(690 * 7));

    layers[0] = tree;
    layers[1] = NULL;
    INVALID(tarfs_tree_merge(layers, 2, NULL, &other, &error));
    INVALID(tarfs_tree_merge(layers, SIZE_MAX, NULL, &other, &error));
    layers[1] = tree;
    OK(tarfs_tree_merge(layers, 2, NULL, &other, &error));
    merge.flags = 8;
    INVALID(tarfs_tree_merge(layers, 2, &merge, &other, &error));
    tarfs_tree_free(other);
    wrong_changes(tree);
    tarfs_tree_free(tree);
}

/* The diffID on a thread of its own is the same; the thread ends with the layer, finished or not. */
static inline void apart(const uint8_t *tar) {
    static const size_t len = 3 << 20; /* most of it behind the end mark */
    uint8_t *big = calloc(1, len), diff_id[2][32];
    uint32_t i;
    CHECK(big != NULL);
    memcpy(big, tar, TAR_BYTES);
    for (i = 0; i < 4; i++) {
        tarfs_layer *layer = NULL;
        tarfs_tree *tree = NULL;
        STRUCT(tarfs_layer_options, options);
        STRUCT(tarfs_layer_info, info);
        STRUCT(tarfs_device, device);
        struct memory memory = {0};
        tarfs_source source;
        memory.bytes = big;
        memory.len = len;
        source = source_of(&memory);
        options.flags = TARFS_LAYER_TAG_DIFF_ID | (i ? TARFS_LAYER_THREAD : 0);
        OK(tarfs_layer_new(&options, &layer, &error));
        if (i < 2) {
            OK(tarfs_layer_push(layer, big, 1000, &error));
            OK(tarfs_layer_push_source(layer, &source, 1000, len - 1000, NULL, NULL, &error));
            OK(tarfs_layer_finish(layer, &info, &tree, NULL, &error));
            CHECK(info.has_diff_id == 1 && info.bytes == len);
            memcpy(diff_id[i], info.diff_id, 32);
            OK(tarfs_tree_get_device(tree, 0, &device, &error));
            CHECK(device.tag_len == 64);
        } else if (i == 2) { /* dropped half way */
            OK(tarfs_layer_push(layer, big, len / 2, &error));
        } else { /* an error half way */
            memory.fail = 5;
            OK(tarfs_layer_push(layer, big, len / 2, &error));
            EXPECT(5, tarfs_layer_push_source(layer, &source, 0, 1, NULL, NULL, &error));
        }
        tarfs_tree_free(tree);
        tarfs_layer_free(layer);
    }
    CHECK(memcmp(diff_id[0], diff_id[1], 32) == 0);
    free(big);
}

#endif
