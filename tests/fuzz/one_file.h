/* one_file.h - inputs for what reads files by name: one file, in a folder of its own that goes when
 * the program ends. */
#ifndef XL_TESTS_FUZZ_ONE_FILE_H
#define XL_TESTS_FUZZ_ONE_FILE_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char one_file_dir[64], one_file_path[128];

static void one_file_remove(void) {
    unlink(one_file_path);
    rmdir(one_file_dir);
}

/* The file `name` with these bytes: its path. */
static const char *one_file(const char *name, const uint8_t *data, size_t size) {
    if (!one_file_dir[0]) {
        snprintf(one_file_dir, sizeof one_file_dir, "/tmp/fuzz-XXXXXX");
        if (!mkdtemp(one_file_dir)) abort();
        snprintf(one_file_path, sizeof one_file_path, "%s/%s", one_file_dir, name);
        atexit(one_file_remove);
    }
    int fd = open(one_file_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size || close(fd)) abort();
    return one_file_path;
}

#endif
