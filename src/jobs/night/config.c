/* config.c - a night's configuration: its file, its settings, its contradictions. */
#include "jobs/night/config.h"

#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "base/sha256.h"
#include "base/str.h"
#include "lab/data/presets.h"
#include "lab/data/profiles.h"
#include "lab/data/themes.h"
#include "prompts/learned.h"

#include <stdlib.h>
#include <string.h>

/* --- Sentences -------------------------------------------------------------------------------- */

enum xl_status xl_night_config_fail_at(const struct xl_night_config *config, const char *key,
                                       struct xl_yaml_place place, const char *why,
                                       struct xl_err *err) {
    if (!place.line) return xl_fail(err, XL_EINPUT, "%s: %s: %s", config->path, key, why);
    return xl_fail(err, XL_EINPUT, "%s:%d:%d: %s: %s", config->path, place.line, place.column, key,
                   why);
}

/* The key as the file spells it. */
static const char *spelled(const struct xl_night_config *config, const char *key) {
    const char *name;
    json_t *value;
    const struct xl_night_key *known = xl_night_key_find(key);
    const struct xl_option *option = xl_option_find(key);
    json_object_foreach(config->root, name, value) {
        if (known && xl_night_key_find(name) == known) return name;
        if (option && xl_option_find(name) == option) return name;
    }
    return key;
}

enum xl_status xl_night_config_fail(const struct xl_night_config *config, const char *key,
                                    const char *why, struct xl_err *err) {
    const char *name = spelled(config, key);
    struct xl_yaml_place place = {0};
    if (json_object_get(config->root, name))
        place = xl_yaml_value_place(&config->places, config->root, name, 0);
    return xl_night_config_fail_at(config, name, place, why, err);
}

/* --- Keys that are nobody's ------------------------------------------------------------------- */

static bool is_night_key(const char *key) {
    return xl_night_key_find(key) != NULL;
}

/* The nearest key of a night; NULL: none is near. */
static const char *nearest_key(const char *name) {
    enum { NEAR = 3 };
    const struct xl_night_key *key;
    const char *nearest = NULL;
    int best = NEAR;
    for (int i = 0; (key = xl_night_key_at(i)); i++) {
        int distance = xl_edit_distance(key->name, name, best);
        if (distance < best) best = distance, nearest = key->name;
    }
    return nearest;
}

static enum xl_status check_keys(const struct xl_night_config *config, struct xl_err *err) {
    const char *name, *seen[64] = {NULL};
    json_t *value;
    json_object_foreach(config->root, name, value) {
        const struct xl_night_key *key = xl_night_key_find(name);
        struct xl_err why;
        if (key && seen[key - xl_night_key_at(0)]) {
            xl_fail(&why, XL_EINPUT, "is there already as %s; leave one of them out",
                    seen[key - xl_night_key_at(0)]);
            return xl_night_config_fail_at(config, name,
                                           xl_yaml_key_place(&config->places, config->root, name),
                                           why.text, err);
        }
        if (key) seen[key - xl_night_key_at(0)] = name;
        const char *near = key || xl_option_find(name) ? NULL : nearest_key(name);
        if (!near) continue; /* a setting, or the settings say what it may be */
        xl_fail(&why, XL_EINPUT, "is no key of a night; did you mean %s?", near);
        return xl_night_config_fail_at(
            config, name, xl_yaml_key_place(&config->places, config->root, name), why.text, err);
    }
    return XL_OK;
}

/* --- Settings --------------------------------------------------------------------------------- */

static enum xl_status read_settings(struct xl_night_config *config, struct xl_err *err) {
    const struct xl_settings_part part = {.name = config->path,
                                          .object = config->root,
                                          .places = &config->places,
                                          .is_other = is_night_key};
    xl_settings_default(&config->settings);
    config->settings.arena = &config->arena;
    enum xl_status status = xl_settings_read_part(&config->settings, &part, &config->arena, err);
    return status == XL_EINVAL ? XL_EINPUT : status;
}

/* Each of `jobs` is read once, for its mistakes. */
static enum xl_status check_jobs(struct xl_night_config *config, struct xl_err *err) {
    struct xl_settings *settings = malloc(sizeof *settings);
    if (!settings) return xl_fail_nomem(err, "settings", sizeof *settings);
    enum xl_status status = XL_OK;
    for (size_t i = 0; !status && i < json_array_size(config->jobs); i++) {
        const struct xl_settings_part part = {.name = config->path,
                                              .object = json_array_get(config->jobs, i),
                                              .places = &config->places};
        *settings = config->settings;
        xl_settings_end_source(settings);
        status = xl_settings_read_part(settings, &part, &config->arena, err);
    }
    free(settings);
    return status == XL_EINVAL ? XL_EINPUT : status;
}

/* --- Values that are looked up ---------------------------------------------------------------- */

static enum xl_status check_profiles(const struct xl_night_config *config, struct xl_err *err) {
    enum { MAX_STACK = 8 };
    const struct xl_profile *stack[MAX_STACK];
    struct xl_profiles *profiles = NULL;
    struct xl_err why;
    int n;
    enum xl_status status = xl_profiles_load(config->settings.profile_files.item,
                                             config->settings.profile_files.n, &profiles, err);
    for (int i = 0; !status && i < config->profiles.n; i++)
        if (xl_profiles_parse_stack(profiles, config->profiles.item[i], stack, MAX_STACK, &n, &why))
            status = xl_night_config_fail_at(config, "profiles", config->profiles.place[i],
                                             why.text, err);
    xl_profiles_free(profiles);
    return status;
}

static enum xl_status check_sizes(const struct xl_night_config *config, struct xl_err *err) {
    struct xl_presets *presets = NULL;
    struct xl_err why;
    int width, height;
    enum xl_status status = xl_presets_load(&presets, err);
    for (int i = 0; !status && i < config->sizes.n; i++)
        if (xl_presets_find(presets, config->sizes.item[i], &width, &height, &why))
            status =
                xl_night_config_fail_at(config, "sizes", config->sizes.place[i], why.text, err);
    xl_presets_free(presets);
    return status;
}

static enum xl_status read_hours(struct xl_night_config *config, struct xl_err *err) {
    struct xl_err why;
    const struct xl_night_texts *texts = &config->quiet_texts;
    if (texts->n > XL_NIGHT_HOURS_MAX)
        return xl_night_config_fail(config, "quiet_hours", "more than 16 parts of a day", err);
    for (int i = 0; i < texts->n; i++)
        if (xl_hours_read(texts->item[i], &config->quiet[i], &why))
            return xl_night_config_fail_at(config, "quiet_hours", texts->place[i], why.text, err);
    config->n_quiet = texts->n;
    if (texts->n && xl_hours_hold_all(config->quiet, texts->n))
        return xl_night_config_fail(config, "quiet_hours",
                                    "they take the whole day, so nothing would be drawn; leave "
                                    "some hours",
                                    err);
    return XL_OK;
}

/* --- Contradictions --------------------------------------------------------------------------- */

static bool is_given(const struct xl_night_config *config, const char *option) {
    return xl_settings_is_given(&config->settings, option);
}

static enum xl_status check_source(const struct xl_night_config *config, struct xl_err *err) {
    static const struct {
        const char *one, *several;
        size_t offset;
    } pairs[] = {
        {"prompt", "prompts", offsetof(struct xl_night_config, prompts)},
        {"model", "models", offsetof(struct xl_night_config, models)},
        {"profile", "profiles", offsetof(struct xl_night_config, profiles)},
        {"size", "sizes", offsetof(struct xl_night_config, sizes)},
    };
    struct xl_err why;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const struct xl_night_texts *texts = (const void *)((const char *)config + pairs[i].offset);
        if (!texts->n || !is_given(config, pairs[i].one)) continue;
        xl_fail(&why, XL_EINPUT, "says one, and %s several; leave one of them out",
                pairs[i].several);
        return xl_night_config_fail(config, pairs[i].one, why.text, err);
    }
    if (config->prompts.n || config->jobs || is_given(config, "prompt")) return XL_OK;
    return xl_fail(err, XL_EINPUT,
                   "%s: nothing says what to draw; expected prompts (a theme, like fantasy-city), "
                   "prompt or jobs",
                   config->path);
}

static enum xl_status check_settings(const struct xl_night_config *config, struct xl_err *err) {
    static const char *const none[] = {"resume", "dry-run", "all-models", "all-profiles",
                                       "from",   "json",    "job",        NULL};
    bool is_cpu = !strcmp(config->settings.device, "cpu") ||
                  !strcmp(config->settings.device, "reference");
    bool has_gpus = config->settings.gpus && strcmp(config->settings.gpus, "none") != 0;
    for (int i = 0; none[i]; i++)
        if (is_given(config, none[i]))
            return xl_night_config_fail(config, none[i], "is nothing for a night; leave it out",
                                        err);
    if (has_gpus && is_cpu)
        return xl_night_config_fail(config, "gpus",
                                    "takes GPUs, and device says cpu; leave one of them out", err);
    if (has_gpus && config->settings.workers)
        return xl_night_config_fail(config, "workers",
                                    "gpus makes a worker for each GPU; leave one of them out", err);
    if (is_cpu && config->max_temperature)
        return xl_night_config_fail(config, "max_temperature",
                                    "is that of a GPU, and device says cpu; leave one of them out",
                                    err);
    if (is_cpu && config->max_power_w > 0)
        return xl_night_config_fail(config, "max_power",
                                    "is that of GPUs, and device says cpu; leave one of them out",
                                    err);
    return XL_OK;
}

/* Whether every minute until then is quiet. */
static bool is_all_quiet(const struct xl_night_config *config, time_t now, time_t until) {
    if (!config->n_quiet || until - now > XL_DAY_MINUTES * 60) return false;
    for (time_t t = now; t < until; t += 60)
        if (!xl_hours_hold(config->quiet, config->n_quiet, xl_hours_minute(t))) return false;
    return true;
}

static enum xl_status check_end(const struct xl_night_config *config, time_t now,
                                struct xl_err *err) {
    bool has_limit = config->until_jobs || config->time_limit_s > 0 || config->disk_budget;
    bool is_stopped = config->until && !strcmp(config->until, XL_NIGHT_UNTIL_STOPPED);
    bool is_endless = config->prompts.n || is_given(config, "prompt");
    struct xl_err why;
    time_t until;
    if (is_stopped && has_limit)
        return xl_night_config_fail(config, "until",
                                    "stopped means that nothing else ends the night, and there is "
                                    "another limit; leave one of them out",
                                    err);
    if (!config->until && !has_limit && is_endless)
        return xl_fail(err, XL_EINPUT,
                       "%s: nothing says when the night ends; expected until_jobs, time_limit, "
                       "until, disk_budget, or until: stopped",
                       config->path);
    if (!config->until || is_stopped) return XL_OK;
    if (xl_moment_read(config->until, now, &until, &why))
        return xl_night_config_fail(config, "until", why.text, err);
    if (until <= now)
        return xl_night_config_fail(config, "until", "that is over; expected a time to come", err);
    if (is_all_quiet(config, now, until))
        return xl_night_config_fail(
            config, "until", "all is quiet_hours until then, so nothing would be drawn", err);
    return XL_OK;
}

/* --- Files of grammars ------------------------------------------------------------------------ */

static bool is_file_name(const char *name) {
    return strchr(name, '/') || xl_ends_with(name, ".yaml") || xl_ends_with(name, ".yml") ||
           xl_ends_with(name, ".json");
}

/* One beside the configuration comes before one of the folder that we are in. */
static enum xl_status find_grammars(struct xl_night_config *config, struct xl_err *err) {
    const char *slash = strrchr(config->absolute, '/');
    int n_dir = slash ? (int)(slash - config->absolute) + 1 : 0;
    for (int i = 0; i < config->prompts.n; i++) {
        const char *name = config->prompts.item[i], *expanded;
        struct xl_err why;
        if (!is_file_name(name)) continue;
        enum xl_status status = xl_path_expand(name, &config->arena, &expanded, &why);
        if (status)
            return xl_night_config_fail_at(config, "prompts", config->prompts.place[i], why.text,
                                           err);
        const char *beside =
            xl_arena_printf(&config->arena, "%.*s%s", n_dir, config->absolute, expanded);
        if (beside && expanded[0] != '/' && xl_file_exists(beside)) expanded = beside;
        config->prompts.item[i] = xl_path_absolute(expanded, &config->arena);
        if (!beside || !config->prompts.item[i]) return xl_fail_nomem(err, "a path", 0);
    }
    return XL_OK;
}

/* --- Loading ---------------------------------------------------------------------------------- */

enum xl_status xl_night_config_load(const char *path, time_t now, struct xl_night_config *out,
                                    struct xl_err *err) {
    *out = (struct xl_night_config){.path = NULL};
    out->path = xl_arena_strdup(&out->arena, path);
    out->absolute = xl_path_absolute(path, &out->arena);
    enum xl_status status = out->path && out->absolute
                                ? xl_yaml_load(path, &out->places, &out->root, err)
                                : xl_fail_nomem(err, "a path", 0);
    if (!status && !json_is_object(out->root))
        status =
            xl_fail(err, XL_EINPUT, "%s: expected a map of keys, like prompts: fantasy-city", path);
    if (!status) status = check_keys(out, err);
    if (!status) status = xl_night_keys_read(out, err);
    if (!status) status = read_settings(out, err);
    if (!status) status = find_grammars(out, err);
    if (!status) status = check_source(out, err);
    if (!status) status = check_settings(out, err);
    if (!status) status = read_hours(out, err);
    if (!status) status = check_end(out, now, err);
    if (!status) status = check_jobs(out, err);
    if (!status) status = check_profiles(out, err);
    if (!status) status = check_sizes(out, err);
    if (status) xl_night_config_deinit(out);
    return status;
}

void xl_night_config_deinit(struct xl_night_config *config) {
    json_decref(config->root);
    json_decref(config->learned);
    xl_yaml_places_deinit(&config->places);
    xl_arena_deinit(&config->arena);
    *config = (struct xl_night_config){.path = NULL};
}

/* --- What decides the jobs -------------------------------------------------------------------- */

/* Settings that say where and with what is drawn, and not what. */
static bool is_way(const struct xl_option *option) {
    return option->is_place ||
           (option->commands & XL_FOR_RESUME && strcmp(option->name, "sweep")) ||
           !strcmp(option->name, "device");
}

static bool decides(const char *name) {
    const struct xl_night_key *key = xl_night_key_find(name);
    const struct xl_option *option = xl_option_find(name);
    return key ? key->decides_jobs : option && !is_way(option);
}

/* The text of a grammar file, where a name is one. */
static enum xl_status add_grammar(struct xl_sha256 *sha, const char *name, struct xl_err *err) {
    const struct xl_read_rule rule = {XL_YAML_MAX_BYTES, XL_EINPUT, XL_EINPUT};
    char *text = NULL;
    size_t n = 0;
    if (!is_file_name(name)) return XL_OK;
    enum xl_status status = xl_file_read(name, rule, &text, &n, err);
    if (!status) xl_sha256_add(sha, text, n);
    free(text);
    return status;
}

enum xl_status xl_night_config_digest(const struct xl_night_config *config,
                                      char out[XL_NIGHT_DIGEST], struct xl_err *err) {
    const char *name;
    json_t *value, *part = json_object();
    bool ok = part != NULL;
    json_object_foreach(config->root, name, value) if (decides(name))
        xl_json_put(part, name, json_incref(value), &ok);
    char *text = ok ? xl_json_dump(part, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(part);
    struct xl_sha256 *sha = xl_sha256_new();
    enum xl_status status = text ? XL_OK : xl_fail_nomem(err, "a digest", 0);
    if (text) xl_sha256_add(sha, text, strlen(text));
    for (int i = 0; !status && i < config->prompts.n; i++)
        status = add_grammar(sha, config->prompts.item[i], err);
    if (!status && config->learn_from && !xl_learned_is_favourites(config->learn_from))
        status = add_grammar(sha, config->learn_from, err);
    free(text);
    enum xl_status ended = xl_sha256_end(sha, out, status ? NULL : err);
    return status ? status : ended;
}
