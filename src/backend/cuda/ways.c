/* ways.c - the table of ways and its file: a line with the format, then lines KEY tab WAY. */
#include "backend/cuda/ways.h"

#include "base/file.h"
#include "base/path.h"
#include "base/str.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char first_line[] = "sdxl-lab ways 2\n";
enum { MAX_BYTES = 64 << 20 }; /* a plan of cuDNN that was compiled has 50 KB */

struct way {
    char *key, *way;
};

struct xl_cuda_ways {
    char *path; /* NULL: there is no place for it */
    struct way *list;
    int n, capacity;
    bool is_changed;
};

static struct way *find(const struct xl_cuda_ways *ways, const char *key) {
    for (int i = 0; i < ways->n; i++)
        if (!strcmp(ways->list[i].key, key)) return &ways->list[i];
    return NULL;
}

static bool add(struct xl_cuda_ways *ways, const char *key, const char *way) {
    if (ways->n == ways->capacity) {
        int capacity = ways->capacity ? 2 * ways->capacity : 64;
        struct way *list = realloc(ways->list, (size_t)capacity * sizeof *list);
        if (!list) return false;
        ways->list = list;
        ways->capacity = capacity;
    }
    struct way *added = &ways->list[ways->n];
    *added = (struct way){strdup(key), strdup(way)};
    if (added->key && added->way) {
        ways->n++;
        return true;
    }
    free(added->key);
    free(added->way);
    return false;
}

/* Lines that are none are left out: what they would have said is measured again. */
static void read_lines(struct xl_cuda_ways *ways, char *text) {
    if (strncmp(text, first_line, sizeof first_line - 1) != 0) return;
    char *rest = text + sizeof first_line - 1;
    for (char *line; (line = strsep(&rest, "\n"));) {
        char *tab = strchr(line, '\t');
        if (!tab || !rest) continue;
        *tab = 0;
        if (!find(ways, line)) add(ways, line, tab + 1);
    }
}

static void read_file(struct xl_cuda_ways *ways) {
    char *text;
    size_t n;
    struct xl_read_rule rule = {MAX_BYTES, XL_EDISK, XL_EDISK};
    if (!ways->path || xl_file_read(ways->path, rule, &text, &n, NULL)) return;
    if (strlen(text) == n) read_lines(ways, text);
    free(text);
}

/* Letters that a file's name may have everywhere. */
static char *path_of(const char *name) {
    struct xl_str text = {0};
    xl_str_puts(&text, "cuda/");
    for (; *name; name++) {
        bool is_plain = isalnum((unsigned char)*name) || *name == '.';
        xl_str_append(&text, is_plain ? name : "-", 1);
    }
    xl_str_puts(&text, ".ways");
    char *path = text.failed ? NULL : xl_path_cache(text.text);
    xl_str_deinit(&text);
    return path;
}

enum xl_status xl_cuda_ways_open(const char *name, struct xl_cuda_ways **out, struct xl_err *err) {
    struct xl_cuda_ways *ways = calloc(1, sizeof *ways);
    if (!ways) return xl_fail_nomem(err, "the ways of a GPU", sizeof *ways);
    ways->path = path_of(name);
    read_file(ways);
    *out = ways;
    return XL_OK;
}

static void write_file(const struct xl_cuda_ways *ways) {
    struct xl_str text = {0};
    xl_str_puts(&text, first_line);
    for (int i = 0; i < ways->n; i++)
        xl_str_printf(&text, "%s\t%s\n", ways->list[i].key, ways->list[i].way);
    char *dir = strdup(ways->path);
    if (dir) *strrchr(dir, '/') = 0;
    if (dir && !text.failed && !xl_dir_create(dir, NULL)) {
        enum xl_status status = xl_file_replace(ways->path, text.text, text.len, NULL);
        (void)status; /* without a file the next process measures again */
    }
    free(dir);
    xl_str_deinit(&text);
}

void xl_cuda_ways_save(struct xl_cuda_ways *ways) {
    if (ways->is_changed && ways->path) write_file(ways);
    ways->is_changed = false;
}

void xl_cuda_ways_close(struct xl_cuda_ways *ways) {
    if (!ways) return;
    xl_cuda_ways_save(ways);
    for (int i = 0; i < ways->n; i++) {
        free(ways->list[i].key);
        free(ways->list[i].way);
    }
    free(ways->list);
    free(ways->path);
    free(ways);
}

const char *xl_cuda_ways_find(const struct xl_cuda_ways *ways, const char *key) {
    const struct way *way = find(ways, key);
    return way ? way->way : NULL;
}

void xl_cuda_ways_keep(struct xl_cuda_ways *ways, const char *key, const char *way) {
    struct way *kept = find(ways, key);
    char *text = kept ? strdup(way) : NULL;
    if (text) {
        free(kept->way);
        kept->way = text;
    }
    ways->is_changed |= kept ? text != NULL : add(ways, key, way);
}
