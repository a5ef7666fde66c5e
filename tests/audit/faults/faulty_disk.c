/* A disk that fails on command: preloaded into a PostgreSQL server, it makes writes and flushes of its files fail.

   The file named by FAULTY_DISK holds one character, read at every call:
     '0'  everything works
     'w'  EIO on every write to the write-ahead log
     'n'  ENOSPC on every write to the write-ahead log
     's'  EIO on every flush of the write-ahead log
     'f'  ENOSPC on every write that touches any file of the server's data */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static volatile const char *mode = "0";

__attribute__((constructor)) static void attach(void) {
    const char *path = getenv("FAULTY_DISK");
    int file = path ? open(path, O_RDONLY) : -1;
    if (file < 0) return;
    void *map = mmap(NULL, 1, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (map != MAP_FAILED) mode = map;
}

static int concerns(int file, const char *part) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, part) != NULL;
}

static int write_error(int file) {
    switch (*mode) {
        case 'w': return concerns(file, "/pg_wal/") ? EIO : 0;
        case 'n': return concerns(file, "/pg_wal/") ? ENOSPC : 0;
        case 'f': return concerns(file, "/base/") ? ENOSPC : 0;
        default: return 0;
    }
}

static int flush_error(int file) { return *mode == 's' && concerns(file, "/pg_wal/") ? EIO : 0; }

#define REAL(name) __typeof__(name) *real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)
#define FAIL(code) do { errno = (code); return -1; } while (0)

ssize_t write(int file, const void *data, size_t size) {
    REAL(write); int error = write_error(file); if (error) FAIL(error); return real(file, data, size);
}
ssize_t pwrite(int file, const void *data, size_t size, off_t at) {
    REAL(pwrite); int error = write_error(file); if (error) FAIL(error); return real(file, data, size, at);
}
ssize_t pwrite64(int file, const void *data, size_t size, off64_t at) {
    REAL(pwrite64); int error = write_error(file); if (error) FAIL(error); return real(file, data, size, at);
}
ssize_t pwritev(int file, const struct iovec *data, int count, off_t at) {
    REAL(pwritev); int error = write_error(file); if (error) FAIL(error); return real(file, data, count, at);
}
ssize_t pwritev64(int file, const struct iovec *data, int count, off64_t at) {
    REAL(pwritev64); int error = write_error(file); if (error) FAIL(error); return real(file, data, count, at);
}
int posix_fallocate(int file, off_t at, off_t size) {
    REAL(posix_fallocate); int error = write_error(file); return error ? error : real(file, at, size);
}
int posix_fallocate64(int file, off64_t at, off64_t size) {
    REAL(posix_fallocate64); int error = write_error(file); return error ? error : real(file, at, size);
}
int fsync(int file) { REAL(fsync); int error = flush_error(file); if (error) FAIL(error); return real(file); }
int fdatasync(int file) { REAL(fdatasync); int error = flush_error(file); if (error) FAIL(error); return real(file); }
