/* The calls that whole.h does not make, where they succeed. */
#ifndef OTHERS_H
#define OTHERS_H

#include <fcntl.h>
#include <unistd.h>

#include "exports.h"
#include "kit.h"

/* Layers by the other two ways in. */
static inline tarfs_tree *tree_of_fd(const uint8_t *tar, size_t len) {
    tarfs_layer *layer = NULL;
    tarfs_tree *tree = NULL;
    int ends[2];
    CHECK(pipe(ends) == 0); /* its room is enough: nobody need write on the side */
    CHECK(write(ends[1], tar, len) == (ssize_t)len);
    close(ends[1]);
    OK(tarfs_layer_new(NULL, &layer, &error));
    OK(tarfs_layer_push_fd(layer, ends[0], NULL, NULL, &error));
    close(ends[0]);
    OK(tarfs_layer_finish(layer, NULL, &tree, NULL, &error));
    tarfs_layer_free(layer);
    return tree;
}

/* A frame of zstd with one block that is as it was: no more than its first bytes and lengths. */
static inline tarfs_tree *tree_of_frame(const uint8_t *tar, size_t len, uint32_t compression) {
    STRUCT(tarfs_layer_options, options);
    tarfs_layer *layer = NULL;
    tarfs_tree *tree = NULL;
    uint8_t head[9] = {0x28, 0xb5, 0x2f, 0xfd, 0x60, (uint8_t)(len - 256), (uint8_t)((len - 256) >> 8)};
    uint8_t block[3] = {(uint8_t)(1 | len << 3), (uint8_t)(len >> 5), (uint8_t)(len >> 13)};
    options.compression = compression;
    OK(tarfs_layer_new(&options, &layer, &error));
    OK(tarfs_layer_push(layer, head, 3, &error)); /* not told yet */
    OK(tarfs_layer_push(layer, head + 3, 4, &error));
    OK(tarfs_layer_push(layer, block, sizeof block, &error));
    OK(tarfs_layer_push(layer, tar, len, &error));
    OK(tarfs_layer_finish(layer, NULL, &tree, NULL, &error));
    tarfs_layer_free(layer);
    OK(tarfs_layer_new(&options, &layer, &error));
    OK(tarfs_layer_push(layer, head, 7, &error));
    EXPECT(TARFS_STATUS_COMPRESSED, tarfs_layer_finish(layer, NULL, &tree, NULL, &error));
    tarfs_layer_free(layer);
    return tree;
}

static inline tarfs_tree *tree_of_source(const tarfs_source *source) {
    tarfs_layer *layer = NULL;
    tarfs_tree *tree = NULL;
    OK(tarfs_layer_new(NULL, &layer, &error));
    OK(tarfs_layer_push_source(layer, source, 0, TAR_BYTES, NULL, NULL, &error));
    OK(tarfs_layer_finish(layer, NULL, &tree, NULL, &error));
    tarfs_layer_free(layer);
    return tree;
}

/* A directory with an extended attribute. */
static inline void xattr_tar(uint8_t *tar) {
    static const char record[] = "25 SCHILY.xattr.user.a=b\n";
    memset(tar, 0, 512 * 5);
    header(tar, "x", 'x', sizeof record - 1, "");
    memcpy(tar + 512, record, sizeof record - 1);
    header(tar + 1024, "d/", '5', 0, "");
}

/* A root file system and its hash tree, the halves of the root hash their GUIDs. */
static inline void discoverable(void) {
    static const uint8_t root[32] = {1, 2, [15] = 3, [16] = 4, [31] = 5};
    tarfs_partition pair[2] = {{0}, {0}};
    STRUCT(tarfs_placed, placed);
    tarfs_gpt *gpt = NULL;
    for (unsigned i = 0; i < 2; i++) {
        pair[i].size = sizeof pair[i];
        pair[i].identity = root;
        pair[i].identity_len = sizeof root;
        pair[i].bytes = 4096;
        pair[i].role = i == 0 ? TARFS_PARTITION_ROOT : TARFS_PARTITION_ROOT_VERITY;
        pair[i].architecture = "amd64";
    }
    OK(tarfs_gpt_new(pair, 2, 0, &gpt, &error));
    for (unsigned i = 0; i < 2; i++) {
        OK(tarfs_gpt_get_partition(gpt, i, &placed, &error));
        CHECK(memcmp(placed.guid, root + 16 * i, 16) == 0);
        CHECK(placed.partition_type[0] == (i == 0 ? 0x4f : 0x2c));
    }
    tarfs_gpt_free(gpt);
    EXPECT(TARFS_STATUS_OUTPUT, tarfs_gpt_new(pair + 1, 1, 0, &gpt, &error));
    pair[1].architecture = "vax";
    INVALID(tarfs_gpt_new(pair, 2, 0, &gpt, &error));
    pair[1].architecture = NULL;
    INVALID(tarfs_gpt_new(pair, 2, 0, &gpt, &error));
    pair[1].role = 99;
    INVALID(tarfs_gpt_new(pair, 2, 0, &gpt, &error));
}

/* The disk of a layout over files as they lie, and as a partition. */
static inline void forms(const tarfs_layout *layout, uint64_t bytes) {
    static const char *const names[1] = {"tar"};
    tarfs_ranges *disk = NULL, *spare = NULL, *whole = NULL;
    tarfs_gpt *gpt = NULL;
    uint8_t *table;
    char *text = NULL;
    STRUCT(tarfs_ranges_info, info);
    STRUCT(tarfs_range, range);
    STRUCT(tarfs_partition, partition);
    STRUCT(tarfs_gpt_info, about);
    STRUCT(tarfs_placed, placed);

    OK(tarfs_ranges_of_disk(layout, "meta", names, 1, NULL, NULL, 0, &disk, &error));
    OK(tarfs_ranges_get_info(disk, &info, &error));
    CHECK(info.bytes == bytes && info.count >= 3);
    OK(tarfs_ranges_get(disk, 0, &range, &error));
    CHECK(range.offset == 0 && range.file_len == 4 && memcmp(range.file, "meta", 4) == 0);
    OK(tarfs_ranges_get_text(disk, TARFS_RANGES_DM_LINEAR, NULL, 0, 0, &text, &error));
    CHECK(strncmp(text, "0 8 linear meta 0\n", 18) == 0 || strstr(text, " linear tar 0\n") != NULL);
    tarfs_string_free(text);

    range.file = (const uint8_t *)"disk";
    range.bytes = bytes;
    OK(tarfs_ranges_new(&range, 1, &spare, &error));
    partition.name = (const uint8_t *)"base";
    partition.name_len = 4;
    partition.bytes = bytes;
    OK(tarfs_gpt_new(&partition, 1, 0, &gpt, &error));
    OK(tarfs_gpt_get_info(gpt, &about, &error));
    OK(tarfs_gpt_get_partition(gpt, 0, &placed, &error));
    CHECK(placed.offset == 1 << 20 && placed.bytes == bytes && about.partitions == 1);
    CHECK(placed.partition_type[0] == 0x0f && placed.partition_type[15] == 0xe4);
    table = malloc(about.head_bytes + about.tail_bytes);
    CHECK(table != NULL);
    OK(tarfs_gpt_get_table(gpt, table, about.head_bytes + about.tail_bytes, &error));
    CHECK(memcmp(table + 512, "EFI PART", 8) == 0);
    free(table);
    OK(tarfs_gpt_get_ranges(gpt, (const tarfs_ranges *const *)&spare, 1, "gpt", 0, &whole, &error));
    OK(tarfs_ranges_get_info(whole, &info, &error));
    CHECK(info.bytes == about.bytes && info.longest_zeros > 0);
    OK(tarfs_ranges_get_text(whole, TARFS_RANGES_VMDK, "gpt", 1 << 20, 1 << 20, &text, &error));
    CHECK(strstr(text, " FLAT \"disk\" 0\n") != NULL);
    tarfs_string_free(text);
    tarfs_ranges_free(whole);
    tarfs_ranges_free(spare);
    tarfs_ranges_free(disk);
    tarfs_gpt_free(gpt);
    discoverable();
}

/* Leaves out what is no directory, and labels the rest. */
static inline int32_t files_out(void *ctx, const uint8_t *path, size_t n, uint32_t mode, uint32_t flags,
                                uint32_t *excluded) {
    (void)ctx, (void)path, (void)n, (void)flags;
    *excluded = mode != 0040000;
    return 0;
}

static inline int32_t label_all(void *ctx, const uint8_t *path, size_t n, uint32_t mode, const uint8_t **label,
                                size_t *label_len) {
    (void)path, (void)mode;
    *label = ctx;
    *label_len = n ? 3 : 2;
    return 0;
}

/* Owners, times and what is left out; a disk's first device is where it is said ahead. */
static inline void changed_tree(const tarfs_tree *tree) {
    static const char *const paths[] = {"dir"};
    tarfs_tree *changed = NULL;
    tarfs_layout *layout = NULL;
    uint64_t offset = 0;
    char label[] = "abc";
    uint32_t inode = 0;
    const uint8_t *name, *value;
    size_t len, value_len;
    STRUCT(tarfs_changes, changes);
    STRUCT(tarfs_tree_info, info);
    STRUCT(tarfs_stat, stat);
    STRUCT(tarfs_layout_options, options);
    STRUCT(tarfs_device, device);

    changes.flags = TARFS_CHANGE_FORCE_UID | TARFS_CHANGE_FORCE_GID | TARFS_CHANGE_CLAMP_MTIME;
    changes.force_gid = 7;
    changes.uid_offset = 100000;
    changes.latest = -5;
    changes.latest_nsec = 6;
    OK(tarfs_tree_change(tree, &changes, &changed, &error));
    OK(tarfs_tree_get_stat(changed, 0, &stat, &error));
    CHECK(stat.uid == 100000 && stat.gid == 7 && stat.mtime == -5 && stat.mtime_nsec == 6);
    tarfs_tree_free(changed);
    changes.exclude = paths;
    changes.exclude_count = 1;
    OK(tarfs_tree_change(tree, &changes, &changed, &error));
    OK(tarfs_tree_get_info(changed, &info, &error));
    CHECK(info.names < 4 && info.devices == 1);

    options.artifact = TARFS_DISK_DATA_FIRST;
    OK(tarfs_layout_new(changed, &options, &layout, &error));
    OK(tarfs_layout_get_device(layout, 0, &device, &error));
    OK(tarfs_data_first_offset(1, 0, &offset, &error));
    CHECK(offset == device.disk_offset && offset == 4096);
    INVALID(tarfs_data_first_offset(1, 513, &offset, &error));
    INVALID(tarfs_data_first_offset(65536, 512, &offset, &error));
    tarfs_layout_free(layout);
    tarfs_tree_free(changed);

    changes.exclude_count = 0;
    changes.exclude_if = files_out;
    changes.label = label_all;
    changes.label_ctx = label;
    OK(tarfs_tree_change(tree, &changes, &changed, &error));
    OK(tarfs_tree_get_info(changed, &info, &error));
    CHECK(info.inodes == 2);
    OK(tarfs_tree_lookup(changed, (const uint8_t *)"dir", 3, &inode, &error));
    OK(tarfs_tree_get_xattr(changed, inode, 0, &name, &len, &value, &value_len, &error));
    CHECK(len == 16 && memcmp(name, "security.selinux", len) == 0);
    CHECK(value_len == 3 && memcmp(value, "abc", 3) == 0);
    OK(tarfs_tree_get_xattr(changed, 0, 0, &name, &len, &value, &value_len, &error));
    CHECK(value_len == 2);
    tarfs_tree_free(changed);
}

static inline void others(uint8_t *tar, const tarfs_tree *tree, const tarfs_leaves *leaves) {
    struct memory tar_memory = {0}, meta = {0}, hashes = {0};
    tarfs_source source, disk_source;
    tarfs_sink sink;
    const tarfs_tree *layers[2];
    tarfs_tree *merged = NULL, *streamed, *seeked, *marked;
    tarfs_layout *layout = NULL;
    tarfs_hasher *hasher = NULL;
    tarfs_sealed *sealed = NULL, *again = NULL;
    tarfs_leaves *copy = NULL;
    tarfs_image *image = NULL;
    uint8_t disk[16 << 10], hash_bytes[16 << 10], xattrs[512 * 5];
    const uint8_t *name, *value, *digests;
    size_t len, value_len, i;
    uint32_t child = 0;
    uint64_t padding = 0, end = 0;
    STRUCT(tarfs_tree_info, info);
    STRUCT(tarfs_stat, stat);
    STRUCT(tarfs_device, device);
    STRUCT(tarfs_segment, segment);
    STRUCT(tarfs_verity_params, params);
    STRUCT(tarfs_sealed_info, seal);
    STRUCT(tarfs_sealed_info, seal_again);
    STRUCT(tarfs_layout_options, options);
    STRUCT(tarfs_layout_info, plan);

    CHECK(strlen(tarfs_version()) > 0 && tarfs_abi_version() == TARFS_ABI_VERSION);
    tar_memory.bytes = tar;
    tar_memory.len = TAR_BYTES;
    source = source_of(&tar_memory);

    /* Trees: however the tar comes, and what is in them. */
    layers[0] = streamed = tree_of_fd(tar, TAR_BYTES);
    layers[1] = seeked = tree_of_source(&source);
    for (i = TARFS_COMPRESSION_AUTO; i <= TARFS_COMPRESSION_ZSTD; i += 2) {
        marked = tree_of_frame(tar, TAR_BYTES, (uint32_t)i);
        OK(tarfs_tree_get_info(marked, &info, &error));
        CHECK(info.inodes == 5 && info.names == 4);
        tarfs_tree_free(marked);
    }
    OK(tarfs_tree_merge(layers, 2, NULL, &merged, &error));
    OK(tarfs_tree_get_info(tree, &info, &error));
    CHECK(info.inodes == 5 && info.devices == 1);
    OK(tarfs_tree_get_info(merged, &info, &error));
    CHECK(info.inodes == 5 && info.names == 4);
    OK(tarfs_tree_get_device(tree, 0, &device, &error));
    CHECK(device.bytes == TAR_BYTES && device.tag_len == 64);
    OK(tarfs_tree_get_child(tree, 0, 0, &name, &len, &child, &error));
    CHECK(len == 3 && memcmp(name, "dir", 3) == 0);
    OK(tarfs_tree_get_stat(tree, child, &stat, &error));
    CHECK(stat.children == 2 && stat.uid == 1 && stat.gid == 2);
    xattr_tar(xattrs);
    marked = tree_of_fd(xattrs, sizeof xattrs);
    OK(tarfs_tree_get_child(marked, 0, 0, &name, &len, &child, &error));
    OK(tarfs_tree_get_xattr(marked, child, 0, &name, &len, &value, &value_len, &error));
    CHECK(len == 6 && memcmp(name, "user.a", 6) == 0 && value_len == 1 && *value == 'b');
    tarfs_tree_free(marked);
    changed_tree(merged);
    tarfs_tree_free(merged);
    tarfs_tree_free(seeked);
    tarfs_tree_free(streamed);

    /* A disk made by hand: segments cover it, metadata goes around the tar. */
    options.artifact = TARFS_DISK_DATA_FIRST;
    OK(tarfs_layout_new(tree, &options, &layout, &error));
    OK(tarfs_layout_get_info(layout, &plan, &error));
    CHECK(plan.disk_bytes <= sizeof disk);
    for (i = 0; end < plan.disk_bytes; i++) {
        OK(tarfs_layout_get_segment(layout, i, &segment, &error));
        CHECK(segment.offset == end && segment.bytes > 0);
        end += segment.bytes;
    }
    memset(disk, 0, sizeof disk);
    meta.bytes = disk;
    meta.len = plan.disk_bytes;
    sink = sink_of(&meta);
    OK(tarfs_layout_get_device(layout, 0, &device, &error));
    memcpy(disk + device.disk_offset, tar, TAR_BYTES);
    OK(tarfs_layout_write_metadata(layout, &sink, &error));
    forms(layout, plan.disk_bytes);
    tarfs_layout_free(layout);
    disk_source = source_of(&meta);
    OK(tarfs_image_open(&disk_source, meta.len, &image, &error));
    OK(tarfs_image_get_device(image, 0, &device, &error));
    CHECK(device.tag_len == 64);
    tarfs_image_free(image);

    /* Hash trees: with a superblock, of kept digests and zeros, named by a root alone. */
    OK(tarfs_verity_preset("nydus", &params, &error));
    OK(tarfs_verity_padding(&params, 1000, &padding, &error));
    CHECK(padding == 24);
    OK(tarfs_leaves_digests(leaves, &digests, &len, &error));
    OK(tarfs_leaves_new(&params, digests, len, &copy, &error));
    params.superblock = TARFS_SUPERBLOCK_DERIVED;
    hashes.bytes = hash_bytes;
    hashes.len = sizeof hash_bytes;
    memset(hash_bytes, 0, sizeof hash_bytes);
    sink = sink_of(&hashes);
    OK(tarfs_hasher_new(&params, TAR_BYTES + 4096, &sink, &hasher, &error));
    OK(tarfs_hasher_push_leaves(hasher, copy, &error));
    OK(tarfs_hasher_push_zeros(hasher, 4096, &error));
    OK(tarfs_hasher_finish(hasher, &sealed, &error));
    tarfs_hasher_free(hasher);
    tarfs_leaves_free(copy);
    OK(tarfs_sealed_get_info(sealed, &seal, &error));
    OK(tarfs_sealed_from_superblock(hash_bytes, 512, TARFS_HASH_OWN_FILE, 0, seal.root, &again,
                                    &error));
    OK(tarfs_sealed_get_info(again, &seal_again, &error));
    CHECK(memcmp(&seal, &seal_again, sizeof seal) == 0);
    tarfs_sealed_free(again);
    tarfs_sealed_free(sealed);
    sealed = NULL;
    OK(tarfs_sealed_new(NULL, TAR_BYTES, seal.root, &sealed, &error));
    tarfs_sealed_free(sealed);
    exports_made(tar, tree, leaves);
}

#endif
