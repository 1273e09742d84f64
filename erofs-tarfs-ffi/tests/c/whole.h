/* The whole pipeline over the small tar, in memory. */
#ifndef WHOLE_H
#define WHOLE_H

#include "kit.h"

/* What comes of it. */
struct whole {
    uint8_t *disk;
    uint64_t disk_bytes;
    uint8_t root[32];
};

/* Plans, writes, hashes with and without leaves, verifies, reads back. Objects may be shared. */
static inline struct whole whole(uint8_t *tar, const tarfs_tree *tree, const tarfs_leaves *leaves) {
    struct whole made = {0};
    struct memory tar_memory = {0}, disk = {0}, hashes = {0};
    tarfs_layout *layout = NULL;
    tarfs_sealed *sealed = NULL, *again = NULL;
    tarfs_image *image = NULL;
    tarfs_tree *back = NULL;
    tarfs_hasher *hasher = NULL;
    tarfs_source tar_source, disk_source, hash_source;
    tarfs_sink disk_sink, hash_sink;
    uint8_t hash_bytes[16 << 10], body[700];
    uint32_t inode = 0, i;
    size_t done = 0;
    char *text = NULL;
    tarfs_leaves *read = NULL;
    const uint8_t *digests, *read_digests;
    size_t len, read_len;
    STRUCT(tarfs_device, device);
    STRUCT(tarfs_layout_options, options);
    STRUCT(tarfs_layout_info, info);
    STRUCT(tarfs_sealed_info, seal);
    STRUCT(tarfs_image_info, super);
    STRUCT(tarfs_extent, extent);

    tar_memory.bytes = tar;
    tar_memory.len = TAR_BYTES;
    tar_source = source_of(&tar_memory);
    options.artifact = TARFS_DISK_DATA_FIRST;
    OK(tarfs_layout_new(tree, &options, &layout, &error));
    OK(tarfs_layout_get_info(layout, &info, &error));
    disk.len = made.disk_bytes = info.disk_bytes;
    disk.bytes = made.disk = calloc(1, (size_t)disk.len);
    CHECK(disk.bytes != NULL);
    disk_sink = sink_of(&disk);
    OK(tarfs_layout_write_disk(layout, &tar_source, 1, &disk_sink, NULL, NULL, &error));

    /* Hashed from its parts, with leaves, as written, and as it streams: the same root. */
    OK(tarfs_layout_hash_disk(layout, &tar_source, 1, NULL, NULL, NULL, NULL, NULL, &sealed, &error));
    OK(tarfs_sealed_get_info(sealed, &seal, &error));
    memcpy(made.root, seal.root, 32);
    tar_memory.fail = 1; /* whole blocks are kept: the tar is not read */
    OK(tarfs_layout_hash_disk(layout, &tar_source, 1, &leaves, NULL, NULL, NULL, NULL, &again,
                              &error));
    OK(tarfs_sealed_get_info(again, &seal, &error));
    CHECK(memcmp(made.root, seal.root, 32) == 0);
    tarfs_sealed_free(again);
    memset(hash_bytes, 0, sizeof hash_bytes);
    hashes.bytes = hash_bytes;
    hashes.len = sizeof hash_bytes;
    hash_sink = sink_of(&hashes);
    disk_source = source_of(&disk);
    hash_source = source_of(&hashes);
    again = NULL;
    OK(tarfs_verity_seal(&disk_source, disk.len, NULL, &hash_sink, 0, NULL, NULL, &again, &error));
    OK(tarfs_sealed_get_info(again, &seal, &error));
    CHECK(memcmp(made.root, seal.root, 32) == 0);
    OK(tarfs_verity_verify(&disk_source, &hash_source, again, 0, NULL, NULL, &error));
    /* The tree of the disk has the tar's leaves. */
    OK(tarfs_layout_get_device(layout, 0, &device, &error));
    OK(tarfs_leaves_read(&hash_source, again, device.disk_offset, TAR_BYTES, 0, &read, &error));
    OK(tarfs_leaves_digests(leaves, &digests, &len, &error));
    OK(tarfs_leaves_digests(read, &read_digests, &read_len, &error));
    CHECK(len == read_len && memcmp(digests, read_digests, len) == 0);
    tarfs_leaves_free(read);
    EXPECT(TARFS_STATUS_INVALID_ARGUMENT,
           tarfs_leaves_read(&hash_source, again, 1, 512, 1, &read, &error));
    hash_bytes[5] ^= 1;
    EXPECT(TARFS_STATUS_MISMATCH,
           tarfs_verity_verify(&disk_source, &hash_source, again, 0, NULL, NULL, &error));
    EXPECT(TARFS_STATUS_MISMATCH,
           tarfs_leaves_read(&hash_source, again, 0, UINT64_MAX, 0, &read, &error));
    tarfs_sealed_free(again);
    OK(tarfs_hasher_new(NULL, disk.len, NULL, &hasher, &error));
    OK(tarfs_hasher_push(hasher, disk.bytes, 1000, &error));
    OK(tarfs_hasher_push(hasher, disk.bytes + 1000, (size_t)disk.len - 1000, &error));
    again = NULL;
    OK(tarfs_hasher_finish(hasher, &again, &error));
    OK(tarfs_sealed_get_info(again, &seal, &error));
    CHECK(memcmp(made.root, seal.root, 32) == 0);
    tarfs_sealed_free(again);
    tarfs_hasher_free(hasher);
    OK(tarfs_sealed_get_text(sealed, TARFS_TEXT_NYDUS, NULL, NULL, NULL, &text, &error));
    CHECK(strstr(text, ",sha256:") != NULL);
    tarfs_string_free(text);
    tarfs_sealed_free(sealed);

    /* What others write down of it. */
    tarfs_verity_params params = {.size = sizeof params};
    OK(tarfs_verity_preset("containerd-4k", &params, &error));
    params.placement = TARFS_HASH_BEHIND_DATA;
    OK(tarfs_sealed_new(&params, 1 << 20, seal.root, &sealed, &error));
    OK(tarfs_sealed_get_text(sealed, TARFS_TEXT_EROFS_ANNOTATIONS, NULL, NULL, NULL, &text, &error));
    CHECK(strncmp(text, "{\"org.erofs.dmverity.hash_offset\":\"1048576\",", 44) == 0);
    tarfs_string_free(text);
    OK(tarfs_sealed_get_text(sealed, TARFS_TEXT_KATA_OPTIONS, NULL, NULL, NULL, &text, &error));
    CHECK(strncmp(text, "X-kata.dmverity-enabled=true,X-kata.dmverity.roothash=", 54) == 0);
    tarfs_string_free(text);
    tarfs_sealed_free(sealed);
    tarfs_layout_free(layout);

    /* Read back from the disk. */
    OK(tarfs_image_open(&disk_source, disk.len, &image, &error));
    OK(tarfs_image_get_info(image, &super, &error));
    CHECK(super.holds_devices == 1 && super.devices == 1 && super.end == disk.len);
    tarfs_image_options whole = {.size = sizeof whole, .flags = TARFS_IMAGE_WHOLE_FILE};
    tarfs_device file = {.size = sizeof file};
    OK(tarfs_image_get_tree(image, &whole, &back, &error));
    OK(tarfs_tree_get_device(back, 0, &file, &error));
    CHECK(file.bytes == disk.len && file.base_offset == 0);
    tarfs_tree_free(back);
    /* One that somebody else made may cost no more than a layer. */
    tarfs_limits limits = {.size = sizeof limits, .max_inodes = super.inodes};
    whole.limits = &limits;
    OK(tarfs_image_get_tree(image, &whole, &back, &error));
    tarfs_tree_free(back);
    limits.max_inodes--;
    tarfs_error *over = NULL;
    CHECK(tarfs_image_get_tree(image, &whole, &back, &over) == TARFS_STATUS_READ);
    CHECK(strstr(tarfs_error_message(over), "inodes are over the limit max_inodes of ") != NULL);
    tarfs_error_free(over);
    OK(tarfs_image_get_tree(image, NULL, &back, &error));
    tarfs_image_free(image);
    OK(tarfs_tree_lookup(back, (const uint8_t *)"dir/file", 8, &inode, &error));
    OK(tarfs_tree_get_extent(back, inode, 0, &extent, &error));
    CHECK(extent.bytes == 700 && extent.kind == TARFS_EXTENT_DEVICE);
    EXPECT(TARFS_STATUS_NOT_FOUND, tarfs_tree_get_extent(back, inode, 1, &extent, &error));
    OK(tarfs_tree_read(back, inode, &disk_source, 1, 0, body, sizeof body, &done, &error));
    CHECK(done == sizeof body);
    for (i = 0; i < sizeof body; i++)
        CHECK(body[i] == (uint8_t)(i * 7));
    tarfs_tree_free(back);
    return made;
}

#endif
