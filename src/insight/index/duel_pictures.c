/* duel_pictures.c - shuffles the newest pictures. Keeps no state. */
#include "insight/index/duel_pictures.h"

#include "base/file.h"
#include "base/json.h"
#include "insight/index/pictures.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Knuth's linear congruential generator: any order will do. */
static uint64_t next(uint64_t *state) {
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static bool swap(json_t *list, size_t i, size_t k) {
    json_t *one = json_incref(json_array_get(list, i));
    json_t *two = json_incref(json_array_get(list, k));
    return !json_array_set_new(list, i, two) && !json_array_set_new(list, k, one);
}

/* Whether two files have the same bytes; of most the sizes tell. */
static bool is_same_file(const char *a, const char *b) {
    enum { AT_ONCE = 65536 };
    static _Thread_local char one[AT_ONCE], two[AT_ONCE];
    struct stat of_a, of_b;
    if (stat(a, &of_a) || stat(b, &of_b) || of_a.st_size != of_b.st_size) return false;
    FILE *file_a = fopen(a, "rb"), *file_b = fopen(b, "rb");
    bool is_same = file_a && file_b;
    for (size_t n = 1; is_same && n;) {
        n = fread(one, 1, AT_ONCE, file_a);
        is_same = fread(two, 1, AT_ONCE, file_b) == n && !memcmp(one, two, n);
    }
    if (file_a) fclose(file_a);
    if (file_b) fclose(file_b);
    return is_same;
}

static const char *path_at(const json_t *list, size_t i) {
    return json_string_value(json_object_get(json_array_get(list, i), "path"));
}

/* Give each picture a partner that is not its copy; those behind for which there is none go. */
static bool part_copies(json_t *list) {
    bool ok = true;
    for (size_t i = 0; ok && i < json_array_size(list); i += 2) {
        size_t n = json_array_size(list), k = i + 1;
        while (k < n && is_same_file(path_at(list, i), path_at(list, k))) k++;
        if (k < n && k > i + 1) ok = swap(list, i + 1, k);
        while (k == n && i + 1 < json_array_size(list)) ok = !json_array_remove(list, i + 1);
    }
    return ok;
}

enum xl_status xl_duel_pictures(struct xl_index *index, uint64_t seed, json_t **out,
                                struct xl_err *err) {
    const struct xl_picture_filter filter = {.trashed = XL_NOT_HAVING, .rejected = XL_NOT_HAVING};
    json_t *page = NULL, *picture, *list = json_array();
    size_t i;
    bool ok = list != NULL;
    enum xl_status status = xl_pictures_page(index, &filter, XL_DUEL_PICTURES, NULL, &page, err);
    json_array_foreach(json_object_get(page, "pictures"), i, picture) {
        const char *path = json_string_value(json_object_get(picture, "path"));
        if (ok && path && xl_file_exists(path)) ok = !json_array_append(list, picture);
    }
    json_decref(page);
    seed = seed * UINT64_C(2654435761) + 1;
    for (i = json_array_size(list); ok && i > 1; i--) ok = swap(list, i - 1, next(&seed) % i);
    if (ok) ok = part_copies(list);
    list = xl_json_finish(list, ok && !status);
    if (!status && !list) return xl_fail_nomem(err, "pictures", 0);
    if (!status) *out = list;
    return status;
}
