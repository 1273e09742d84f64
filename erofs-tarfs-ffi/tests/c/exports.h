/* Exports made of layers in all the ways that they can be given. */
#ifndef EXPORTS_H
#define EXPORTS_H

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kit.h"

/* Where nothing is left, in memory if there is room for files in it. */
struct place {
    char path[128];
};

static inline struct place place_of(const void *unique) {
    struct place place;
    const char *directory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(place.path, sizeof place.path, "%s/tarfs-c-%d-%p", directory, (int)getpid(), unique);
    return place;
}

/* The tar as a file, as a callback and as a tree with leaves: the same bytes and root. */
static inline void exports_made(uint8_t *tar, const tarfs_tree *tree, const tarfs_leaves *leaves) {
    STRUCT(tarfs_export_layer, layer);
    STRUCT(tarfs_export_options, options);
    struct memory memory = {tar, TAR_BYTES, 0};
    tarfs_source source = source_of(&memory);
    struct place place = place_of(&layer);
    char named[160];
    uint8_t root[3][32];
    int way;
    FILE *file;

    snprintf(named, sizeof named, "%s.tar", place.path);
    file = fopen(named, "wb");
    CHECK(file && fwrite(tar, 1, TAR_BYTES, file) == TAR_BYTES && fclose(file) == 0);
    options.mode = "image_block_with_verity";
    for (way = 0; way < 3; way++) {
        STRUCT(tarfs_exported_info, info);
        STRUCT(tarfs_sealed_info, seal);
        STRUCT(tarfs_device, device);
        tarfs_exported *made = NULL;
        tarfs_sealed *sealed = NULL;
        struct stat st;
        layer.tar = way == 0 ? named : NULL;
        layer.tree = way == 0 ? NULL : tree;
        layer.sources = way == 0 ? NULL : &source;
        layer.source_count = way == 0 ? 0 : 1;
        layer.leaves = way == 2 ? &leaves : NULL;
        OK(tarfs_export(&layer, 1, place.path, &options, NULL, NULL, &made, &error));
        CHECK(tarfs_exported_count(made) == 1);
        OK(tarfs_exported_get_info(made, 0, &info, &error));
        CHECK(strcmp(info.path, place.path) == 0 && info.devices == 1 && info.filesystems == 1);
        CHECK(stat(place.path, &st) == 0 && (uint64_t)st.st_size == info.bytes);
        OK(tarfs_exported_get_device(made, 0, 0, 0, &device, &error));
        CHECK(device.tag_len == 64 && device.disk_offset > 0);
        EXPECT(TARFS_STATUS_NOT_FOUND, tarfs_exported_get_device(made, 0, 0, 1, &device, &error));
        EXPECT(TARFS_STATUS_NOT_FOUND, tarfs_exported_get_info(made, 1, &info, &error));
        OK(tarfs_exported_get_sealed(made, 0, 0, &sealed, &error));
        tarfs_exported_free(made);
        OK(tarfs_sealed_get_info(sealed, &seal, &error));
        CHECK(seal.end == (uint64_t)st.st_size);
        memcpy(root[way], seal.root, 32);
        CHECK(memcmp(root[way], root[0], 32) == 0);
        tarfs_sealed_free(sealed);
    }
    CHECK(unlink(place.path) == 0 && unlink(named) == 0);
}

#endif
