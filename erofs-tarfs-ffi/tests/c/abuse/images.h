/* Layouts, disks and images that cannot be. */
#ifndef ABUSE_IMAGES_H
#define ABUSE_IMAGES_H

#include "../kit.h"

static inline void wrong_layouts(uint8_t *tar) {
    tarfs_tree *tree = small_tree(tar, NULL);
    tarfs_layout *layout = NULL;
    tarfs_sealed *sealed = NULL;
    struct memory memory = {tar, TAR_BYTES, 0};
    tarfs_source source = source_of(&memory), sources[2];
    STRUCT(tarfs_layout_options, options);
    STRUCT(tarfs_device, device);
    STRUCT(tarfs_segment, segment);
    STRUCT(tarfs_layout_info, layout_info);
    STRUCT(tarfs_verity_params, params);
    STRUCT(tarfs_sink, sink);

    sources[0] = sources[1] = source;
    INVALID(tarfs_uuid_of_blob(NULL, options.uuid, &error));
    INVALID(tarfs_uuid_of_blob("sha256", options.uuid, &error));
    INVALID(tarfs_uuid_of_blob("sha256:", options.uuid, &error));
    INVALID(tarfs_uuid_of_blob("sha256:0123456789ABCDEF0123456789ABCDEF", options.uuid, &error));
    INVALID(tarfs_uuid_of_blob("sha256:0123456789abcdef0123456789abcdef", NULL, &error));
    OK(tarfs_uuid_of_blob("sha256:0123456789abcdef0123456789abcdef", options.uuid, &error));
    CHECK(options.uuid[6] >> 4 == 5); /* version 5 */
    options.artifact = 9;
    INVALID(tarfs_layout_new(tree, &options, &layout, &error));
    options.artifact = TARFS_DISK_METADATA_FIRST;
    options.block_size = 777;
    INVALID(tarfs_layout_new(tree, &options, &layout, &error));
    options.block_size = 4096; /* the tar's bodies are not at such blocks */
    EXPECT(TARFS_STATUS_LAYOUT, tarfs_layout_new(tree, &options, &layout, &error));
    options.flags = TARFS_LAYOUT_COPY_BODIES;
    OK(tarfs_layout_new(tree, &options, &layout, &error));
    OK(tarfs_layout_get_info(layout, &layout_info, &error));
    CHECK(layout_info.devices == 1 && layout_info.copied_bytes > 0);
    EXPECT(TARFS_STATUS_NOT_FOUND, tarfs_layout_get_device(layout, 1, &device, &error));
    params.data_block = 8192; /* Linux would not mount blocks of 4096 over it */
    INVALID(tarfs_layout_hash_disk(layout, &source, 1, NULL, &params, NULL, NULL, NULL, &sealed, &error));
    params.flags = TARFS_VERITY_ANY_DATA_BLOCK;
    OK(tarfs_layout_hash_disk(layout, &source, 1, NULL, &params, NULL, NULL, NULL, &sealed, &error));
    tarfs_sealed_free(sealed);
    params.flags = 1u << 31;
    INVALID(tarfs_layout_hash_disk(layout, &source, 1, NULL, &params, NULL, NULL, NULL, &sealed, &error));
    tarfs_layout_free(layout);
    options.flags = 0;
    options.block_size = 512;
    options.align = 1000;
    EXPECT(TARFS_STATUS_LAYOUT, tarfs_layout_new(tree, &options, &layout, &error));
    options.align = 0;
    options.volume_name = (const uint8_t *)"0123456789abcdef";
    options.volume_name_len = 16;
    EXPECT(TARFS_STATUS_LAYOUT, tarfs_layout_new(tree, &options, &layout, &error));
    options.volume_name_len = 0;
    OK(tarfs_layout_new(tree, &options, &layout, &error));
    EXPECT(TARFS_STATUS_NOT_FOUND, tarfs_layout_get_device(layout, 1, &device, &error));
    EXPECT(TARFS_STATUS_NOT_FOUND, tarfs_layout_get_segment(layout, 99, &segment, &error));
    sink.fd = -1;
    INVALID(tarfs_layout_write_metadata(layout, &sink, &error));
    INVALID(tarfs_layout_write_disk(layout, NULL, 0, &sink, NULL, NULL, &error));
    INVALID(tarfs_layout_write_disk(layout, sources, 2, &sink, NULL, NULL, &error));
    sources[1].size = 8;
    INVALID(tarfs_layout_hash_disk(layout, sources, 2, NULL, NULL, NULL, NULL, NULL, &sealed, &error));
    memory.fail = 31;
    EXPECT(31, tarfs_layout_hash_disk(layout, &source, 1, NULL, NULL, NULL, NULL, NULL, &sealed,
                                      &error));
    tarfs_layout_free(layout);
    tarfs_tree_free(tree);
}

static inline void wrong_images(uint8_t *tar) {
    tarfs_image *image = NULL;
    struct memory memory = {tar, TAR_BYTES, 0};
    tarfs_source source = source_of(&memory);

    EXPECT(TARFS_STATUS_READ, tarfs_image_open(&source, TAR_BYTES, &image, &error));
    EXPECT(TARFS_STATUS_READ, tarfs_image_open(&source, 0, &image, &error));
    EXPECT(TARFS_STATUS_READ, tarfs_image_open(&source, 100, &image, &error));
    EXPECT(99, tarfs_image_open(&source, UINT64_MAX, &image, &error));
}

#endif
