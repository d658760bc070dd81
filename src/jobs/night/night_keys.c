/* night_keys.c - the keys of a night's configuration: declared once, read by the table. Help,
 * docs/NIGHT.md's table and reading go over it. Keeps no state.
 */
#include "jobs/night/config.h"

#include "base/clock.h"
#include "base/path.h"
#include "base/str.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(struct xl_night_config, field)
#define KEY(name_, argument_, type_, field)                                                        \
    .name = name_, .argument = argument_, .type = type_, .offset = AT(field)

static const struct xl_night_key keys[] = {
    {KEY("prompts", "THEME|FILE, ...", XL_NIGHT_SEVERAL, prompts), .decides_jobs = true,
     .group = "What is drawn",
     .help = "themes, or files of grammars (docs/GENERATOR.md), each in its turn"},
    {KEY("models", "NAME, ...", XL_NIGHT_SEVERAL, models), .decides_jobs = true,
     .group = "What is drawn",
     .help = "the models that may draw: what a grammar decides must be among them, and where it "
             "decides none, one of them is drawn by lot"},
    {KEY("profiles", "NAME, ...", XL_NIGHT_SEVERAL, profiles), .decides_jobs = true,
     .group = "What is drawn", .help = "the profiles, likewise"},
    {KEY("sizes", "PRESET|WxH, ...", XL_NIGHT_SEVERAL, sizes), .decides_jobs = true,
     .group = "What is drawn", .help = "the sizes, likewise"},
    {KEY("learn_from", "favourites|FILE", XL_NIGHT_PATH, learn_from), .decides_jobs = true,
     .group = "What is drawn",
     .help = "what is loved comes more often: entries of grammars, and of models, profiles and "
             "sizes what is drawn by lot; favourites: as the marks in output_dir are when the "
             "night begins"},
    {KEY("jobs", "[{SETTING: VALUE}, ...]", XL_NIGHT_JOBS, jobs), .decides_jobs = true,
     .group = "What is drawn",
     .help = "jobs of your own, before those that are made: a map of settings each, also with a "
             "sweep"},

    {KEY("until_jobs", "N", XL_NIGHT_INT, until_jobs), .min = 1, .max = 1000000,
     .group = "Until when", .help = "so many jobs, those of `jobs` among them"},
    {KEY("time_limit", "TIME", XL_NIGHT_DURATION, time_limit_s), .min = 1, .max = 1e9,
     .group = "Until when", .help = "so long: 90m, 8h; what it was not running for does not count"},
    {KEY("until", "HH:MM|DATE HH:MM|stopped", XL_NIGHT_TEXT, until), .group = "Until when",
     .help = "the next time that the clock shows this, or a moment of a day; stopped: until night "
             "stop"},
    {KEY("disk_budget", "SIZE", XL_NIGHT_BYTES, disk_budget), .min = 1, .max = 1e18,
     .group = "Until when", .help = "until its pictures take so much: 20GB"},

    {KEY("quiet_hours", "HH:MM-HH:MM, ...", XL_NIGHT_SEVERAL, quiet_texts),
     .group = "What it keeps to",
     .help = "hours of each day in which nothing is drawn and GPUs are given back"},
    {KEY("max_temperature", "DEGREES", XL_NIGHT_INT, max_temperature), .min = 30, .max = 120,
     .group = "What it keeps to",
     .help = "a GPU that is hotter (Celsius) pauses until it is 5 degrees below"},
    {KEY("max_power", "WATTS", XL_NIGHT_REAL, max_power_w), .min = 10, .max = 1e6,
     .group = "What it keeps to",
     .help = "where the GPUs of the night together take more, fewer of them draw"},
    {KEY("min_free", "SIZE", XL_NIGHT_BYTES, min_free), .min = 0, .max = 1e18, .fallback = "1GB",
     .group = "What it keeps to",
     .help = "with less than this free where the pictures go it pauses, until there is room again"},

    {KEY("retries", "N", XL_NIGHT_INT, retries), .min = 0, .max = 100, .fallback = "2",
     .group = "Failures",
     .help = "how often a picture that failed is tried again; what it asks for fails at once"},
    {KEY("breaker_failures", "N", XL_NIGHT_INT, breaker_failures), .min = 1, .max = 10000,
     .fallback = "5", .group = "Failures", .help = "after so many failures in a row it pauses"},
    {KEY("breaker_pause", "TIME", XL_NIGHT_DURATION, breaker_pause_s), .min = 0.1, .max = 86400,
     .fallback = "30s", .group = "Failures",
     .help = "for so long, and twice as long each time after that, up to half an hour"},
    {KEY("breaker_rounds", "N", XL_NIGHT_INT, breaker_rounds), .min = 1, .max = 1000,
     .fallback = "5", .group = "Failures",
     .help = "after so many pauses without a picture between them it stops"},
};

const struct xl_night_key *xl_night_key_at(int i) {
    return i >= 0 && i < (int)(sizeof keys / sizeof *keys) ? &keys[i] : NULL;
}

const struct xl_night_key *xl_night_key_find(const char *name) {
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *a = keys[i].name, *b = name;
        while (*a && (*a == *b || (*a == '_' && *b == '-'))) a++, b++;
        if (!*a && !*b) return &keys[i];
    }
    return NULL;
}

/* --- Sizes ------------------------------------------------------------------------------------ */

enum xl_status xl_size_read(const char *text, int64_t *out, struct xl_err *err) {
    static const char LETTERS[] = "kKmMgGtT";
    static const double MOST = 1e18;
    size_t n = strspn(text, "0123456789.");
    char *end;
    double value = strtod(text, &end), unit = 1;
    if (!n || end != text + n) value = -1;
    while (*end == ' ') end++;
    const char *letter = *end ? strchr(LETTERS, *end) : NULL;
    if (letter) unit = pow(1000, (double)((letter - LETTERS) / 2 + 1)), end++;
    if (*end == 'B') end++;
    if (value < 0 || *end || !(value * unit <= MOST))
        return xl_fail(err, XL_EINVAL, "\"%.40s\" is no size; expected one like 500MB, 20GB, 1.5TB",
                       text);
    *out = (int64_t)(value * unit);
    return XL_OK;
}

const char *xl_size_text(int64_t bytes, char out[XL_SIZE_TEXT]) {
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    double value = (double)bytes;
    int i = 0;
    for (; value >= 999.5 && i < 5; i++) value /= 1000;
    snprintf(out, XL_SIZE_TEXT, "%.*f %s", i && value < 99.95 ? 1 : 0, value, units[i]);
    return out;
}

/* --- Values ----------------------------------------------------------------------------------- */

/* A scalar as it was written; NULL: a list or a map. */
static const char *text_of(struct xl_night_config *config, const json_t *value) {
    char number[XL_REAL_MAX];
    if (json_is_string(value)) return xl_arena_strdup(&config->arena, json_string_value(value));
    if (json_is_integer(value))
        return xl_arena_printf(&config->arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    if (!json_is_real(value)) return NULL;
    xl_real_text(json_real_value(value), number);
    return xl_arena_strdup(&config->arena, number);
}

static enum xl_status check_range(const struct xl_night_key *key, const char *text, double value,
                                  struct xl_err *err) {
    char least[XL_REAL_MAX], most[XL_REAL_MAX];
    if (value >= key->min && value <= key->max) return XL_OK;
    xl_real_text(key->min, least);
    xl_real_text(key->max, most);
    return xl_fail(err, XL_EINVAL, "found %.40s, expected %s to %s", text, least, most);
}

static enum xl_status read_number(const struct xl_night_key *key, const char *text, double *value,
                                  struct xl_err *err) {
    char *end;
    *value = strtod(text, &end);
    bool is_whole = *value == floor(*value);
    if (end == text || *end || !isfinite(*value) || (key->type == XL_NIGHT_INT && !is_whole))
        return xl_fail(err, XL_EINVAL, "found \"%.40s\", expected a %snumber", text,
                       key->type == XL_NIGHT_INT ? "whole " : "");
    return check_range(key, text, *value, err);
}

static enum xl_status read_scalar(struct xl_night_config *config, const struct xl_night_key *key,
                                  const char *text, struct xl_err *err) {
    void *field = (char *)config + key->offset;
    double value = 0;
    enum xl_status status = XL_OK;
    switch (key->type) {
    case XL_NIGHT_INT:
        status = read_number(key, text, &value, err);
        if (!status) *(int *)field = (int)value;
        return status;
    case XL_NIGHT_REAL:
        status = read_number(key, text, &value, err);
        if (!status) *(double *)field = value;
        return status;
    case XL_NIGHT_DURATION:
        status = xl_duration_read(text, &value, err);
        if (!status) status = check_range(key, text, value, err);
        if (!status) *(double *)field = value;
        return status;
    case XL_NIGHT_BYTES:
        status = xl_size_read(text, (int64_t *)field, err);
        return status ? status : check_range(key, text, (double)*(int64_t *)field, err);
    case XL_NIGHT_PATH:
        status = xl_path_expand(text, &config->arena, (const char **)field, err);
        if (!status)
            *(const char **)field = xl_path_absolute(*(const char **)field, &config->arena);
        return status || *(const char **)field ? status : xl_fail_nomem(err, "a path", 0);
    default:
        *(const char **)field = text;
        return XL_OK;
    }
}

static enum xl_status read_several(struct xl_night_config *config, const struct xl_night_key *key,
                                   const json_t *value, struct xl_err *err) {
    struct xl_night_texts *texts = (void *)((char *)config + key->offset);
    size_t n = json_is_array(value) ? json_array_size(value) : 1;
    struct xl_yaml_place whole = xl_yaml_value_place(&config->places, config->root, key->name, 0);
    if (!n || n > XL_NIGHT_TEXTS_MAX)
        return xl_fail(err, XL_EINVAL, "found a list of %zu, expected 1 to %d", n,
                       XL_NIGHT_TEXTS_MAX);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_is_array(value) ? json_array_get(value, i) : value;
        const char *text = text_of(config, item);
        if (!text || !text[0])
            return xl_fail(err, XL_EINVAL, "found %s, expected a name or a list of names",
                           text ? "an empty text" : "a map or a list in a list");
        texts->item[i] = text;
        texts->place[i] =
            json_is_array(value) ? xl_yaml_value_place(&config->places, value, NULL, i) : whole;
    }
    texts->n = (int)n;
    return XL_OK;
}

static enum xl_status read_jobs(struct xl_night_config *config, const struct xl_night_key *key,
                                const json_t *value, struct xl_err *err) {
    if (!json_is_array(value) || !json_array_size(value))
        return xl_fail(err, XL_EINVAL, "expected a list of maps, like [{prompt: a cat}]");
    *(const json_t **)((char *)config + key->offset) = value;
    return XL_OK;
}

static enum xl_status read_key(struct xl_night_config *config, const struct xl_night_key *key,
                               const json_t *value, struct xl_err *err) {
    if (key->type == XL_NIGHT_JOBS) return read_jobs(config, key, value, err);
    if (key->type == XL_NIGHT_SEVERAL) return read_several(config, key, value, err);
    const char *text = text_of(config, value);
    if (!text) return xl_fail(err, XL_EINVAL, "found a list or a map, expected one value");
    return read_scalar(config, key, text, err);
}

enum xl_status xl_night_keys_read(struct xl_night_config *config, struct xl_err *err) {
    const struct xl_night_key *key;
    const char *name;
    json_t *value;
    for (int i = 0; (key = xl_night_key_at(i)); i++) {
        enum xl_status status = key->fallback ? read_scalar(config, key, key->fallback, err)
                                              : XL_OK;
        if (status) return status;
    }
    json_object_foreach(config->root, name, value) {
        struct xl_err why = {0};
        key = xl_night_key_find(name);
        if (!key || json_is_null(value)) continue;
        enum xl_status status = read_key(config, key, value, &why);
        if (status == XL_ENOMEM) return xl_fail(err, status, "%s", why.text);
        if (status) return xl_night_config_fail(config, name, why.text, err);
    }
    return XL_OK;
}
