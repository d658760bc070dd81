/* pace_file.c - what was learnt of the pace, kept beside the journal: how long a job takes is known
 * before the first picture after a restart.
 */
#include "jobs/queue/parts.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

static const double SAVE_S = 30; /* between two writings */
enum { FORMAT = 2, MOST_BYTES = 1 << 20 };

/* --- Reading ---------------------------------------------------------------------------------- */

static void take_row(struct xl_pace *pace, const json_t *row) {
    const char *device = json_string_value(json_object_get(row, "device"));
    const char *digest = json_string_value(json_object_get(row, "digest"));
    const char *dtype = json_string_value(json_object_get(row, "dtype"));
    json_int_t pixels = json_integer_value(json_object_get(row, "pixels"));
    json_int_t n = json_integer_value(json_object_get(row, "pictures"));
    double s_per_cost = json_number_value(json_object_get(row, "s_per_cost"));
    struct xl_pace_row *out = &pace->rows[pace->n_rows];
    if (!device || !device[0] || strlen(device) >= sizeof out->device || !dtype) return;
    if (!digest || strlen(digest) >= sizeof out->digest || pixels <= 0 || n <= 0) return;
    if (s_per_cost <= 0 || pace->n_rows == XL_PACE_ROWS) return;
    *out = (struct xl_pace_row){.precision = (int)xl_precision_of_name(dtype),
                                .pixels = pixels,
                                .s_per_cost = s_per_cost,
                                .n = n > 4 ? 4 : (int)n};
    strcpy(out->device, device);
    strcpy(out->digest, digest);
    pace->n_rows++;
}

void xl_pace_file_read(struct xl_queue *queue) {
    const struct xl_read_rule rule = {MOST_BYTES, XL_EINPUT, XL_EINPUT};
    char *path = xl_queue_file(queue, "pace.json"), *text = NULL;
    size_t n = 0, i;
    json_t *root = NULL, *row;
    bool is_read = path && !xl_file_read(path, rule, &text, &n, NULL) &&
                   !xl_json_parse(path, text, n, &root, NULL);
    if (is_read && json_integer_value(json_object_get(root, "format")) == FORMAT)
        json_array_foreach(json_object_get(root, "rows"), i, row) take_row(&queue->pace, row);
    json_decref(root);
    free(text);
    free(path);
}

/* --- Writing ---------------------------------------------------------------------------------- */

static json_t *write_row(const struct xl_pace_row *row) {
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "device", xl_json_text(row->device), &ok);
    xl_json_put(object, "digest", json_string(row->digest), &ok);
    xl_json_put(object, "dtype", json_string(xl_precision_name((enum xl_precision)row->precision)),
                &ok);
    xl_json_put(object, "pixels", json_integer(row->pixels), &ok);
    xl_json_put(object, "s_per_cost", json_real(row->s_per_cost), &ok);
    xl_json_put(object, "pictures", json_integer(row->n), &ok);
    return xl_json_finish(object, ok);
}

static char *write_pace(const struct xl_pace *pace) {
    json_t *object = json_object(), *rows = json_array();
    bool ok = object && rows;
    for (int i = 0; ok && i < pace->n_rows; i++)
        ok = !json_array_append_new(rows, write_row(&pace->rows[i]));
    xl_json_put(object, "format", json_integer(FORMAT), &ok);
    xl_json_put(object, "rows", rows, &ok);
    return xl_json_take_text(object, ok, JSON_COMPACT);
}

void xl_pace_file_save(struct xl_queue *queue, bool must_be) {
    struct xl_pace *pace = malloc(sizeof *pace);
    double now_s = xl_now_s();
    if (!pace) return;
    pthread_mutex_lock(&queue->mutex);
    bool is_due = must_be || queue->pace_saved_s == 0 || now_s - queue->pace_saved_s >= SAVE_S;
    if (is_due) queue->pace_saved_s = now_s;
    *pace = queue->pace;
    pthread_mutex_unlock(&queue->mutex);
    if (is_due && pace->n_rows) {
        xl_json_watch();
        char *path = xl_queue_file(queue, "pace.json"), *text = write_pace(pace);
        enum xl_status ignored = XL_OK; /* it is learnt again */
        if (path && text) ignored = xl_file_replace(path, text, strlen(text), NULL);
        (void)ignored;
        free(path);
        free(text);
    }
    free(pace);
}
