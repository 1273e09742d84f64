/*
 * A tar on standard input becomes a layer's disk with a hash tree behind it, in one pass: the tar is
 * written where it belongs in the disk, and hashed, as it streams by.
 *
 *   curl ... | gunzip | stream OUT        prints Nydus's label: N,M,sha256:ROOT
 */
#define _POSIX_C_SOURCE 200809L

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <tarfs.h>

/* In a disk with its data first, a single tar begins here. */
#define TAR_OFFSET 4096

static const char *path;

/* Ends the program with a message, and takes what was written with it. The error's address is passed,
   as arguments are evaluated in any order: its value could be the one of before the call. */
static void check(int32_t status, tarfs_error **error) {
    if (status == TARFS_STATUS_OK)
        return;
    fprintf(stderr, "stream: %s\n", tarfs_error_message(*error));
    tarfs_error_free(*error);
    unlink(path);
    exit(1);
}

int main(int argc, char **argv) {
    tarfs_verity_params params = {0};
    tarfs_sink disk = {0};
    tarfs_source tar = {0};
    tarfs_layer_options options = {0};
    tarfs_layout_options how = {0};
    tarfs_layer *layer = NULL;
    tarfs_tree *tree = NULL;
    tarfs_leaves *leaves = NULL;
    tarfs_layout *layout = NULL;
    tarfs_sealed *sealed = NULL;
    tarfs_error *error = NULL;
    char *label = NULL;
    int fd;

    if (argc != 2) {
        fprintf(stderr, "usage: stream OUT <TAR\n");
        return 2;
    }
    path = argv[1];
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) {
        perror(path);
        return 1;
    }
    params.size = sizeof params;
    check(tarfs_verity_preset("nydus", &params, &error), &error);
    disk.size = sizeof disk;
    disk.fd = fd;
    disk.offset = TAR_OFFSET;
    options.size = sizeof options;
    options.flags = TARFS_LAYER_TAG_DIFF_ID | TARFS_LAYER_KEEP_EMPTY_DEVICE;
    options.tee = &disk;
    options.leaves = &params;
    check(tarfs_layer_new(&options, &layer, &error), &error);
    check(tarfs_layer_push_fd(layer, 0, NULL, NULL, &error), &error);
    check(tarfs_layer_finish(layer, NULL, &tree, &leaves, &error), &error);

    /* What is before and behind the tar. */
    how.size = sizeof how;
    how.artifact = TARFS_DISK_DATA_FIRST;
    check(tarfs_layout_new(tree, &how, &layout, &error), &error);
    disk.offset = 0;
    check(tarfs_layout_write_metadata(layout, &disk, &error), &error);

    /* The tree over all of it. The tar's blocks are hashed already. */
    tar.size = sizeof tar;
    tar.fd = fd;
    tar.offset = TAR_OFFSET;
    params.placement = TARFS_HASH_BEHIND_DATA;
    check(tarfs_layout_hash_disk(layout, &tar, 1, (const tarfs_leaves *const *)&leaves, &params,
                                 &disk, NULL, NULL, &sealed, &error),
          &error);
    check(tarfs_sealed_get_text(sealed, TARFS_TEXT_NYDUS, NULL, NULL, NULL, &label, &error), &error);
    puts(label);

    tarfs_string_free(label);
    tarfs_sealed_free(sealed);
    tarfs_layout_free(layout);
    tarfs_leaves_free(leaves);
    tarfs_tree_free(tree);
    tarfs_layer_free(layer);
    close(fd);
    return 0;
}
