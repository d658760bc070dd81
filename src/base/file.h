/* file.h - reading whole files, mapping them, and writing them so that they are whole or absent. */
#ifndef XL_BASE_FILE_H
#define XL_BASE_FILE_H

#include "base/status.h"

/* Read a file of at most max_bytes. *text is NUL-terminated (not counted in *n), free with free.
 * Errors: `missing` when it does not exist, `unreadable` for everything else */
struct xl_read_rule {
    size_t max_bytes;
    enum xl_status missing, unreadable;
};
enum xl_status xl_file_read(const char *path, struct xl_read_rule rule, char **text, size_t *n,
                            struct xl_err *err) XL_CHECKED;

bool xl_file_exists(const char *path);
bool xl_dir_exists(const char *path);

/* Create a directory and its parents. Errors: XL_EDISK */
enum xl_status xl_dir_create(const char *path, struct xl_err *err) XL_CHECKED;

/* Write a file so that it is whole under its name or not there: temporary file in the same
 * directory (".NUMBER.tmp", gone afterwards unless the machine stops in between), fsync, the name,
 * fsync of the directory. An existing file is not replaced: of several writers of one name exactly
 * one succeeds. Where files may not grow beyond a limit (ulimit -f), SIGXFSZ is the program's.
 * Errors: XL_EDISK (also "exists": *exists is set when given) */
enum xl_status xl_file_write_new(const char *path, const void *data, size_t n, bool *exists,
                                 struct xl_err *err) XL_CHECKED;

/* The same, but an existing file is replaced: readers see the old content or the new.
 * Errors: XL_EDISK */
enum xl_status xl_file_replace(const char *path, const void *data, size_t n,
                               struct xl_err *err) XL_CHECKED;

/* How many bytes a name in dir may have: what its file system says, and what is left of the longest
 * path that the system takes; 0 where dir itself has none left. */
int xl_dir_name_max(const char *dir);

/* Whether a file with a name of n bytes cannot be made in dir because of that: some file systems
 * say more than they take. One is made and removed. */
bool xl_dir_refuses_name(const char *dir, int n);

/* a/b joined with one slash (b alone when a is ""), malloc'd; NULL when out of memory. */
char *xl_path_join(const char *a, const char *b);

#endif
