/* Put before the system's library, it makes the disk fail and the power go: the n-th write or sync below a folder is refused, and
 * what was written below it and not synced is remembered, so that it can be taken back when the process is dead.
 *
 * FAULTS_FOLDER   the folder; nothing else is touched
 * FAULTS_COUNTS   a file of two 64-bit numbers: the syncs and the writes so far
 * FAULTS_FAIL     kind@n:how, where kind is sync or write, how is EIO, ENOSPC (for some writes, then there is space again) or
 *                 SHORT (half of it is written, and the next writes find no space)
 * FAULTS_JOURNAL  where to write down what a power cut would take back; power.rs reads it
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off_t);
static int (*real_rename)(const char *, const char *);
static int (*real_mkdir)(const char *, mode_t);
static int (*real_open)(const char *, int, ...);
static int (*real_openat)(int, const char *, int, ...);

static char folder[PATH_MAX];
static size_t folder_length;
static volatile uint64_t *counts;
static char fail_kind, fail_how;
static uint64_t fail_at;
/* How many writes still find no space. */
static int full;
#define FULL_FOR 20
static int journal = -1;
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

enum { SYNCS, WRITES };

__attribute__((constructor)) static void begin(void)
{
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_writev = dlsym(RTLD_NEXT, "writev");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_rename = dlsym(RTLD_NEXT, "rename");
    real_mkdir = dlsym(RTLD_NEXT, "mkdir");
    real_open = dlsym(RTLD_NEXT, "open64");
    real_openat = dlsym(RTLD_NEXT, "openat64");
    const char *told = getenv("FAULTS_FOLDER");
    if (!told || strlen(told) >= sizeof folder)
        return;
    strcpy(folder, told);
    folder_length = strlen(folder);
    const char *path = getenv("FAULTS_COUNTS");
    if (path) {
        int file = real_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (file >= 0 && real_ftruncate(file, 2 * sizeof(uint64_t)) == 0) {
            void *memory = mmap(NULL, 2 * sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
            counts = memory == MAP_FAILED ? NULL : memory;
        }
        if (file >= 0)
            close(file);
    }
    const char *fail = getenv("FAULTS_FAIL");
    char kind[16], how[16];
    unsigned long long at;
    if (fail && sscanf(fail, "%15[a-z]@%llu:%15[A-Z]", kind, &at, how) == 3) {
        fail_kind = kind[0];
        fail_how = how[1]; /* eIo, eNospc, sHort */
        fail_at = at;
    }
    path = getenv("FAULTS_JOURNAL");
    if (path)
        journal = real_open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* Whether a path lies below the folder, or is it. SQLite's shared memory and the lock hold nothing that has to last. */
static int concerns(const char *path)
{
    size_t length = strlen(path);
    if (!folder_length || strncmp(path, folder, folder_length) || (path[folder_length] && path[folder_length] != '/'))
        return 0;
    return !(length > 4 && !strcmp(path + length - 4, "-shm")) && !(length > 5 && !strcmp(path + length - 5, "/lock"));
}

/* The path of an open file of ours; 0 where it is none. */
static int path_of(int file, char *path)
{
    if (!folder_length || file == journal)
        return 0;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0)
        return 0;
    path[length] = 0;
    return concerns(path);
}

/* The same for a name, which may be relative. */
static int full_name(const char *name, char *path)
{
    if (!folder_length)
        return 0;
    if (name[0] == '/') {
        if (strlen(name) >= PATH_MAX)
            return 0;
        strcpy(path, name);
        return concerns(path);
    }
    char here[PATH_MAX];
    if (!getcwd(here, sizeof here) || snprintf(path, PATH_MAX, "%s/%s", here, name) >= PATH_MAX)
        return 0;
    return concerns(path);
}

/* Counts a call. Answers the error that it is to have, 0 for none, -1 for half a write. */
static int fault(int kind)
{
    if (!counts)
        return 0;
    uint64_t now = __atomic_add_fetch(&counts[kind], 1, __ATOMIC_SEQ_CST);
    if (kind == WRITES && __atomic_load_n(&full, __ATOMIC_SEQ_CST) > 0) {
        __atomic_sub_fetch(&full, 1, __ATOMIC_SEQ_CST);
        return ENOSPC;
    }
    if (fail_kind != (kind == SYNCS ? 's' : 'w') || now != fail_at)
        return 0;
    if (fail_how == 'I')
        return EIO;
    __atomic_store_n(&full, FULL_FOR, __ATOMIC_SEQ_CST);
    return fail_how == 'N' ? ENOSPC : -1;
}

/* One record of the journal: sizes, then the path, what was there and what came. */
struct record {
    uint32_t magic, kind, path_length, old_length, new_length, unused;
    uint64_t offset, old_size;
};
enum { WRITTEN = 1, SYNCED, TRUNCATED, CREATED, RENAMED, MADE };

static void put(const void *bytes, size_t length)
{
    const char *next = bytes;
    while (length > 0) {
        ssize_t put = real_write(journal, next, length);
        if (put <= 0)
            abort();
        next += put;
        length -= (size_t)put;
    }
}

static void note(uint32_t kind, const char *path, uint64_t offset, uint64_t old_size, const void *old, size_t old_length,
                 const void *new, size_t new_length)
{
    struct record record = { 0x746f7274, kind, (uint32_t)strlen(path), (uint32_t)old_length, (uint32_t)new_length, 0, offset, old_size };
    put(&record, sizeof record);
    put(path, record.path_length);
    put(old, old_length);
    put(new, new_length);
}

static off_t size_of(int file)
{
    struct stat about;
    return fstat(file, &about) == 0 ? about.st_size : 0;
}

/* What stands where `length` bytes are about to be written. A file may be open for writing only, so it is opened once more. */
static size_t read_old(const char *path, off_t offset, size_t length, char **old)
{
    *old = NULL;
    int file = real_open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    *old = malloc(length ? length : 1);
    ssize_t got = *old ? pread(file, *old, length, offset) : 0;
    close(file);
    return got > 0 ? (size_t)got : 0;
}

static ssize_t write_at(int file, const char *path, const void *bytes, size_t length, off_t offset)
{
    char *old;
    pthread_mutex_lock(&order);
    size_t old_length = read_old(path, offset, length, &old);
    note(WRITTEN, path, (uint64_t)offset, (uint64_t)size_of(file), old, old_length, bytes, length);
    ssize_t written = real_pwrite(file, bytes, length, offset);
    pthread_mutex_unlock(&order);
    free(old);
    return written;
}

static ssize_t any_write(int file, const void *bytes, size_t length, off_t offset, int moves)
{
    char path[PATH_MAX];
    if (!path_of(file, path))
        return moves ? real_write(file, bytes, length) : real_pwrite(file, bytes, length, offset);
    int error = fault(WRITES);
    if (error > 0) {
        errno = error;
        return -1;
    }
    if (error < 0)
        length /= 2;
    if (journal < 0)
        return moves ? real_write(file, bytes, length) : real_pwrite(file, bytes, length, offset);
    if (moves)
        offset = fcntl(file, F_GETFL) & O_APPEND ? size_of(file) : lseek(file, 0, SEEK_CUR);
    ssize_t written = write_at(file, path, bytes, length, offset);
    if (moves && written > 0)
        lseek(file, offset + written, SEEK_SET);
    return written;
}

ssize_t write(int file, const void *bytes, size_t length)
{
    return any_write(file, bytes, length, 0, 1);
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t offset)
{
    return any_write(file, bytes, length, offset, 0);
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t offset)
{
    return any_write(file, bytes, length, offset, 0);
}

ssize_t writev(int file, const struct iovec *parts, int count)
{
    char path[PATH_MAX];
    if (count < 1 || !path_of(file, path))
        return real_writev(file, parts, count);
    /* Part of it may be written at a time: the caller goes on. */
    return any_write(file, parts[0].iov_base, parts[0].iov_len, 0, 1);
}

static int any_sync(int file, int (*real)(int))
{
    char path[PATH_MAX];
    if (!path_of(file, path))
        return real(file);
    int error = fault(SYNCS);
    if (error > 0) {
        errno = error;
        return -1;
    }
    if (journal < 0)
        return real(file);
    /* What is written down before this is what the sync is about. */
    pthread_mutex_lock(&order);
    uint64_t upto = (uint64_t)size_of(journal);
    pthread_mutex_unlock(&order);
    int outcome = real(file);
    if (outcome == 0) {
        pthread_mutex_lock(&order);
        note(SYNCED, path, upto, 0, NULL, 0, NULL, 0);
        pthread_mutex_unlock(&order);
    }
    return outcome;
}

int fsync(int file)
{
    return any_sync(file, real_fsync);
}

int fdatasync(int file)
{
    return any_sync(file, real_fdatasync);
}

int ftruncate64(int file, off64_t size)
{
    char path[PATH_MAX];
    if (journal < 0 || !path_of(file, path))
        return real_ftruncate(file, size);
    pthread_mutex_lock(&order);
    off_t old_size = size_of(file);
    char *old = NULL;
    size_t old_length = old_size > size ? read_old(path, size, (size_t)(old_size - size), &old) : 0;
    note(TRUNCATED, path, (uint64_t)size, (uint64_t)old_size, old, old_length, NULL, 0);
    int outcome = real_ftruncate(file, size);
    pthread_mutex_unlock(&order);
    free(old);
    return outcome;
}

int ftruncate(int file, off_t size)
{
    return ftruncate64(file, size);
}

int rename(const char *from, const char *to)
{
    char old_path[PATH_MAX], new_path[PATH_MAX];
    if (journal < 0 || !full_name(from, old_path) || !full_name(to, new_path))
        return real_rename(from, to);
    pthread_mutex_lock(&order);
    int outcome = real_rename(from, to);
    if (outcome == 0)
        note(RENAMED, new_path, 0, 0, old_path, strlen(old_path), NULL, 0);
    pthread_mutex_unlock(&order);
    return outcome;
}

int mkdir(const char *name, mode_t mode)
{
    char path[PATH_MAX];
    if (journal < 0 || !full_name(name, path))
        return real_mkdir(name, mode);
    pthread_mutex_lock(&order);
    int outcome = real_mkdir(name, mode);
    if (outcome == 0)
        note(MADE, path, 0, 0, NULL, 0, NULL, 0);
    pthread_mutex_unlock(&order);
    return outcome;
}

static int any_open(int at, const char *name, int flags, mode_t mode)
{
    char path[PATH_MAX];
    struct stat about;
    if (!(flags & O_CREAT) || journal < 0 || !full_name(name, path) || stat(path, &about) == 0)
        return at == AT_FDCWD ? real_open(name, flags, mode) : real_openat(at, name, flags, mode);
    pthread_mutex_lock(&order);
    int file = at == AT_FDCWD ? real_open(name, flags, mode) : real_openat(at, name, flags, mode);
    if (file >= 0)
        note(CREATED, path, 0, 0, NULL, 0, NULL, 0);
    pthread_mutex_unlock(&order);
    return file;
}

static mode_t mode_of(int flags, va_list rest)
{
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
}

#define OPEN(name)                                                                                                             \
    int name(const char *path, int flags, ...)                                                                                 \
    {                                                                                                                          \
        va_list rest;                                                                                                          \
        va_start(rest, flags);                                                                                                 \
        mode_t mode = mode_of(flags, rest);                                                                                    \
        va_end(rest);                                                                                                          \
        return any_open(AT_FDCWD, path, flags, mode);                                                                          \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                                                           \
    int name(int at, const char *path, int flags, ...)                                                                         \
    {                                                                                                                          \
        va_list rest;                                                                                                          \
        va_start(rest, flags);                                                                                                 \
        mode_t mode = mode_of(flags, rest);                                                                                    \
        va_end(rest);                                                                                                          \
        return any_open(at, path, flags, mode);                                                                                \
    }
OPENAT(openat)
OPENAT(openat64)
