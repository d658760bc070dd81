/* duel_pictures.c - shuffles the newest pictures. Keeps no state. */
#include "insight/index/duel_pictures.h"

#include "base/file.h"
#include "base/json.h"
#include "insight/index/pictures.h"

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
    list = xl_json_finish(list, ok && !status);
    if (!status && !list) return xl_fail_nomem(err, "pictures", 0);
    if (!status) *out = list;
    return status;
}
