/*
 * Eight threads share a tree and its leaves, each with its own layers and hashers beside, and each
 * abuses every call.
 */
#define NO_MAIN
#include "abuse.c"
#include "others.h"
#include "whole.h"

#include <pthread.h>

#define THREADS 8

static tarfs_tree *tree;
static tarfs_leaves *leaves;
static struct whole expected;

static void *work(void *rounds) {
    int i;
    for (i = 0; i < *(int *)rounds; i++) {
        tarfs_leaves *own_leaves = NULL;
        tarfs_tree *own = small_tree(tar, &own_leaves);
        struct whole shared = whole(tar, tree, leaves), made = whole(tar, own, own_leaves);
        CHECK(shared.disk_bytes == expected.disk_bytes && made.disk_bytes == expected.disk_bytes);
        CHECK(memcmp(shared.disk, expected.disk, (size_t)expected.disk_bytes) == 0);
        CHECK(memcmp(made.disk, expected.disk, (size_t)expected.disk_bytes) == 0);
        CHECK(memcmp(shared.root, expected.root, 32) == 0);
        free(shared.disk);
        free(made.disk);
        others(tar, tree, leaves);
        if (i == 0)
            abuse();
        tarfs_leaves_free(own_leaves);
        tarfs_tree_free(own);
    }
    return NULL;
}

int main(int argc, char **argv) {
    pthread_t threads[THREADS];
    int i, rounds = argc > 1 ? atoi(argv[1]) : 200;

    small_tar(tar);
    tree = small_tree(tar, &leaves);
    expected = whole(tar, tree, leaves);
    for (i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, work, &rounds) == 0);
    for (i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    free(expected.disk);
    tarfs_leaves_free(leaves);
    tarfs_tree_free(tree);
    printf("threads: %d threads, %d rounds each\n", THREADS, rounds);
    return 0;
}
