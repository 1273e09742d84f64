/* Every function with NULL where none is allowed. */
#ifndef ABUSE_NULL_H
#define ABUSE_NULL_H

#include "../kit.h"

static inline void null_everywhere(void) {
    uint8_t byte = 0;
    tarfs_layer *layer = NULL;
    tarfs_tree *tree = NULL;
    tarfs_ranges *ranges = NULL;
    tarfs_gpt *gpt = NULL;

    tarfs_error_free(NULL);
    tarfs_layer_free(NULL);
    tarfs_leaves_free(NULL);
    tarfs_tree_free(NULL);
    tarfs_layout_free(NULL);
    tarfs_hasher_free(NULL);
    tarfs_sealed_free(NULL);
    tarfs_string_free(NULL);
    tarfs_image_free(NULL);
    tarfs_ranges_free(NULL);
    tarfs_gpt_free(NULL);
    CHECK(tarfs_error_status(NULL) == TARFS_STATUS_INVALID_ARGUMENT);
    CHECK(tarfs_error_offset(NULL) == TARFS_OFFSET_NONE);
    CHECK(tarfs_error_errno(NULL) == 0);
    CHECK(strlen(tarfs_error_message(NULL)) > 0);
    CHECK(strlen(tarfs_version()) > 0 && tarfs_abi_version() == TARFS_ABI_VERSION);

    INVALID(tarfs_layer_new(NULL, NULL, &error));
    INVALID(tarfs_layer_push(NULL, NULL, 0, &error));
    INVALID(tarfs_layer_push(NULL, &byte, 1, &error));
    INVALID(tarfs_layer_push_source(NULL, NULL, 0, 0, NULL, NULL, &error));
    INVALID(tarfs_layer_push_fd(NULL, -1, NULL, NULL, &error));
    INVALID(tarfs_layer_finish(NULL, NULL, NULL, NULL, &error));
    INVALID(tarfs_leaves_new(NULL, NULL, 0, NULL, &error));
    INVALID(tarfs_leaves_read(NULL, NULL, 0, 0, 0, NULL, &error));
    INVALID(tarfs_leaves_digests(NULL, NULL, NULL, &error));
    INVALID(tarfs_verity_preset(NULL, NULL, &error));
    INVALID(tarfs_verity_seal(NULL, 0, NULL, NULL, 0, NULL, NULL, NULL, &error));
    INVALID(tarfs_verity_verify(NULL, NULL, NULL, 0, NULL, NULL, &error));
    INVALID(tarfs_tree_merge(NULL, 0, NULL, NULL, &error));
    INVALID(tarfs_tree_merge(NULL, 0, NULL, &tree, &error));
    INVALID(tarfs_tree_merge(NULL, 3, NULL, &tree, &error));
    INVALID(tarfs_sealed_parse(NULL, 0, 0, 0, NULL, NULL, &error));
    INVALID(tarfs_tree_change(NULL, NULL, NULL, &error));
    INVALID(tarfs_tree_change(NULL, NULL, &tree, &error));
    INVALID(tarfs_data_first_offset(1, 512, NULL, &error));
    INVALID(tarfs_tree_get_info(NULL, NULL, &error));
    INVALID(tarfs_tree_get_device(NULL, 0, NULL, &error));
    INVALID(tarfs_tree_lookup(NULL, NULL, 0, NULL, &error));
    INVALID(tarfs_tree_get_stat(NULL, 0, NULL, &error));
    INVALID(tarfs_tree_get_child(NULL, 0, 0, NULL, NULL, NULL, &error));
    INVALID(tarfs_tree_get_xattr(NULL, 0, 0, NULL, NULL, NULL, NULL, &error));
    INVALID(tarfs_tree_get_extent(NULL, 0, 0, NULL, &error));
    INVALID(tarfs_tree_read(NULL, 0, NULL, 0, 0, NULL, 0, NULL, &error));
    INVALID(tarfs_layout_new(NULL, NULL, NULL, &error));
    INVALID(tarfs_layout_get_info(NULL, NULL, &error));
    INVALID(tarfs_layout_get_device(NULL, 0, NULL, &error));
    INVALID(tarfs_layout_get_segment(NULL, 0, NULL, &error));
    INVALID(tarfs_layout_write_metadata(NULL, NULL, &error));
    INVALID(tarfs_layout_write_disk(NULL, NULL, 0, NULL, NULL, NULL, &error));
    INVALID(tarfs_layout_hash_disk(NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, &error));
    INVALID(tarfs_hasher_new(NULL, 0, NULL, NULL, &error));
    INVALID(tarfs_hasher_push(NULL, NULL, 0, &error));
    INVALID(tarfs_hasher_push_zeros(NULL, 0, &error));
    INVALID(tarfs_hasher_push_leaves(NULL, NULL, &error));
    INVALID(tarfs_hasher_finish(NULL, NULL, &error));
    INVALID(tarfs_sealed_new(NULL, 0, NULL, NULL, &error));
    INVALID(tarfs_sealed_from_superblock(NULL, 0, 0, 0, NULL, NULL, &error));
    INVALID(tarfs_sealed_get_info(NULL, NULL, &error));
    INVALID(tarfs_sealed_get_text(NULL, 0, NULL, NULL, NULL, NULL, &error));
    INVALID(tarfs_ranges_new(NULL, 0, NULL, &error));
    INVALID(tarfs_ranges_new(NULL, 1, &ranges, &error));
    INVALID(tarfs_ranges_of_disk(NULL, NULL, NULL, 0, NULL, NULL, 0, NULL, &error));
    INVALID(tarfs_ranges_of_disk(NULL, "", NULL, 0, NULL, NULL, 0, &ranges, &error));
    INVALID(tarfs_ranges_get_info(NULL, NULL, &error));
    INVALID(tarfs_ranges_get(NULL, 0, NULL, &error));
    INVALID(tarfs_ranges_get_text(NULL, 0, NULL, 0, 0, NULL, &error));
    INVALID(tarfs_gpt_new(NULL, 0, 0, NULL, &error));
    INVALID(tarfs_gpt_new(NULL, 1, 0, &gpt, &error));
    EXPECT(TARFS_STATUS_OUTPUT, tarfs_gpt_new(NULL, 0, 0, &gpt, &error));
    INVALID(tarfs_gpt_get_info(NULL, NULL, &error));
    INVALID(tarfs_gpt_get_partition(NULL, 0, NULL, &error));
    INVALID(tarfs_gpt_get_table(NULL, NULL, 0, &error));
    INVALID(tarfs_gpt_get_ranges(NULL, NULL, 0, NULL, 0, NULL, &error));
    INVALID(tarfs_image_open(NULL, 0, NULL, &error));
    INVALID(tarfs_image_get_info(NULL, NULL, &error));
    INVALID(tarfs_image_get_device(NULL, 0, NULL, &error));
    INVALID(tarfs_image_get_tree(NULL, NULL, NULL, &error));
    /* A padding that nobody wants is no mistake. */
    OK(tarfs_verity_padding(NULL, 0, NULL, &error));

    /* Nobody asks for the error. */
    CHECK(tarfs_layer_push(NULL, &byte, 1, NULL) == TARFS_STATUS_INVALID_ARGUMENT);
    OK(tarfs_layer_new(NULL, &layer, &error));
    INVALID(tarfs_layer_push(layer, NULL, 1, &error));
    INVALID(tarfs_layer_push(layer, &byte, SIZE_MAX, &error));
    /* Neither was an error of the layer's. */
    OK(tarfs_layer_push(layer, NULL, 0, &error));
    INVALID(tarfs_layer_finish(layer, NULL, NULL, NULL, &error));
    OK(tarfs_layer_finish(layer, NULL, &tree, NULL, &error));
    tarfs_layer_free(layer);
    tarfs_tree_free(tree);
}

#endif
