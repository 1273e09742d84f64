/* Parameters, hashers and hash trees that are wrong. */
#ifndef ABUSE_VERITY_H
#define ABUSE_VERITY_H

#include "../kit.h"

static inline void verity_structs(void) {
    uint64_t padding = 7;
    STRUCT(tarfs_verity_params, params);

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

static inline void hasher_order(const uint8_t *tar) {
    tarfs_hasher *hasher = NULL;
    tarfs_sealed *sealed = NULL;

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

/* Root hashes are as long as their algorithm has them, or refused. */
static inline void wrong_algorithms(void) {
    static const uint8_t long_root[64] = {1};
    uint8_t superblock[512] = {0};
    char text[129];
    tarfs_sealed *sealed = NULL;
    tarfs_hasher *hasher = NULL;
    STRUCT(tarfs_verity_params, params);
    STRUCT(tarfs_sealed_info, info);

    params.algorithm = 9;
    INVALID(tarfs_sealed_new(&params, 512, long_root, &sealed, &error));
    params.algorithm = TARFS_ALGORITHM_SHA512;
    params.flags = 4;
    INVALID(tarfs_sealed_new(&params, 512, long_root, &sealed, &error));
    params.flags = TARFS_VERITY_CHROME_OS;
    params.reserved2 = 1;
    INVALID(tarfs_sealed_new(&params, 512, long_root, &sealed, &error));
    params.reserved2 = 0;
    OK(tarfs_sealed_new(&params, 512, long_root, &sealed, &error));
    OK(tarfs_sealed_get_info(sealed, &info, &error));
    CHECK(info.root_len == 64 && memcmp(info.long_root, long_root, 64) == 0);
    CHECK(info.root[0] == 0 && info.algorithm == TARFS_ALGORITHM_SHA512);
    tarfs_sealed_free(sealed);
    OK(tarfs_hasher_new(&params, 512, NULL, &hasher, &error));
    OK(tarfs_hasher_push_zeros(hasher, 512, &error));
    OK(tarfs_hasher_finish(hasher, &sealed, &error));
    OK(tarfs_sealed_get_info(sealed, &info, &error));
    CHECK(info.root_len == 64);
    tarfs_sealed_free(sealed);
    tarfs_hasher_free(hasher);

    /* A superblock of SHA-512, by hand. */
    memcpy(superblock, "verity\0", 7);
    superblock[8] = superblock[12] = superblock[16] = 1;
    memcpy(superblock + 32, "sha512", 6);
    superblock[64 + 1] = superblock[68 + 1] = 16; /* 4096 */
    superblock[72] = 1;
    INVALID(tarfs_sealed_from_superblock(superblock, 512, TARFS_HASH_OWN_FILE, 0, long_root, &sealed, &error));
    memset(text, 'a', sizeof text);
    text[128] = 0;
    OK(tarfs_sealed_parse(superblock, 512, TARFS_HASH_OWN_FILE, 0, text, &sealed, &error));
    tarfs_sealed_free(sealed);
    text[64] = 0;
    EXPECT(TARFS_STATUS_VERITY, tarfs_sealed_parse(superblock, 512, TARFS_HASH_OWN_FILE, 0, text, &sealed, &error));
    text[63] = 'g';
    EXPECT(TARFS_STATUS_VERITY, tarfs_sealed_parse(superblock, 512, TARFS_HASH_OWN_FILE, 0, text, &sealed, &error));
}

static inline void wrong_seals(uint8_t *tar) {
    tarfs_tree *tree = small_tree(tar, NULL);
    tarfs_layout *layout = NULL;
    tarfs_sealed *sealed = NULL;
    uint8_t root[32] = {0};
    char *text = NULL;
    struct memory memory = {tar, TAR_BYTES, 0};
    tarfs_source source = source_of(&memory);

    OK(tarfs_layout_new(tree, NULL, &layout, &error));
    OK(tarfs_layout_hash_disk(layout, &source, 1, NULL, NULL, NULL, NULL, NULL, &sealed, &error));
    INVALID(tarfs_sealed_get_text(sealed, 99, NULL, NULL, NULL, &text, &error));
    INVALID(tarfs_sealed_get_text(sealed, TARFS_TEXT_TABLE, NULL, NULL, NULL, &text, &error));
    /* By the preset nydus, for which neither has words. */
    EXPECT(TARFS_STATUS_VERITY,
           tarfs_sealed_get_text(sealed, TARFS_TEXT_EROFS_ANNOTATIONS, NULL, NULL, NULL, &text, &error));
    EXPECT(TARFS_STATUS_VERITY,
           tarfs_sealed_get_text(sealed, TARFS_TEXT_KATA_OPTIONS, NULL, NULL, NULL, &text, &error));
    EXPECT(99, tarfs_verity_verify(&source, &source, sealed, 1, NULL, NULL, &error));
    tarfs_sealed_free(sealed);
    EXPECT(TARFS_STATUS_VERITY,
           tarfs_sealed_from_superblock(tar, 512, TARFS_HASH_OWN_FILE, 0, root, &sealed, &error));
    OK(tarfs_sealed_new(NULL, 1024, root, &sealed, &error));
    EXPECT(TARFS_STATUS_MISMATCH,
           tarfs_verity_verify(&source, &source, sealed, 1, NULL, NULL, &error));
    tarfs_sealed_free(sealed);
    wrong_algorithms();
    tarfs_layout_free(layout);
    tarfs_tree_free(tree);
}

#endif
