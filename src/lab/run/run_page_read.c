/* run_page_read.c - what a run's page shows, for programs: cells.js read back. Keeps no state. */
#include "lab/run/run_page.h"

#include "base/file.h"
#include "base/json.h"
#include "base/text_file.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 256 << 20 };

struct reading {
    json_t *run, *cells; /* cells: by id, in the order of the plan */
    bool ok;
};

/* The object of a statement name(...); NULL: it is another one, or was torn off. */
static json_t *object_of(const struct xl_text_line *line, const char *name) {
    size_t n = strlen(name);
    if (line->n <= n || strncmp(line->at, name, n) != 0) return NULL;
    json_t *object = json_loadb(line->at + n, line->n - n, JSON_DISABLE_EOF_CHECK, NULL);
    if (json_is_object(object)) return object;
    json_decref(object);
    return NULL;
}

/* The last word about a cell counts. */
static void put_cell(struct reading *reading, json_t *cell) {
    const char *id = json_string_value(json_object_get(cell, "id"));
    json_t *known = id ? json_object_get(reading->cells, id) : NULL;
    if (known)
        reading->ok &= !json_object_update(known, cell);
    else if (id)
        reading->ok &= !json_object_set(reading->cells, id, cell);
}

static void read_line(struct reading *reading, const struct xl_text_line *line) {
    json_t *run = object_of(line, "run("), *cell = run ? NULL : object_of(line, "cell(");
    if (run) reading->ok &= !json_object_update(reading->run, run);
    if (cell) put_cell(reading, cell);
    json_decref(run);
    json_decref(cell);
}

static json_t *in_order(json_t *cells) {
    const char *id;
    json_t *cell, *list = json_array();
    bool ok = list != NULL;
    json_object_foreach(cells, id, cell) {
        if (!json_object_get(cell, "state"))
            xl_json_put(cell, "state", json_string("waiting"), &ok);
        ok = ok && !json_array_append(list, cell);
    }
    return xl_json_finish(list, ok);
}

enum xl_status xl_run_page_read(const char *dir, json_t **out, struct xl_err *err) {
    char *path = xl_path_join(dir, "cells.js"), *text = NULL;
    size_t n = 0;
    *out = NULL;
    if (!path) return xl_fail_nomem(err, "a path", 0);
    enum xl_status status = xl_text_file_read(path, MOST_BYTES, &text, &n, err);
    free(path);
    if (status) return status;
    struct reading reading = {.run = json_object(), .cells = json_object(), .ok = true};
    struct xl_text_line line = {.next = text};
    reading.ok = reading.run && reading.cells;
    while (reading.ok && xl_text_line_next(&line)) read_line(&reading, &line);
    json_t *object = json_object();
    bool ok = reading.ok;
    xl_json_put(object, "cells", in_order(reading.cells), &ok);
    xl_json_put(object, "run", reading.run, &ok);
    json_decref(reading.cells);
    free(text);
    *out = xl_json_finish(object, ok);
    return *out ? XL_OK : xl_fail_nomem(err, "the page of a run", n);
}
