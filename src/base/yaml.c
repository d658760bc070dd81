/* yaml.c - libyaml's events into a jansson tree. One call, one thread; nothing is kept. */
#include "base/yaml.h"
#include "base/file.h"
#include "base/json.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* Anchors are looked for one by one; a file that a person wrote has a handful. */
enum { MAX_ANCHORS = 1000 };

struct xl_yaml_line {
    const json_t *container;
    const char *key;
    size_t index;
    int line;
    struct xl_yaml_line *next;
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
    struct xl_yaml_lines *lines;
    struct xl_arena arena; /* anchors and their names */
    struct anchor *anchors;
    int n_anchors, n_nodes;
    struct xl_err *err;
};

void xl_yaml_lines_deinit(struct xl_yaml_lines *lines) {
    xl_arena_deinit(&lines->arena);
    lines->newest = NULL;
}

int xl_yaml_line(const struct xl_yaml_lines *lines, const json_t *container, const char *key,
                 size_t index) {
    for (const struct xl_yaml_line *line = lines->newest; line; line = line->next) {
        if (line->container != container || !key != !line->key) continue;
        if (key ? !strcmp(key, line->key) : index == line->index) return line->line;
    }
    return 0;
}

/* ---- Sentences ---- */

static enum xl_status nomem(struct reader *reader) {
    return xl_fail_nomem(reader->err, reader->name, 0);
}

#define fail_at(reader, mark, ...) fail_at_line(reader, (int)(mark).line + 1, __VA_ARGS__)

static enum xl_status fail_at_line(struct reader *reader, int line, const char *format, ...)
    XL_PRINTF(3, 4);
static enum xl_status fail_at_line(struct reader *reader, int line, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return xl_fail(reader->err, XL_EINPUT, "%.400s:%d: %s", reader->name, line, text);
}

/* Whether a line (1, 2, ...) has a tab before anything else. */
static bool begins_with_tab(const struct reader *reader, int line) {
    const char *c = reader->text, *end = c + reader->n;
    for (; line > 1 && c; line--) {
        c = memchr(c, '\n', (size_t)(end - c));
        if (c) c++;
    }
    while (c && c < end && *c == ' ') c++;
    return c && c < end && *c == '\t';
}

static int line_of_offset(const struct reader *reader, size_t offset) {
    int line = 1;
    for (size_t i = 0; i < offset && i < reader->n; i++) line += reader->text[i] == '\n';
    return line;
}

static enum xl_status fail_syntax(struct reader *reader) {
    const yaml_parser_t *parser = &reader->parser;
    const char *problem = parser->problem ? parser->problem : "unreadable";
    if (parser->error == YAML_MEMORY_ERROR) return nomem(reader);
    if (parser->error == YAML_READER_ERROR)
        return fail_at_line(reader, line_of_offset(reader, parser->problem_offset),
                            "not valid YAML: %s", problem);
    int line = (int)parser->problem_mark.line + 1;
    if (begins_with_tab(reader, line))
        return fail_at_line(reader, line,
                            "not valid YAML: the line begins with a tab; YAML indents with spaces");
    if (parser->context && parser->context_mark.line + 1 < parser->problem_mark.line + 1)
        return fail_at_line(reader, line, "not valid YAML: %s (%s that began on line %d)", problem,
                            parser->context, (int)parser->context_mark.line + 1);
    return fail_at_line(reader, line, "not valid YAML: %s (column %d)", problem,
                        (int)parser->problem_mark.column + 1);
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

static enum xl_status note_line(struct reader *reader, const json_t *container, const char *key,
                                size_t index, int line) {
    if (!reader->lines) return XL_OK;
    struct xl_yaml_line *entry = xl_arena_alloc(&reader->lines->arena, sizeof *entry);
    const char *copy = key ? xl_arena_strdup(&reader->lines->arena, key) : NULL;
    if (!entry || (key && !copy)) return nomem(reader);
    *entry = (struct xl_yaml_line){container, copy, index, line, reader->lines->newest};
    reader->lines->newest = entry;
    return XL_OK;
}

static enum xl_status read_node(struct reader *reader, const yaml_event_t *event, int depth,
                                struct node *out);

/* One value of a collection: `event` has begun it. key NULL: an array's. */
static enum xl_status read_member(struct reader *reader, const yaml_event_t *event, int depth,
                                  const char *key, struct node *into) {
    struct node member = {0};
    enum xl_status status = read_node(reader, event, depth, &member);
    if (status) return status;
    size_t index = json_array_size(into->value);
    int failed = key ? json_object_set_new(into->value, key, member.value)
                     : json_array_append_new(into->value, member.value);
    if (failed) return nomem(reader);
    into->n_nodes += member.n_nodes;
    if (into->height <= member.height) into->height = member.height + 1;
    return note_line(reader, into->value, key, index, (int)event->start_mark.line + 1);
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
    if (!status && json_object_get(object, key))
        return fail_at(reader, event->start_mark, "the key \"%.60s\" is there twice", key);
    return status;
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
            const char *text = (const char *)key.data.scalar.value;
            status = read_member(reader, &value, depth, text, into);
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
            else if (type == YAML_STREAM_END_EVENT && !node.value)
                node.value = json_null();
            else if (type != YAML_STREAM_START_EVENT && type != YAML_STREAM_END_EVENT &&
                     type != YAML_DOCUMENT_START_EVENT && type != YAML_DOCUMENT_END_EVENT)
                status = read_node(reader, &event, 1, &node);
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
 * ("\ud83d\ude00"): what looks like JSON is tried as such before it is refused. Lines are not known
 * then. */
static json_t *parse_json(const char *text, size_t n) {
    size_t blanks = 0;
    int n_nodes = 0;
    while (blanks < n && strchr(" \t\r\n", text[blanks])) blanks++;
    if (blanks == n || !strchr("{[", text[blanks])) return NULL;
    json_t *value = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
    if (!value || is_bounded(value, 1, &n_nodes)) return value;
    json_decref(value);
    return NULL;
}

enum xl_status xl_yaml_parse(const char *name, const char *text, size_t n,
                             struct xl_yaml_lines *lines, json_t **root, struct xl_err *err) {
    if (n > XL_YAML_MAX_BYTES)
        return xl_fail(err, XL_EINPUT, "%s: %zu bytes of YAML; expected at most %d", name, n,
                       XL_YAML_MAX_BYTES);
    struct reader reader = {.name = name, .text = text, .n = n, .lines = lines, .err = err};
    xl_json_watch();
    json_t *value = NULL;
    enum xl_status status = parse_yaml(&reader, &value);
    json_t *json = status == XL_EINPUT ? parse_json(text, n) : NULL;
    if (xl_json_ran_out()) {
        json_decref(value);
        json_decref(json);
        return nomem(&reader);
    }
    if (!status) *root = value;
    if (!json) return status;
    *root = json;
    if (lines) xl_yaml_lines_deinit(lines);
    if (err) err->text[0] = 0;
    return XL_OK;
}

enum xl_status xl_yaml_load_lines(const char *path, struct xl_yaml_lines *lines, json_t **root,
                                  struct xl_err *err) {
    struct xl_read_rule rule = {XL_YAML_MAX_BYTES, XL_EINPUT, XL_EINPUT};
    char *text;
    size_t n;
    enum xl_status status = xl_file_read(path, rule, &text, &n, err);
    if (status) return status;
    status = xl_yaml_parse(path, text, n, lines, root, err);
    free(text);
    return status;
}

enum xl_status xl_yaml_load(const char *path, json_t **root, struct xl_err *err) {
    return xl_yaml_load_lines(path, NULL, root, err);
}
