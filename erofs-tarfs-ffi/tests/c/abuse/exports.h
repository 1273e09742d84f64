/* Exports that cannot be: no file comes of them. */
#ifndef ABUSE_EXPORTS_H
#define ABUSE_EXPORTS_H

#include "../exports.h"

static inline int32_t stop(void *ctx, uint64_t bytes) {
    (void)bytes;
    return *(int32_t *)ctx;
}

/* Every call wrongly: a status, no crash, and no file. */
static inline void wrong_exports(uint8_t *tar) {
    tarfs_tree *tree = small_tree(tar, NULL);
    STRUCT(tarfs_export_layer, layer);
    STRUCT(tarfs_export_options, options);
    STRUCT(tarfs_exported_info, info);
    STRUCT(tarfs_device, device);
    tarfs_exported *made = NULL;
    tarfs_sealed *sealed = NULL;
    struct memory memory = {0};
    tarfs_source source;
    struct place place = place_of(&memory);
    const char *path = place.path;
    int32_t status = 42;

    tarfs_exported_free(NULL);
    CHECK(tarfs_exported_count(NULL) == 0);
    INVALID(tarfs_exported_get_info(NULL, 0, &info, &error));
    INVALID(tarfs_exported_get_sealed(NULL, 0, 0, &sealed, &error));
    INVALID(tarfs_exported_get_device(NULL, 0, 0, 0, &device, &error));
    INVALID(tarfs_export(NULL, 0, NULL, NULL, NULL, NULL, NULL, &error));
    INVALID(tarfs_export(NULL, 0, path, &options, NULL, NULL, &made, &error));
    INVALID(tarfs_export(NULL, 1, path, &options, NULL, NULL, &made, &error));
    INVALID(tarfs_export(&layer, 1, path, NULL, NULL, NULL, &made, &error));
    INVALID(tarfs_export(&layer, 1, path, &options, NULL, NULL, &made, &error)); /* no mode */
    options.mode = "image";
    INVALID(tarfs_export(&layer, 1, path, &options, NULL, NULL, &made, &error));
    options.mode = "image_block_with_verity";
    INVALID(tarfs_export(&layer, 1, path, &options, NULL, NULL, &made, &error)); /* no tar */
    layer.tree = tree;
    INVALID(tarfs_export(&layer, 1, "", &options, NULL, NULL, &made, &error));
    INVALID(tarfs_export(&layer, 1, path, &options, NULL, NULL, &made, &error)); /* no source */
    memory.bytes = tar;
    memory.len = TAR_BYTES;
    source = source_of(&memory);
    layer.sources = &source;
    layer.source_count = 1;
    layer.tar = path;
    INVALID(tarfs_export(&layer, 1, path, &options, NULL, NULL, &made, &error)); /* both */
    layer.tar = NULL;
    options.form = "qcow";
    INVALID(tarfs_export(&layer, 1, path, &options, NULL, NULL, &made, &error));
    options.form = "vmdk"; /* which is over files, and this is none */
    INVALID(tarfs_export(&layer, 1, path, &options, NULL, NULL, &made, &error));
    options.form = NULL;
    options.partitions = "dps"; /* without an architecture */
    INVALID(tarfs_export(&layer, 1, path, &options, NULL, NULL, &made, &error));
    options.architecture = "z80";
    INVALID(tarfs_export(&layer, 1, path, &options, NULL, NULL, &made, &error));
    options.partitions = options.architecture = NULL;
    options.flags = 2;
    INVALID(tarfs_export(&layer, 1, path, &options, NULL, NULL, &made, &error));
    options.flags = 0;
    EXPECT(TARFS_STATUS_IO,
           tarfs_export(&layer, 1, "/nowhere/at/all", &options, NULL, NULL, &made, &error));
    /* A callback's own number. */
    memory.fail = 77;
    EXPECT(77, tarfs_export(&layer, 1, path, &options, NULL, NULL, &made, &error));
    options.mode = "layer_verity_only";
    EXPECT(77, tarfs_export(&layer, 1, path, &options, NULL, NULL, &made, &error));
    memory.fail = 0;
    EXPECT(42, tarfs_export(&layer, 1, path, &options, stop, &status, &made, &error));
    /* A tar that is none. */
    layer.tree = NULL;
    layer.sources = NULL;
    layer.source_count = 0;
    layer.tar = "/nowhere.tar";
    layer.source_count = 1;
    INVALID(tarfs_export(&layer, 1, path, &options, NULL, NULL, &made, &error));
    layer.source_count = 0;
    EXPECT(TARFS_STATUS_IO, tarfs_export(&layer, 1, path, &options, NULL, NULL, &made, &error));
    CHECK(made == NULL && access(path, F_OK) != 0);
    tarfs_tree_free(tree);
}

#endif
