/*
 * Loaded before the C library: one in SHORT_EVERY reads and writes is interrupted, or does less than it was
 * asked for, as the kernel may let it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

static unsigned state;

/* How many bytes a call of so many may do; -1 if it is interrupted. */
static ssize_t some(size_t bytes) {
    static int every;
    if (!every) {
        const char *text = getenv("SHORT_EVERY"), *seed = getenv("SHORT_SEED");
        every = text ? atoi(text) : 3;
        state = seed ? (unsigned)atoi(seed) : 1;
    }
    if (bytes < 2 || rand_r(&state) % every)
        return (ssize_t)bytes;
    if (rand_r(&state) % 4 == 0) {
        errno = EINTR;
        return -1;
    }
    return 1 + (ssize_t)((unsigned)rand_r(&state) % (bytes - 1));
}

#define SHORT(RESULT, NAME, PARAMETERS, ARGUMENTS)                                                 \
    RESULT NAME PARAMETERS {                                                                       \
        static RESULT (*real) PARAMETERS;                                                          \
        if (!real)                                                                                 \
            *(void **)&real = dlsym(RTLD_NEXT, #NAME);                                             \
        ssize_t less = some(bytes);                                                                \
        if (less < 0)                                                                              \
            return -1;                                                                             \
        bytes = (size_t)less;                                                                      \
        return real ARGUMENTS;                                                                     \
    }

SHORT(ssize_t, read, (int fd, void *to, size_t bytes), (fd, to, bytes))
SHORT(ssize_t, write, (int fd, const void *from, size_t bytes), (fd, from, bytes))
SHORT(ssize_t, pread64, (int fd, void *to, size_t bytes, off64_t at), (fd, to, bytes, at))
SHORT(ssize_t, pwrite64, (int fd, const void *from, size_t bytes, off64_t at), (fd, from, bytes, at))
