/*
 * Reports the library's version, and refuses one that this program was not built for.
 *
 *     cc version.c $(pkg-config --cflags --libs tarfs) -o version
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <tarfs.h>

int main(void)
{
    char header[32];

    if (tarfs_abi_version() != TARFS_ABI_VERSION) {
        fprintf(stderr, "built for ABI %d of tarfs, found %" PRIu32 "\n", TARFS_ABI_VERSION,
                tarfs_abi_version());
        return 1;
    }

    snprintf(header, sizeof header, "%d.%d.%d", TARFS_VERSION_NUMBER >> 16,
             TARFS_VERSION_NUMBER >> 8 & 0xff, TARFS_VERSION_NUMBER & 0xff);
    printf("tarfs %s, ABI %" PRIu32 "\n", tarfs_version(), tarfs_abi_version());
    if (strcmp(tarfs_version(), header) != 0)
        printf("(built with the header of %s)\n", header);

    tarfs_error_free(NULL); /* does nothing, as any free of NULL */
    return 0;
}
