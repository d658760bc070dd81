/* show.c - sdxl-lab show: how a picture was made, whatever program made it. */
#include "cli/cli.h"

#include "base/json.h"
#include "base/str.h"
#include "base/text_width.h"
#include "cli/table.h"
#include "lab/past/past.h"
#include "lab/run/verify_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- For people ------------------------------------------------------------------------------- */

/* A value, whose lines stand below each other. */
static void print_value(const char *value, int indent) {
    for (bool is_first = true; is_first || *value; is_first = false) {
        size_t n = strcspn(value, "\n");
        char *line = strndup(value, n);
        if (!is_first) printf("\n%*s", indent, "");
        if (line) xl_print_text(line, XL_COLOR_NONE);
        free(line);
        value += n + (value[n] == '\n');
    }
    putchar('\n');
}

static void print_past(const char *path, const struct xl_past *past) {
    enum { MOST = 24 };
    int width = 0;
    for (int i = 0; i < past->n; i++) {
        int its = xl_text_width(past->entries[i].key);
        if (its > width && its <= MOST) width = its;
    }
    xl_print_text(path, XL_COLOR_BOLD);
    printf("\n  %-*s  %s\n", width, "Source", past->source);
    for (int i = 0; i < past->n; i++) {
        int gap = width - xl_text_width(past->entries[i].key);
        printf("  ");
        xl_print_text(past->entries[i].key, XL_COLOR_NONE);
        printf("%*s", (gap > 0 ? gap : 0) + 2, "");
        print_value(past->entries[i].value, width + 4);
    }
}

/* --- For scripts ------------------------------------------------------------------------------ */

/* A number where it is one; else the text. */
static json_t *number_of(const char *text) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value > -1e300 && value < 1e300)) return xl_json_text(text);
    bool is_whole = !strpbrk(text, ".eExX") && value > -1e15 && value < 1e15;
    return is_whole ? json_integer((json_int_t)value) : json_real(value);
}

static void put_size(json_t *object, const char *size, bool *ok) {
    int width, height;
    if (!size || sscanf(size, "%9dx%9d", &width, &height) != 2) return;
    xl_json_put(object, "width", json_integer(width), ok);
    xl_json_put(object, "height", json_integer(height), ok);
}

static json_t *describe(const char *path, const struct xl_past *past) {
    json_t *object = json_object(), *loras = json_array(), *others = json_object();
    bool ok = object && loras && others;
    xl_json_put(object, "path", xl_json_text(path), &ok);
    xl_json_put(object, "source", json_string(past->source), &ok);
    for (int i = 0; i < past->n; i++) {
        const struct xl_past_entry *entry = &past->entries[i];
        bool is_number = false;
        const char *common = xl_past_common_key(entry->key, &is_number);
        if (!strcmp(entry->key, XL_PAST_LORA))
            ok &= !json_array_append_new(loras, xl_json_text(entry->value));
        else if (!common)
            xl_json_put(others, entry->key, xl_json_text(entry->value), &ok);
        else if (strcmp(entry->key, XL_PAST_SIZE) != 0)
            xl_json_put(object, common,
                        is_number ? number_of(entry->value) : xl_json_text(entry->value), &ok);
    }
    put_size(object, xl_past_get(past, XL_PAST_SIZE), &ok);
    xl_json_put(object, "loras", loras, &ok);
    xl_json_put(object, "others", others, &ok);
    if (past->record) xl_json_put(object, "record", json_incref(past->record), &ok);
    xl_json_put(object, "raw", json_incref(past->raw), &ok);
    return xl_json_finish(object, ok);
}

/* --- All of them ------------------------------------------------------------------------------ */

static enum xl_status show_one(const struct xl_settings *settings, const char *path, bool is_first,
                               struct xl_err *err) {
    struct xl_past past;
    enum xl_status status = xl_past_load(&past, path, err);
    if (!status && settings->json) {
        xl_json_watch();
        json_t *object = describe(path, &past);
        status = xl_print_json(object, err);
        json_decref(object);
    } else if (!status) {
        if (!is_first) putchar('\n');
        print_past(path, &past);
    }
    xl_past_deinit(&past);
    return status;
}

static void complain(const char *sentence) {
    char *text = strdup(sentence);
    if (!text) return;
    xl_text_tame(text);
    fflush(stdout);
    fprintf(stderr, "sdxl-lab: error: %s\n", text);
    free(text);
}

static enum xl_status show(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_verify_list list = {.takes_all = true};
    enum xl_status status = XL_OK;
    int n_shown = 0, n_without = 0;
    for (int i = 0; !status && i < settings->n_arguments; i++)
        status = xl_verify_list_add(&list, settings->arguments[i], err);
    for (int i = 0; !status && i < list.n; i++) {
        struct xl_err why = {0};
        enum xl_status one = show_one(settings, list.items[i].path, !n_shown, &why);
        n_shown += !one;
        n_without += one == XL_EINPUT;
        if (one == XL_EINPUT && list.n > 1)
            complain(why.text);
        else if (one)
            status = xl_fail(err, one, "%s", why.text);
    }
    int n = list.n;
    xl_verify_list_deinit(&list);
    if (status || !n_without) return status;
    return xl_fail(err, XL_EINPUT, "%d of %d %s no record that can be read", n_without, n,
                   xl_plural(n, "file has", "files have"));
}

const struct xl_command xl_command_show = {
    .name = "show",
    .summary = "how a picture was made: its record, whatever program wrote it",
    .usage = "[--json]",
    .positional = "FILE|DIR|-...",
    .words = XL_COMPLETE_FILE,
    .commands = XL_FOR_SHOW,
    .epilogue =
        "PNG, JPEG and WebP files of this program, AUTOMATIC1111's web UI and those that write as "
        "it does, ComfyUI, InvokeAI, SwarmUI, Fooocus, NovelAI and Draw Things; of a folder all "
        "that lie in and below it; \"-\" is standard input.\n"
        "The words are AUTOMATIC1111's. With --json, an object for each file: path, source, "
        "prompt, negative, steps, sampler, schedule, guidance, seed, width, height, model, "
        "model_hash, vae, strength, clip_skip, loras as far as the record says them, others as it "
        "names them, and raw: the texts of the file.\n"
        "Exit codes: 2 a file cannot be read or has no record, which is said for each; else 0.",
    .run = show,
};
