/*
 * Makes disks of layer tars in one of the six modes of snapshotters, and prints how to open them.
 *
 *   export [-f FORM] [-g PARTITIONS] [-a ARCHITECTURE] MODE OUT TAR...     the lowest layer first
 *
 * tarfs_export_options in tarfs.h says which words there are. The bytes are those of `tarfs export`.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <tarfs.h>

static int32_t progress(void *ctx, uint64_t bytes) {
    *(uint64_t *)ctx = bytes;
    return 0; /* anything else would cancel the call */
}

/* Prints how to use one of the files. */
static int32_t print(const tarfs_exported *made, size_t index, tarfs_error **error) {
    tarfs_exported_info info = {.size = sizeof info};
    tarfs_sealed *sealed = NULL;
    char *text = NULL;
    int32_t status = tarfs_exported_get_info(made, index, &info, error);
    if (status)
        return status;
    printf("%s: %llu bytes\n", info.path, (unsigned long long)info.bytes);
    if (!info.has_verity || info.partitions)
        return 0;
    status = tarfs_exported_get_sealed(made, index, 0, &sealed, error);
    if (!status)
        status = tarfs_sealed_get_text(sealed, TARFS_TEXT_OPEN, info.path, info.path, "tarfs", &text,
                                       error);
    if (!status)
        printf("%s\n", text);
    tarfs_string_free(text); /* freeing NULL does nothing */
    tarfs_sealed_free(sealed);
    return status;
}

int main(int argc, char **argv) {
    tarfs_export_options options = {.size = sizeof options};
    tarfs_export_layer *layers;
    tarfs_exported *made = NULL;
    tarfs_error *error = NULL;
    uint64_t bytes = 0;
    int32_t status;
    int flag;
    size_t i, count;

    while ((flag = getopt(argc, argv, "f:g:a:")) != -1) {
        if (flag == 'f')
            options.form = optarg;
        else if (flag == 'g')
            options.partitions = optarg;
        else if (flag == 'a')
            options.architecture = optarg;
    }
    if (argc - optind < 3 || tarfs_abi_version() != TARFS_ABI_VERSION) {
        fprintf(stderr, "usage: export [-f FORM] [-g PARTITIONS] [-a ARCHITECTURE] MODE OUT TAR...\n");
        return 2;
    }
    options.mode = argv[optind];
    count = (size_t)(argc - optind - 2);
    layers = calloc(count, sizeof *layers);
    if (!layers)
        return 1;
    for (i = 0; i < count; i++) {
        layers[i].size = sizeof *layers;
        layers[i].tar = argv[optind + 2 + (int)i];
    }
    status = tarfs_export(layers, count, argv[optind + 1], &options, progress, &bytes, &made, &error);
    for (i = 0; !status && i < tarfs_exported_count(made); i++)
        status = print(made, i, &error);
    if (status)
        fprintf(stderr, "export: after %llu bytes: %s\n", (unsigned long long)bytes,
                tarfs_error_message(error));
    tarfs_error_free(error);
    tarfs_exported_free(made);
    free(layers);
    return status ? 1 : 0;
}
