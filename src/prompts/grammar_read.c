/* grammar_read.c - a grammar's file: its fields, its lists and their entries. Keeps no state. */
#include "prompts/grammar_read.h"
#include "prompts/learned.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LISTS = 1000, MAX_ENTRIES = 100000, MAX_TAGS = 32 };

/* --- Sentences --------------------------------------------------------------------------------
 */

/* The place of a fragment at or behind a place: a value in quotes or over several lines is known by
 * its beginning alone. */
static struct xl_yaml_place narrow(const char *text, struct xl_yaml_place place,
                                   const char *fragment) {
    const char *line = text;
    for (int i = 1; i < place.line && line; i++) {
        line = strchr(line, '\n');
        if (line) line++;
    }
    if (!line || !place.line) return place;
    size_t skipped = 0; /* columns are characters */
    for (int column = 1; column < place.column && line[skipped]; column++) do
            skipped++;
        while (((unsigned char)line[skipped] & 0xC0) == 0x80);
    const char *found = strstr(line + skipped, fragment);
    if (!found) return place;
    struct xl_yaml_place at = {place.line, 1};
    for (const char *c = line; c < found; c++) {
        if (*c == '\n')
            at = (struct xl_yaml_place){at.line + 1, 1};
        else if (((unsigned char)*c & 0xC0) != 0x80)
            at.column++;
    }
    enum { NEAR = 40 }; /* lines: what is further away is another value */
    return at.line - place.line < NEAR ? at : place;
}

enum xl_status xl_grammar_fail(struct xl_grammar_reader *reader, struct xl_yaml_place place,
                               const char *fragment, const char *format, ...) {
    struct xl_err why = {0};
    va_list args;
    va_start(args, format);
    vsnprintf(why.text, sizeof why.text, format, args);
    va_end(args);
    if (fragment && fragment[0]) place = narrow(reader->text, place, fragment);
    if (!place.line) return xl_fail(reader->err, XL_EINPUT, "%s: %s", reader->name, why.text);
    return xl_fail(reader->err, XL_EINPUT, "%s:%d:%d: %s", reader->name, place.line, place.column,
                   why.text);
}

static struct xl_yaml_place place_of(const struct xl_grammar_reader *reader,
                                     const json_t *container, const char *key, size_t index) {
    return xl_yaml_value_place(&reader->places, container, key, index);
}

/* --- Entries ----------------------------------------------------------------------------------
 */

struct xl_grammar_list *xl_grammar_list_add(struct xl_grammar_reader *reader, const char *name) {
    struct xl_grammar *grammar = reader->grammar;
    if (grammar->n_lists == reader->lists_capacity) {
        int capacity = reader->lists_capacity ? 2 * reader->lists_capacity : 32;
        struct xl_grammar_list **grown =
            xl_arena_alloc(&grammar->arena, (size_t)capacity * sizeof *grown);
        if (!grown) return NULL;
        if (grammar->n_lists)
            memcpy(grown, grammar->lists, (size_t)grammar->n_lists * sizeof *grown);
        grammar->lists = grown;
        reader->lists_capacity = capacity;
    }
    struct xl_grammar_list *list = xl_arena_alloc(&grammar->arena, sizeof *list);
    if (!list) return NULL;
    list->name = name;
    list->index = grammar->n_lists;
    list->color = grammar->n_lists;
    grammar->lists[grammar->n_lists++] = list;
    return list;
}

static enum xl_status read_tags(struct xl_grammar_reader *reader, const json_t *value,
                                struct xl_yaml_place place, struct xl_grammar_entry *entry) {
    size_t n = json_is_array(value) ? json_array_size(value) : 1;
    if (n > MAX_TAGS)
        return xl_grammar_fail(reader, place, NULL, "%zu tags, at most %d", n, MAX_TAGS);
    const char **tags = xl_arena_alloc(&reader->grammar->arena, (n + 1) * sizeof *tags);
    if (!tags) return xl_fail_nomem(reader->err, "a grammar", 0);
    for (size_t i = 0; i < n; i++) {
        const json_t *tag = json_is_array(value) ? json_array_get(value, i) : value;
        if (!json_is_string(tag) || !json_string_length(tag))
            return xl_grammar_fail(reader, place, NULL, "tags: expected a list of words");
        tags[i] = xl_arena_strdup(&reader->grammar->arena, json_string_value(tag));
        if (!tags[i]) return xl_fail_nomem(reader->err, "a grammar", 0);
    }
    entry->tags = tags;
    entry->n_tags = (int)n;
    return XL_OK;
}

static enum xl_status read_article(struct xl_grammar_reader *reader, const json_t *value,
                                   struct xl_yaml_place place, struct xl_grammar_entry *entry) {
    static const char *const names[] = {"auto", "a", "an", "the", "none"};
    const char *text = json_string_value(value);
    for (size_t i = 0; text && i < sizeof names / sizeof *names; i++)
        if (!strcmp(text, names[i])) {
            entry->article = (enum xl_grammar_article)i;
            return XL_OK;
        }
    return xl_grammar_fail(reader, place, NULL, "article: expected a, an, the, none or auto");
}

/* A text, or a number as one: a list of numbers is one of words all the same. In the arena; NULL:
 * neither */
static const char *text_of(struct xl_grammar_reader *reader, const json_t *value) {
    char number[XL_REAL_MAX];
    if (!json_is_number(value))
        return json_is_string(value)
                   ? xl_arena_strdup(&reader->grammar->arena, json_string_value(value))
                   : NULL;
    xl_real_text(json_number_value(value), number);
    return xl_arena_strdup(&reader->grammar->arena, number);
}

/* {text: ..., weight: 2, tags: [...], plural: ..., article: none} */
static enum xl_status read_fields(struct xl_grammar_reader *reader, const json_t *object,
                                  struct xl_grammar_entry *entry, const char **text) {
    const char *key;
    json_t *value;
    enum xl_status status = XL_OK;
    json_object_foreach((json_t *)object, key, value) {
        struct xl_yaml_place place = place_of(reader, object, key, 0);
        bool is_text = !strcmp(key, "text") || !strcmp(key, "plural");
        const char *words = is_text ? text_of(reader, value) : NULL;
        if (is_text && !words)
            return xl_grammar_fail(reader, place, NULL, "%s: expected a text", key);
        if (!strcmp(key, "text"))
            *text = words, entry->place = place;
        else if (!strcmp(key, "plural"))
            entry->plural = words;
        else if (!strcmp(key, "tags"))
            status = read_tags(reader, value, place, entry);
        else if (!strcmp(key, "article"))
            status = read_article(reader, value, place, entry);
        else if (strcmp(key, "weight") != 0)
            return xl_grammar_fail(reader, xl_yaml_key_place(&reader->places, object, key), NULL,
                                   "unknown field \"%.60s\"; an entry has text, weight, tags, "
                                   "plural and article",
                                   key);
        else if (!xl_weight_of(value, &entry->weight))
            return xl_grammar_fail(reader, place, NULL, "weight: expected a number from 0 to 1000");
        if (status) return status;
    }
    if (*text) return XL_OK;
    return xl_grammar_fail(reader, entry->place, NULL, "an entry without a text");
}

static enum xl_status read_entry(struct xl_grammar_reader *reader, const json_t *value,
                                 struct xl_yaml_place place, struct xl_grammar_list *list) {
    struct xl_grammar_entry *entry = &list->entries[list->n];
    const char *text = text_of(reader, value);
    *entry = (struct xl_grammar_entry){.weight = XL_WEIGHT_UNIT, .place = place};
    enum xl_status status = XL_OK;
    if (json_is_object(value))
        status = read_fields(reader, value, entry, &text);
    else if (!text)
        return xl_grammar_fail(reader, place, NULL,
                               "an entry of %s is neither a text nor a map of text, weight, tags, "
                               "plural and article",
                               list->name);
    else
        status = xl_grammar_read_weight(reader, &text, place, &entry->weight);
    if (status) return status;
    if (!text[strspn(text, " \t\n")])
        return xl_grammar_fail(reader, entry->place, NULL, "%s: an empty entry; leave it out",
                               list->name);
    entry->name = xl_arena_strdup(&reader->grammar->arena, text);
    if (!entry->name) return xl_fail_nomem(reader->err, "a grammar", 0);
    entry->weight = xl_learned_weight(reader->learned, list->name, entry->name, entry->weight);
    list->n++;
    return xl_grammar_read_text(reader, entry->name, entry->place, entry);
}

static enum xl_status read_list(struct xl_grammar_reader *reader, const char *name,
                                const json_t *value, struct xl_yaml_place place,
                                struct xl_grammar_list **out) {
    char *copy = xl_arena_strdup(&reader->grammar->arena, name);
    struct xl_grammar_list *list = copy ? xl_grammar_list_add(reader, copy) : NULL;
    if (!list) return xl_fail_nomem(reader->err, "a grammar", 0);
    list->place = place;
    bool is_single = json_is_string(value) || json_is_object(value);
    size_t n = json_is_array(value) ? json_array_size(value) : is_single;
    if (!n)
        return xl_grammar_fail(reader, place, NULL, "%s: expected a list with something in it",
                               name);
    if (n > MAX_ENTRIES)
        return xl_grammar_fail(reader, place, NULL, "%s: %zu entries, at most %d", name, n,
                               MAX_ENTRIES);
    list->entries = xl_arena_alloc(&reader->grammar->arena, n * sizeof *list->entries);
    if (!list->entries) return xl_fail_nomem(reader->err, "a grammar", 0);
    enum xl_status status = XL_OK;
    for (size_t i = 0; !status && i < n; i++) {
        bool is_array = json_is_array(value);
        status = read_entry(reader, is_array ? json_array_get(value, i) : value,
                            is_array ? place_of(reader, value, NULL, i) : place, list);
    }
    *out = list;
    return status;
}

/* --- The file ---------------------------------------------------------------------------------
 */

static bool is_list_name(const char *name) {
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-/");
    return n && !name[n];
}

static enum xl_status read_lists(struct xl_grammar_reader *reader, const json_t *lists) {
    const char *key;
    json_t *value;
    enum xl_status status = XL_OK;
    json_object_foreach((json_t *)lists, key, value) {
        struct xl_yaml_place place = xl_yaml_key_place(&reader->places, lists, key);
        struct xl_grammar_list *list;
        if (!is_list_name(key))
            return xl_grammar_fail(reader, place, NULL,
                                   "\"%.60s\" is no name of a list; it has letters, digits, "
                                   "hyphens, slashes and underscores",
                                   key);
        if (reader->grammar->n_lists >= MAX_LISTS)
            return xl_grammar_fail(reader, place, NULL, "more than %d lists", MAX_LISTS);
        status = read_list(reader, key, value, place, &list);
        if (status) return status;
    }
    return status;
}

static enum xl_status read_text_field(struct xl_grammar_reader *reader, const char *key,
                                      const char **out) {
    const json_t *value = json_object_get(reader->root, key);
    if (!value || json_is_null(value)) return XL_OK;
    if (!json_is_string(value))
        return xl_grammar_fail(reader, place_of(reader, reader->root, key, 0), NULL,
                               "%s: expected a text", key);
    *out = xl_arena_strdup(&reader->grammar->arena, json_string_value(value));
    return *out ? XL_OK : xl_fail_nomem(reader->err, "a grammar", 0);
}

static enum xl_status check_fields(struct xl_grammar_reader *reader) {
    static const char *const known[] = {"about",          "templates", "lists",   "negative",
                                        "never_together", "only_with", "blocked", "safe",
                                        "settings",       "seed",      NULL};
    const char *key;
    json_t *value;
    if (!json_is_object(reader->root))
        return xl_grammar_fail(reader, xl_yaml_value_place(&reader->places, NULL, NULL, 0), NULL,
                               "expected a map with templates and lists");
    json_object_foreach((json_t *)reader->root, key, value) {
        bool is_known = false;
        for (int i = 0; known[i]; i++) is_known |= !strcmp(known[i], key);
        if (is_known) continue;
        return xl_grammar_fail(reader, xl_yaml_key_place(&reader->places, reader->root, key), NULL,
                               "unknown field \"%.60s\"%s", key,
                               json_is_array(value)
                                   ? "; lists of words stand under lists"
                                   : "; there are about, templates, lists, negative, "
                                     "never_together, only_with, blocked, safe, settings and seed");
    }
    const json_t *lists = json_object_get(reader->root, "lists");
    if (lists && !json_is_object(lists))
        return xl_grammar_fail(reader, place_of(reader, reader->root, "lists", 0), NULL,
                               "lists: expected a map of names and lists");
    if (json_object_get(reader->root, "templates")) return XL_OK;
    return xl_grammar_fail(reader, xl_yaml_value_place(&reader->places, NULL, NULL, 0), NULL,
                           "templates are missing: texts like \"A {adjective} {subject}\"");
}

static enum xl_status read_all(struct xl_grammar_reader *reader) {
    struct xl_grammar *grammar = reader->grammar;
    struct xl_grammar_list *templates = NULL;
    enum xl_status status = check_fields(reader);
    if (!status) status = read_text_field(reader, "about", &grammar->about);
    if (!status) status = read_text_field(reader, "negative", &grammar->negative);
    if (!status)
        status = read_list(reader, "templates", json_object_get(reader->root, "templates"),
                           xl_yaml_key_place(&reader->places, reader->root, "templates"),
                           &templates);
    grammar->templates = templates;
    if (!status) status = read_lists(reader, json_object_get(reader->root, "lists"));
    if (!status) status = xl_grammar_read_blocked(reader);
    if (!status) status = xl_grammar_link(reader);
    if (!status) status = xl_grammar_settle_entries(reader);
    if (!status) status = xl_grammar_read_rules(reader);
    return status ? status : xl_grammar_read_settings(reader);
}

enum xl_status xl_grammar_parse(const char *name, const char *text, size_t n,
                                const struct xl_learned *learned, struct xl_grammar **out,
                                struct xl_err *err) {
    struct xl_grammar_reader reader = {.name = name, .text = text, .learned = learned, .err = err};
    json_t *root = NULL;
    enum xl_status status = xl_yaml_parse(name, text, n, &reader.places, &root, err);
    reader.root = root;
    reader.grammar = status ? NULL : calloc(1, sizeof *reader.grammar);
    if (!status && !reader.grammar) status = xl_fail_nomem(err, "a grammar", 0);
    if (!status) {
        reader.grammar->name = xl_arena_strdup(&reader.grammar->arena, name);
        reader.grammar->about = "";
        status = reader.grammar->name ? read_all(&reader) : xl_fail_nomem(err, "a grammar", 0);
    }
    if (status)
        xl_grammar_free(reader.grammar);
    else
        *out = reader.grammar;
    json_decref(root);
    xl_yaml_places_deinit(&reader.places);
    return status;
}

void xl_grammar_free(struct xl_grammar *grammar) {
    if (!grammar) return;
    xl_str_deinit(&grammar->notices);
    xl_arena_deinit(&grammar->arena);
    free(grammar);
}

bool xl_grammar_allows(const struct xl_grammar *grammar, uint64_t marks) {
    for (int i = 0; i < grammar->n_never; i++)
        if (marks & grammar->never[i].one && marks & grammar->never[i].other) return false;
    for (int i = 0; i < grammar->n_only; i++)
        if (marks & grammar->only[i].mark && !(marks & grammar->only[i].with)) return false;
    return true;
}
