/* Let the n-th call that opens, writes, renames, removes or flushes fail, or kill the process there.

   Loaded by LD_PRELOAD; `arm` is called from Python. Counted are only calls below one folder, and
   only in the process that armed it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static long left = -1, counted;
static int code, sticky;
static char below[PATH_MAX];
static size_t length;

/* n: which call, from 1; 0 only counts. error: an errno, or -1 to be killed. again: all later calls fail too. */
void arm(const char *folder, long n, int error, int again) {
    strncpy(below, folder, sizeof below - 1);
    length = strlen(below);
    left = n, code = error, sticky = again, counted = 0;
}

long calls(void) { return counted; }

static int strikes(const char *path) {
    if (left < 0 || !path || strncmp(path, below, length))
        return 0;
    counted++;
    if (!left || counted < left || (counted > left && !sticky))
        return 0;
    if (code < 0)
        kill(getpid(), SIGKILL);
    errno = code;
    return 1;
}

static int strikes_at(int handle) {
    char link[64], path[PATH_MAX];
    if (left < 0)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0)
        return 0;
    path[n] = 0;
    return strikes(path);
}

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) \
    real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define OPENS \
    va_list rest; \
    va_start(rest, flags); \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
    va_end(rest); \
    if (strikes(path)) \
        return -1

int open(const char *path, int flags, ...) {
    REAL(open);
    OPENS;
    return real(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    REAL(open64);
    OPENS;
    return real(path, flags, mode);
}
int openat(int folder, const char *path, int flags, ...) {
    REAL(openat);
    OPENS;
    return real(folder, path, flags, mode);
}
int openat64(int folder, const char *path, int flags, ...) {
    REAL(openat64);
    OPENS;
    return real(folder, path, flags, mode);
}
ssize_t write(int handle, const void *data, size_t n) {
    REAL(write);
    return strikes_at(handle) ? -1 : real(handle, data, n);
}
ssize_t pwrite(int handle, const void *data, size_t n, off_t at) {
    REAL(pwrite);
    return strikes_at(handle) ? -1 : real(handle, data, n, at);
}
ssize_t pwrite64(int handle, const void *data, size_t n, off64_t at) {
    REAL(pwrite64);
    return strikes_at(handle) ? -1 : real(handle, data, n, at);
}
int ftruncate(int handle, off_t n) {
    REAL(ftruncate);
    return strikes_at(handle) ? -1 : real(handle, n);
}
int ftruncate64(int handle, off64_t n) {
    REAL(ftruncate64);
    return strikes_at(handle) ? -1 : real(handle, n);
}
int fsync(int handle) {
    REAL(fsync);
    return strikes_at(handle) ? -1 : real(handle);
}
int fdatasync(int handle) {
    REAL(fdatasync);
    return strikes_at(handle) ? -1 : real(handle);
}
int rename(const char *from, const char *to) {
    REAL(rename);
    return strikes(to) ? -1 : real(from, to);
}
int unlink(const char *path) {
    REAL(unlink);
    return strikes(path) ? -1 : real(path);
}
