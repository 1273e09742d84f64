/*
 * tarfs: container layers as EROFS filesystems over the tars as they lie, merged, and sealed with
 * dm-verity. The C API of erofs-tarfs; generated from its Rust source, do not edit.
 *
 * Linking: pkg-config --cflags --libs tarfs (add --static for libtarfs.a).
 *
 * So far the API reports versions. The calls that make images follow; what holds for all of them
 * is stated here, once.
 *
 * Arguments come in this order: the object, inputs, outputs, error. Lengths and offsets are in
 * bytes unless a name or comment says otherwise. A pointer is not NULL unless its comment allows
 * it; a pointer to data is ignored if its length is 0.
 *
 * Results: a call that can fail returns an int32_t, a tarfs_status: 0 is success, negative is a
 * failure. Outputs are written on success only. If the last parameter is a tarfs_error **, and not
 * NULL, a failure stores an error there, which the caller then owns; success leaves it alone.
 *
 * Ownership: what a call stores through a T ** belongs to the caller, who ends it with the T's
 * free function; free(NULL) does nothing. What a call returns as a plain pointer is borrowed: its
 * comment says for how long. Arguments are borrowed for the time of the call.
 *
 * Threads: any object may move from one thread to another. Calls that take it as const may run at
 * the same time as each other; any other call needs it alone. The library keeps no state besides
 * its objects.
 *
 * Structs of options and of answers begin with a size_t size, which the caller sets to sizeof the
 * struct. They grow at the end only; a field that is zero has its default.
 *
 * Callbacks get the void *ctx they were registered with. One that returns something other than 0
 * ends the call, which returns that number unchanged. The library itself returns no positive
 * number, so positive ones can't be mistaken. A callback must not throw, longjmp or call into the
 * object that called it.
 *
 * Panics: a defect inside the library that Rust detects does not cross into C. It comes back as
 * TARFS_STATUS_PANIC, and the object at work accepts nothing but its free function afterwards.
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
     * memory has.
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
 * Frees an error.
 *
 * @param error An error that is not used afterwards, or NULL.
 */
void tarfs_error_free(tarfs_error *error);

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

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* TARFS_H */
