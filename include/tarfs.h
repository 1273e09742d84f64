/*
 * tarfs: container layers as EROFS filesystems over the tars as they lie, merged, and sealed with
 * dm-verity. The C API of erofs-tarfs; generated from its Rust source, do not edit.
 *
 * Linking: pkg-config --cflags --libs tarfs (add --static for libtarfs.a).
 *
 *     tarfs_layer  --finish-->  tarfs_tree  --merge-->  tarfs_tree  --plan-->  tarfs_layout
 *     (tar bytes)               (a layer)               (an image)             (every offset)
 *                                   ^                                               |
 *     tarfs_image  --get_tree-------+          bootstrap or disk, and tarfs_sealed <+
 *     (EROFS bytes)                                                  (root hash)
 *
 * EXAMPLE
 *
 * A tar on standard input becomes a layer's disk in one pass: the tar is written where it belongs
 * in the disk, and hashed, as it streams by; metadata and hash tree follow when it has ended.
 * Errors are left out here; examples/c/stream.c is the same with them. Layers that are files already
 * become disks in one call, tarfs_export: examples/c/seal_image.c is 20 lines.
 *
 *     tarfs_verity_params params = {.size = sizeof params};
 *     tarfs_verity_preset("nydus", &params, NULL);
 *     tarfs_sink disk = {.size = sizeof disk, .fd = fd, .offset = 4096};
 *     tarfs_layer_options options = {
 *         .size = sizeof options,
 *         .flags = TARFS_LAYER_TAG_DIFF_ID | TARFS_LAYER_KEEP_EMPTY_DEVICE,
 *         .tee = &disk,
 *         .leaves = &params,
 *     };
 *     tarfs_layer *layer = NULL;
 *     tarfs_tree *tree = NULL;
 *     tarfs_leaves *leaves = NULL;
 *     tarfs_layer_new(&options, &layer, NULL);
 *     tarfs_layer_push_fd(layer, 0, NULL, NULL, NULL); // or tarfs_layer_push, in any pieces
 *     tarfs_layer_finish(layer, NULL, &tree, &leaves, NULL);
 *
 *     tarfs_layout_options how = {.size = sizeof how, .artifact = TARFS_DISK_DATA_FIRST};
 *     tarfs_layout *layout = NULL;
 *     tarfs_layout_new(tree, &how, &layout, NULL);
 *     disk.offset = 0;
 *     tarfs_layout_write_metadata(layout, &disk, NULL);
 *
 *     tarfs_source source = {.size = sizeof source, .fd = fd, .offset = 4096};
 *     tarfs_sealed *sealed = NULL;
 *     params.placement = TARFS_HASH_BEHIND_DATA;
 *     tarfs_layout_hash_disk(layout, &source, 1, (const tarfs_leaves *const *)&leaves, &params,
 *                            &disk, NULL, NULL, &sealed, NULL);
 *     char *label = NULL;
 *     tarfs_sealed_get_text(sealed, TARFS_TEXT_NYDUS, NULL, NULL, NULL, &label, NULL);
 *     puts(label); // "379918,194519040,sha256:..."
 *
 *     tarfs_string_free(label);
 *     tarfs_sealed_free(sealed);
 *     tarfs_layout_free(layout);
 *     tarfs_leaves_free(leaves);
 *     tarfs_tree_free(tree);
 *     tarfs_layer_free(layer);
 *
 * CONVENTIONS
 *
 * Arguments come in this order: the object, inputs, outputs, error. Lengths and offsets are in
 * bytes unless a name or comment says otherwise. A pointer is not NULL unless its comment allows
 * it; a pointer to data is ignored if its length is 0. Of outputs besides objects and structs (a
 * length, a name, a number) each may be NULL if it is not wanted.
 *
 * Results: a call that can fail returns an int32_t, a tarfs_status: 0 is success, negative is a
 * failure. Outputs are written on success only. If the last parameter is a tarfs_error **, and not
 * NULL, a failure stores an error there, which the caller then owns; success leaves it alone.
 * What a failed call wrote to a file or sink before stays there: write to a temporary name, and
 * rename it when all is done.
 *
 * Ownership: what a call stores through a T ** belongs to the caller, who ends it with the T's
 * free function; free(NULL) does nothing. What a call returns as a plain pointer is borrowed: its
 * comment says for how long. Arguments are borrowed for the time of the call, and objects keep
 * what they need: a tree may be freed before its layout, leaves and layer before their tree.
 *
 * File descriptors stay the caller's. They need be open for the time of the call only; an object
 * that uses one later (a layer its tee, a hasher its sink) has a duplicate, closed with the object.
 *
 * Power cuts: what tarfs_export made is there after one. Of all other calls the caller syncs, with fsync(2):
 * the file, before it gets its name, and then the directory.
 *
 * Threads: any object may move from one thread to another. Calls that take it as const may run at
 * the same time as each other; any other call needs it alone. The library keeps no state besides
 * its objects. It starts threads in tarfs_export, tarfs_verity_seal, tarfs_verity_verify,
 * tarfs_leaves_read and tarfs_layout_hash_disk, and has ended them when these return, and one for a layer with
 * TARFS_LAYER_THREAD, which ends with that. Callbacks run on the thread that made the call.
 *
 * Structs of options and of answers begin with a size_t size, which the caller sets to sizeof the
 * struct; in an array all have the same. They grow at the end only; a field that is zero has its
 * default. A field that is set and unknown to an older library is an error, not overlooked.
 *
 * Callbacks get the void *ctx they were registered with. One that returns something other than 0
 * ends the call, which returns that number unchanged: that is how a call is cancelled. The library
 * itself returns no positive number, so positive ones can't be mistaken. A callback must not throw,
 * longjmp or call into the object that called it.
 *
 * Panics: a defect inside the library that Rust detects does not cross into C. It comes back as
 * TARFS_STATUS_PANIC; a layer or hasher at work accepts nothing but its free function afterwards.
 *
 * Bytes: the same tars and options give the same bytes, on every machine, in every version that
 * does not say otherwise in its list of changes.
 */


#ifndef TARFS_H
#define TARFS_H

#include <stddef.h>
#include <stdint.h>

/** The version of this header as one number: 16 bits major, 8 bits minor, 8 bits patch. */
#define TARFS_VERSION_NUMBER                                                                       \
    ((TARFS_VERSION_MAJOR << 16) | (TARFS_VERSION_MINOR << 8) | TARFS_VERSION_PATCH)

/**
 * What tarfs_error_offset returns for an error that is not about a place in an input.
 */
#define TARFS_OFFSET_NONE UINT64_MAX

/**
 * Major version that this header belongs to.
 */
#define TARFS_VERSION_MAJOR 0

/**
 * Minor version that this header belongs to.
 */
#define TARFS_VERSION_MINOR 1

/**
 * Patch version that this header belongs to.
 */
#define TARFS_VERSION_PATCH 0

/**
 * Version of the ABI that this header describes. It changes when a program that was built with an
 * older header could go wrong with the newer library; the soname ends in it.
 */
#define TARFS_ABI_VERSION 0

/**
 * force_uid is the owner of all files, before uid_offset is added.
 */
#define TARFS_CHANGE_FORCE_UID 1

/**
 * force_gid is the group of all files, before gid_offset is added.
 */
#define TARFS_CHANGE_FORCE_GID 2

/**
 * Modification times later than latest and latest_nsec become it.
 */
#define TARFS_CHANGE_CLAMP_MTIME 4

/**
 * The extent is in a device.
 */
#define TARFS_EXTENT_DEVICE 0

/**
 * The tree itself has the extent's bytes.
 */
#define TARFS_EXTENT_CARRIED 1

/**
 * Keep a hard link whose target is no earlier entry of its tar, for tarfs_tree_merge to find in a
 * lower layer; without it that is an error.
 */
#define TARFS_LAYER_KEEP_PENDING 1

/**
 * Resolve ".." in paths inside the root; without it that is an error.
 */
#define TARFS_LAYER_RESOLVE_DOT_DOT 2

/**
 * Drop extended attributes of namespaces that EROFS has no index for, and count them; without it
 * they are an error.
 */
#define TARFS_LAYER_DROP_UNKNOWN_XATTRS 4

/**
 * Keep the device of a layer in which no file has any data.
 */
#define TARFS_LAYER_KEEP_EMPTY_DEVICE 8

/**
 * Refuse what readers of tars disagree about, where it is otherwise read as GNU tar does.
 */
#define TARFS_LAYER_STRICT 16

/**
 * Pass over entries of unknown type, and count them; without it they are an error.
 */
#define TARFS_LAYER_SKIP_UNKNOWN_TYPES 32

/**
 * Compute the SHA-256 of all bytes pushed: the diffID of an uncompressed layer.
 */
#define TARFS_LAYER_DIFF_ID 64

/**
 * Compute it, and tag the device with it, as 64 hex digits, instead of with tag.
 */
#define TARFS_LAYER_TAG_DIFF_ID 128

/**
 * Compute it, and the leaves if they are wanted, on a thread of its own, if the machine has two
 * cores and the tar is not short. It has ended when tarfs_layer_finish or tarfs_layer_free returns.
 */
#define TARFS_LAYER_THREAD 256

/**
 * The tag is the SHA-256 of all bytes of the tar, as 64 hex digits, and the caller has computed or
 * checked it: layers with one such tag are one device of an image. It is known without this where
 * the library computes it (TARFS_LAYER_DIFF_ID).
 */
#define TARFS_LAYER_TAG_CHECKED 512

/**
 * Take devices for one whose tags are the same SHA-256, as 64 hex digits, and whose lengths are the
 * same: the caller has checked that the files have these digests. Without it only digests that the
 * library has computed, or TARFS_LAYER_TAG_CHECKED, or one tree given twice, make two devices one.
 */
#define TARFS_MERGE_TRUST_TAGS 1

/**
 * Where a layer has something below a path that a lower layer has as a symbolic link, follow the
 * link, as what extracts layers one over the other does. Without it a directory takes the link's
 * place, as overlayfs shows it.
 */
#define TARFS_MERGE_FOLLOW_LOWER_LINKS 2

/**
 * Each layer's devices have slots of their own, also where two have the same bytes or no file
 * refers to one: for callers who pass a device= for each layer. A layer without data has a device
 * only with TARFS_LAYER_KEEP_EMPTY_DEVICE.
 */
#define TARFS_MERGE_DEVICE_PER_LAYER 4

/**
 * A directory takes the place of a lower layer's symbolic link.
 */
#define TARFS_NOTE_LINK_REPLACED 1

/**
 * A directory that a layer does not list takes the place of a lower layer's file.
 */
#define TARFS_NOTE_FILE_REPLACED 2

/**
 * A layer lists one directory by two paths, with other attributes.
 */
#define TARFS_NOTE_LISTED_TWICE 3

/**
 * An inode of a kind that no mode can say: a name that hides one of the lower layers.
 */
#define TARFS_WHITEOUT 1

/**
 * A directory that hides what lower layers have in it.
 */
#define TARFS_OPAQUE 2

/**
 * A directory that its tar never lists: it gives way to the attributes of a lower layer's.
 */
#define TARFS_IMPLIED 4

/**
 * A hard link that waits for its target, a path in a lower layer, in link.
 */
#define TARFS_PENDING 8

/**
 * The bytes pushed are those of the tar.
 */
#define TARFS_COMPRESSION_NONE 0

/**
 * Told by the first bytes: gzip, zstd, xz or bzip2, and a tar as it is if they are of none.
 */
#define TARFS_COMPRESSION_AUTO 1

/**
 * gzip: members one behind the other, each held against its CRC-32 and length.
 */
#define TARFS_COMPRESSION_GZIP 2

/**
 * zstd: frames one behind the other, each held against its checksum, if it has one.
 */
#define TARFS_COMPRESSION_ZSTD 3

/**
 * xz: streams one behind the other, each held against its checks; dictionaries up to 512 MiB. A library that was
 * built without the feature "xz", as it is by default, answers TARFS_STATUS_COMPRESSED.
 */
#define TARFS_COMPRESSION_XZ 4

/**
 * bzip2: streams one behind the other, each held against its CRCs.
 */
#define TARFS_COMPRESSION_BZIP2 5

/**
 * Leave whiteouts, opaque and implied directories what they are in the image, as for a listing,
 * instead of making them properties of the tree, as for a merge.
 */
#define TARFS_IMAGE_AS_MOUNTED 1

/**
 * Of a disk, or an index with its tar behind it: its file is one device, from its first byte to its
 * last. For an image that is merged over files of layers, with TARFS_MERGE_DEVICE_PER_LAYER:
 * containerd's fsmeta.erofs.
 */
#define TARFS_IMAGE_WHOLE_FILE 2

/**
 * Metadata alone, mounted with one device= option for each device.
 */
#define TARFS_BOOTSTRAP 0

/**
 * One file: metadata, then the devices at multiples of align.
 */
#define TARFS_DISK_METADATA_FIRST 1

/**
 * One file: a head of 4096 bytes or some more, the devices, then the metadata.
 */
#define TARFS_DISK_DATA_FIRST 2

/**
 * Write whiteouts as files named ".wh.NAME", as in tars, instead of in overlayfs's form.
 */
#define TARFS_LAYOUT_AUFS_WHITEOUTS 1

/**
 * Regular files refer to their bytes by chunk indexes, also where a plain inode would do. So
 * bootstraps do without it, since every reader takes them, unless TARFS_LAYOUT_COMPACT is given;
 * disks do with it only.
 */
#define TARFS_LAYOUT_CHUNK_INDEXES 2

/**
 * Small inodes have mtimes of their own: less metadata, but only kernels read it right, from Linux
 * 6.15 on.
 */
#define TARFS_LAYOUT_COMPACT 4

/**
 * Files in one piece have plain inodes in a bootstrap too: 32 bytes less a file, but only kernels
 * read it right.
 */
#define TARFS_LAYOUT_PLAIN_BODIES 8

/**
 * The superblock has a checksum, whatever the block size. libblkid 2.41 and 2.42 do not recognise
 * blocks below 2048 bytes with one.
 */
#define TARFS_LAYOUT_CHECKSUM 16

/**
 * The superblock has no checksum, whatever the block size.
 */
#define TARFS_LAYOUT_NO_CHECKSUM 32

/**
 * A disk carries copies of the bodies that do not lie on multiples of block_size: those of tars lie
 * on 512. So any tar gives a disk for sectors, or dm-verity data blocks, of 4096 bytes.
 */
#define TARFS_LAYOUT_COPY_BODIES 64

/**
 * The segment is the head: tarfs_layout_write_metadata writes it.
 */
#define TARFS_SEGMENT_HEAD 0

/**
 * The segment is the rest of the metadata.
 */
#define TARFS_SEGMENT_BODY 1

/**
 * The segment is a part of a device's file.
 */
#define TARFS_SEGMENT_DEVICE 2

/**
 * The segment is zeros; a hole will do.
 */
#define TARFS_SEGMENT_ZEROS 3

/**
 * The segment is of a file whose bytes the layer has itself: tarfs_layout_write_disk writes it.
 */
#define TARFS_SEGMENT_CARRIED 4

/**
 * No superblock.
 */
#define TARFS_SUPERBLOCK_NONE 0

/**
 * A superblock whose UUID follows from the root hash, so that the bytes are reproducible.
 */
#define TARFS_SUPERBLOCK_DERIVED 1

/**
 * A superblock with the UUID given.
 */
#define TARFS_SUPERBLOCK_UUID 2

/**
 * The hash area is in a file of its own, from byte 0.
 */
#define TARFS_HASH_OWN_FILE 0

/**
 * The hash area is in the file of the data, at the first multiple of both block sizes behind it.
 */
#define TARFS_HASH_BEHIND_DATA 1

/**
 * The hash area is in the file of the data, at the byte offset given.
 */
#define TARFS_HASH_AT 2

/**
 * A data block may be larger than the filesystem's block: the disk is not for a mount by Linux, which
 * opens the device and refuses the mount.
 */
#define TARFS_VERITY_ANY_DATA_BLOCK 1

/**
 * The salt is hashed behind each block, as Chrome OS has it: format 0 of veritysetup. Without it the salt is in
 * front, which is format 1.
 */
#define TARFS_VERITY_CHROME_OS 2

/**
 * SHA-256: what everybody takes.
 */
#define TARFS_ALGORITHM_SHA256 0

/**
 * SHA-512: digests of 64 bytes, wherever others have 32.
 */
#define TARFS_ALGORITHM_SHA512 1

/**
 * Device-mapper table line; a is the data device, b the hash device.
 */
#define TARFS_TEXT_TABLE 0

/**
 * "veritysetup open" command line; a is the data, b the hash device, c the name.
 */
#define TARFS_TEXT_OPEN 1

/**
 * "veritysetup format" command line that makes the same tree; a is the data, b the hash device.
 */
#define TARFS_TEXT_FORMAT 2

/**
 * "veritysetup verify" command line; a is the data, b the hash device.
 */
#define TARFS_TEXT_VERIFY 3

/**
 * Nydus's label: "N,M,sha256:ROOT", N data blocks, M the hash offset in bytes.
 */
#define TARFS_TEXT_NYDUS 4

/**
 * The JSON that containerd puts beside a layer.
 */
#define TARFS_TEXT_CONTAINERD 5

/**
 * Kata's JSON.
 */
#define TARFS_TEXT_KATA 6

/**
 * The root hash: 64 hex digits, 128 of SHA-512.
 */
#define TARFS_TEXT_ROOT 7

/**
 * Annotations of a layer by the draft EROFS image specification, as a JSON object:
 * org.erofs.dmverity.root_digest and others. TARFS_STATUS_VERITY for a tree that they have no place
 * for.
 */
#define TARFS_TEXT_EROFS_ANNOTATIONS 8

/**
 * Options by which Kata mounts a layer in a guest, with commas between them:
 * X-kata.dmverity.roothash=ROOT and others. TARFS_STATUS_VERITY for a tree that Kata would open
 * wrong: it knows 4096/4096 alone.
 */
#define TARFS_TEXT_KATA_OPTIONS 9

/**
 * tarfs_partition.role: "Linux filesystem data".
 */
#define TARFS_PARTITION_LINUX 0

/**
 * tarfs_partition.role: a root file system, as the Discoverable Partitions Specification has it.
 */
#define TARFS_PARTITION_ROOT 1

/**
 * tarfs_partition.role: the hash tree of a root file system, from its superblock on.
 */
#define TARFS_PARTITION_ROOT_VERITY 2

/**
 * tarfs_partition.role: what is mounted at /usr.
 */
#define TARFS_PARTITION_USR 3

/**
 * tarfs_partition.role: the hash tree of what is mounted at /usr.
 */
#define TARFS_PARTITION_USR_VERITY 4

/**
 * A device-mapper table of linear and zero targets, for dmsetup create --readonly. Files are called
 * by their loop devices: at paths, or as MAJOR:MINOR.
 */
#define TARFS_RANGES_DM_LINEAR 0

/**
 * A VMDK descriptor for QEMU and others. Files are called by paths, absolute or from the
 * descriptor's directory on. A file has to back zeros.
 */
#define TARFS_RANGES_VMDK 1

/**
 * Files are not brought to the disk: after a power cut they may be empty, or not whole.
 */
#define TARFS_EXPORT_NO_SYNC 1

/**
 * What a fallible call returns, as an int32_t: zero for success, negative for a failure. The list
 * is append-only: a number never changes its meaning, and newer libraries may return newer ones.
 *
 * Positive numbers are the callbacks': the library returns none of its own.
 */
enum tarfs_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Success.
     */
    TARFS_STATUS_OK = 0,
    /**
     * An argument breaks a rule of this header: NULL where none is allowed, a length that no
     * memory has, a flag or number that is not in the header.
     */
    TARFS_STATUS_INVALID_ARGUMENT = -1,
    /**
     * A panic, which is a defect of the library, was caught. The handle that the call was given
     * is poisoned.
     */
    TARFS_STATUS_PANIC = -2,
    /**
     * An earlier call on this handle panicked. All that is left to do with it is to free it.
     */
    TARFS_STATUS_POISONED = -3,
    /**
     * The call comes at the wrong time: after the object was finished, or after an error that
     * ended its work.
     */
    TARFS_STATUS_WRONG_ORDER = -4,
    /**
     * A tar is malformed, or cut short.
     */
    TARFS_STATUS_TAR = -5,
    /**
     * A layer breaks a rule, or layers do not merge.
     */
    TARFS_STATUS_TREE = -6,
    /**
     * Something does not fit EROFS.
     */
    TARFS_STATUS_LAYOUT = -7,
    /**
     * An image is malformed, or of a kind that is not read.
     */
    TARFS_STATUS_READ = -8,
    /**
     * Parameters, superblock or use of a hash tree is wrong.
     */
    TARFS_STATUS_VERITY = -9,
    /**
     * Data does not have the digest that the hash tree or root hash says.
     */
    TARFS_STATUS_MISMATCH = -10,
    /**
     * The system failed to read or write; tarfs_error_errno has its number.
     */
    TARFS_STATUS_IO = -11,
    /**
     * There is no such path, inode, device or index.
     */
    TARFS_STATUS_NOT_FOUND = -12,
    /**
     * Something does not fit a device-mapper table, a VMDK descriptor or a partition table.
     */
    TARFS_STATUS_OUTPUT = -13,
    /**
     * A compressed stream is malformed, cut short, or over max_ratio; or this library was built without
     * what reads it.
     */
    TARFS_STATUS_COMPRESSED = -14,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum tarfs_status tarfs_status;
#else
typedef int32_t tarfs_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The details of one failure. The caller who received it owns it, may read it from any thread,
 * and frees it with tarfs_error_free; it refers to nothing else, so it may outlive every handle.
 */
typedef struct tarfs_error tarfs_error;

/**
 * The files that an export has made. It does not change: any number of threads may use it.
 */
typedef struct tarfs_exported tarfs_exported;

/**
 * A GUID Partition Table. It does not change: any number of threads may use it.
 */
typedef struct tarfs_gpt tarfs_gpt;

/**
 * Hashes data of known length as it streams by.
 */
typedef struct tarfs_hasher tarfs_hasher;

/**
 * An image that was read: superblock, device table, metadata. It does not change: any number of
 * threads may use it.
 */
typedef struct tarfs_image tarfs_image;

/**
 * A tar that streams in and becomes a layer.
 */
typedef struct tarfs_layer tarfs_layer;

/**
 * The plan of an image. It does not change: any number of threads may use it.
 */
typedef struct tarfs_layout tarfs_layout;

/**
 * Digests of the data blocks of one tar. It does not change: any number of threads may use it.
 */
typedef struct tarfs_leaves tarfs_leaves;

/**
 * A disk as ranges of files: nothing is copied, and no file is opened. It does not change: any
 * number of threads may use it.
 */
typedef struct tarfs_ranges tarfs_ranges;

/**
 * Geometry and root hash of sealed data. It does not change: any number of threads may use it.
 */
typedef struct tarfs_sealed tarfs_sealed;

/**
 * A filesystem tree: one layer, or layers merged. It does not change: any number of threads may
 * use it.
 */
typedef struct tarfs_tree tarfs_tree;

/**
 * Says whether a name is left out, with all that is below it: a number other than 0 in excluded, which is 0
 * before. It is asked of every name but the root's and those below a name that is left out; of a directory
 * before what is in it, in ascending byte order of the names. Other names of the same file stay, and the tar
 * keeps its bytes: nothing is hidden by this. Path is from the root on, '/' between names and none in front,
 * and not NUL-terminated. Mode has the type of what has the name alone, S_IFDIR and so on; flags is 0, or
 * TARFS_WHITEOUT or TARFS_PENDING in a layer that is not merged.
 *
 * It returns 0, or another number, which ends the call and is its result; it is not called again then. It
 * runs on the thread that made the call; path is borrowed for its time.
 */
typedef int32_t (*tarfs_exclude_fn)(void *ctx,
                                    const uint8_t *path,
                                    size_t path_len,
                                    uint32_t mode,
                                    uint32_t flags,
                                    uint32_t *excluded);

/**
 * Says the SELinux label of a file, 1 to 65535 bytes: it becomes the value of security.selinux, in place of the
 * one that is there; without a NUL behind it, as mkfs.erofs writes it. Label and label_len are NULL and 0
 * before; left so, the file stays as it is. A label of another length is TARFS_STATUS_TREE.
 *
 * It is asked of every inode once, by its path, from the root on, whose path is empty; of a file with several
 * names by the first of them, in byte order of the names, a directory before what is in it. Whiteouts and
 * pending hard links are no files: it is not asked of them. Path and mode are as tarfs_exclude_fn has them.
 *
 * The bytes of the label stay the callback's: they are copied before it is called again, and before the call
 * returns; it may use the same buffer each time. What it returns is as tarfs_exclude_fn has it.
 */
typedef int32_t (*tarfs_label_fn)(void *ctx,
                                  const uint8_t *path,
                                  size_t path_len,
                                  uint32_t mode,
                                  const uint8_t **label,
                                  size_t *label_len);

/**
 * What of a tree is made otherwise than its layers say; zeros for nothing.
 */
typedef struct {
    /**
     * sizeof(tarfs_changes).
     */
    size_t size;
    /**
     * TARFS_CHANGE_ flags: which of the next are looked at.
     */
    uint32_t flags;
    /**
     * The owner of all files, with TARFS_CHANGE_FORCE_UID.
     */
    uint32_t force_uid;
    /**
     * The group of all files, with TARFS_CHANGE_FORCE_GID.
     */
    uint32_t force_gid;
    /**
     * Nanoseconds of the latest time, below 1000000000, with TARFS_CHANGE_CLAMP_MTIME.
     */
    uint32_t latest_nsec;
    /**
     * Seconds of the latest time since 1970, with TARFS_CHANGE_CLAMP_MTIME.
     */
    int64_t latest;
    /**
     * Added to the owner of every file. What is no owner then, 0 to 4294967294, is TARFS_E_TREE.
     */
    int64_t uid_offset;
    /**
     * Added to the group of every file.
     */
    int64_t gid_offset;
    /**
     * Paths that are left out, with all that is below them: from the root on, '/' between names. Other
     * names of the same file stay, and the tar keeps its bytes: nothing is hidden by this. A path that is
     * not there changes nothing. NULL where exclude_count is 0.
     */
    const char *const *exclude;
    /**
     * How many paths are left out.
     */
    size_t exclude_count;
    /**
     * Asked of every name whether it is left out too, before anything else is changed; NULL for no name.
     */
    tarfs_exclude_fn exclude_if;
    /**
     * Passed to exclude_if.
     */
    void *exclude_ctx;
    /**
     * Asked of every file for its SELinux label, when all else is changed; NULL for none.
     */
    tarfs_label_fn label;
    /**
     * Passed to label.
     */
    void *label_ctx;
} tarfs_changes;

/**
 * A part of a regular file. What lies between them reads as zeros.
 */
typedef struct {
    /**
     * sizeof(tarfs_extent).
     */
    size_t size;
    /**
     * Byte of the file at which it starts.
     */
    uint64_t logical;
    /**
     * Its length in bytes.
     */
    uint64_t bytes;
    /**
     * One of TARFS_EXTENT_.
     */
    uint32_t kind;
    /**
     * Index of the device.
     */
    uint32_t device;
    /**
     * Byte of the device at which it starts, from the device's base_offset on.
     */
    uint64_t offset;
    /**
     * The bytes, if the tree has them; they live as long as the tree.
     */
    const uint8_t *data;
} tarfs_extent;

/**
 * Fills buf with the len bytes at byte offset of the source; 0 on success, anything else ends the
 * call, which returns it unchanged. It is called on the thread that made the call.
 */
typedef int32_t (*tarfs_read_fn)(void *ctx, uint64_t offset, uint8_t *buf, size_t len);

/**
 * Bytes to be read: by a callback, or of a file.
 */
typedef struct {
    /**
     * sizeof(tarfs_source).
     */
    size_t size;
    /**
     * Reads; if it is NULL, fd is read with pread.
     */
    tarfs_read_fn read;
    /**
     * What read gets.
     */
    void *ctx;
    /**
     * A file that can be read at any offset; looked at only if read is NULL. It stays the
     * caller's, open until the call returns, and its file offset does not move.
     */
    int32_t fd;
    /**
     * Added to every offset: byte 0 of what is read is here.
     */
    uint64_t offset;
} tarfs_source;

/**
 * Takes the len bytes at data, which belong at byte offset of the sink; 0 on success, anything
 * else ends the call, which returns it unchanged. It is called on the thread that made the call;
 * data is borrowed for its time.
 */
typedef int32_t (*tarfs_write_fn)(void *ctx, uint64_t offset, const uint8_t *data, size_t len);

/**
 * Where bytes are written to: a callback, or a file.
 */
typedef struct {
    /**
     * sizeof(tarfs_sink).
     */
    size_t size;
    /**
     * Writes; if it is NULL, fd is written to.
     */
    tarfs_write_fn write;
    /**
     * What write gets.
     */
    void *ctx;
    /**
     * A file, written with pwrite, or a pipe or socket, which takes bytes in ascending order only;
     * looked at only if write is NULL. It stays the caller's; an object that writes later holds a
     * duplicate of it. Where zeros belong a file gets a hole, so it should be empty there.
     */
    int32_t fd;
    /**
     * Added to every offset: byte 0 of what is written lands here.
     */
    uint64_t offset;
} tarfs_sink;

/**
 * Parameters of a dm-verity hash tree: SHA-256 in format 1 where nothing else is said.
 */
typedef struct {
    /**
     * sizeof(tarfs_verity_params).
     */
    size_t size;
    /**
     * Data block size in bytes: a power of two from 512 to 524288; 0 for 512.
     */
    uint32_t data_block;
    /**
     * Hash block size in bytes: likewise; 0 for 4096.
     */
    uint32_t hash_block;
    /**
     * Hashed with every block, in front of it; NULL for none.
     */
    const uint8_t *salt;
    /**
     * Length of salt: up to 256.
     */
    size_t salt_len;
    /**
     * One of TARFS_SUPERBLOCK_.
     */
    uint32_t superblock;
    /**
     * One of TARFS_HASH_: where the hash area goes.
     */
    uint32_t placement;
    /**
     * Byte offset of the hash area, with TARFS_HASH_AT.
     */
    uint64_t hash_offset;
    /**
     * UUID of the superblock, with TARFS_SUPERBLOCK_UUID.
     */
    uint8_t uuid[16];
    /**
     * TARFS_VERITY_ flags.
     */
    uint32_t flags;
    /**
     * Not used; 0.
     */
    uint32_t reserved;
    /**
     * One of TARFS_ALGORITHM_.
     */
    uint32_t algorithm;
    /**
     * Not used; 0.
     */
    uint32_t reserved2;
} tarfs_verity_params;

/**
 * How much an input may cost: memory, time, room on a disk. Whoever wrote a layer chose its bytes, and few of them
 * can ask for much; the defaults are for layers of strangers. Zero is the default, UINT64_MAX no limit. What is as much
 * as a limit is taken, what is one more is an error of its stage, whose message has the field's name, its value, and
 * how much there is: "3 entries are over the limit max_entries of 2".
 */
typedef struct {
    /**
     * sizeof(tarfs_limits).
     */
    size_t size;
    /**
     * The most bytes of a tar, uncompressed, all that follows its end counted; no limit by default. Stops a tar
     * that fills the disk it is written to, or never ends.
     */
    uint64_t max_bytes;
    /**
     * How many times as long as the compressed bytes that were read a stream may be, from 256 MiB on; 200 by
     * default. Stops the same, where nobody knows a length.
     */
    uint64_t max_ratio;
    /**
     * The most entries of a tar; no limit by default. Stops a tar of headers alone: 150 bytes of memory each.
     */
    uint64_t max_entries;
    /**
     * The most inodes of a layer, and of layers that are merged, the root counted; 16,777,216 by default. Stops
     * layers that each are within bounds, and are gigabytes of memory together.
     */
    uint64_t max_inodes;
    /**
     * The most directories that no entry is about but which paths imply, beyond 4 for each entry; 65,536 by
     * default. Stops tars of few deep paths, each of whose directories is an inode.
     */
    uint64_t max_implied;
    /**
     * The most names in a path, of an entry and of what is merged; 4,096 by default. Stops trees on which
     * whoever goes down by recursion, or to each directory by its path, spends stack and time.
     */
    uint64_t max_depth;
    /**
     * The most bytes of a path, and of a link's target; 65,536 by default. Stops long names, which are kept.
     */
    uint64_t max_path_bytes;
    /**
     * The most bytes of one name in a path; 255 by default, and more count for nothing. Stops names that what
     * comes later can't handle.
     */
    uint64_t max_name_bytes;
    /**
     * The most bytes of pax records and long names of one entry; 1 MiB by default. Stops headers that are held
     * until their entry comes.
     */
    uint64_t max_extension_bytes;
    /**
     * The most bytes of extended attributes of one entry; 1 MiB by default. Stops attributes, which are kept.
     */
    uint64_t max_xattr_bytes;
    /**
     * The most bytes of a path, and of a link's target, that a global pax header gives to all entries; 1,024 by
     * default. Stops a path that is said once, and counts for each entry.
     */
    uint64_t max_global_path_bytes;
    /**
     * The most bytes of extended attributes that global pax headers give to all entries, with 16 for each; 1,024
     * by default. Stops attributes that are said once, and stand at each inode.
     */
    uint64_t max_global_xattr_bytes;
    /**
     * The most runs in the map of a sparse file; 1,048,576 by default. Stops maps, of 16 bytes of memory a run.
     */
    uint64_t max_sparse_segments;
    /**
     * The most bytes that a layer carries itself: attributes, link targets, odd pieces of sparse files; 1 GiB by
     * default. Stops maps of runs of one byte, each of which is carried as a block.
     */
    uint64_t max_carried;
    /**
     * The most bytes of the chunk tables of an image's sparse files, beyond an eighth of the bytes of all
     * devices; 64 MiB by default. Stops holes: a header may say that a file is 8 EiB long.
     */
    uint64_t max_table_bytes;
    /**
     * The most bytes of an image's metadata; 4 GiB by default. Stops an image that fills the disk, whatever its
     * layers did to be within each of the others.
     */
    uint64_t max_metadata_bytes;
    /**
     * The most bytes of a document of JSON; 4 MiB by default. This library reads none: it is for programs that
     * hand the struct around.
     */
    uint64_t max_json_bytes;
} tarfs_limits;

/**
 * How a tar becomes a layer.
 */
typedef struct {
    /**
     * sizeof(tarfs_layer_options).
     */
    size_t size;
    /**
     * Tag of the device that the tar is: up to 64 bytes, usually the hex digits of the blob's
     * digest. It is a name: it never shows that two tars are one, see TARFS_LAYER_TAG_CHECKED.
     */
    const uint8_t *tag;
    /**
     * Length of tag.
     */
    size_t tag_len;
    /**
     * TARFS_LAYER_ flags.
     */
    uint32_t flags;
    /**
     * The most bytes of a path, and of a link's target.
     */
    uint32_t max_path_bytes;
    /**
     * The most bytes of pax records and long names of one entry.
     */
    uint64_t max_extension_bytes;
    /**
     * The most bytes of extended attributes of one entry.
     */
    uint64_t max_xattr_bytes;
    /**
     * The most segments of a sparse file.
     */
    uint64_t max_sparse_segments;
    /**
     * The most bytes that the tree may carry itself: attributes, link targets, odd pieces of
     * sparse files.
     */
    uint64_t max_carried;
    /**
     * Where all bytes pushed are written to, unchanged and in order; nowhere if NULL.
     */
    const tarfs_sink *tee;
    /**
     * Parameters of hash trees that the tar's data blocks are hashed for on the way; none if NULL.
     */
    const tarfs_verity_params *leaves;
    /**
     * The most directories that no entry is about but which paths imply, beyond 4 for each entry.
     */
    uint64_t max_implied;
    /**
     * The most bytes of a path, and of a link's target, that a global pax header gives to all entries.
     */
    uint64_t max_global_path_bytes;
    /**
     * The most bytes of extended attributes that global pax headers give to all entries.
     */
    uint64_t max_global_xattr_bytes;
    /**
     * The most entries of the tar; no limit by default.
     */
    uint64_t max_entries;
    /**
     * The most bytes of the tar, uncompressed, all that follows its end counted; no limit by default. To be set for
     * tars that are decompressed, as a few bytes become any number.
     */
    uint64_t max_bytes;
    /**
     * How what is pushed is compressed: a TARFS_COMPRESSION_ constant. All else here is about the tar in it: flags,
     * limits, leaves, and tee, which gets the tar uncompressed. What is wrong with the stream is
     * TARFS_STATUS_COMPRESSED, with the offset in the compressed bytes.
     */
    uint32_t compression;
    /**
     * How many times as long as what was pushed the tar may become, from 256 MiB on; 200 by default.
     */
    uint32_t max_ratio;
    /**
     * How much the tar and its layer may cost; NULL for defaults. Of a limit that is set here and above this counts:
     * the fields above are of before there was this struct.
     */
    const tarfs_limits *limits;
} tarfs_layer_options;

/**
 * Is told how many bytes were dealt with so far; 0 to go on, anything else cancels the call, which
 * returns it unchanged. It is called on the thread that made the call.
 */
typedef int32_t (*tarfs_progress_fn)(void *ctx, uint64_t bytes);

/**
 * What was met in a tar.
 */
typedef struct {
    /**
     * sizeof(tarfs_layer_info).
     */
    size_t size;
    /**
     * Entries.
     */
    uint64_t entries;
    /**
     * Length of the tar in bytes, everything behind its end marker too.
     */
    uint64_t bytes;
    /**
     * Bytes behind the end marker.
     */
    uint64_t trailing;
    /**
     * How many zero blocks end the tar: 2 as POSIX has it, or 1, or 0.
     */
    uint32_t end_blocks;
    /**
     * 1 if diff_id is set.
     */
    uint32_t has_diff_id;
    /**
     * SHA-256 of all bytes.
     */
    uint8_t diff_id[32];
    /**
     * Entries of unknown type that were passed over.
     */
    uint64_t skipped_unknown;
    /**
     * Volume labels that were passed over.
     */
    uint64_t skipped_labels;
    /**
     * Entries without a body that state a size all the same.
     */
    uint64_t sizes_ignored;
    /**
     * Extended attributes that were dropped.
     */
    uint64_t dropped_xattrs;
    /**
     * Access control lists that were dropped: they name users or groups without their numbers.
     */
    uint64_t dropped_acls;
    /**
     * Entries whose owner or group is 4294967295, which became 0.
     */
    uint64_t unset_owners;
} tarfs_layer_info;

/**
 * Told of a note: its kind, TARFS_NOTE_; the layer's number from 0; the path, which is not
 * NUL-terminated; and the whole as a sentence, which is. All end with the call.
 */
typedef void (*tarfs_note_fn)(void *ctx,
                              uint32_t kind,
                              size_t layer,
                              const uint8_t *path,
                              size_t path_len,
                              const char *text);

/**
 * How layers are merged.
 */
typedef struct {
    /**
     * sizeof(tarfs_merge_options).
     */
    size_t size;
    /**
     * Not 0: keep devices that no file refers to any more, whatever layer has them.
     */
    uint32_t keep_devices;
    /**
     * TARFS_MERGE_ flags.
     */
    uint32_t flags;
    /**
     * Told where the merge decides what not every reader of layers does; NULL for nobody.
     */
    tarfs_note_fn note;
    /**
     * Passed to note.
     */
    void *note_ctx;
    /**
     * How much all layers together may cost, of inodes and of depth; NULL for defaults.
     */
    const tarfs_limits *limits;
} tarfs_merge_options;

/**
 * An inode.
 */
typedef struct {
    /**
     * sizeof(tarfs_stat).
     */
    size_t size;
    /**
     * Type and permissions, as in struct stat: S_IFDIR and so on. A whiteout is a character
     * device, a pending hard link has type 0.
     */
    uint32_t mode;
    /**
     * TARFS_WHITEOUT, TARFS_OPAQUE, TARFS_IMPLIED, TARFS_PENDING.
     */
    uint32_t flags;
    /**
     * Owner.
     */
    uint32_t uid;
    /**
     * Group.
     */
    uint32_t gid;
    /**
     * Number of links.
     */
    uint32_t nlink;
    /**
     * Nanoseconds of mtime.
     */
    uint32_t mtime_nsec;
    /**
     * Seconds of mtime since 1970.
     */
    int64_t mtime;
    /**
     * Length in bytes of a regular file or of a symbolic link's target, else 0.
     */
    uint64_t bytes;
    /**
     * Major number of a device file.
     */
    uint32_t rdev_major;
    /**
     * Minor number of a device file.
     */
    uint32_t rdev_minor;
    /**
     * Names in a directory.
     */
    uint64_t children;
    /**
     * Extended attributes.
     */
    uint64_t xattrs;
    /**
     * Extents of a regular file.
     */
    uint64_t extents;
    /**
     * Target of a symbolic or pending hard link, not NUL-terminated; lives as long as the tree.
     */
    const uint8_t *link;
    /**
     * Length of link.
     */
    size_t link_len;
} tarfs_stat;

/**
 * Totals of a tree.
 */
typedef struct {
    /**
     * sizeof(tarfs_tree_info).
     */
    size_t size;
    /**
     * Inodes; their numbers count from 0, which is the root.
     */
    uint64_t inodes;
    /**
     * Names in all directories.
     */
    uint64_t names;
    /**
     * Devices: the files that hold bodies.
     */
    uint64_t devices;
} tarfs_tree_info;

/**
 * A file that holds bodies of files: a tar.
 */
typedef struct {
    /**
     * sizeof(tarfs_device).
     */
    size_t size;
    /**
     * Its name: usually the hex digits of the blob's digest. Not NUL-terminated. Two devices may
     * have one tag: which file a device of a merged tree is, origin_layer and origin_device tell.
     */
    const uint8_t *tag;
    /**
     * Length of tag: up to 64.
     */
    size_t tag_len;
    /**
     * Its length in bytes, from base_offset on.
     */
    uint64_t bytes;
    /**
     * Byte of its file that counts as its first.
     */
    uint64_t base_offset;
    /**
     * Its length in blocks of the filesystem.
     */
    uint64_t blocks;
    /**
     * Its first block in the unified address space.
     */
    uint64_t uniaddr;
    /**
     * Its first byte in the disk; 0 in a bootstrap.
     */
    uint64_t disk_offset;
    /**
     * Of a merged tree: which of the layers given to tarfs_tree_merge it comes from, from 0; of
     * devices that are one, the lowest.
     */
    uint64_t origin_layer;
    /**
     * And which device of that layer's tree.
     */
    uint64_t origin_device;
} tarfs_device;

/**
 * What the superblock of an image says.
 */
typedef struct {
    /**
     * sizeof(tarfs_image_info).
     */
    size_t size;
    /**
     * Block size of the filesystem in bytes.
     */
    uint32_t block_size;
    /**
     * Device slots.
     */
    uint32_t devices;
    /**
     * 1 if the devices are inside the image's file: it is a disk, mounted as it is. 0 if each is a
     * file of its own, named by a device= option.
     */
    uint32_t holds_devices;
    /**
     * 1 if the superblock has a checksum, which then was right.
     */
    uint32_t has_checksum;
    /**
     * End in bytes of the filesystem in its file: padding and a hash tree may follow.
     */
    uint64_t end;
    /**
     * Inodes.
     */
    uint64_t inodes;
    /**
     * Number of the root's inode.
     */
    uint64_t root_nid;
    /**
     * feature_compat of the superblock.
     */
    uint32_t feature_compat;
    /**
     * feature_incompat of the superblock.
     */
    uint32_t feature_incompat;
    /**
     * Seconds since 1970 that the superblock has.
     */
    int64_t epoch;
    /**
     * UUID of the filesystem.
     */
    uint8_t uuid[16];
    /**
     * Volume label, filled up with NULs.
     */
    uint8_t volume_name[16];
} tarfs_image_info;

/**
 * How a tree is made of an image.
 */
typedef struct {
    /**
     * sizeof(tarfs_image_options).
     */
    size_t size;
    /**
     * TARFS_IMAGE_ flags.
     */
    uint32_t flags;
    /**
     * Not used; 0.
     */
    uint32_t reserved;
    /**
     * Tag for devices in a disk whose slot has none, and for the disk itself: up to 64 bytes.
     */
    const uint8_t *tag;
    /**
     * Length of tag.
     */
    size_t tag_len;
    /**
     * How much the image may cost, of inodes and of depth; NULL for defaults.
     */
    const tarfs_limits *limits;
} tarfs_image_options;

/**
 * How an image is laid out.
 */
typedef struct {
    /**
     * sizeof(tarfs_layout_options).
     */
    size_t size;
    /**
     * TARFS_BOOTSTRAP, TARFS_DISK_METADATA_FIRST or TARFS_DISK_DATA_FIRST.
     */
    uint32_t artifact;
    /**
     * Block size of the filesystem in bytes: a power of two from 512 to 65536; 0 for 512.
     */
    uint32_t block_size;
    /**
     * Metadata first: devices start at multiples of this; 0 for 4096. Nydus has 524288.
     */
    uint64_t align;
    /**
     * TARFS_LAYOUT_ flags.
     */
    uint32_t flags;
    /**
     * Not used; 0.
     */
    uint32_t reserved;
    /**
     * UUID of the filesystem; zeros for one that follows from its content. tarfs_uuid_of_blob has
     * containerd's.
     */
    uint8_t uuid[16];
    /**
     * Volume label: up to 15 bytes.
     */
    const uint8_t *volume_name;
    /**
     * Length of volume_name.
     */
    size_t volume_name_len;
    /**
     * How much the image may cost, of chunk tables and of all metadata; NULL for defaults.
     */
    const tarfs_limits *limits;
} tarfs_layout_options;

/**
 * Sizes and offsets of an image.
 */
typedef struct {
    /**
     * sizeof(tarfs_layout_info).
     */
    size_t size;
    /**
     * Block size of the filesystem in bytes.
     */
    uint32_t block_size;
    /**
     * Device slots: how many device= options a mount of a bootstrap needs.
     */
    uint32_t devices;
    /**
     * Inodes.
     */
    uint64_t inodes;
    /**
     * Number of the root's inode.
     */
    uint64_t root_nid;
    /**
     * Bytes of metadata, head included: the length of a bootstrap.
     */
    uint64_t metadata_bytes;
    /**
     * Bytes of boot area, superblock and device table, at byte 0.
     */
    uint64_t head_bytes;
    /**
     * Byte at which the rest of the metadata starts.
     */
    uint64_t body_offset;
    /**
     * Bytes of the rest of the metadata.
     */
    uint64_t body_bytes;
    /**
     * Bytes of the disk; of a bootstrap, what a disk of it would take.
     */
    uint64_t disk_bytes;
    /**
     * Segments of the disk.
     */
    uint64_t segments;
    /**
     * Bytes of the disk that are copies of bodies, with TARFS_LAYOUT_COPY_BODIES.
     */
    uint64_t copied_bytes;
} tarfs_layout_info;

/**
 * A part of a disk. Segments ascend, each starting where the one before ends.
 */
typedef struct {
    /**
     * sizeof(tarfs_segment).
     */
    size_t size;
    /**
     * Byte of the disk at which it starts.
     */
    uint64_t offset;
    /**
     * Its length in bytes.
     */
    uint64_t bytes;
    /**
     * One of TARFS_SEGMENT_.
     */
    uint32_t kind;
    /**
     * Index of the device, if it is one's.
     */
    uint32_t device;
    /**
     * Byte of the device's file at which it starts.
     */
    uint64_t device_offset;
} tarfs_segment;

/**
 * Sizes and offsets of a hash tree, and its root hash.
 */
typedef struct {
    /**
     * sizeof(tarfs_sealed_info).
     */
    size_t size;
    /**
     * The root hash of SHA-256; zeros of another algorithm.
     */
    uint8_t root[32];
    /**
     * Data block size in bytes.
     */
    uint32_t data_block;
    /**
     * Hash block size in bytes.
     */
    uint32_t hash_block;
    /**
     * Data blocks.
     */
    uint64_t data_blocks;
    /**
     * Bytes of data.
     */
    uint64_t data_bytes;
    /**
     * Byte offset of the hash area in its file, as veritysetup's --hash-offset takes it.
     */
    uint64_t hash_offset;
    /**
     * Byte offset of the tree in its file: behind the superblock, if there is one.
     */
    uint64_t tree_offset;
    /**
     * Bytes of the tree.
     */
    uint64_t tree_bytes;
    /**
     * End of the hash area in its file.
     */
    uint64_t end;
    /**
     * Levels of the tree.
     */
    uint32_t levels;
    /**
     * 1 if there is a superblock.
     */
    uint32_t has_superblock;
    /**
     * UUID of the superblock.
     */
    uint8_t uuid[16];
    /**
     * Length of the root hash in bytes: 32, or 64 of SHA-512.
     */
    uint32_t root_len;
    /**
     * One of TARFS_ALGORITHM_.
     */
    uint32_t algorithm;
    /**
     * The root hash, of root_len bytes, zeros behind it.
     */
    uint8_t long_root[64];
} tarfs_sealed_info;

/**
 * A disk that is to be a partition.
 */
typedef struct {
    /**
     * sizeof(tarfs_partition).
     */
    size_t size;
    /**
     * Its name, in UTF-8: at most 36 UTF-16 units.
     */
    const uint8_t *name;
    /**
     * Length of name.
     */
    size_t name_len;
    /**
     * What tells its content from others: a root hash, or a digest. Its GUID follows from it.
     */
    const uint8_t *identity;
    /**
     * Length of identity.
     */
    size_t identity_len;
    /**
     * Length in bytes: whole sectors of 512.
     */
    uint64_t bytes;
    /**
     * What it is for, which its type and attributes tell: TARFS_PARTITION_*. The identity of a hash
     * tree and of its file system is the root hash, of 32 bytes: its halves are their GUIDs.
     */
    uint32_t role;
    /**
     * For which processors, if its role is not TARFS_PARTITION_LINUX: a name of the Discoverable
     * Partitions Specification (x86-64), of OCI images (amd64) or of uname (x86_64).
     */
    const char *architecture;
} tarfs_partition;

/**
 * What a partitioned disk is.
 */
typedef struct {
    /**
     * sizeof(tarfs_gpt_info).
     */
    size_t size;
    /**
     * Length of the disk in bytes.
     */
    uint64_t bytes;
    /**
     * Partitions.
     */
    uint64_t partitions;
    /**
     * Bytes of the table at the disk's beginning.
     */
    uint64_t head_bytes;
    /**
     * Bytes of the table at its end.
     */
    uint64_t tail_bytes;
    /**
     * The disk's GUID, in the byte order in which it is written.
     */
    uint8_t guid[16];
} tarfs_gpt_info;

/**
 * Where a partition is.
 */
typedef struct {
    /**
     * sizeof(tarfs_placed).
     */
    size_t size;
    /**
     * Byte of the disk at which it starts.
     */
    uint64_t offset;
    /**
     * Its length in bytes.
     */
    uint64_t bytes;
    /**
     * Its GUID, in the byte order in which it is written.
     */
    uint8_t guid[16];
    /**
     * The GUID of its type, in the same byte order.
     */
    uint8_t partition_type[16];
} tarfs_placed;

/**
 * A range of a disk.
 */
typedef struct {
    /**
     * sizeof(tarfs_range).
     */
    size_t size;
    /**
     * Byte of the disk at which it starts: where the one before ends. Not looked at in what is
     * given to tarfs_ranges_new.
     */
    uint64_t offset;
    /**
     * Its length in bytes.
     */
    uint64_t bytes;
    /**
     * The file's name, in UTF-8; NULL for zeros. Not NUL-terminated.
     */
    const uint8_t *file;
    /**
     * Length of file.
     */
    size_t file_len;
    /**
     * Byte of the file at which the range starts.
     */
    uint64_t file_offset;
} tarfs_range;

/**
 * What a disk of ranges is.
 */
typedef struct {
    /**
     * sizeof(tarfs_ranges_info).
     */
    size_t size;
    /**
     * Length of the disk in bytes.
     */
    uint64_t bytes;
    /**
     * How many ranges it has.
     */
    uint64_t count;
    /**
     * The longest range of zeros, in bytes: what a file that backs them has to have.
     */
    uint64_t longest_zeros;
} tarfs_ranges_info;

/**
 * A file that an export has made.
 */
typedef struct {
    /**
     * sizeof(tarfs_exported_info).
     */
    size_t size;
    /**
     * Its path; lives as long as the object.
     */
    const char *path;
    /**
     * Bytes of the disk, or of the hash tree alone. With a form over files these are no file's.
     */
    uint64_t bytes;
    /**
     * Bytes of the filesystem, of the first one with partitions.
     */
    uint64_t filesystem_bytes;
    /**
     * How many devices the filesystem has, of which each came from a source.
     */
    uint64_t devices;
    /**
     * How many filesystems are in it: 1, or with partitions one for each layer.
     */
    uint64_t filesystems;
    /**
     * Partitions; 0 without.
     */
    uint64_t partitions;
    /**
     * 1 if there is a hash tree.
     */
    uint32_t has_verity;
    /**
     * Not used; 0.
     */
    uint32_t reserved;
} tarfs_exported_info;

/**
 * A layer of an export: a tar that is read, or a tree and where the bytes of its devices are.
 */
typedef struct {
    /**
     * sizeof(tarfs_export_layer).
     */
    size_t size;
    /**
     * Path of an uncompressed tar; NULL for tree. It is read for its entries and its SHA-256, which is
     * the tag of its device, and once more for the disk.
     */
    const char *tar;
    /**
     * A tree; NULL for tar.
     */
    const tarfs_tree *tree;
    /**
     * The files of the tree's devices, in its order; may be NULL if source_count is 0.
     */
    const tarfs_source *sources;
    /**
     * How many sources: as many as the tree has devices.
     */
    size_t source_count;
    /**
     * NULL, or for each of the sources NULL or the digests kept of its data blocks, with which its
     * bytes need not be hashed again.
     */
    const tarfs_leaves *const *leaves;
} tarfs_export_layer;

/**
 * What an export makes, and how. Only mode must be set.
 */
typedef struct {
    /**
     * sizeof(tarfs_export_options).
     */
    size_t size;
    /**
     * One of the six modes by its name: "image_block" is a disk of the merged layers, "layer_block" one
     * of each layer; with "_with_verity" behind it a hash tree follows; "image_verity_only" and
     * "layer_verity_only" are that tree alone.
     */
    const char *mode;
    /**
     * What a disk comes out as: "raw", "vmdk" (a descriptor over the files of the layers) or
     * "dm-linear" (a script that makes a device over them); NULL for "raw". The last two name files,
     * which have to stay, and one beside the output, PATH.metadata.
     */
    const char *form;
    /**
     * Puts the disks into one, a GPT partition each: "linux", or one image as the Discoverable
     * Partitions Specification has it, "dps" for a root, "dps-usr" for a /usr; NULL for no partitions.
     */
    const char *partitions;
    /**
     * What a volume of "dps" or "dps-usr" is for, as "x86-64" or "amd64"; else NULL.
     */
    const char *architecture;
    /**
     * The layout of disks; NULL for defaults. TARFS_BOOTSTRAP, which is no disk, stands for
     * TARFS_DISK_METADATA_FIRST. Bodies that do not lie on block_size are copied in any case.
     */
    const tarfs_layout_options *layout;
    /**
     * The parameters of hash trees; NULL for those of the preset "nydus". Where a tree lies the mode
     * says: placement and hash_offset are not looked at.
     */
    const tarfs_verity_params *params;
    /**
     * How layers are merged; NULL for defaults.
     */
    const tarfs_merge_options *merge;
    /**
     * How many threads hash; 0 for as many as the machine has.
     */
    uint32_t thread_count;
    /**
     * TARFS_EXPORT_ flags.
     */
    uint32_t flags;
    /**
     * What is made otherwise than the layers say, when they are merged; in layer_ modes in each. NULL for
     * nothing.
     */
    const tarfs_changes *changes;
    /**
     * How much all of it may cost: each tar, the layers merged, each image. NULL for defaults, and for those of layout
     * and merge.
     */
    const tarfs_limits *limits;
} tarfs_export_options;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The status that the failed call returned.
 *
 * @param error Not NULL.
 */
int32_t tarfs_error_status(const tarfs_error *error);

/**
 * What went wrong, in words: one line of UTF-8, NUL-terminated, without a newline at its end. It
 * is for people; its wording may change with any release.
 *
 * @param error Not NULL.
 * @return A string that lives until the error is freed.
 */
const char *tarfs_error_message(const tarfs_error *error);

/**
 * Where in the input it went wrong, in bytes from its start; TARFS_OFFSET_NONE if the error is
 * not about a place.
 *
 * @param error Not NULL.
 */
uint64_t tarfs_error_offset(const tarfs_error *error);

/**
 * The system's error number (errno) behind TARFS_STATUS_IO; 0 if there is none.
 *
 * @param error Not NULL.
 */
int32_t tarfs_error_errno(const tarfs_error *error);

/**
 * Frees an error.
 *
 * @param error An error that is not used afterwards, or NULL.
 */
void tarfs_error_free(tarfs_error *error);

/**
 * Frees a string that this library made.
 *
 * @param string A string that is not used afterwards, or NULL.
 */
void tarfs_string_free(char *string);

/**
 * Version of the library that runs, such as "0.1.0".
 *
 * @return A string that lives as long as the library is loaded.
 */
const char *tarfs_version(void);

/**
 * Version of the ABI of the library that runs; a program should refuse one that differs from the
 * TARFS_ABI_VERSION it was built with.
 */
uint32_t tarfs_abi_version(void);

/**
 * Makes a tree otherwise than its layers say: owners, times, what is left out, labels of SELinux. Layers are
 * merged before.
 *
 * @param changes NULL for none.
 * @param changed Receives the tree, ended with tarfs_tree_free. It has the devices of the first, in their
 *        order, in use or not.
 */
int32_t tarfs_tree_change(const tarfs_tree *tree,
                          const tarfs_changes *changes,
                          tarfs_tree **changed,
                          tarfs_error **error);

/**
 * An extent of a regular file.
 *
 * @param index From 0 on, in ascending order; TARFS_STATUS_NOT_FOUND behind the last.
 */
int32_t tarfs_tree_get_extent(const tarfs_tree *tree,
                              uint32_t inode,
                              size_t index,
                              tarfs_extent *extent,
                              tarfs_error **error);

/**
 * Reads bytes of a regular file.
 *
 * @param sources The files of the tree's devices, in their order; may be NULL if count is 0.
 * @param offset Byte of the file; nothing is read at its end or behind it.
 * @param buf Receives up to len bytes.
 * @param done Receives how many they are: less than len only at the end of the file.
 */
int32_t tarfs_tree_read(const tarfs_tree *tree,
                        uint32_t inode,
                        const tarfs_source *sources,
                        size_t count,
                        uint64_t offset,
                        uint8_t *buf,
                        size_t len,
                        size_t *done,
                        tarfs_error **error);

/**
 * Starts a layer.
 *
 * @param options NULL for defaults. Its pointers are borrowed for the call; the callback of tee is
 *        kept until tarfs_layer_free.
 * @param layer Receives the layer, ended with tarfs_layer_free.
 */
int32_t tarfs_layer_new(const tarfs_layer_options *options,
                        tarfs_layer **layer,
                        tarfs_error **error);

/**
 * Takes the next bytes of the tar, compressed if the options say so, in pieces of any size; 64 KiB or
 * more at a time are fastest.
 * After an error the layer accepts nothing but tarfs_layer_free. The offset of an error is that of
 * the entry in the tar.
 *
 * @param data May be NULL if len is 0.
 */
int32_t tarfs_layer_push(tarfs_layer *layer,
                         const uint8_t *data,
                         size_t len,
                         tarfs_error **error);

/**
 * Takes the next bytes of the tar from a source: those from byte offset on, as many as bytes says.
 * If the layer has neither tee nor leaves nor diffID, the bodies of files are passed over rather
 * than read.
 *
 * @param progress May be NULL.
 */
int32_t tarfs_layer_push_source(tarfs_layer *layer,
                                const tarfs_source *source,
                                uint64_t offset,
                                uint64_t bytes,
                                tarfs_progress_fn progress,
                                void *progress_ctx,
                                tarfs_error **error);

/**
 * Takes the next bytes of the tar from a pipe, socket or file, from where it stands up to its end:
 * of a pipe the fastest way, because who writes to it is not held up while bytes are copied.
 *
 * @param fd Stays the caller's. A pipe is given room for 1 MiB; if the call fails, up to 1 MiB that
 *        it did not look at is gone from it.
 * @param progress May be NULL.
 */
int32_t tarfs_layer_push_fd(tarfs_layer *layer,
                            int32_t fd,
                            tarfs_progress_fn progress,
                            void *progress_ctx,
                            tarfs_error **error);

/**
 * Ends a layer: the tar is complete. One that is cut short is an error.
 *
 * @param info NULL if it is not wanted.
 * @param tree Receives the layer's tree, ended with tarfs_tree_free.
 * @param leaves Receives the digests of the tar's data blocks if the options asked for them, else
 *        NULL; ended with tarfs_leaves_free. NULL if they are not wanted.
 */
int32_t tarfs_layer_finish(tarfs_layer *layer,
                           tarfs_layer_info *info,
                           tarfs_tree **tree,
                           tarfs_leaves **leaves,
                           tarfs_error **error);

/**
 * Ends a layer, finished or not. What its tee wrote stays.
 *
 * @param layer A layer that is not used afterwards, or NULL.
 */
void tarfs_layer_free(tarfs_layer *layer);

/**
 * The limits that hold where a field is zero.
 *
 * @param limits Its size set. Receives the defaults; UINT64_MAX where there is no limit.
 */
int32_t tarfs_limits_get_default(tarfs_limits *limits, tarfs_error **error);

/**
 * Merges layers under the OCI whiteout rules.
 *
 * @param layers Trees, the lowest first; they may be freed afterwards.
 * @param count How many: at least 1.
 * @param options NULL for defaults.
 * @param merged Receives the tree, ended with tarfs_tree_free. Its devices are those of the layers
 *        that still have data in it, in layer order; those that are shown to have the same bytes are
 *        one. Which file each is, tarfs_device.origin_layer tells, not its tag.
 */
int32_t tarfs_tree_merge(const tarfs_tree *const *layers,
                         size_t count,
                         const tarfs_merge_options *options,
                         tarfs_tree **merged,
                         tarfs_error **error);

/**
 * Finds an inode by its path below the root: names with "/" between them. Symbolic links are not
 * followed.
 *
 * @param path Not NUL-terminated; may be NULL if path_len is 0, which is the root.
 * @param inode Receives its number.
 * @return TARFS_STATUS_NOT_FOUND if there is none.
 */
int32_t tarfs_tree_lookup(const tarfs_tree *tree,
                          const uint8_t *path,
                          size_t path_len,
                          uint32_t *inode,
                          tarfs_error **error);

/**
 * Describes an inode.
 */
int32_t tarfs_tree_get_stat(const tarfs_tree *tree,
                            uint32_t inode,
                            tarfs_stat *stat,
                            tarfs_error **error);

/**
 * A name in a directory.
 *
 * @param index From 0 on, in ascending byte order of the names; TARFS_STATUS_NOT_FOUND behind the
 *        last.
 * @param name Receives the name, not NUL-terminated, which lives as long as the tree.
 * @param name_len Receives its length.
 * @param child Receives the number of its inode.
 */
int32_t tarfs_tree_get_child(const tarfs_tree *tree,
                             uint32_t directory,
                             size_t index,
                             const uint8_t **name,
                             size_t *name_len,
                             uint32_t *child,
                             tarfs_error **error);

/**
 * An extended attribute.
 *
 * @param index From 0 on, in ascending byte order of the names; TARFS_STATUS_NOT_FOUND behind the
 *        last.
 * @param name Receives the full name, such as "security.capability", not NUL-terminated; it and
 *        the value live as long as the tree.
 */
int32_t tarfs_tree_get_xattr(const tarfs_tree *tree,
                             uint32_t inode,
                             size_t index,
                             const uint8_t **name,
                             size_t *name_len,
                             const uint8_t **value,
                             size_t *value_len,
                             tarfs_error **error);

/**
 * Totals of a tree.
 */
int32_t tarfs_tree_get_info(const tarfs_tree *tree, tarfs_tree_info *info, tarfs_error **error);

/**
 * A device of a tree: a file that holds bodies.
 *
 * @param index From 0 on, in layer order.
 * @param device Receives it; its tag lives as long as the tree. Addresses in images are not known
 *        yet and 0.
 */
int32_t tarfs_tree_get_device(const tarfs_tree *tree,
                              size_t index,
                              tarfs_device *device,
                              tarfs_error **error);

/**
 * Frees a tree. Layouts made of it live on.
 *
 * @param tree A tree that is not used afterwards, or NULL.
 */
void tarfs_tree_free(tarfs_tree *tree);

/**
 * Writes the metadata: the head at byte 0, the rest at body_offset, in ascending order. Of a
 * bootstrap that is all there is. Of a disk whose devices are in place already, such as one that a
 * tar was streamed into at disk_offset, it is what is missing.
 */
int32_t tarfs_layout_write_metadata(const tarfs_layout *layout,
                                    const tarfs_sink *sink,
                                    tarfs_error **error);

/**
 * Writes a disk: all of it, in ascending order.
 *
 * @param sources The files of the layout's devices, in its order; may be NULL if count is 0.
 * @param sink A file should be empty behind the sink's offset: zeros are left out as holes.
 * @param progress May be NULL.
 */
int32_t tarfs_layout_write_disk(const tarfs_layout *layout,
                                const tarfs_source *sources,
                                size_t count,
                                const tarfs_sink *sink,
                                tarfs_progress_fn progress,
                                void *progress_ctx,
                                tarfs_error **error);

/**
 * Hashes the disk that the layout describes, written or not, with zeros behind its end up to whole
 * data blocks; hash blocks go to a sink. Where sources and sink are all files it uses as many
 * threads as the machine has; else the calling thread alone.
 *
 * @param sources The files of the layout's devices, in its order; may be NULL if count is 0.
 * @param leaves NULL, or for each of the sources NULL or the digests kept of its data blocks: its
 *        bytes are then not read again, if the device starts on a data block of the disk and the
 *        leaves have the block size and salt of params.
 * @param params NULL for those of the preset "nydus". With TARFS_HASH_BEHIND_DATA the tree's
 *        offsets are those of a file in which the disk comes first. A data block larger than the
 *        layout's block size is refused, unless TARFS_VERITY_ANY_DATA_BLOCK is given.
 * @param sink Where hash blocks go; NULL if the root hash is enough. Their offsets do not ascend,
 *        so a pipe will not do.
 * @param progress Is told of bytes of devices that were read. May be NULL.
 * @param sealed Receives geometry and root hash, ended with tarfs_sealed_free.
 */
int32_t tarfs_layout_hash_disk(const tarfs_layout *layout,
                               const tarfs_source *sources,
                               size_t count,
                               const tarfs_leaves *const *leaves,
                               const tarfs_verity_params *params,
                               const tarfs_sink *sink,
                               tarfs_progress_fn progress,
                               void *progress_ctx,
                               tarfs_sealed **sealed,
                               tarfs_error **error);

/**
 * Opens an image, a bootstrap or a disk: reads its metadata, and checks superblock, checksum and
 * device table. Of a disk, what lies in devices is not read.
 *
 * @param source A callback is asked for all bytes; a file may be a disk of any size.
 * @param bytes Length of the image in bytes; 0 for the length of the file, if the source is one
 *        without an offset.
 * @param image Receives the image, ended with tarfs_image_free.
 */
int32_t tarfs_image_open(const tarfs_source *source,
                         uint64_t bytes,
                         tarfs_image **image,
                         tarfs_error **error);

/**
 * What the superblock says.
 */
int32_t tarfs_image_get_info(const tarfs_image *image, tarfs_image_info *info, tarfs_error **error);

/**
 * A device slot of an image.
 *
 * @param index From 0 on, in the order of the device table, which is that of device= options.
 * @param device Receives it; its tag lives as long as the image.
 */
int32_t tarfs_image_get_device(const tarfs_image *image,
                               size_t index,
                               tarfs_device *device,
                               tarfs_error **error);

/**
 * Makes a tree of an image, to be listed, read or merged. Its devices are those of the image, in
 * the order of the device table; those of a disk, and the image's own if it has file data itself,
 * lie in the file of the image, from their base_offset on.
 *
 * @param options NULL for defaults.
 * @param tree Receives the tree, ended with tarfs_tree_free; it outlives the image.
 */
int32_t tarfs_image_get_tree(const tarfs_image *image,
                             const tarfs_image_options *options,
                             tarfs_tree **tree,
                             tarfs_error **error);

/**
 * Frees an image. Trees made of it live on.
 *
 * @param image An image that is not used afterwards, or NULL.
 */
void tarfs_image_free(tarfs_image *image);

/**
 * Plans an image: decides every size and offset. Only here "does not fit" exists.
 *
 * @param tree May be freed afterwards.
 * @param options NULL for defaults: a bootstrap.
 * @param layout Receives the plan, ended with tarfs_layout_free.
 */
int32_t tarfs_layout_new(const tarfs_tree *tree,
                         const tarfs_layout_options *options,
                         tarfs_layout **layout,
                         tarfs_error **error);

/**
 * Sizes and offsets of an image.
 */
int32_t tarfs_layout_get_info(const tarfs_layout *layout,
                              tarfs_layout_info *info,
                              tarfs_error **error);

/**
 * A device of an image.
 *
 * @param index From 0 on, in the order of the device table, which is that of device= options.
 * @param device Receives it; its tag lives as long as the layout.
 */
int32_t tarfs_layout_get_device(const tarfs_layout *layout,
                                size_t index,
                                tarfs_device *device,
                                tarfs_error **error);

/**
 * Where a disk of TARFS_DISK_DATA_FIRST begins with its devices, in bytes: so a tar of unknown length can be
 * written where it belongs while it streams in, and laid out afterwards.
 *
 * @param devices How many devices the disk will have, at most 65535.
 * @param block_size As in tarfs_layout_options; 0 for 512.
 * @param offset Receives the first byte of the first device.
 */
int32_t tarfs_data_first_offset(size_t devices,
                                uint32_t block_size,
                                uint64_t *offset,
                                tarfs_error **error);

/**
 * Frees a layout.
 *
 * @param layout A layout that is not used afterwards, or NULL.
 */
void tarfs_layout_free(tarfs_layout *layout);

/**
 * The UUID that containerd gives the EROFS image of a layer, for tarfs_layout_options.uuid: SHA-1, in
 * the URL namespace, of "erofs:blobs/" and the digest.
 *
 * @param digest As a descriptor has it: an algorithm, a colon and lower-case hex digits, as "sha256:"
 *        and 64 of them.
 * @param uuid Receives 16 bytes, in the order in which they are written.
 */
int32_t tarfs_uuid_of_blob(const char *digest,
                           uint8_t *uuid,
                           tarfs_error **error);

/**
 * A segment of the disk that the layout describes; of a bootstrap, of the disk that its unified
 * addresses describe.
 *
 * @param index From 0 on; TARFS_STATUS_NOT_FOUND behind the last.
 */
int32_t tarfs_layout_get_segment(const tarfs_layout *layout,
                                 size_t index,
                                 tarfs_segment *segment,
                                 tarfs_error **error);

/**
 * Starts a hash tree.
 *
 * @param params NULL for those of the preset "nydus".
 * @param data_bytes Length of all data in bytes: whole data blocks, at least one.
 * @param sink Where hash blocks go; NULL if the root hash is enough. Their offsets ascend within
 *        a level, but levels take turns. A callback is kept until tarfs_hasher_free.
 * @param hasher Receives the hasher, ended with tarfs_hasher_free.
 */
int32_t tarfs_hasher_new(const tarfs_verity_params *params,
                         uint64_t data_bytes,
                         const tarfs_sink *sink,
                         tarfs_hasher **hasher,
                         tarfs_error **error);

/**
 * Hashes the next bytes of the data, in pieces of any size; 64 KiB or more at a time are fast.
 *
 * @param data May be NULL if len is 0.
 */
int32_t tarfs_hasher_push(tarfs_hasher *hasher,
                          const uint8_t *data,
                          size_t len,
                          tarfs_error **error);

/**
 * Hashes the next bytes of the data, all zero.
 */
int32_t tarfs_hasher_push_zeros(tarfs_hasher *hasher, uint64_t bytes, tarfs_error **error);

/**
 * Takes the digests of the next data blocks, made earlier with the same data block size and salt.
 */
int32_t tarfs_hasher_push_leaves(tarfs_hasher *hasher,
                                 const tarfs_leaves *leaves,
                                 tarfs_error **error);

/**
 * Closes the tree.
 *
 * @param sealed Receives geometry and root hash, ended with tarfs_sealed_free.
 */
int32_t tarfs_hasher_finish(tarfs_hasher *hasher, tarfs_sealed **sealed, tarfs_error **error);

/**
 * Ends a hasher, finished or not.
 *
 * @param hasher A hasher that is not used afterwards, or NULL.
 */
void tarfs_hasher_free(tarfs_hasher *hasher);

/**
 * Makes leaves of digests that were kept, such as those that tarfs_leaves_digests gave, or level 0
 * of the hash tree of the tar as it is.
 *
 * @param params Data block size and salt that they were made with.
 * @param digests 32 bytes for each data block of the tar, from its first one on.
 * @param len Length of digests in bytes.
 * @param leaves Receives the leaves, ended with tarfs_leaves_free.
 */
int32_t tarfs_leaves_new(const tarfs_verity_params *params,
                         const uint8_t *digests,
                         size_t len,
                         tarfs_leaves **leaves,
                         tarfs_error **error);

/**
 * Reads leaves back out of a hash tree: the digests of a layer, kept in the tree of its disk, serve
 * every image that has the layer. They are verified against the root hash, which alone is trusted;
 * the data is not read.
 *
 * @param hashes Where the hash area is: the file of the data, or its own. A file is read on
 *        threads.
 * @param sealed Geometry and root hash of the tree: see tarfs_sealed_new.
 * @param offset Byte of the data from which leaves are wanted, the start of a data block: 0 if the
 *        source of tarfs_layout_hash_disk will be the disk, the device's disk_offset if it will be
 *        the tar.
 * @param bytes Length of the data whose leaves are wanted, such as that of the tar; UINT64_MAX for
 *        all. A last block that is not whole has none.
 * @param thread_count How many threads hash; 0 for as many as the machine has.
 * @param leaves Receives the leaves, ended with tarfs_leaves_free.
 * @return TARFS_STATUS_MISMATCH if the tree is not what the root hash says; the error tells where.
 */
int32_t tarfs_leaves_read(const tarfs_source *hashes,
                          const tarfs_sealed *sealed,
                          uint64_t offset,
                          uint64_t bytes,
                          uint32_t thread_count,
                          tarfs_leaves **leaves,
                          tarfs_error **error);

/**
 * The digests: 32 bytes for each whole data block, in order.
 *
 * @param digests Receives a pointer that lives as long as the leaves.
 * @param len Receives their length in bytes.
 */
int32_t tarfs_leaves_digests(const tarfs_leaves *leaves,
                             const uint8_t **digests,
                             size_t *len,
                             tarfs_error **error);

/**
 * Frees leaves.
 *
 * @param leaves Leaves that are not used afterwards, or NULL.
 */
void tarfs_leaves_free(tarfs_leaves *leaves);

/**
 * Sets parameters to those of a preset; placement stays TARFS_HASH_OWN_FILE.
 *
 * @param name "nydus" (512/4096, no salt, no superblock), "containerd" (512/512, salt of 32 zero
 *        bytes, superblock), "containerd-4k" (the same with 4096/4096) or "veritysetup"
 *        (4096/4096, superblock, no salt: the caller sets one).
 * @param params Receives them; its salt points into the library and lives as long as that.
 */
int32_t tarfs_verity_preset(const char *name, tarfs_verity_params *params, tarfs_error **error);

/**
 * How many zero bytes to append to data before it is hashed, so that it is whole data blocks: a
 * tail that does not fill a block would not be protected.
 *
 * @param params NULL for those of the preset "nydus".
 * @param data_bytes Length of the data in bytes.
 * @param padding Receives it.
 */
int32_t tarfs_verity_padding(const tarfs_verity_params *params,
                             uint64_t data_bytes,
                             uint64_t *padding,
                             tarfs_error **error);

/**
 * Seals data: hashes its first data_bytes bytes, and writes the hash area. Where both source and
 * sink are files it uses threads; else the calling thread alone.
 *
 * @param params NULL for those of the preset "nydus". With TARFS_HASH_BEHIND_DATA or
 *        TARFS_HASH_AT the sink is the file of the data.
 * @param data_bytes Whole data blocks: see tarfs_verity_padding.
 * @param sink NULL if the root hash is enough.
 * @param thread_count How many threads hash; 0 for as many as the machine has.
 * @param progress Is told of bytes of data hashed by the calling thread, or by all threads. May be
 *        NULL.
 * @param sealed Receives geometry and root hash, ended with tarfs_sealed_free.
 */
int32_t tarfs_verity_seal(const tarfs_source *source,
                          uint64_t data_bytes,
                          const tarfs_verity_params *params,
                          const tarfs_sink *sink,
                          uint32_t thread_count,
                          tarfs_progress_fn progress,
                          void *progress_ctx,
                          tarfs_sealed **sealed,
                          tarfs_error **error);

/**
 * Verifies data and the whole hash tree. Where both are files it uses threads; else the calling
 * thread alone.
 *
 * @param hashes Where the hash area is: the file of the data, or its own.
 * @param thread_count How many threads hash; 0 for as many as the machine has.
 * @param progress May be NULL.
 * @return TARFS_STATUS_MISMATCH if data or tree is not what the root hash says; the error tells
 *         where.
 */
int32_t tarfs_verity_verify(const tarfs_source *source,
                            const tarfs_source *hashes,
                            const tarfs_sealed *sealed,
                            uint32_t thread_count,
                            tarfs_progress_fn progress,
                            void *progress_ctx,
                            tarfs_error **error);

/**
 * Says what is known of data that was sealed elsewhere.
 *
 * @param params NULL for those of the preset "nydus".
 * @param data_bytes Length of the data in bytes: whole data blocks.
 * @param root 32 bytes, 64 of SHA-512.
 * @param sealed Receives it, ended with tarfs_sealed_free.
 */
int32_t tarfs_sealed_new(const tarfs_verity_params *params,
                         uint64_t data_bytes,
                         const uint8_t *root,
                         tarfs_sealed **sealed,
                         tarfs_error **error);

/**
 * The same from a superblock: it says parameters and length, placement the rest.
 *
 * @param superblock Its bytes: 512 from its offset on.
 * @param placement One of TARFS_HASH_: where the superblock was found.
 * @param hash_offset Byte offset of the superblock, with TARFS_HASH_AT.
 * @param root 32 bytes; a superblock has none. One of SHA-512 is TARFS_STATUS_INVALID_ARGUMENT: that is for
 *        tarfs_sealed_parse.
 */
int32_t tarfs_sealed_from_superblock(const uint8_t *superblock,
                                     size_t superblock_len,
                                     uint32_t placement,
                                     uint64_t hash_offset,
                                     const uint8_t *root,
                                     tarfs_sealed **sealed,
                                     tarfs_error **error);

/**
 * The same from a superblock of any algorithm, with the root hash as text.
 *
 * @param superblock Its bytes: 512 from its offset on.
 * @param placement One of TARFS_HASH_: where the superblock was found.
 * @param hash_offset Byte offset of the superblock, with TARFS_HASH_AT.
 * @param root 64 hex digits, 128 of SHA-512. TARFS_STATUS_VERITY if it is not as long as the algorithm has it.
 */
int32_t tarfs_sealed_parse(const uint8_t *superblock,
                           size_t superblock_len,
                           uint32_t placement,
                           uint64_t hash_offset,
                           const char *root,
                           tarfs_sealed **sealed,
                           tarfs_error **error);

/**
 * Sizes, offsets and root hash.
 */
int32_t tarfs_sealed_get_info(const tarfs_sealed *sealed,
                              tarfs_sealed_info *info,
                              tarfs_error **error);

/**
 * A text about sealed data, for others to read.
 *
 * @param kind One of TARFS_TEXT_, which says what a, b and c are: strings in UTF-8.
 * @param text Receives a NUL-terminated string, freed with tarfs_string_free.
 */
int32_t tarfs_sealed_get_text(const tarfs_sealed *sealed,
                              uint32_t kind,
                              const char *a,
                              const char *b,
                              const char *c,
                              char **text,
                              tarfs_error **error);

/**
 * Frees sealed data's description.
 *
 * @param sealed What is not used afterwards, or NULL.
 */
void tarfs_sealed_free(tarfs_sealed *sealed);

/**
 * Puts partitions one behind the other. Same partitions, same bytes: GUIDs follow from content.
 *
 * @param partitions 1 to 255.
 * @param align What they start at multiples of, in bytes: a power of two from 512 to 1 GiB; 0 for
 *        1 MiB.
 * @param gpt Receives the table, ended with tarfs_gpt_free.
 */
int32_t tarfs_gpt_new(const tarfs_partition *partitions,
                      size_t count,
                      uint64_t align,
                      tarfs_gpt **gpt,
                      tarfs_error **error);

/**
 * What a partitioned disk is.
 */
int32_t tarfs_gpt_get_info(const tarfs_gpt *gpt, tarfs_gpt_info *info, tarfs_error **error);

/**
 * Where a partition is.
 *
 * @param index From 0 on; TARFS_STATUS_NOT_FOUND behind the last.
 */
int32_t tarfs_gpt_get_partition(const tarfs_gpt *gpt,
                                size_t index,
                                tarfs_placed *placed,
                                tarfs_error **error);

/**
 * The bytes of the table: those of the disk's beginning, and right behind them those of its end.
 *
 * @param buf Receives them.
 * @param len As many as head_bytes and tail_bytes are together.
 */
int32_t tarfs_gpt_get_table(const tarfs_gpt *gpt, uint8_t *buf, size_t len, tarfs_error **error);

/**
 * The partitioned disk as ranges of files.
 *
 * @param disks What is in the partitions, in their order; they may be freed afterwards.
 * @param count How many: as many as there are partitions.
 * @param table Name of the file that the table is in, as tarfs_gpt_get_table gives it.
 * @param table_offset Byte of it at which the table starts.
 * @param ranges Receives the disk, ended with tarfs_ranges_free.
 */
int32_t tarfs_gpt_get_ranges(const tarfs_gpt *gpt,
                             const tarfs_ranges *const *disks,
                             size_t count,
                             const char *table,
                             uint64_t table_offset,
                             tarfs_ranges **ranges,
                             tarfs_error **error);

/**
 * Frees a partition table.
 *
 * @param gpt What is not used afterwards, or NULL.
 */
void tarfs_gpt_free(tarfs_gpt *gpt);

/**
 * Makes a disk of ranges of files, front to back. Neighbours that are one range become one.
 *
 * @param list The ranges; their offsets follow from their lengths.
 * @param ranges Receives the disk, ended with tarfs_ranges_free.
 */
int32_t tarfs_ranges_new(const tarfs_range *list,
                         size_t count,
                         tarfs_ranges **ranges,
                         tarfs_error **error);

/**
 * Makes a disk of an image: of its metadata, its devices' files as they lie, and its hash tree.
 *
 * @param layout Of a disk, or of a bootstrap: then the disk is the one that its unified addresses
 *        describe.
 * @param metadata Name of the file that tarfs_layout_write_metadata wrote for a bootstrap: all of
 *        the metadata in one piece, whatever the layout is.
 * @param devices Names of the devices' files, in the order of the device table.
 * @param device_count How many: all.
 * @param sealed Of the same disk, wherever its hash area was written; in the disk it is behind the
 *        data. NULL for a disk without a hash tree.
 * @param hashes Name of the file that the hash area is in; with sealed only.
 * @param hashes_offset Byte of it at which the hash area starts: hash_offset, or what a sink made
 *        of that.
 * @param ranges Receives the disk, ended with tarfs_ranges_free.
 */
int32_t tarfs_ranges_of_disk(const tarfs_layout *layout,
                             const char *metadata,
                             const char *const *devices,
                             size_t device_count,
                             const tarfs_sealed *sealed,
                             const char *hashes,
                             uint64_t hashes_offset,
                             tarfs_ranges **ranges,
                             tarfs_error **error);

/**
 * What a disk of ranges is.
 */
int32_t tarfs_ranges_get_info(const tarfs_ranges *ranges,
                              tarfs_ranges_info *info,
                              tarfs_error **error);

/**
 * A range of a disk.
 *
 * @param index From 0 on; TARFS_STATUS_NOT_FOUND behind the last.
 * @param range Receives it; its name lives as long as the disk.
 */
int32_t tarfs_ranges_get(const tarfs_ranges *ranges,
                         size_t index,
                         tarfs_range *range,
                         tarfs_error **error);

/**
 * A disk of ranges as a text, for others to read. What does not fit it is TARFS_STATUS_OUTPUT:
 * ranges that are not whole sectors of 512 bytes, names that the form cannot carry.
 *
 * @param kind One of TARFS_RANGES_.
 * @param zeros Name of a file that backs zeros, or NULL: a hole will do.
 * @param zeros_offset Byte of it at which its zeros start.
 * @param zeros_bytes How many they are: at least as many as the longest range of zeros has.
 * @param text Receives a NUL-terminated string, freed with tarfs_string_free.
 */
int32_t tarfs_ranges_get_text(const tarfs_ranges *ranges,
                              uint32_t kind,
                              const char *zeros,
                              uint64_t zeros_offset,
                              uint64_t zeros_bytes,
                              char **text,
                              tarfs_error **error);

/**
 * Frees a disk of ranges.
 *
 * @param ranges What is not used afterwards, or NULL.
 */
void tarfs_ranges_free(tarfs_ranges *ranges);

/**
 * How many files an export has made.
 *
 * @param exported NULL has made none.
 */
size_t tarfs_exported_count(const tarfs_exported *exported);

/**
 * One of the files that an export has made.
 *
 * @param index From 0 on: the layers' order.
 */
int32_t tarfs_exported_get_info(const tarfs_exported *exported,
                                size_t index,
                                tarfs_exported_info *info,
                                tarfs_error **error);

/**
 * Geometry and root hash of a file that an export has made.
 *
 * @param filesystem 0, or with partitions the number of the layer from 0 on.
 * @param sealed Receives it, ended with tarfs_sealed_free. Offsets of a tree behind its data count
 *        from the start of the disk, or of the partition.
 * @return TARFS_STATUS_NOT_FOUND in a mode without hash tree.
 */
int32_t tarfs_exported_get_sealed(const tarfs_exported *exported,
                                  size_t index,
                                  size_t filesystem,
                                  tarfs_sealed **sealed,
                                  tarfs_error **error);

/**
 * A device of a filesystem in a file that an export has made, as tarfs_layout_get_device has it.
 *
 * @param filesystem 0, or with partitions the number of the layer from 0 on.
 * @param device Receives it; its tag lives as long as the object.
 */
int32_t tarfs_exported_get_device(const tarfs_exported *exported,
                                  size_t index,
                                  size_t filesystem,
                                  size_t device_index,
                                  tarfs_device *device,
                                  tarfs_error **error);

/**
 * Frees what is known of the files; the files stay.
 *
 * @param exported What is not used afterwards, or NULL.
 */
void tarfs_exported_free(tarfs_exported *exported);

/**
 * Makes disks and hash trees of layers: all of them, or none. Files have no names until they are
 * whole and on the disk, and when it returns their names are too: nothing is lost by a power cut, unless
 * there is TARFS_EXPORT_NO_SYNC. A directory that is made has its name when all files are in it.
 *
 * Where all sources are files it uses threads; sources that are callbacks are read by the calling
 * thread alone.
 *
 * @param layers The lowest first.
 * @param count How many: at least 1.
 * @param path The file, in place of what has that name. A layer_ mode with several layers, or to a
 *        path that is a directory, writes a file for each layer into that directory, which is made if
 *        it is not there, named by the layer's tag: TAG.disk, TAG.verity for the tree alone, TAG.vmdk
 *        and TAG.sh for forms. With partitions it is one file in any case.
 * @param options Not NULL, as its mode must be set.
 * @param progress Is told of bytes read, written and hashed, together. May be NULL.
 * @param exported Receives what is known of the files, ended with tarfs_exported_free.
 */
int32_t tarfs_export(const tarfs_export_layer *layers,
                     size_t count,
                     const char *path,
                     const tarfs_export_options *options,
                     tarfs_progress_fn progress,
                     void *progress_ctx,
                     tarfs_exported **exported,
                     tarfs_error **error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* TARFS_H */
