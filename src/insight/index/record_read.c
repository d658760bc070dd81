/* record_read.c - records of pictures as values of columns. Keeps no state. */
#include "insight/index/record_read.h"
#include "base/file.h"
#include "base/json.h"
#include "base/moment.h"
#include "base/str.h"
#include "lab/cell/cell_record.h"
#include "lab/past/past.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Texts of a PNG stand before its pixels: so much of a file holds nearly all of them. */
enum { HEAD = 256 << 10 };

bool xl_record_file_init(struct xl_record_file *file, const char *folder, const char *name,
                         int64_t changed) {
    *file =
        (struct xl_record_file){.folder = strdup(folder), .name = strdup(name), .changed = changed};
    if (file->folder && file->name) return true;
    xl_record_file_deinit(file);
    return false;
}

void xl_record_file_deinit(struct xl_record_file *file) {
    free(file->folder);
    free(file->name);
    free(file->place);
    free(file->line);
    xl_arena_deinit(&file->arena);
    *file = (struct xl_record_file){0};
}

/* Ours: keys of a record are those of fields; a log's line calls some otherwise. */
static json_t *object_of_record(const json_t *record) {
    const struct xl_columns *columns = xl_columns();
    json_t *object = json_object();
    bool ok = object != NULL;
    for (int i = 0; i < columns->n; i++) {
        json_t *value = json_object_get(record, columns->at[i].name);
        if (value) xl_json_put(object, columns->at[i].key, json_incref(value), &ok);
    }
    json_t *model = json_object_get(record, "model");
    json_t *id = json_object_get(model, "repo");
    if (id) xl_json_put(object, "model_id", json_incref(id), &ok);
    return xl_json_finish(object, ok);
}

/* The key of a line for one of past.h's; NULL: the index has no column for it. */
static const char *key_of(const char *word) {
    static const struct {
        const char *word, *column;
    } rows[] = {
        {XL_PAST_PROMPT, "prompt"},
        {XL_PAST_NEGATIVE, "negative"},
        {XL_PAST_STEPS, "steps"},
        {XL_PAST_SAMPLER, "scheduler"},
        {XL_PAST_GUIDANCE, "guidance"},
        {XL_PAST_RESCALE, "guidance_rescale"},
        {XL_PAST_SEED, "seed"},
        {XL_PAST_MODEL, "model_key"},
        {XL_PAST_VAE, "vae"},
        {XL_PAST_STRENGTH, "strength"},
        {XL_PAST_CLIP_SKIP, "clip_skip"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].word, word))
            return xl_columns()->at[xl_column_find(rows[i].column)].key;
    return NULL;
}

static bool is_number_column(const char *key) {
    const struct xl_columns *columns = xl_columns();
    for (int i = 0; i < columns->n; i++)
        if (!strcmp(columns->at[i].key, key))
            return columns->at[i].type == XL_COLUMN_INT || columns->at[i].type == XL_COLUMN_REAL;
    return false;
}

static void put_word(json_t *object, const struct xl_past_entry *entry, bool *ok) {
    const char *key = key_of(entry->key);
    if (!key || json_object_get(object, key)) return;
    if (!is_number_column(key)) {
        xl_json_put(object, key, xl_json_text(entry->value), ok);
        return;
    }
    char *end;
    double value = strtod(entry->value, &end);
    if (end != entry->value && !*end) xl_json_put(object, key, json_real(value), ok);
}

/* "512x768" as two numbers; the schedule behind the sampler, as this program names them: "DPM++ 2M
 * Karras". */
static void put_parts(json_t *object, const struct xl_past *past, struct xl_arena *arena,
                      bool *ok) {
    const char *size = xl_past_get(past, XL_PAST_SIZE), *schedule, *sampler;
    int width, height;
    if (size && sscanf(size, "%dx%d", &width, &height) == 2) {
        xl_json_put(object, "width", json_integer(width), ok);
        xl_json_put(object, "height", json_integer(height), ok);
    }
    sampler = xl_past_get(past, XL_PAST_SAMPLER);
    schedule = xl_past_get(past, XL_PAST_SCHEDULE);
    if (!sampler || !schedule || !strcmp(schedule, "Automatic") || strstr(sampler, schedule))
        return;
    const char *both = xl_arena_printf(arena, "%s %s", sampler, schedule);
    *ok &= both != NULL;
    if (both) xl_json_put(object, "scheduler", xl_json_text(both), ok);
}

static void put_loras(json_t *object, const struct xl_past *past, bool *ok) {
    struct xl_str text = {0};
    for (int i = 0; i < past->n; i++)
        if (!strcmp(past->entries[i].key, XL_PAST_LORA))
            xl_str_printf(&text, "%s%s", text.len ? " + " : "", past->entries[i].value);
    *ok &= !text.failed;
    if (text.len) xl_json_put(object, "lora", xl_json_text(text.text), ok);
    xl_str_deinit(&text);
}

static json_t *object_of_others(const struct xl_past *past, struct xl_arena *arena) {
    json_t *object = json_object();
    bool ok = object != NULL;
    for (int i = 0; i < past->n; i++) put_word(object, &past->entries[i], &ok);
    put_parts(object, past, arena, &ok);
    put_loras(object, past, &ok);
    if (past->source) xl_json_put(object, "version", xl_json_text(past->source), &ok);
    return xl_json_finish(object, ok);
}

static enum xl_status take_past(struct xl_record_file *file, const struct xl_past *past) {
    const char *id = json_string_value(json_object_get(past->record, "cell"));
    json_t *object = past->record ? object_of_record(past->record)
                                  : object_of_others(past, &file->arena);
    file->line = malloc(sizeof *file->line);
    if (id) file->cell = xl_arena_strdup(&file->arena, id);
    enum xl_status status =
        object && file->line ? xl_log_line_from_object(object, &file->arena, file->line, &file->err)
                             : xl_fail_nomem(&file->err, "a record", 0);
    json_decref(object);
    file->has_record = !status;
    return status;
}

/* The first bytes of a file. */
static char *read_head(const char *path, size_t *n, int64_t *made_at) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char *data = fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) ? NULL : malloc(HEAD);
    ssize_t got = data ? pread(fd, data, HEAD, 0) : -1;
    if (data) *made_at = (int64_t)st.st_mtim.tv_sec;
    if (fd >= 0) close(fd);
    *n = got > 0 ? (size_t)got : 0;
    return data;
}

void xl_record_file_read(struct xl_record_file *file) {
    char *path = file->place ? strdup(file->place) : xl_path_join(file->folder, file->name);
    size_t n = 0;
    char *head = path ? read_head(path, &n, &file->made_at) : NULL;
    struct xl_past past = {.n = 0};
    enum xl_status status = XL_EINPUT;
    if (n) status = xl_past_read(&past, path, head, n, NULL);
    if (status && status != XL_ENOMEM && n == HEAD) {
        xl_past_deinit(&past);
        status = xl_past_load(&past, path, NULL);
    }
    file->is_sheet = past.is_sheet;
    if (!status) status = take_past(file, &past);
    file->status = status == XL_ENOMEM || !path ? xl_fail_nomem(&file->err, "a record", 0) : XL_OK;
    xl_past_deinit(&past);
    free(head);
    free(path);
}
