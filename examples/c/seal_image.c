/* Three tars become one sealed disk; prints its root hash and how to mount it. */
#include <stdio.h>
#include <tarfs.h>

int main(void) {
    tarfs_export_options how = {.size = sizeof how, .mode = "image_block_with_verity"};
    tarfs_export_layer layers[] = {{.size = sizeof *layers, .tar = "base.tar"},
                                   {.size = sizeof *layers, .tar = "app.tar"},
                                   {.size = sizeof *layers, .tar = "fix.tar"}};
    const char *disk = "image.disk";
    tarfs_exported *made = NULL;
    tarfs_sealed *sealed = NULL;
    tarfs_error *error = NULL;
    char *root = NULL, *open = NULL;
    if (tarfs_export(layers, 3, disk, &how, NULL, NULL, &made, &error) ||
        tarfs_exported_get_sealed(made, 0, 0, &sealed, &error) ||
        tarfs_sealed_get_text(sealed, TARFS_TEXT_ROOT, NULL, NULL, NULL, &root, &error) ||
        tarfs_sealed_get_text(sealed, TARFS_TEXT_OPEN, disk, disk, "image", &open, &error)) {
        fprintf(stderr, "%s\n", tarfs_error_message(error));
        return 1;
    }
    printf("%s\n%s\nmount -t erofs -o ro /dev/mapper/image /mnt\n", root, open);
    return 0;
}
