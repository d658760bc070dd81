/* checksum_vfs.c - files of SQLite with checked pages. The main database alone is wrapped: journals
 * and write-ahead logs have checksums of SQLite's own. Keeps nothing but the registration.
 */
#include "insight/index/checksum_vfs.h"
#include "insight/index/hash.h"

#include <pthread.h>

/* Our file; the real one follows it in memory. */
struct file {
    sqlite3_file base;
    sqlite3_file *real;
};

static sqlite3_file *real_of(sqlite3_file *file) {
    return ((struct file *)file)->real;
}

enum { LEAST_PAGE = 512 };

static bool is_page(int n, sqlite3_int64 offset) {
    return n >= LEAST_PAGE && !(n & (n - 1)) && offset % n == 0;
}

/* Where the page is matters, too: one that was put in another's place is damage. */
static uint64_t checksum_of(const void *page, int n, sqlite3_int64 offset) {
    return xl_hash64(page, (size_t)n - XL_CHECKSUM_BYTES, (uint64_t)offset + 1);
}

static int file_close(sqlite3_file *file) {
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int file_read(sqlite3_file *file, void *to, int n, sqlite3_int64 offset) {
    int code = real_of(file)->pMethods->xRead(real_of(file), to, n, offset);
    uint64_t stored;
    if (code != SQLITE_OK || !is_page(n, offset)) return code;
    memcpy(&stored, (const char *)to + n - XL_CHECKSUM_BYTES, sizeof stored);
    return stored == checksum_of(to, n, offset) ? SQLITE_OK : SQLITE_IOERR_DATA;
}

/* The bytes at the end of the page are nobody's but ours, in SQLite's memory as well. */
static int file_write(sqlite3_file *file, const void *from, int n, sqlite3_int64 offset) {
    if (is_page(n, offset)) {
        uint64_t checksum = checksum_of(from, n, offset);
        memcpy((char *)from + n - XL_CHECKSUM_BYTES, &checksum, sizeof checksum);
    }
    return real_of(file)->pMethods->xWrite(real_of(file), from, n, offset);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size) {
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int file_sync(sqlite3_file *file, int flags) {
    return real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size) {
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int file_lock(sqlite3_file *file, int level) {
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int file_unlock(sqlite3_file *file, int level) {
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int file_check_lock(sqlite3_file *file, int *is_reserved) {
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), is_reserved);
}

static int file_control(sqlite3_file *file, int what, void *with) {
    return real_of(file)->pMethods->xFileControl(real_of(file), what, with);
}

static int file_sector(sqlite3_file *file) {
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int file_characteristics(sqlite3_file *file) {
    /* A page that is torn is noticed and not mended: SQLite may count on nothing here. */
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file)) &
           SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN;
}

static int file_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out) {
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, out);
}

static int file_shm_lock(sqlite3_file *file, int offset, int n, int flags) {
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, n, flags);
}

static void file_shm_barrier(sqlite3_file *file) {
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int file_shm_unmap(sqlite3_file *file, int is_delete) {
    return real_of(file)->pMethods->xShmUnmap(real_of(file), is_delete);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2, /* 3 would map pages past the check */
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *out, int flags,
                     int *out_flags) {
    sqlite3_vfs *system = vfs->pAppData;
    if (!(flags & SQLITE_OPEN_MAIN_DB)) return system->xOpen(system, name, out, flags, out_flags);
    struct file *file = (struct file *)out;
    file->real = (sqlite3_file *)(file + 1);
    file->base.pMethods = NULL;
    int code = system->xOpen(system, name, file->real, flags, out_flags);
    if (file->real->pMethods) file->base.pMethods = &methods; /* SQLite closes it, then */
    return code;
}

static sqlite3_vfs checksum_vfs[2];
static int registered = SQLITE_ERROR;

/* One of SQLite's own (NULL: the usual one), but for opening. */
static int register_one(sqlite3_vfs *vfs, const char *name, const char *system_name) {
    sqlite3_vfs *system = sqlite3_vfs_find(system_name);
    if (!system) return SQLITE_ERROR;
    *vfs = *system;
    vfs->pNext = NULL;
    vfs->zName = name;
    vfs->pAppData = system;
    vfs->szOsFile = (int)sizeof(struct file) + system->szOsFile;
    vfs->xOpen = open_file;
    return sqlite3_vfs_register(vfs, 0);
}

static void register_all(void) {
    registered = register_one(&checksum_vfs[0], XL_CHECKSUM_VFS, NULL);
    if (registered == SQLITE_OK)
        registered = register_one(&checksum_vfs[1], XL_CHECKSUM_VFS_NO_LOCKS, "unix-none");
}

enum xl_status xl_checksum_vfs_register(struct xl_err *err) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_all);
    return registered == SQLITE_OK ? XL_OK : xl_fail_nomem(err, "the index's files", 0);
}

enum xl_status xl_checksum_vfs_reserve(sqlite3 *db, struct xl_err *err) {
    int n = XL_CHECKSUM_BYTES;
    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &n) == SQLITE_OK) return XL_OK;
    return xl_fail(err, XL_EINTERNAL, "SQLite %s keeps no room for checksums in pages",
                   sqlite3_libversion());
}
