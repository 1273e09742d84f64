/* 10,000 times through everything, errors included: no byte and no file stays behind. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include "others.h"
#include "whole.h"

static uint8_t tar[TAR_BYTES];

static size_t files(void) {
    DIR *dir = opendir("/proc/self/fd");
    size_t count = 0;
    CHECK(dir != NULL);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static void once(int tee) {
    tarfs_leaves *leaves = NULL;
    tarfs_tree *tree = small_tree(tar, &leaves), *none = NULL;
    struct whole made = whole(tar, tree, leaves);
    tarfs_layer *layer = NULL;
    tarfs_hasher *hasher = NULL;
    STRUCT(tarfs_layer_options, options);
    STRUCT(tarfs_sink, sink);

    others(tar, tree, leaves);
    /* Dropped half way, with a file in its hands; and after an error. */
    sink.fd = tee;
    options.tee = &sink;
    OK(tarfs_layer_new(&options, &layer, &error));
    OK(tarfs_layer_push(layer, tar, 1000, &error));
    tarfs_layer_free(layer);
    OK(tarfs_layer_new(NULL, &layer, &error));
    OK(tarfs_layer_push(layer, tar, 1000, &error));
    EXPECT(TARFS_STATUS_TAR, tarfs_layer_finish(layer, NULL, &none, NULL, &error));
    tarfs_layer_free(layer);
    OK(tarfs_hasher_new(NULL, 1024, NULL, &hasher, &error));
    OK(tarfs_hasher_push(hasher, tar, 1000, &error));
    tarfs_hasher_free(hasher);
    tarfs_leaves_free(leaves);
    tarfs_tree_free(tree);
    free(made.disk);
}

int main(int argc, char **argv) {
    int i, rounds = argc > 1 ? atoi(argv[1]) : 10000, tee = open("/dev/null", O_WRONLY);
    size_t before, after, open_before, open_after;

    CHECK(tee >= 0);
    small_tar(tar);
    for (i = 0; i < 10; i++) /* what is allocated once is there now */
        once(tee);
    before = mallinfo2().uordblks;
    open_before = files();
    for (i = 0; i < rounds; i++)
        once(tee);
    after = mallinfo2().uordblks;
    open_after = files();
    printf("leaks: %d rounds, %zu bytes and %zu files before, %zu and %zu after\n", rounds, before,
           open_before, after, open_after);
    CHECK(before == after);
    CHECK(open_before == open_after);
    close(tee);
    return 0;
}
