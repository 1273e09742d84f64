/* Ranges and partition tables that cannot be. */
#ifndef ABUSE_OUTPUTS_H
#define ABUSE_OUTPUTS_H

#include "../kit.h"

static inline void wrong_outputs(uint8_t *tar) {
    tarfs_tree *tree = small_tree(tar, NULL);
    tarfs_layout *layout = NULL;
    tarfs_ranges *ranges = NULL;
    tarfs_gpt *gpt = NULL;
    const char *names[1] = {"a tar"};
    uint8_t buf[64];
    char *text = NULL;
    STRUCT(tarfs_range, range);
    STRUCT(tarfs_partition, partition);
    STRUCT(tarfs_placed, placed);
    STRUCT(tarfs_layout_options, options);

    options.artifact = TARFS_DISK_METADATA_FIRST;
    OK(tarfs_layout_new(tree, &options, &layout, &error));
    INVALID(tarfs_ranges_of_disk(layout, "meta", names, 0, NULL, NULL, 0, &ranges, &error));
    names[0] = "\xff";
    INVALID(tarfs_ranges_of_disk(layout, "meta", names, 1, NULL, NULL, 0, &ranges, &error));
    names[0] = "a tar";
    OK(tarfs_ranges_of_disk(layout, "me\nta", names, 1, NULL, NULL, 0, &ranges, &error));
    EXPECT(TARFS_STATUS_NOT_FOUND, tarfs_ranges_get(ranges, 99, &range, &error));
    INVALID(tarfs_ranges_get_text(ranges, 99, NULL, 0, 0, &text, &error));
    EXPECT(TARFS_STATUS_OUTPUT,
           tarfs_ranges_get_text(ranges, TARFS_RANGES_DM_LINEAR, NULL, 0, 0, &text, &error));
    tarfs_ranges_free(ranges);
    range.bytes = 100;
    OK(tarfs_ranges_new(&range, 1, &ranges, &error)); /* zeros, but not whole sectors */
    EXPECT(TARFS_STATUS_OUTPUT,
           tarfs_ranges_get_text(ranges, TARFS_RANGES_VMDK, NULL, 0, 0, &text, &error));
    EXPECT(TARFS_STATUS_OUTPUT,
           tarfs_ranges_get_text(ranges, TARFS_RANGES_VMDK, "zeros", 0, 99, &text, &error));
    EXPECT(TARFS_STATUS_OUTPUT, tarfs_gpt_new(&partition, 1, 0, &gpt, &error));
    partition.bytes = 512;
    EXPECT(TARFS_STATUS_OUTPUT, tarfs_gpt_new(&partition, 1, 1000, &gpt, &error));
    OK(tarfs_gpt_new(&partition, 1, 512, &gpt, &error));
    EXPECT(TARFS_STATUS_NOT_FOUND, tarfs_gpt_get_partition(gpt, 1, &placed, &error));
    INVALID(tarfs_gpt_get_table(gpt, buf, sizeof buf, &error));
    EXPECT(TARFS_STATUS_OUTPUT,
           tarfs_gpt_get_ranges(gpt, (const tarfs_ranges *const *)&ranges, 1, "t", 0, &ranges, &error));
    tarfs_ranges_free(ranges);
    tarfs_gpt_free(gpt);
    range.file = (const uint8_t *)"\xff";
    range.file_len = 1;
    INVALID(tarfs_ranges_new(&range, 1, &ranges, &error));
    range.file_len = 0;
    range.file_offset = UINT64_MAX;
    EXPECT(TARFS_STATUS_OUTPUT, tarfs_ranges_new(&range, 1, &ranges, &error));
    tarfs_layout_free(layout);
    tarfs_tree_free(tree);
}

#endif
