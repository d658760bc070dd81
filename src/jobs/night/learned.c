/* learned.c - what favourites taught, beside what the night is. */
#include "jobs/night/night.h"

#include "base/file.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

static const char NAME[] = "learned.json";

enum xl_status xl_night_learned_read(const char *dir, json_t **out, struct xl_err *err) {
    char *path = xl_path_join(dir, NAME);
    enum xl_status status = path ? xl_json_load(path, out, err) : xl_fail_nomem(err, "a path", 0);
    if (status == XL_EMODEL)
        status = xl_fail(err, XL_EINPUT,
                         "%s: there is none, and without it other jobs than before would be "
                         "decided; begin a new night with --new",
                         path);
    free(path);
    return status == XL_EFORMAT ? XL_EINPUT : status;
}

enum xl_status xl_night_learned_write(const json_t *learned, const char *dir, struct xl_err *err) {
    char *text = xl_json_dump(learned, JSON_INDENT(1)), *path = xl_path_join(dir, NAME);
    enum xl_status status = text && path ? xl_file_replace(path, text, strlen(text), err)
                                         : xl_fail_nomem(err, NAME, 0);
    free(path);
    free(text);
    return status;
}
