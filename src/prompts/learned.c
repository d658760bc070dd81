/* learned.c - reading a file of weights, and looking one up. */
#include "prompts/learned.h"
#include "base/file.h"
#include "base/yaml.h"
#include "prompts/bounds.h"

#include <stdlib.h>
#include <string.h>

struct xl_learned {
    json_t *root;
};

static enum xl_status fail(const char *path, struct xl_yaml_place place, struct xl_err *err,
                           const char *what) {
    return xl_fail(err, XL_EINPUT, "%s:%d:%d: %s", path, place.line, place.column, what);
}

/* A map of maps of factors. */
static enum xl_status check_factors(const char *path, const json_t *maps,
                                    const struct xl_yaml_places *places, struct xl_err *err) {
    const char *name, *entry;
    json_t *map, *factor;
    json_object_foreach((json_t *)maps, name, map) {
        if (!json_is_object(map))
            return fail(path, xl_yaml_value_place(places, maps, name, 0), err,
                        "expected a map of entries and factors");
        json_object_foreach(map, entry, factor) {
            uint64_t weight;
            if (!xl_weight_of(factor, &weight))
                return fail(path, xl_yaml_value_place(places, map, entry, 0), err,
                            "a factor is a number from 0 to 1000");
        }
    }
    return XL_OK;
}

static enum xl_status check(const char *path, const json_t *root,
                            const struct xl_yaml_places *places, struct xl_err *err) {
    const json_t *format = json_object_get(root, "format");
    const json_t *weights = json_object_get(root, "weights");
    const json_t *settings = json_object_get(root, "settings");
    if (!json_is_integer(format) || json_integer_value(format) != 1 || !json_is_object(weights) ||
        (settings && !json_is_object(settings)))
        return fail(path, xl_yaml_value_place(places, NULL, NULL, 0), err,
                    "no file of weights: expected {\"format\": 1, \"weights\": {LIST: {ENTRY: "
                    "FACTOR}}, \"settings\": {SETTING: {VALUE: FACTOR}}}");
    enum xl_status status = check_factors(path, weights, places, err);
    return status ? status : check_factors(path, settings, places, err);
}

/* places may have none. root is taken over. */
static enum xl_status take(const char *name, json_t *root, const struct xl_yaml_places *places,
                           struct xl_learned **out, struct xl_err *err) {
    enum xl_status status = root ? check(name, root, places, err)
                                 : xl_fail_nomem(err, "weights", 0);
    struct xl_learned *learned = status ? NULL : malloc(sizeof *learned);
    if (!status && !learned) status = xl_fail_nomem(err, "weights", 0);
    if (status) {
        json_decref(root);
        return status;
    }
    learned->root = root;
    *out = learned;
    return XL_OK;
}

enum xl_status xl_learned_load(const char *path, struct xl_learned **out, struct xl_err *err) {
    struct xl_yaml_places places = {0};
    json_t *root = NULL;
    enum xl_status status = xl_yaml_load(path, &places, &root, err);
    if (!status) status = take(path, root, &places, out, err);
    xl_yaml_places_deinit(&places);
    return status;
}

enum xl_status xl_learned_new(const char *name, json_t *root, struct xl_learned **out,
                              struct xl_err *err) {
    struct xl_yaml_places places = {0};
    enum xl_status status = take(name, root, &places, out, err);
    xl_yaml_places_deinit(&places);
    return status;
}

void xl_learned_free(struct xl_learned *learned) {
    if (!learned) return;
    json_decref(learned->root);
    free(learned);
}

bool xl_learned_is_favourites(const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    return (!strcmp(name, XL_LEARNED_FAVOURITES) || !strcmp(name, "favorites")) &&
           !xl_file_exists(path);
}

const json_t *xl_learned_lots(const struct xl_learned *learned) {
    return learned ? json_object_get(learned->root, "lots") : NULL;
}

static uint64_t weigh(const struct xl_learned *learned, const char *part, const char *name,
                      const char *entry, uint64_t weight) {
    const json_t *maps = learned ? json_object_get(learned->root, part) : NULL;
    uint64_t factor;
    if (!xl_weight_of(json_object_get(json_object_get(maps, name), entry), &factor)) return weight;
    uint64_t product = weight * factor / XL_WEIGHT_UNIT; /* at most 10^9 times 10^9 */
    return product || !factor || !weight ? product : 1;
}

uint64_t xl_learned_weight(const struct xl_learned *learned, const char *list, const char *entry,
                           uint64_t weight) {
    return weigh(learned, "weights", list, entry, weight);
}

uint64_t xl_learned_setting_weight(const struct xl_learned *learned, const char *setting,
                                   const char *value, uint64_t weight) {
    return weigh(learned, "settings", setting, value, weight);
}
