/* Every function with NULL, nothing, at the wrong time and after an error: a status, no crash. */
#define _POSIX_C_SOURCE 200809L
#include "abuse/exports.h"
#include "abuse/images.h"
#include "abuse/limits.h"
#include "abuse/null.h"
#include "abuse/outputs.h"
#include "abuse/trees.h"
#include "abuse/verity.h"

static uint8_t tar[TAR_BYTES];

/* All of it; threads.c does it in every thread. The tar is made before. */
static void abuse(void) {
    null_everywhere();
    layer_structs();
    limits_at_their_edges();
    layer_order(tar);
    wrong_trees(tar);
    apart(tar);
    verity_structs();
    hasher_order(tar);
    wrong_seals(tar);
    wrong_layouts(tar);
    wrong_images(tar);
    wrong_outputs(tar);
    wrong_exports(tar);
}

#ifndef NO_MAIN
int main(void) {
    small_tar(tar);
    abuse();
    puts("abuse: all calls answered");
    return 0;
}
#endif
