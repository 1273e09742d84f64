/*
 * Makes a disk of layer tars, with a dm-verity hash tree behind it, and prints how to mount it.
 *
 *   export MODE OUT TAR...     the lowest layer first
 *
 * MODE is one of the six of snapshotters: image_block, image_block_with_verity, image_verity_only,
 * and the same with layer_ for a single tar. The bytes are those of `tarfs export`.
 */
#define _POSIX_C_SOURCE 200809L

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tarfs.h>

/* What is freed at the end, whatever happens. */
struct work {
    size_t count;
    int *fds;
    tarfs_tree **layers;
    tarfs_tree *image;
    tarfs_layout *layout;
    tarfs_source *sources;
    tarfs_sealed *sealed;
    int out;
};

/* Says what went wrong, if anything did, and frees the error. Its address is passed, as arguments are
   evaluated in any order: its value could be the one of before the call. */
static int failed(const char *what, int32_t status, tarfs_error **error) {
    if (status == TARFS_STATUS_OK)
        return 0;
    fprintf(stderr, "export: %s: %s", what, *error ? tarfs_error_message(*error) : "failed");
    if (*error && tarfs_error_offset(*error) != TARFS_OFFSET_NONE)
        fprintf(stderr, " (offset %llu)", (unsigned long long)tarfs_error_offset(*error));
    fputc('\n', stderr);
    tarfs_error_free(*error);
    *error = NULL;
    return 1;
}

static int32_t progress(void *ctx, uint64_t bytes) {
    (void)ctx;
    (void)bytes;
    return 0; /* anything else would cancel the call */
}

/* One tar to a layer: hashed for its diffID, which becomes the tag of the device. */
static int read_layer(const char *path, int fd, tarfs_tree **tree) {
    tarfs_layer_options options = {0};
    tarfs_source source = {0};
    tarfs_layer *layer = NULL;
    tarfs_error *error = NULL;
    struct stat st;
    int bad;

    options.size = sizeof options;
    options.flags = TARFS_LAYER_TAG_DIFF_ID | TARFS_LAYER_KEEP_PENDING;
    source.size = sizeof source;
    source.fd = fd;
    if (fstat(fd, &st) != 0) {
        perror(path);
        return 1;
    }
    bad = failed(path, tarfs_layer_new(&options, &layer, &error), &error) ||
          failed(path,
                 tarfs_layer_push_source(layer, &source, 0, (uint64_t)st.st_size, progress, NULL,
                                         &error),
                 &error) ||
          failed(path, tarfs_layer_finish(layer, NULL, tree, NULL, &error), &error);
    tarfs_layer_free(layer);
    return bad;
}

/* The file of each device of the layout: that of the layer it comes from. */
static int find_sources(struct work *work) {
    tarfs_layout_info info = {0};
    tarfs_error *error = NULL;
    uint32_t i;

    info.size = sizeof info;
    if (failed("layout", tarfs_layout_get_info(work->layout, &info, &error), &error))
        return 1;
    work->sources = calloc(info.devices ? info.devices : 1, sizeof *work->sources);
    if (!work->sources)
        return 1;
    for (i = 0; i < info.devices; i++) {
        tarfs_device wanted = {0};
        wanted.size = sizeof wanted;
        if (failed("device", tarfs_layout_get_device(work->layout, i, &wanted, &error), &error))
            return 1;
        work->sources[i].size = sizeof *work->sources;
        work->sources[i].fd = work->fds[wanted.origin_layer];
    }
    return 0;
}

/* Plans the disk, and writes what the mode wants. */
static int write_out(struct work *work, const char *mode, const char *path) {
    const char *only = strstr(mode, "_verity_only"), *with = strstr(mode, "_with_verity");
    tarfs_layout_options options = {0};
    tarfs_layout_info info = {0};
    tarfs_verity_params params = {0};
    tarfs_sink sink = {0};
    tarfs_source disk = {0};
    tarfs_error *error = NULL;
    uint64_t padding = 0, bytes;

    options.size = sizeof options;
    options.artifact = TARFS_DISK_METADATA_FIRST;
    if (failed(path, tarfs_layout_new(work->image, &options, &work->layout, &error), &error) ||
        find_sources(work))
        return 1;
    info.size = sizeof info;
    params.size = sizeof params;
    sink.size = sizeof sink;
    disk.size = sizeof disk;
    sink.fd = disk.fd = work->out;
    if (failed("layout", tarfs_layout_get_info(work->layout, &info, &error), &error) ||
        failed("preset", tarfs_verity_preset("nydus", &params, &error), &error))
        return 1;
    if (only) /* The tree of a disk that is not written. */
        return failed(path,
                      tarfs_layout_hash_disk(work->layout, work->sources, info.devices, NULL,
                                             &params, &sink, progress, NULL, &work->sealed, &error),
                      &error);
    if (failed(path,
               tarfs_layout_write_disk(work->layout, work->sources, info.devices, &sink, progress,
                                       NULL, &error),
               &error))
        return 1;
    if (!with)
        return 0;
    /* The tree behind it, on as many threads as the machine has. */
    params.placement = TARFS_HASH_BEHIND_DATA;
    if (failed("padding", tarfs_verity_padding(&params, info.disk_bytes, &padding, &error), &error))
        return 1;
    bytes = info.disk_bytes + padding;
    if (ftruncate(work->out, (off_t)bytes) != 0) {
        perror(path);
        return 1;
    }
    return failed(path,
                  tarfs_verity_seal(&disk, bytes, &params, &sink, 0, progress, NULL, &work->sealed,
                                    &error),
                  &error);
}

/* Prints how to use what was made. */
static int print(const struct work *work, const char *path) {
    char *text = NULL;
    tarfs_error *error = NULL;

    if (!work->sealed) {
        printf("mount -t erofs -o ro,loop %s /mnt\n", path);
        return 0;
    }
    if (failed(path,
               tarfs_sealed_get_text(work->sealed, TARFS_TEXT_OPEN, path, path, "tarfs", &text,
                                     &error),
               &error))
        return 1;
    printf("%s\nmount -t erofs -o ro /dev/mapper/tarfs /mnt\n", text);
    tarfs_string_free(text);
    return 0;
}

static int run(struct work *work, const char *mode, const char *path, char **tars) {
    tarfs_error *error = NULL;
    size_t i;

    for (i = 0; i < work->count; i++) {
        work->fds[i] = open(tars[i], O_RDONLY | O_CLOEXEC);
        if (work->fds[i] < 0) {
            perror(tars[i]);
            return 1;
        }
        if (read_layer(tars[i], work->fds[i], &work->layers[i]))
            return 1;
    }
    if (strncmp(mode, "layer_", 6) == 0) { /* a layer as it is, its whiteouts kept */
        work->image = work->layers[0];
        work->layers[0] = NULL;
    } else if (failed("merge",
                      tarfs_tree_merge((const tarfs_tree *const *)work->layers, work->count, NULL,
                                       &work->image, &error),
                      &error)) {
        return 1;
    }
    work->out = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (work->out < 0) {
        perror(path);
        return 1;
    }
    if (write_out(work, mode, path)) {
        unlink(path); /* never leave half a disk behind */
        return 1;
    }
    return print(work, path);
}

int main(int argc, char **argv) {
    struct work work = {0};
    size_t i;
    int bad;

    if (argc < 4 || (strncmp(argv[1], "layer_", 6) == 0 && argc > 4) ||
        tarfs_abi_version() != TARFS_ABI_VERSION) {
        fprintf(stderr, "usage: export MODE OUT TAR...\n");
        return 2;
    }
    work.count = (size_t)argc - 3;
    work.fds = calloc(work.count, sizeof *work.fds);
    work.layers = calloc(work.count, sizeof *work.layers);
    work.out = -1;
    if (!work.fds || !work.layers)
        return 1;
    for (i = 0; i < work.count; i++)
        work.fds[i] = -1;
    bad = run(&work, argv[1], argv[2], argv + 3);
    /* Freeing NULL does nothing. */
    tarfs_sealed_free(work.sealed);
    tarfs_layout_free(work.layout);
    tarfs_tree_free(work.image);
    for (i = 0; i < work.count; i++) {
        tarfs_tree_free(work.layers[i]);
        if (work.fds[i] >= 0)
            close(work.fds[i]);
    }
    if (work.out >= 0)
        close(work.out);
    free(work.sources);
    free(work.layers);
    free(work.fds);
    return bad;
}
