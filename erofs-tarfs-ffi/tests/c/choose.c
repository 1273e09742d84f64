/*
 * choose BY TAR DISK MODE: exports a tar without its *.h files, which are left out by a callback, and with
 * labels of another callback; a directory named c stays as it is, and its files get labels of two kinds. BY is
 * "export", one call, or "tree", which changes the tree of the layer by hand and hands that to the export.
 * check holds the disk against that of the tool with --exclude-regex and --file-contexts.
 */
#define _XOPEN_SOURCE 700
#include <sys/stat.h>

#include "kit.h"

struct asked {
    size_t times;
    char label[64]; /* the same buffer for each */
};

/* Whether a path of n bytes ends so. */
static int ends(const uint8_t *path, size_t n, const char *end) {
    size_t len = strlen(end);
    return n >= len && memcmp(path + n - len, end, len) == 0;
}

static int32_t exclude_headers(void *ctx, const uint8_t *path, size_t n, uint32_t mode, uint32_t flags,
                               uint32_t *excluded) {
    struct asked *asked = ctx;
    CHECK(n > 0 && flags == 0 && *excluded == 0);
    CHECK((mode & ~(uint32_t)S_IFMT) == 0 && mode != 0);
    asked->times++;
    *excluded = (S_ISREG(mode) && ends(path, n, ".h")) ? 7 : 0; /* any number but 0 */
    return 0;
}

static int32_t label_by_path(void *ctx, const uint8_t *path, size_t n, uint32_t mode,
                             const uint8_t **label, size_t *label_len) {
    struct asked *asked = ctx;
    CHECK(path != NULL && *label == NULL && *label_len == 0);
    CHECK(!(S_ISREG(mode) && ends(path, n, ".h"))); /* what is left out is not asked of */
    asked->times++;
    if (S_ISDIR(mode) && ends(path, n, "/c"))
        return 0;
    strcpy(asked->label, ends(path, n, ".c") ? "u:object_r:source_t:s0" : "u:object_r:other_t:s0");
    *label = (const uint8_t *)asked->label;
    *label_len = strlen(asked->label);
    return 0;
}

/* The whole tar becomes a tree. */
static tarfs_tree *tree_of(const char *path) {
    STRUCT(tarfs_layer_options, options);
    tarfs_layer *layer = NULL;
    tarfs_tree *tree = NULL;
    uint8_t buf[4096];
    size_t n;
    FILE *tar = fopen(path, "rb");
    CHECK(tar != NULL);
    options.flags = TARFS_LAYER_TAG_DIFF_ID;
    OK(tarfs_layer_new(&options, &layer, &error));
    while ((n = fread(buf, 1, sizeof buf, tar)) > 0)
        OK(tarfs_layer_push(layer, buf, n, &error));
    OK(tarfs_layer_finish(layer, NULL, &tree, NULL, &error));
    tarfs_layer_free(layer);
    fclose(tar);
    return tree;
}

int main(int argc, char **argv) {
    struct asked excluding = {0}, labelling = {0};
    tarfs_exported *made = NULL;
    tarfs_tree *tree = NULL, *changed = NULL;
    STRUCT(tarfs_changes, changes);
    STRUCT(tarfs_export_options, options);
    STRUCT(tarfs_export_layer, layer);
    STRUCT(tarfs_source, source);
    FILE *tar;

    CHECK(argc == 5);
    changes.exclude_if = exclude_headers;
    changes.exclude_ctx = &excluding;
    changes.label = label_by_path;
    changes.label_ctx = &labelling;
    options.mode = argv[4];
    tar = fopen(argv[2], "rb");
    CHECK(tar != NULL);
    if (strcmp(argv[1], "tree") == 0) {
        tree = tree_of(argv[2]);
        OK(tarfs_tree_change(tree, &changes, &changed, &error));
        source.fd = fileno(tar);
        layer.tree = changed;
        layer.sources = &source;
        layer.source_count = 1;
    } else {
        layer.tar = argv[2];
        options.changes = &changes;
    }
    OK(tarfs_export(&layer, 1, argv[3], &options, NULL, NULL, &made, &error));
    CHECK(excluding.times > 4 && labelling.times > 4);
    tarfs_exported_free(made);
    tarfs_tree_free(changed);
    tarfs_tree_free(tree);
    fclose(tar);
    return 0;
}
