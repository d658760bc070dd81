/* yaml.c - libyaml's events into a jansson tree. One call, one thread; nothing is kept. */
#include "base/yaml.h"
#include "base/json.h"
#include "base/json_scan.h"
#include "base/text_file.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* Anchors are looked for one by one; a file that a person wrote has a handful. */
enum { MAX_ANCHORS = 1000 };

struct xl_yaml_entry {
    const json_t *container; /* NULL: of the root */
    const char *key;
    size_t index;
    struct xl_yaml_place key_place, place;
    const struct xl_yaml_entry *next;
};

/* A value, how many nodes a walk over it meets, and how many levels it has. */
struct node {
    json_t *value;
    int n_nodes, height;
};

struct anchor {
    const char *name;
    struct node node; /* holds a reference */
    struct anchor *next;
};

struct reader {
    yaml_parser_t parser;
    const char *name, *text;
    size_t n;
    struct xl_yaml_places *places;
    struct xl_arena arena; /* anchors and their names */
    struct anchor *anchors;
    int n_anchors, n_nodes;
    struct xl_err *err;
};

void xl_yaml_places_deinit(struct xl_yaml_places *places) {
    xl_arena_deinit(&places->arena);
    places->newest = NULL;
}

static const struct xl_yaml_entry *find_entry(const struct xl_yaml_places *places,
                                              const json_t *container, const char *key,
                                              size_t index) {
    const struct xl_yaml_entry *entry = places->newest;
    for (; entry; entry = entry->next) {
        if (entry->container != container || !key != !entry->key) continue;
        if (key ? !strcmp(key, entry->key) : index == entry->index) break;
    }
    return entry;
}

struct xl_yaml_place xl_yaml_value_place(const struct xl_yaml_places *places,
                                         const json_t *container, const char *key, size_t index) {
    const struct xl_yaml_entry *entry = find_entry(places, container, key, index);
    return entry ? entry->place : (struct xl_yaml_place){0};
}

struct xl_yaml_place xl_yaml_key_place(const struct xl_yaml_places *places, const json_t *object,
                                       const char *key) {
    const struct xl_yaml_entry *entry = find_entry(places, object, key, 0);
    return entry ? entry->key_place : (struct xl_yaml_place){0};
}

/* ---- Sentences ---- */

static enum xl_status nomem(struct reader *reader) {
    return xl_fail_nomem(reader->err, reader->name, 0);
}

static struct xl_yaml_place place_of(yaml_mark_t mark) {
    return (struct xl_yaml_place){(int)mark.line + 1, (int)mark.column + 1};
}

#define fail_at(reader, mark, ...) fail_at_place(reader, place_of(mark), __VA_ARGS__)

static enum xl_status fail_at_place(struct reader *reader, struct xl_yaml_place place,
                                    const char *format, ...) XL_PRINTF(3, 4);
static enum xl_status fail_at_place(struct reader *reader, struct xl_yaml_place place,
                                    const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return xl_fail(reader->err, XL_EINPUT, "%.400s:%d:%d: %s", reader->name, place.line,
                   place.column, text);
}

/* Go over one byte of UTF-8. The bytes behind a character's first are no column of their own. */
static void step(struct xl_yaml_place *place, const char *c, const char *end) {
    if (*c == '\n' || (*c == '\r' && (c + 1 == end || c[1] != '\n')))
        *place = (struct xl_yaml_place){place->line + 1, 1};
    else
        place->column += ((unsigned char)*c & 0xC0) != 0x80;
}

static struct xl_yaml_place place_of_offset(const struct reader *reader, size_t offset) {
    const char *c = reader->text, *end = c + reader->n;
    const char *at = c + (offset < reader->n ? offset : reader->n);
    struct xl_yaml_place place = {1, 1};
    if (at - c >= 3 && !memcmp(c, "\xEF\xBB\xBF", 3)) c += 3; /* the byte order mark */
    for (; c < at; c++) step(&place, c, end);
    return place;
}

/* The column of the tab that a line (1, 2, ...) has before anything else, or 0. */
static int leading_tab(const struct reader *reader, int line) {
    const char *c = reader->text, *end = c + reader->n;
    for (; line > 1 && c; line--) {
        c = memchr(c, '\n', (size_t)(end - c));
        if (c) c++;
    }
    const char *begin = c;
    while (c && c < end && *c == ' ') c++;
    return c && c < end && *c == '\t' ? (int)(c - begin) + 1 : 0;
}

static enum xl_status fail_syntax(struct reader *reader) {
    const yaml_parser_t *parser = &reader->parser;
    const char *problem = parser->problem ? parser->problem : "unreadable";
    if (parser->error == YAML_MEMORY_ERROR) return nomem(reader);
    if (parser->error == YAML_READER_ERROR)
        return fail_at_place(reader, place_of_offset(reader, parser->problem_offset),
                             "not valid YAML: %s", problem);
    struct xl_yaml_place place = place_of(parser->problem_mark);
    int tab = leading_tab(reader, place.line), began = (int)parser->context_mark.line + 1;
    if (tab)
        return fail_at_place(reader, (struct xl_yaml_place){place.line, tab},
                             "not valid YAML: the line begins with a tab; YAML indents with "
                             "spaces");
    if (parser->context && began < place.line)
        return fail_at_place(reader, place, "not valid YAML: %s (%s that began on line %d)",
                             problem, parser->context, began);
    return fail_at_place(reader, place, "not valid YAML: %s", problem);
}

/* ---- Scalars ---- */

static bool is_one_of(const char *text, const char *const *words) {
    for (; *words; words++)
        if (!strcmp(text, *words)) return true;
    return false;
}

static size_t count_digits(const char *text) {
    return strspn(text, "0123456789");
}

/* The integer forms of the core schema: +1, 0o17, 0xff. */
static bool is_integer(const char *text, int *base) {
    size_t sign = text[0] == '-' || text[0] == '+', n = count_digits(text + sign);
    *base = 10;
    if (n && !text[sign + n]) return true;
    if (text[0] != '0' || (text[1] != 'o' && text[1] != 'x') || !text[2]) return false;
    *base = text[1] == 'o' ? 8 : 16;
    const char *digits = *base == 8 ? "01234567" : "0123456789abcdefABCDEF";
    return !text[2 + strspn(text + 2, digits)];
}

/* The number forms of the core schema that are finite: 1.5, .5, 5., 1e3. */
static bool is_number(const char *text) {
    text += text[0] == '-' || text[0] == '+';
    size_t whole = count_digits(text);
    text += whole;
    if (*text == '.') {
        size_t part = count_digits(++text);
        text += part;
        whole += part;
    }
    if (!whole) return false;
    if (*text == 'e' || *text == 'E') {
        text++;
        text += text[0] == '-' || text[0] == '+';
        size_t n = count_digits(text);
        if (!n) return false;
        text += n;
    }
    return !*text;
}

/* Whether text is a number that JSON can hold; *number stays NULL when memory is out. */
static bool read_number(const char *text, json_t **number) {
    int base;
    if (is_integer(text, &base)) {
        errno = 0;
        long long value = strtoll(text + (base == 10 ? 0 : 2), NULL, base);
        bool fits = !errno;
        if (fits) *number = json_integer(value);
        return fits;
    }
    double value = is_number(text) ? strtod(text, NULL) : (double)INFINITY;
    if (isfinite(value)) *number = json_real(value);
    return isfinite(value);
}

static json_t *plain_scalar(const char *text, size_t n) {
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    if (is_one_of(text, nulls)) return json_null();
    if (is_one_of(text, trues)) return json_true();
    if (is_one_of(text, falses)) return json_false();
    json_t *number = NULL; /* also when memory is out */
    return read_number(text, &number) ? number : json_stringn(text, n);
}

static enum xl_status check_text(struct reader *reader, const yaml_event_t *event) {
    const char *text = (const char *)event->data.scalar.value;
    if (!memchr(text, 0, event->data.scalar.length)) return XL_OK;
    return fail_at(reader, event->start_mark, "a string holds the character NUL (\\0)");
}

static enum xl_status read_scalar(struct reader *reader, const yaml_event_t *event,
                                  json_t **value) {
    const char *text = (const char *)event->data.scalar.value;
    const char *tag = (const char *)event->data.scalar.tag;
    size_t n = event->data.scalar.length;
    enum xl_status status = check_text(reader, event);
    if (status) return status;
    bool is_string = tag && (!strcmp(tag, YAML_STR_TAG) || !strcmp(tag, "!"));
    if (tag && !is_string)
        return fail_at(reader, event->start_mark, "the tag %.60s is not supported", tag);
    bool is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    *value = is_string || !is_plain ? json_stringn(text, n) : plain_scalar(text, n);
    return *value ? XL_OK : nomem(reader);
}

/* ---- Collections ---- */

static enum xl_status next_event(struct reader *reader, yaml_event_t *event) {
    return yaml_parser_parse(&reader->parser, event) ? XL_OK : fail_syntax(reader);
}

/* Keep where a value is; entry->key is copied. */
static enum xl_status note_place(struct reader *reader, const struct xl_yaml_entry *entry) {
    struct xl_yaml_places *places = reader->places;
    if (!places) return XL_OK;
    struct xl_yaml_entry *kept = xl_arena_alloc(&places->arena, sizeof *kept);
    const char *key = entry->key ? xl_arena_strdup(&places->arena, entry->key) : NULL;
    if (!kept || (entry->key && !key)) return nomem(reader);
    *kept = *entry;
    kept->key = key;
    kept->next = places->newest;
    places->newest = kept;
    return XL_OK;
}

static enum xl_status read_node(struct reader *reader, const yaml_event_t *event, int depth,
                                struct node *out);

/* One value of a collection: `event` has begun it. key_event NULL: an array's. */
static enum xl_status read_member(struct reader *reader, const yaml_event_t *event, int depth,
                                  const yaml_event_t *key_event, struct node *into) {
    const char *key = key_event ? (const char *)key_event->data.scalar.value : NULL;
    struct node member = {0};
    enum xl_status status = read_node(reader, event, depth, &member);
    if (status) return status;
    size_t index = json_array_size(into->value);
    int failed = key ? json_object_set_new(into->value, key, member.value)
                     : json_array_append_new(into->value, member.value);
    if (failed) return nomem(reader);
    into->n_nodes += member.n_nodes;
    if (into->height <= member.height) into->height = member.height + 1;
    struct xl_yaml_entry entry = {into->value, key, index, {0}, place_of(event->start_mark), NULL};
    if (key) entry.key_place = place_of(key_event->start_mark);
    return note_place(reader, &entry);
}

static enum xl_status read_sequence(struct reader *reader, int depth, struct node *into) {
    for (;;) {
        yaml_event_t event;
        enum xl_status status = next_event(reader, &event);
        if (status) return status;
        bool at_end = event.type == YAML_SEQUENCE_END_EVENT;
        if (!at_end) status = read_member(reader, &event, depth, NULL, into);
        yaml_event_delete(&event);
        if (status || at_end) return status;
    }
}

static enum xl_status check_key(struct reader *reader, const yaml_event_t *event,
                                const json_t *object) {
    if (event->type != YAML_SCALAR_EVENT)
        return fail_at(reader, event->start_mark,
                       "a key is a list, a map or an alias; expected a word");
    enum xl_status status = check_text(reader, event);
    const char *key = (const char *)event->data.scalar.value;
    if (status || !json_object_get(object, key)) return status;
    struct xl_yaml_place first = {0};
    if (reader->places) first = xl_yaml_key_place(reader->places, object, key);
    if (first.line)
        return fail_at(reader, event->start_mark,
                       "the key \"%.60s\" is there twice, first on line %d", key, first.line);
    return fail_at(reader, event->start_mark, "the key \"%.60s\" is there twice", key);
}

static enum xl_status read_mapping(struct reader *reader, int depth, struct node *into) {
    for (;;) {
        yaml_event_t key, value;
        enum xl_status status = next_event(reader, &key);
        if (status) return status;
        bool at_end = key.type == YAML_MAPPING_END_EVENT;
        if (!at_end) status = check_key(reader, &key, into->value);
        if (!at_end && !status) status = next_event(reader, &value);
        if (!at_end && !status) {
            status = read_member(reader, &value, depth, &key, into);
            yaml_event_delete(&value);
        }
        yaml_event_delete(&key);
        if (status || at_end) return status;
    }
}

static enum xl_status read_collection(struct reader *reader, const yaml_event_t *event, int depth,
                                      struct node *out) {
    bool is_map = event->type == YAML_MAPPING_START_EVENT;
    const char *tag =
        (const char *)(is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag);
    const char *core = is_map ? YAML_MAP_TAG : YAML_SEQ_TAG;
    if (tag && strcmp(tag, core) && strcmp(tag, "!"))
        return fail_at(reader, event->start_mark, "the tag %.60s is not supported", tag);
    *out = (struct node){is_map ? json_object() : json_array(), 1, 1};
    if (!out->value) return nomem(reader);
    enum xl_status status = is_map ? read_mapping(reader, depth + 1, out)
                                   : read_sequence(reader, depth + 1, out);
    if (status) json_decref(out->value);
    return status;
}

/* ---- Anchors and aliases ---- */

static enum xl_status add_anchor(struct reader *reader, const yaml_event_t *event,
                                 const yaml_char_t *name, const struct node *node) {
    if (!name) return XL_OK;
    if (reader->n_anchors++ == MAX_ANCHORS)
        return fail_at(reader, event->start_mark, "more than %d anchors", MAX_ANCHORS);
    struct anchor *anchor = xl_arena_alloc(&reader->arena, sizeof *anchor);
    const char *copy = xl_arena_strdup(&reader->arena, (const char *)name);
    if (!anchor || !copy) return nomem(reader);
    *anchor = (struct anchor){copy, *node, reader->anchors};
    json_incref(node->value);
    reader->anchors = anchor;
    return XL_OK;
}

static enum xl_status read_alias(struct reader *reader, const yaml_event_t *event, int depth,
                                 struct node *out) {
    const char *name = (const char *)event->data.alias.anchor;
    const struct anchor *anchor = reader->anchors;
    while (anchor && strcmp(anchor->name, name)) anchor = anchor->next;
    if (!anchor)
        return fail_at(reader, event->start_mark, "*%.60s: no &%.60s before it", name, name);
    if (depth + anchor->node.height - 1 > XL_YAML_MAX_DEPTH)
        return fail_at(reader, event->start_mark, "nested deeper than %d levels",
                       XL_YAML_MAX_DEPTH);
    *out = anchor->node;
    json_incref(out->value);
    return XL_OK;
}

static const yaml_char_t *anchor_of(const yaml_event_t *event) {
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor;
    default:
        return NULL;
    }
}

/* depth: of the node to be read; the root's is 1. On failure *out holds nothing. */
static enum xl_status read_node(struct reader *reader, const yaml_event_t *event, int depth,
                                struct node *out) {
    struct node node = {.n_nodes = 1, .height = 1};
    enum xl_status status;
    if (depth > XL_YAML_MAX_DEPTH)
        return fail_at(reader, event->start_mark, "nested deeper than %d levels",
                       XL_YAML_MAX_DEPTH);
    if (event->type == YAML_SCALAR_EVENT)
        status = read_scalar(reader, event, &node.value);
    else if (event->type == YAML_ALIAS_EVENT)
        status = read_alias(reader, event, depth, &node);
    else
        status = read_collection(reader, event, depth, &node);
    if (status) return status;
    /* A collection's members have been counted by themselves. */
    bool is_collection = event->type == YAML_SEQUENCE_START_EVENT ||
                         event->type == YAML_MAPPING_START_EVENT;
    reader->n_nodes += is_collection ? 1 : node.n_nodes;
    if (reader->n_nodes > XL_YAML_MAX_NODES)
        status = fail_at(reader, event->start_mark, "more than %d values, aliases counted in full",
                         XL_YAML_MAX_NODES);
    if (!status) status = add_anchor(reader, event, anchor_of(event), &node);
    if (status)
        json_decref(node.value);
    else
        *out = node;
    return status;
}

/* ---- Documents ---- */

/* What stands at the root: a value, or the end of the stream, which is a null unless there was one.
 */
static enum xl_status read_root(struct reader *reader, const yaml_event_t *event,
                                struct node *node) {
    enum xl_status status = XL_OK;
    if (event->type != YAML_STREAM_END_EVENT)
        status = read_node(reader, event, 1, node);
    else if (node->value)
        return XL_OK;
    else
        node->value = json_null();
    struct xl_yaml_entry entry = {.place = place_of(event->start_mark)};
    return status ? status : note_place(reader, &entry);
}

/* The one document of the stream, or null when there is none. */
static enum xl_status read_stream(struct reader *reader, json_t **root) {
    struct node node = {0};
    for (;;) {
        yaml_event_t event;
        enum xl_status status = next_event(reader, &event);
        if (!status) {
            yaml_event_type_t type = event.type;
            if (type == YAML_DOCUMENT_START_EVENT && node.value)
                status = fail_at(reader, event.start_mark,
                                 "a second document begins (---); expected one");
            else if (type != YAML_STREAM_START_EVENT && type != YAML_DOCUMENT_START_EVENT &&
                     type != YAML_DOCUMENT_END_EVENT)
                status = read_root(reader, &event, &node);
            yaml_event_delete(&event);
            if (!status && type == YAML_STREAM_END_EVENT) {
                *root = node.value;
                return XL_OK;
            }
        }
        if (!status) continue;
        json_decref(node.value);
        return status;
    }
}

static enum xl_status parse_yaml(struct reader *reader, json_t **root) {
    if (!yaml_parser_initialize(&reader->parser)) return nomem(reader);
    yaml_parser_set_input_string(&reader->parser, (const unsigned char *)reader->text, reader->n);
    enum xl_status status = read_stream(reader, root);
    yaml_parser_delete(&reader->parser);
    for (struct anchor *anchor = reader->anchors; anchor; anchor = anchor->next)
        json_decref(anchor->node.value);
    xl_arena_deinit(&reader->arena);
    return status;
}

/* ---- JSON that is no YAML ---- */

/* Within the limits on depth and values; *n_nodes counts. */
static bool is_bounded(const json_t *value, int depth, int *n_nodes) {
    const char *key;
    json_t *member;
    size_t i;
    if (depth > XL_YAML_MAX_DEPTH || ++*n_nodes > XL_YAML_MAX_NODES) return false;
    json_object_foreach((json_t *)value, key, member) {
        if (!is_bounded(member, depth + 1, n_nodes)) return false;
    }
    json_array_foreach(value, i, member) {
        if (!is_bounded(member, depth + 1, n_nodes)) return false;
    }
    return true;
}

/* JSON is YAML, but for characters beyond the sixteenth bit that are escaped as programs do
 * ("\ud83d\ude00"): what looks like JSON is tried as such before it is refused. */
static json_t *parse_json(const char *text, size_t n) {
    struct xl_scan scan = xl_scan_text("", text, n);
    int first = xl_scan_peek(&scan), n_nodes = 0;
    if (first != '{' && first != '[') return NULL;
    json_t *value = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
    if (!value || is_bounded(value, 1, &n_nodes)) return value;
    json_decref(value);
    return NULL;
}

/* A walk over JSON beside the tree that became of it: both have the members in the same order. */
struct walk {
    struct reader *reader;
    struct xl_scan scan;
    const char *at;
    struct xl_yaml_place place; /* of at */
};

/* Go to the next token that is not punctuation between members. */
static void walk_on(struct walk *walk) {
    struct xl_span token;
    do token = xl_scan_token(&walk->scan);
    while (xl_span_is(token, ",") || xl_span_is(token, ":"));
    for (; walk->at < token.at; walk->at++) step(&walk->place, walk->at, walk->scan.end);
}

/* at: what the caller knows of the value that comes next. */
static enum xl_status note_json(struct walk *walk, struct xl_yaml_entry at, const json_t *value) {
    const char *key;
    json_t *member;
    size_t i;
    walk_on(walk); /* a scalar, or the bracket of a collection */
    at.place = walk->place;
    enum xl_status status = note_place(walk->reader, &at);
    json_object_foreach((json_t *)value, key, member) {
        walk_on(walk);
        struct xl_yaml_entry entry = {.container = value, .key = key, .key_place = walk->place};
        if (!status) status = note_json(walk, entry, member);
    }
    json_array_foreach(value, i, member) {
        struct xl_yaml_entry entry = {.container = value, .index = i};
        if (!status) status = note_json(walk, entry, member);
    }
    if (json_is_object(value) || json_is_array(value)) walk_on(walk); /* its other bracket */
    return status;
}

static enum xl_status note_json_places(struct reader *reader, const json_t *root) {
    struct walk walk = {
        reader, xl_scan_text(reader->name, reader->text, reader->n), reader->text, {1, 1}};
    if (!reader->places) return XL_OK;
    xl_yaml_places_deinit(reader->places); /* of the YAML that was given up */
    return note_json(&walk, (struct xl_yaml_entry){0}, root);
}

enum xl_status xl_yaml_parse(const char *name, const char *text, size_t n,
                             struct xl_yaml_places *places, json_t **root, struct xl_err *err) {
    if (n > XL_YAML_MAX_BYTES)
        return xl_fail(err, XL_EINPUT, "%s: %zu bytes of YAML; expected at most %d", name, n,
                       XL_YAML_MAX_BYTES);
    struct reader reader = {.name = name, .text = text, .n = n, .places = places, .err = err};
    xl_json_watch();
    json_t *value = NULL;
    enum xl_status status = parse_yaml(&reader, &value);
    json_t *json = status == XL_EINPUT ? parse_json(text, n) : NULL;
    if (json) status = note_json_places(&reader, json);
    if (xl_json_ran_out()) status = nomem(&reader);
    if (status) {
        json_decref(value);
        json_decref(json);
        return status;
    }
    *root = json ? json : value;
    if (json && err) err->text[0] = 0;
    return XL_OK;
}

enum xl_status xl_yaml_load(const char *path, struct xl_yaml_places *places, json_t **root,
                            struct xl_err *err) {
    char *text;
    size_t n;
    enum xl_status status = xl_text_file_read(path, XL_YAML_MAX_BYTES, &text, &n, err);
    if (status) return status;
    status = xl_yaml_parse(path, text, n, places, root, err);
    free(text);
    return status;
}
