/* Every function with NULL, nothing, at the wrong time and after an error: a status, no crash. */
#define _POSIX_C_SOURCE 200809L
#include "exports.h"
#include "kit.h"

static uint8_t tar[TAR_BYTES];

static int32_t cancel(void *ctx, uint64_t bytes) {
    (void)bytes;
    return *(int32_t *)ctx;
}

static void null_everywhere(void) {
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

static void structs(void) {
    tarfs_layer *layer = NULL;
    struct {
        tarfs_layer_options now;
        uint64_t later;
    } newer;
    STRUCT(tarfs_layer_options, options);
    STRUCT(tarfs_verity_params, params);
    uint64_t padding = 7;

    options.size = 0;
    INVALID(tarfs_layer_new(&options, &layer, &error));
    options.size = 4;
    INVALID(tarfs_layer_new(&options, &layer, &error));
    options.size = sizeof options;
    options.flags = 1u << 31;
    INVALID(tarfs_layer_new(&options, &layer, &error));
    options.flags = 0;
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

    params.data_block = 513;
    EXPECT(TARFS_STATUS_VERITY, tarfs_verity_padding(&params, 1, &padding, &error));
    params.data_block = 0;
    params.superblock = 9;
    INVALID(tarfs_verity_padding(&params, 1, &padding, &error));
    params.superblock = 0;
    params.placement = 9;
    INVALID(tarfs_verity_padding(&params, 1, &padding, &error));
    params.placement = 0;
    params.salt_len = 1;
    INVALID(tarfs_verity_padding(&params, 1, &padding, &error));
    INVALID(tarfs_verity_preset("unheard of", &params, &error));
    CHECK(padding == 7);
    OK(tarfs_verity_preset("veritysetup", &params, &error));
    OK(tarfs_verity_padding(&params, 1, &padding, &error));
    CHECK(padding == 4095);
}

static void order(void) {
    tarfs_layer *layer = NULL;
    tarfs_hasher *hasher = NULL;
    tarfs_sealed *sealed = NULL;
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

    /* Hashers. */
    EXPECT(TARFS_STATUS_VERITY, tarfs_hasher_new(NULL, 0, NULL, &hasher, &error));
    EXPECT(TARFS_STATUS_VERITY, tarfs_hasher_new(NULL, 511, NULL, &hasher, &error));
    OK(tarfs_hasher_new(NULL, 1024, NULL, &hasher, &error));
    EXPECT(TARFS_STATUS_VERITY, tarfs_hasher_push(hasher, tar, 1025, &error));
    EXPECT(TARFS_STATUS_WRONG_ORDER, tarfs_hasher_push(hasher, tar, 1, &error));
    EXPECT(TARFS_STATUS_WRONG_ORDER, tarfs_hasher_finish(hasher, &sealed, &error));
    tarfs_hasher_free(hasher);
    OK(tarfs_hasher_new(NULL, 1024, NULL, &hasher, &error));
    OK(tarfs_hasher_push(hasher, NULL, 0, &error));
    EXPECT(TARFS_STATUS_VERITY, tarfs_hasher_push_zeros(hasher, UINT64_MAX, &error));
    tarfs_hasher_free(hasher);
    OK(tarfs_hasher_new(NULL, 1024, NULL, &hasher, &error));
    OK(tarfs_hasher_push(hasher, tar, 1, &error));
    EXPECT(TARFS_STATUS_VERITY, tarfs_hasher_finish(hasher, &sealed, &error));
    CHECK(sealed == NULL);
    tarfs_hasher_free(hasher);
}

static void wrong_things(void) {
    tarfs_tree *tree = small_tree(tar, NULL), *other = NULL;
    tarfs_layout *layout = NULL;
    tarfs_sealed *sealed = NULL;
    tarfs_image *image = NULL;
    tarfs_ranges *ranges = NULL;
    tarfs_gpt *gpt = NULL;
    const char *names[1] = {"a tar"};
    uint8_t buf[64], root[32] = {0};
    size_t done = 5;
    uint32_t inode = 0;
    char *text = NULL;
    struct memory memory = {tar, TAR_BYTES, 0};
    tarfs_source source = source_of(&memory), sources[2];
    STRUCT(tarfs_layout_options, options);
    STRUCT(tarfs_stat, stat);
    STRUCT(tarfs_device, device);
    STRUCT(tarfs_segment, segment);
    STRUCT(tarfs_layout_info, layout_info);
    STRUCT(tarfs_verity_params, params);
    STRUCT(tarfs_sink, sink);
    STRUCT(tarfs_range, range);
    STRUCT(tarfs_partition, partition);
    STRUCT(tarfs_placed, placed);

    sources[0] = sources[1] = source;
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
    sink.fd = -1;
    INVALID(tarfs_layout_write_metadata(layout, &sink, &error));
    INVALID(tarfs_layout_write_disk(layout, NULL, 0, &sink, NULL, NULL, &error));
    INVALID(tarfs_layout_write_disk(layout, sources, 2, &sink, NULL, NULL, &error));
    sources[1].size = 8;
    INVALID(tarfs_layout_hash_disk(layout, sources, 2, NULL, NULL, NULL, NULL, NULL, &sealed, &error));
    memory.fail = 31;
    EXPECT(31, tarfs_layout_hash_disk(layout, &source, 1, NULL, NULL, NULL, NULL, NULL, &sealed,
                                      &error));
    memory.fail = 0;
    OK(tarfs_layout_hash_disk(layout, &source, 1, NULL, NULL, NULL, NULL, NULL, &sealed, &error));
    INVALID(tarfs_sealed_get_text(sealed, 99, NULL, NULL, NULL, &text, &error));
    INVALID(tarfs_sealed_get_text(sealed, TARFS_TEXT_TABLE, NULL, NULL, NULL, &text, &error));
    EXPECT(99, tarfs_verity_verify(&source, &source, sealed, 1, NULL, NULL, &error));
    tarfs_sealed_free(sealed);
    EXPECT(TARFS_STATUS_VERITY,
           tarfs_sealed_from_superblock(tar, 512, TARFS_HASH_OWN_FILE, 0, root, &sealed, &error));
    OK(tarfs_sealed_new(NULL, 1024, root, &sealed, &error));
    EXPECT(TARFS_STATUS_MISMATCH,
           tarfs_verity_verify(&source, &source, sealed, 1, NULL, NULL, &error));
    tarfs_sealed_free(sealed);

    EXPECT(TARFS_STATUS_READ, tarfs_image_open(&source, TAR_BYTES, &image, &error));
    EXPECT(TARFS_STATUS_READ, tarfs_image_open(&source, 0, &image, &error));
    EXPECT(TARFS_STATUS_READ, tarfs_image_open(&source, 100, &image, &error));
    EXPECT(99, tarfs_image_open(&source, UINT64_MAX, &image, &error));
    {
        const tarfs_tree *layers[2];
        layers[0] = tree;
        layers[1] = NULL;
        INVALID(tarfs_tree_merge(layers, 2, NULL, &other, &error));
        INVALID(tarfs_tree_merge(layers, SIZE_MAX, NULL, &other, &error));
        layers[1] = tree;
        OK(tarfs_tree_merge(layers, 2, NULL, &other, &error));
        STRUCT(tarfs_merge_options, merge);
        merge.flags = 8;
        INVALID(tarfs_tree_merge(layers, 2, &merge, &other, &error));
    }
    tarfs_tree_free(other);
    tarfs_layout_free(layout);
    tarfs_tree_free(tree);
}

/* The diffID on a thread of its own is the same; the thread ends with the layer, finished or not. */
static void apart(void) {
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

static void exporting(void) {
    tarfs_tree *tree = small_tree(tar, NULL);
    exports_abused(tar, tree);
    tarfs_tree_free(tree);
}

/* All of it; threads.c does it in every thread. The tar is made before. */
static void abuse(void) {
    null_everywhere();
    structs();
    order();
    wrong_things();
    apart();
    exporting();
}

#ifndef NO_MAIN
int main(void) {
    small_tar(tar);
    abuse();
    puts("abuse: all calls answered");
    return 0;
}
#endif
