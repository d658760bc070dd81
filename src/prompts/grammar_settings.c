/* grammar_settings.c - what a grammar decides beside words: settings with several values, and
 * seeds. Which names and values there are is for who uses them (lab's option table). Keeps no
 * state.
 */
#include "base/json.h"
#include "prompts/grammar_read.h"
#include "prompts/learned.h"

#include <string.h>

enum { MAX_VALUES = 10000 };

static enum xl_status no_memory(struct xl_grammar_reader *reader) {
    return xl_fail_nomem(reader->err, "a grammar", 0);
}

/* A setting while its values are added. */
struct values {
    struct xl_grammar_reader *reader;
    const char *setting;
    const char **text;
    uint64_t *upto, sum;
    struct xl_yaml_place *places;
    int n;
};

/* Add one; what weighs nothing is none. */
static enum xl_status add_value(struct values *values, const char *text, uint64_t weight,
                                struct xl_yaml_place place) {
    weight = xl_learned_setting_weight(values->reader->learned, values->setting, text, weight);
    if (!weight) return XL_OK;
    char *copy = xl_arena_strdup(&values->reader->grammar->arena, text);
    if (!copy) return no_memory(values->reader);
    values->sum += weight;
    values->text[values->n] = copy;
    values->upto[values->n] = values->sum;
    values->places[values->n++] = place;
    return XL_OK;
}

/* A text, perhaps with a weight before it, or a number. */
static enum xl_status read_scalar(struct values *values, const json_t *value,
                                  struct xl_yaml_place place) {
    char number[XL_REAL_MAX];
    uint64_t weight = XL_WEIGHT_UNIT;
    const char *text = json_string_value(value);
    if (json_is_number(value)) {
        xl_real_text(json_number_value(value), number);
        return add_value(values, number, weight, place);
    }
    if (!text)
        return xl_grammar_fail(values->reader, place, NULL,
                               "expected a text or a number; several stand in a list, or in a map "
                               "with their weights");
    enum xl_status status = xl_grammar_read_weight(values->reader, &text, place, &weight);
    return status ? status : add_value(values, text, weight, place);
}

/* "value", [values], or {value: weight}. */
static enum xl_status read_values(struct values *values, const json_t *container, const char *name,
                                  const json_t *value) {
    const struct xl_yaml_places *places = &values->reader->places;
    const char *key;
    json_t *weight_value;
    enum xl_status status = XL_OK;
    if (json_is_array(value)) {
        for (size_t i = 0; !status && i < json_array_size(value); i++)
            status = read_scalar(values, json_array_get(value, i),
                                 xl_yaml_value_place(places, value, NULL, i));
        return status;
    }
    if (!json_is_object(value))
        return read_scalar(values, value, xl_yaml_value_place(places, container, name, 0));
    json_object_foreach((json_t *)value, key, weight_value) {
        uint64_t weight;
        if (!xl_weight_of(weight_value, &weight))
            return xl_grammar_fail(values->reader, xl_yaml_value_place(places, value, key, 0), NULL,
                                   "expected a weight from 0 to 1000");
        status = add_value(values, key, weight, xl_yaml_key_place(places, value, key));
        if (status) return status;
    }
    return status;
}

static enum xl_status read_setting(struct xl_grammar_reader *reader, const json_t *container,
                                   const char *name, const json_t *value,
                                   struct xl_grammar_setting *out) {
    struct xl_arena *arena = &reader->grammar->arena;
    struct xl_yaml_place place = xl_yaml_key_place(&reader->places, container, name);
    size_t n = json_is_array(value)    ? json_array_size(value)
               : json_is_object(value) ? json_object_size(value)
                                       : 1;
    if (n > MAX_VALUES)
        return xl_grammar_fail(reader, place, NULL, "%s: %zu values, at most %d", name, n,
                               MAX_VALUES);
    struct values values = {.reader = reader,
                            .setting = name,
                            .text = xl_arena_alloc(arena, (n + 1) * sizeof *values.text),
                            .upto = xl_arena_alloc(arena, (n + 1) * sizeof *values.upto),
                            .places = xl_arena_alloc(arena, (n + 1) * sizeof *values.places)};
    const char *copy = xl_arena_strdup(arena, name);
    if (!values.text || !values.upto || !values.places || !copy) return no_memory(reader);
    enum xl_status status = read_values(&values, container, name, value);
    if (!status && !values.n)
        status = xl_grammar_fail(reader, place, NULL, "%s: no value that weighs something", name);
    *out =
        (struct xl_grammar_setting){copy, values.text, values.upto, values.places, values.n, place};
    return status;
}

static enum xl_status read_all(struct xl_grammar_reader *reader, const json_t *settings) {
    const char *name;
    json_t *value;
    int n = 0;
    struct xl_grammar_setting *out =
        xl_arena_alloc(&reader->grammar->arena, (json_object_size(settings) + 1) * sizeof *out);
    if (!out) return no_memory(reader);
    json_object_foreach((json_t *)settings, name, value) {
        enum xl_status status = read_setting(reader, settings, name, value, &out[n]);
        if (status) return status;
        n++;
    }
    reader->grammar->settings = out;
    reader->grammar->n_settings = n;
    return XL_OK;
}

/* --- Seeds ------------------------------------------------------------------------------------
 */

static enum xl_status no_seed(struct xl_grammar_reader *reader, struct xl_yaml_place place) {
    return xl_grammar_fail(reader, place, NULL,
                           "seed: expected random, a whole number, a list of them, or {from: N, "
                           "step: N}");
}

static enum xl_status read_seed_list(struct xl_grammar_reader *reader, const json_t *value,
                                     struct xl_yaml_place place) {
    size_t n = json_is_array(value) ? json_array_size(value) : 1;
    uint64_t *seeds = xl_arena_alloc(&reader->grammar->arena, (n + 1) * sizeof *seeds);
    if (!seeds) return no_memory(reader);
    if (!n || n > MAX_VALUES) return no_seed(reader, place);
    for (size_t i = 0; i < n; i++)
        if (!xl_json_read_seed(json_is_array(value) ? json_array_get(value, i) : value, &seeds[i]))
            return no_seed(reader, place);
    reader->grammar->seeds = XL_SEEDS_OF_LIST;
    reader->grammar->seed_list = seeds;
    reader->grammar->n_seeds = (int)n;
    return XL_OK;
}

static enum xl_status read_seed_steps(struct xl_grammar_reader *reader, const json_t *value) {
    struct xl_grammar *grammar = reader->grammar;
    const char *key;
    json_t *number;
    grammar->seeds = XL_SEEDS_COUNT;
    grammar->first_seed = 0;
    grammar->seed_step = 1;
    json_object_foreach((json_t *)value, key, number) {
        uint64_t *out = !strcmp(key, "from")   ? &grammar->first_seed
                        : !strcmp(key, "step") ? &grammar->seed_step
                                               : NULL;
        if (!out || !xl_json_read_seed(number, out))
            return no_seed(reader, xl_yaml_key_place(&reader->places, value, key));
    }
    return XL_OK;
}

static enum xl_status read_seeds(struct xl_grammar_reader *reader, const json_t *value) {
    struct xl_yaml_place place = xl_yaml_value_place(&reader->places, reader->root, "seed", 0);
    const char *word = json_string_value(value);
    if (!value || (word && !strcmp(word, "random"))) return XL_OK;
    if (json_is_object(value)) return read_seed_steps(reader, value);
    return read_seed_list(reader, value, place);
}

enum xl_status xl_grammar_read_settings(struct xl_grammar_reader *reader) {
    const json_t *settings = json_object_get(reader->root, "settings");
    if (settings && !json_is_object(settings))
        return xl_grammar_fail(reader,
                               xl_yaml_value_place(&reader->places, reader->root, "settings", 0),
                               NULL, "settings: expected a map of settings and their values");
    enum xl_status status = settings ? read_all(reader, settings) : XL_OK;
    return status ? status : read_seeds(reader, json_object_get(reader->root, "seed"));
}
