/*
 * Panics at every point where a call can, one a process: each comes back as a status, and nothing
 * crashes afterwards. Needs the library built with --features inject-panics, which panics at the
 * point whose number is in TARFS_INJECT_PANIC.
 */
#define _POSIX_C_SOURCE 200809L
#include <sys/wait.h>
#include <unistd.h>

#include "exports.h"
#include "kit.h"

static uint8_t tar[TAR_BYTES];
static int panics, poisoned;

/* Makes the call; after a panic makes it again: that answers too, for a handle "poisoned". */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        tarfs_error *error = NULL;                                                                 \
        int32_t got = (call);                                                                      \
        if (got == TARFS_STATUS_PANIC) {                                                           \
            CHECK(strstr(tarfs_error_message(error), "injected") != NULL);                         \
            tarfs_error_free(error);                                                               \
            error = NULL;                                                                          \
            panics++;                                                                              \
            got = (call);                                                                          \
            poisoned += got == TARFS_STATUS_POISONED;                                              \
        }                                                                                          \
        CHECK(got <= 0);                                                                           \
        tarfs_error_free(error);                                                                   \
    } while (0)

static void pipeline(void) {
    tarfs_layer *layer = NULL;
    tarfs_tree *tree = NULL, *merged = NULL, *back = NULL;
    tarfs_leaves *leaves = NULL;
    tarfs_layout *layout = NULL;
    tarfs_hasher *hasher = NULL;
    tarfs_sealed *sealed = NULL, *again = NULL;
    tarfs_image *image = NULL;
    tarfs_ranges *ranges = NULL, *whole = NULL;
    tarfs_gpt *gpt = NULL;
    const char *const names[1] = {"tar"};
    uint8_t table[64 << 10];
    const uint8_t *bytes = NULL;
    static uint8_t disk_bytes[64 << 10];
    uint8_t body[10];
    size_t len = 0;
    uint64_t padding = 0;
    uint32_t inode = 0;
    char *text = NULL;
    struct memory tar_memory = {0}, disk = {0};
    tarfs_source tar_source, disk_source;
    tarfs_sink disk_sink;
    struct place place = place_of(&tar_memory);
    tarfs_exported *made = NULL;
    STRUCT(tarfs_export_layer, export_layer);
    STRUCT(tarfs_export_options, export_options);
    STRUCT(tarfs_exported_info, exported_info);
    STRUCT(tarfs_layer_options, options);
    STRUCT(tarfs_verity_params, params);
    STRUCT(tarfs_layout_info, layout_info);
    STRUCT(tarfs_tree_info, tree_info);
    STRUCT(tarfs_image_info, image_info);
    STRUCT(tarfs_sealed_info, sealed_info);
    STRUCT(tarfs_device, device);
    STRUCT(tarfs_segment, segment);
    STRUCT(tarfs_stat, stat);
    STRUCT(tarfs_extent, extent);
    STRUCT(tarfs_range, range);
    STRUCT(tarfs_ranges_info, ranges_info);
    STRUCT(tarfs_partition, partition);
    STRUCT(tarfs_placed, placed);
    STRUCT(tarfs_gpt_info, gpt_info);

    tar_memory.bytes = tar;
    tar_memory.len = TAR_BYTES;
    disk.bytes = disk_bytes;
    disk.len = sizeof disk_bytes;
    tar_source = source_of(&tar_memory);
    disk_source = source_of(&disk);
    disk_sink = sink_of(&disk);
    TRY(tarfs_verity_preset("nydus", &params, &error));
    TRY(tarfs_verity_padding(&params, 1, &padding, &error));
    options.leaves = &params;
    TRY(tarfs_layer_new(&options, &layer, &error));
    TRY(tarfs_layer_push(layer, tar, 512, &error));
    TRY(tarfs_layer_push_source(layer, &tar_source, 512, TAR_BYTES - 512, NULL, NULL, &error));
    TRY(tarfs_layer_push_fd(layer, 0, NULL, NULL, &error));
    TRY(tarfs_layer_finish(layer, NULL, &tree, &leaves, &error));
    if (!tree) { /* the layer is poisoned: go on with another */
        tarfs_layer_free(layer);
        layer = NULL;
        OK(tarfs_layer_new(&options, &layer, &error));
        OK(tarfs_layer_push(layer, tar, TAR_BYTES, &error));
        OK(tarfs_layer_finish(layer, NULL, &tree, &leaves, &error));
    }
    TRY(tarfs_leaves_digests(leaves, &bytes, &len, &error));
    tarfs_leaves_free(leaves);
    leaves = NULL;
    TRY(tarfs_leaves_new(&params, tar, 64, &leaves, &error));
    TRY(tarfs_tree_merge((const tarfs_tree *const *)&tree, 1, NULL, &merged, &error));
    TRY(tarfs_tree_get_info(tree, &tree_info, &error));
    TRY(tarfs_tree_get_device(tree, 0, &device, &error));
    TRY(tarfs_tree_lookup(tree, (const uint8_t *)"dir/file", 8, &inode, &error));
    TRY(tarfs_tree_get_stat(tree, inode, &stat, &error));
    TRY(tarfs_tree_get_child(tree, 0, 0, NULL, NULL, NULL, &error));
    TRY(tarfs_tree_get_xattr(tree, 0, 0, NULL, NULL, NULL, NULL, &error));
    TRY(tarfs_tree_get_extent(tree, inode, 0, &extent, &error));
    TRY(tarfs_tree_read(tree, inode, &tar_source, 1, 0, body, sizeof body, &len, &error));
    TRY(tarfs_layout_new(tree, NULL, &layout, &error));
    TRY(tarfs_layout_get_info(layout, &layout_info, &error));
    TRY(tarfs_layout_get_device(layout, 0, &device, &error));
    TRY(tarfs_layout_get_segment(layout, 0, &segment, &error));
    export_layer.tree = tree;
    export_layer.sources = &tar_source;
    export_layer.source_count = 1;
    export_options.mode = "layer_block_with_verity";
    TRY(tarfs_export(&export_layer, 1, place.path, &export_options, NULL, NULL, &made, &error));
    unlink(place.path);
    TRY(tarfs_exported_get_info(made, 0, &exported_info, &error));
    TRY(tarfs_exported_get_device(made, 0, 0, 0, &device, &error));
    TRY(tarfs_exported_get_sealed(made, 0, 0, &sealed, &error));
    tarfs_exported_free(made);
    tarfs_sealed_free(sealed);
    sealed = NULL;
    TRY(tarfs_ranges_new(&range, 1, &ranges, &error));
    tarfs_ranges_free(ranges);
    ranges = NULL;
    TRY(tarfs_ranges_of_disk(layout, "meta", names, 1, NULL, NULL, 0, &ranges, &error));
    TRY(tarfs_ranges_get_info(ranges, &ranges_info, &error));
    TRY(tarfs_ranges_get(ranges, 0, &range, &error));
    TRY(tarfs_ranges_get_text(ranges, TARFS_RANGES_DM_LINEAR, NULL, 0, 0, &text, &error));
    tarfs_string_free(text);
    text = NULL;
    partition.bytes = ranges_info.bytes;
    TRY(tarfs_gpt_new(&partition, 1, 0, &gpt, &error));
    TRY(tarfs_gpt_get_info(gpt, &gpt_info, &error));
    TRY(tarfs_gpt_get_partition(gpt, 0, &placed, &error));
    TRY(tarfs_gpt_get_table(gpt, table, gpt_info.head_bytes + gpt_info.tail_bytes, &error));
    TRY(tarfs_gpt_get_ranges(gpt, (const tarfs_ranges *const *)&ranges, 1, "gpt", 0, &whole, &error));
    tarfs_ranges_free(whole);
    tarfs_ranges_free(ranges);
    tarfs_gpt_free(gpt);
    TRY(tarfs_layout_write_disk(layout, &tar_source, 1, &disk_sink, NULL, NULL, &error));
    TRY(tarfs_layout_write_metadata(layout, &disk_sink, &error));
    TRY(tarfs_layout_hash_disk(layout, &tar_source, 1, NULL, NULL, NULL, NULL, NULL, &sealed,
                               &error));
    TRY(tarfs_hasher_new(NULL, 2048, NULL, &hasher, &error));
    TRY(tarfs_hasher_push(hasher, tar, 512, &error));
    TRY(tarfs_hasher_push_zeros(hasher, 512, &error));
    TRY(tarfs_hasher_push_leaves(hasher, leaves, &error));
    TRY(tarfs_hasher_finish(hasher, &again, &error));
    tarfs_sealed_free(again);
    again = NULL;
    TRY(tarfs_verity_seal(&tar_source, 512, NULL, NULL, 0, NULL, NULL, &again, &error));
    tarfs_sealed_free(again);
    again = NULL;
    TRY(tarfs_sealed_new(NULL, 512, tar, &again, &error));
    TRY(tarfs_verity_verify(&tar_source, &tar_source, again, 0, NULL, NULL, &error));
    tarfs_sealed_free(again);
    again = NULL;
    TRY(tarfs_sealed_from_superblock(tar, 512, 0, 0, tar, &again, &error));
    TRY(tarfs_sealed_get_info(sealed, &sealed_info, &error));
    TRY(tarfs_sealed_get_text(sealed, TARFS_TEXT_ROOT, NULL, NULL, NULL, &text, &error));
    TRY(tarfs_image_open(&disk_source, layout_info.metadata_bytes, &image, &error));
    TRY(tarfs_image_get_info(image, &image_info, &error));
    TRY(tarfs_image_get_device(image, 0, &device, &error));
    TRY(tarfs_image_get_tree(image, NULL, &back, &error));
    tarfs_string_free(text);
    tarfs_image_free(image);
    tarfs_sealed_free(sealed);
    tarfs_hasher_free(hasher);
    tarfs_layout_free(layout);
    tarfs_tree_free(back);
    tarfs_tree_free(merged);
    tarfs_tree_free(tree);
    tarfs_leaves_free(leaves);
    tarfs_layer_free(layer);
}

int main(void) {
    int point, seen = 0, handles = 0;

    small_tar(tar);
    for (point = 1;; point++) {
        char number[16];
        int status = 0;
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            snprintf(number, sizeof number, "%d", point);
            CHECK(setenv("TARFS_INJECT_PANIC", number, 1) == 0);
            pipeline();
            CHECK(panics <= 1);
            _exit(poisoned ? 3 : panics ? 2 : 0);
        }
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) != 1);
        if (WEXITSTATUS(status) == 0)
            break; /* past the last point */
        seen++;
        handles += WEXITSTATUS(status) == 3;
    }
    printf("panics: %d injected, all of them statuses; %d poisoned a handle\n", seen, handles);
    CHECK(seen > 40 && handles > 5);
    return 0;
}
