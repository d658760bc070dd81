/* settings.c - reading one value of one option from text. */
#include "lab/settings/settings.h"

#include "base/file.h"
#include "base/path.h"
#include "base/str.h"
#include "lab/data/embedding_text.h"
#include "lab/data/lora_text.h"
#include "lab/data/loras.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void xl_settings_default(struct xl_settings *settings) {
    *settings = (struct xl_settings){
        .steps = 30,
        .guidance = 5.0,
        .batch = 1,
        .scheduler = "default",
        .strength = 0.3,
        .clip_skip = XL_CLIP_SKIP_OWN,
        .device = "auto",
        .output_dir = "output_images",
        .port = 7860,
        .bind = "127.0.0.1",
        .count = 16,
        .budget = 120,
        .idle_memory = 256,
        .idle_utilization = 5,
        .interval = 2,
        .heartbeat = 10,
        .tasks = 8,
        .gres = "gpu:1",
        .container_image = "sdxl-lab",
    };
}

struct xl_device_params xl_settings_device(const struct xl_settings *settings) {
    struct xl_device_params params;
    xl_device_params_default(&params);
    params.name = settings->device;
    params.n_threads = settings->threads;
    params.budget_bytes = (int64_t)(settings->max_memory * 1e9);
    return params;
}

/* strtol and strtod pass over blanks; those behind a number are refused, and so are these. */
static bool begins_blank(const char *text) {
    return strchr(" \t\r\n\v\f", text[0]) && text[0];
}

static enum xl_status set_int(int *field, const struct xl_option *option, const char *origin,
                              const char *text, struct xl_err *err) {
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (begins_blank(text) || end == text || *end || errno || (double)value < option->min ||
        (double)value > option->max)
        return xl_fail(err, XL_EINVAL, "%s: \"%.40s\" is not a whole number from %.0f to %.0f",
                       origin, text, option->min, option->max);
    *field = (int)value;
    return XL_OK;
}

static enum xl_status set_real(double *field, const struct xl_option *option, const char *origin,
                               const char *text, struct xl_err *err) {
    char *end;
    double value = strtod(text, &end);
    /* The comparison is written so that NaN fails it. */
    if (begins_blank(text) || end == text || *end ||
        !(value >= option->min && value <= option->max))
        return xl_fail(err, XL_EINVAL, "%s: \"%.40s\" is not a number from %g to %g%s", origin,
                       text, option->min, option->max,
                       end != text && *end == ',' ? "; decimals come behind a point" : "");
    *field = value;
    return XL_OK;
}

static enum xl_status set_seed(struct xl_settings *settings, const char *origin, const char *text,
                               struct xl_err *err) {
    if (!strcmp(text, "-1")) {
        settings->has_seed = false;
        return XL_OK;
    }
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno)
        return xl_fail(
            err, XL_EINVAL,
            "%s: \"%.40s\" is not a seed: a whole number from 0 to 2^64 - 1, or -1 for a "
            "random one",
            origin, text);
    settings->seed = value;
    settings->has_seed = true;
    return XL_OK;
}

static enum xl_status set_choice(int *field, const struct xl_option *option, const char *origin,
                                 const char *text, struct xl_err *err) {
    char known[128] = "";
    for (int i = 0; option->same_as && option->same_as[i]; i += 2)
        if (!strcasecmp(option->same_as[i], text)) text = option->same_as[i + 1];
    for (int i = 0; option->choices[i]; i++) {
        if (!strcasecmp(option->choices[i], text)) {
            *field = i;
            return XL_OK;
        }
        if (i) strncat(known, ", ", sizeof known - strlen(known) - 1);
        strncat(known, option->choices[i], sizeof known - strlen(known) - 1);
    }
    return xl_fail(err, XL_EINVAL, "%s: \"%.40s\" is not one of: %s", origin, text, known);
}

enum xl_status xl_read_switch(const char *text, const char *origin, bool *out, struct xl_err *err) {
    static const char *const words[] = {"0", "1", "false", "true", "no", "yes", "off", "on"};
    enum { N_WORDS = sizeof words / sizeof *words };
    int i = 0;
    while (i < N_WORDS && strcasecmp(words[i], text)) i++;
    if (i == N_WORDS)
        return xl_fail(
            err, XL_EINVAL,
            "%s: \"%.40s\" is neither true nor false; expected 1, true, yes or on, or 0, "
            "false, no or off",
            origin, text);
    *out = i % 2;
    return XL_OK;
}

/* A bare flag is on. */
static enum xl_status set_switch(bool *field, const char *origin, const char *text,
                                 struct xl_err *err) {
    return xl_read_switch(text ? text : "1", origin, field, err);
}

static enum xl_status add_to_list(struct xl_list *list, const struct xl_option *option,
                                  const char *origin, const char *text, struct xl_err *err) {
    enum xl_status status = option->check ? option->check(text, err) : XL_OK;
    if (status) return xl_fail_context(err, status, "%s", origin);
    if (list->n == XL_LIST_MAX)
        return xl_fail(err, XL_EINVAL, "%s: given more than %d times", origin, XL_LIST_MAX);
    list->item[list->n++] = text;
    return XL_OK;
}

/* What is drawn is UTF-8; a name may be anything. */
static enum xl_status check_text(const struct xl_option *option, const char *origin,
                                 const char *text, struct xl_err *err) {
    if (!text || !option->is_prose) return XL_OK;
    size_t n = strlen(text);
    int at = 1, length;
    for (const char *c = text, *end = text + n; c < end; c += length, at++) {
        length = xl_utf8_len(c, (size_t)(end - c));
        if (!length)
            return xl_fail(err, XL_EINVAL,
                           "%s: the byte 0x%02X, character %d, is not UTF-8 (the terminal or the "
                           "file that it comes from may be in Latin-1 or Windows-1252); expected "
                           "UTF-8",
                           origin, (unsigned char)*c, at);
    }
    return XL_OK;
}

static enum xl_status set_text(const char **field, const struct xl_option *option,
                               const char *origin, const char *text, struct xl_err *err) {
    enum xl_status status = check_text(option, origin, text, err);
    if (status) return status;
    if (option->check) status = option->check(text, err);
    if (status) return xl_fail_context(err, status, "%s", origin);
    *field = text;
    return XL_OK;
}

static enum xl_status set_field(struct xl_settings *settings, const struct xl_option *option,
                                const char *origin, const char *text, struct xl_err *err) {
    void *field = (char *)settings + option->offset;
    switch (option->type) {
    case XL_OPTION_SWITCH:
        return set_switch(field, origin, text, err);
    case XL_OPTION_INT:
        return set_int(field, option, origin, text, err);
    case XL_OPTION_REAL:
        return set_real(field, option, origin, text, err);
    case XL_OPTION_SEED:
        return set_seed(settings, origin, text, err);
    case XL_OPTION_CHOICE:
        return set_choice(field, option, origin, text, err);
    case XL_OPTION_LIST:
        return add_to_list(field, option, origin, text, err);
    case XL_OPTION_STRING:
        return set_text(field, option, origin, text, err);
    }
    return xl_fail(err, XL_EINTERNAL, "%s: an option of no type", origin);
}

/* A path as it is found from every folder; a name stays one. user: the arena */
static enum xl_status place_weights(void *user, const char *name, const char **to,
                                    struct xl_err *err) {
    struct xl_arena *arena = user;
    const char *path = name;
    bool is_path = xl_is_path_word(name);
    enum xl_status status = is_path ? xl_path_expand(name, arena, &path, err) : XL_OK;
    if (status) return status;
    if (!is_path && !xl_file_exists(name)) return XL_OK;
    *to = xl_path_absolute(path, arena);
    return *to ? XL_OK : xl_fail_nomem(err, "a path", 0);
}

static enum xl_status fill_in_weights(const struct xl_option *option, const char **text,
                                      struct xl_arena *arena, struct xl_err *err) {
    if (option->path == XL_PATH_EMBEDDING)
        return xl_embedding_text_rename(*text, place_weights, arena, arena, text, err);
    if (option->type == XL_OPTION_LIST)
        return xl_lora_text_rename(*text, place_weights, arena, arena, text, err);
    const char *to = NULL;
    enum xl_status status = place_weights(arena, *text, &to, err);
    if (to) *text = to;
    return status;
}

/* Fill in what "~" and variables in a path stand for, and the folder that it is relative to. */
static enum xl_status fill_in(const struct xl_settings *settings, const struct xl_option *option,
                              const char *origin, const char **text, struct xl_err *err) {
    struct xl_arena *arena = settings->arena;
    if (!arena || !*text || !(*text)[0]) return XL_OK;
    if (!strcmp(option->name, "sweep")) return xl_axis_fill_in(*text, arena, text, err);
    if (option->path == XL_PATH_NONE) return XL_OK;
    if (option->path == XL_PATH_MODEL && !strchr("~$./", (*text)[0])) return XL_OK;
    bool is_weights = option->path == XL_PATH_WEIGHTS || option->path == XL_PATH_EMBEDDING;
    enum xl_status status = is_weights ? fill_in_weights(option, text, arena, err)
                                       : xl_path_expand(*text, arena, text, err);
    if (status) return xl_fail_context(err, status, "%s", origin);
    if (option->path == XL_PATH_KEPT) *text = xl_path_absolute(*text, arena);
    return *text ? XL_OK : xl_fail_nomem(err, "a path", 0);
}

enum xl_status xl_settings_set(struct xl_settings *settings, const struct xl_option *option,
                               const char *origin, const char *text, struct xl_err *err) {
    xl_option_set bit = xl_option_bit(option);
    enum xl_status status = fill_in(settings, option, origin, &text, err);
    if (!status && option->is_replaced && settings->from_below & bit)
        ((struct xl_list *)(void *)((char *)settings + option->offset))->n = 0;
    if (!status) status = set_field(settings, option, origin, text, err);
    if (status) return status;
    settings->from_below &= ~bit;
    settings->given |= bit;
    settings->from_environment &= ~bit;
    return XL_OK;
}

/* How many bytes an option's field has. */
static size_t field_size(const struct xl_option *option) {
    switch (option->type) {
    case XL_OPTION_INT:
    case XL_OPTION_CHOICE:
        return sizeof(int);
    case XL_OPTION_REAL:
        return sizeof(double);
    case XL_OPTION_SEED:
        return sizeof(uint64_t);
    case XL_OPTION_SWITCH:
        return sizeof(bool);
    case XL_OPTION_LIST:
        return sizeof(struct xl_list);
    default:
        return sizeof(const char *);
    }
}

void xl_settings_override(struct xl_settings *settings, const struct xl_settings *from,
                          xl_command_set commands) {
    const struct xl_option *option;
    for (int i = 0; (option = xl_option_at(i)); i++) {
        if (!(from->given >> i & 1) || !(option->commands & commands)) continue;
        memcpy((char *)settings + option->offset, (const char *)from + option->offset,
               field_size(option));
        if (option->type == XL_OPTION_SEED) settings->has_seed = from->has_seed;
        settings->given |= xl_option_bit(option);
    }
}

void xl_settings_end_source(struct xl_settings *settings) {
    settings->from_below = settings->given;
}

bool xl_settings_is_given(const struct xl_settings *settings, const char *name) {
    return settings->given >> xl_option_index(xl_option_find(name)) & 1;
}

const char *xl_settings_text(const struct xl_settings *settings, const struct xl_option *option) {
    const void *field = (const char *)settings + option->offset;
    const struct xl_list *list = field;
    if (option->type == XL_OPTION_LIST) return list->n ? list->item[list->n - 1] : NULL;
    return option->type == XL_OPTION_STRING ? *(const char *const *)field : NULL;
}
