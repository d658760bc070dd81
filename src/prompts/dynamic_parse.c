/* dynamic_parse.c - reading a template of sd-dynamic-prompts into a tree. Keeps no state.
 * Source of the grammar: dynamicprompts, docs/SYNTAX.md, and what it does with texts
 * (tests/data/prompts/dynamic.json has what it makes of some).
 */
#include "prompts/dynamic_tree.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NESTING = 64 };

struct scan {
    const char *text, *at;
    struct xl_arena *arena;
    struct xl_err *err;
    int depth;
};

/* Where a text ends, beside its end. */
enum place {
    IN_TEXT,   /* nowhere */
    IN_BRACES, /* at '|', '}' and "$$" */
    IN_PATH,   /* of a wildcard: at "__" and '(' as well */
};

struct nodes {
    const struct xl_dynamic_node **at;
    uint64_t *weight;
    int n, capacity;
};

static enum xl_status no_memory(struct scan *scan) {
    return xl_fail_nomem(scan->err, "a template", 0);
}

static enum xl_status fail(struct scan *scan, const char *at, const char *what) {
    int column = 1;
    for (const char *c = scan->text; c < at; c++) column += ((unsigned char)*c & 0xC0) != 0x80;
    return xl_fail(scan->err, XL_EINVAL, "character %d, \"%.12s\": %s", column, at, what);
}

static enum xl_status push(struct scan *scan, struct nodes *nodes,
                           const struct xl_dynamic_node *node, uint64_t weight) {
    if (nodes->n == nodes->capacity) {
        int capacity = nodes->capacity ? 2 * nodes->capacity : 8;
        const struct xl_dynamic_node **at = realloc(nodes->at, (size_t)capacity * sizeof *at);
        if (at) nodes->at = at;
        uint64_t *grown = at ? realloc(nodes->weight, (size_t)capacity * sizeof *grown) : NULL;
        if (!grown) return no_memory(scan);
        nodes->weight = grown;
        nodes->capacity = capacity;
    }
    nodes->at[nodes->n] = node;
    nodes->weight[nodes->n++] = weight;
    return XL_OK;
}

static struct xl_dynamic_node *new_node(struct scan *scan, enum xl_dynamic_kind kind) {
    struct xl_dynamic_node *node = xl_arena_alloc(scan->arena, sizeof *node);
    if (node) node->kind = kind;
    return node;
}

/* A node over the nodes, which are freed. NULL: out of memory */
static struct xl_dynamic_node *take(struct scan *scan, enum xl_dynamic_kind kind,
                                    struct nodes *nodes) {
    struct xl_dynamic_node *node = new_node(scan, kind);
    size_t n = (size_t)nodes->n;
    if (node) {
        node->child = xl_arena_alloc(scan->arena, n * sizeof *node->child + 1);
        node->weight = xl_arena_alloc(scan->arena, n * sizeof *node->weight + 1);
        if (!node->child || !node->weight) node = NULL;
    }
    if (node && n) {
        memcpy(node->child, nodes->at, n * sizeof *node->child);
        memcpy(node->weight, nodes->weight, n * sizeof *node->weight);
        node->n = nodes->n;
    }
    free(nodes->at);
    free(nodes->weight);
    *nodes = (struct nodes){.n = 0};
    return node;
}

/* --- Blanks and comments ---------------------------------------------------------------------- */

static const char blanks[] = " \t\r\n";

static void skip_blanks(struct scan *scan) {
    scan->at += strspn(scan->at, blanks);
}

/* Comments and the blanks before each; blanks that no comment follows stay. */
static void skip_comments(struct scan *scan) {
    for (;;) {
        const char *at = scan->at + strspn(scan->at, blanks), *end = NULL;
        if (*at == '#' || !strncmp(at, "//", 2))
            end = at + strcspn(at, "\n");
        else if (!strncmp(at, "/*", 2) && (end = strstr(at + 2, "*/")))
            end += 2;
        if (!end) return;
        scan->at = end;
    }
}

/* --- Words ------------------------------------------------------------------------------------ */

static bool ends_words(const char *at, enum place place) {
    if (!*at || *at == '{' || *at == '#' || !strncmp(at, "__", 2)) return true;
    if ((*at == '$' || *at == '%') && at[1] == '{') return true;
    if (place == IN_TEXT) return false;
    if (*at == '|' || *at == '}' || !strncmp(at, "$$", 2)) return true;
    return place == IN_PATH && (*at == '(' || *at == ')');
}

/* Words up to something else; what a comment divides is joined by a blank. */
static enum xl_status read_words(struct scan *scan, enum place place, struct nodes *nodes) {
    struct xl_str words = {0};
    for (int pieces = 0;; pieces++) {
        const char *from = scan->at;
        if (ends_words(from, place)) break;
        while (!ends_words(scan->at, place)) scan->at++;
        if (pieces) xl_str_puts(&words, " ");
        xl_str_append(&words, from, (size_t)(scan->at - from));
        if (*scan->at != '#') break;
        skip_comments(scan);
    }
    struct xl_dynamic_node *node = new_node(scan, XL_DYNAMIC_WORDS);
    char *text = xl_str_take(&words);
    if (node && text) node->text = xl_arena_strdup(scan->arena, text);
    free(text);
    if (!node || !node->text) return no_memory(scan);
    return push(scan, nodes, node, 0);
}

/* --- Braces ----------------------------------------------------------------------------------- */

static enum xl_status read_sequence(struct scan *scan, enum place place,
                                    const struct xl_dynamic_node **out);

static enum xl_dynamic_method read_method(struct scan *scan) {
    static const char signs[] = "~!@";
    const char *sign = *scan->at ? strchr(signs, *scan->at) : NULL;
    if (!sign) return XL_DYNAMIC_AS_USUAL;
    scan->at++;
    return (enum xl_dynamic_method)(XL_DYNAMIC_RANDOM + (sign - signs));
}

static enum xl_status read_option(struct scan *scan, struct nodes *options) {
    const struct xl_dynamic_node *option = NULL;
    uint64_t weight = XL_WEIGHT_UNIT;
    skip_comments(scan);
    skip_blanks(scan);
    const char *from = scan->at;
    if (xl_weight_read(&scan->at, &weight) && weight > (uint64_t)1000000 * XL_WEIGHT_UNIT)
        return fail(scan, from, "a weight is from 0 to 1000000");
    enum xl_status status = read_sequence(scan, IN_BRACES, &option);
    return status ? status : push(scan, options, option, weight);
}

static enum xl_status not_closed(struct scan *scan, const char *from) {
    if (!strncmp(scan->at, "$$", 2))
        return fail(scan, scan->at, "$$ needs a number before it, as in {2$$a|b|c}");
    return fail(scan, from, "a { that is not closed");
}

/* "{...}" */
static enum xl_status read_choice(struct scan *scan, struct nodes *nodes) {
    const char *from = scan->at++;
    struct xl_bounds bounds = {1, 1, NULL, 0};
    struct nodes options = {.n = 0};
    skip_blanks(scan);
    enum xl_dynamic_method method = read_method(scan);
    xl_bounds_read(&scan->at, &bounds);
    enum xl_status status = read_option(scan, &options);
    while (!status && *scan->at == '|') {
        scan->at++;
        status = read_option(scan, &options);
    }
    if (!status && *scan->at != '}') status = not_closed(scan, from);
    struct xl_dynamic_node *node = take(scan, XL_DYNAMIC_CHOICE, &options);
    if (status) return status;
    if (!node) return no_memory(scan);
    scan->at++;
    if (!bounds.between) bounds.between = ",", bounds.n_between = 1;
    node->method = method;
    node->bounds = bounds;
    return push(scan, nodes, node, 0);
}

/* "%{around ... $$ inner}" */
static enum xl_status read_wrap(struct scan *scan, struct nodes *nodes) {
    const char *from = scan->at;
    const struct xl_dynamic_node *part = NULL;
    struct nodes parts = {.n = 0};
    scan->at += 2;
    skip_blanks(scan);
    enum xl_status status = read_sequence(scan, IN_BRACES, &part);
    if (!status) status = push(scan, &parts, part, 0);
    if (!status && strncmp(scan->at, "$$", 2) != 0)
        status = fail(scan, from, "expected %{words around ... $$ what goes in}");
    if (!status) {
        scan->at += 2;
        skip_blanks(scan);
        status = read_sequence(scan, IN_BRACES, &part);
    }
    if (!status) status = push(scan, &parts, part, 0);
    if (!status && *scan->at != '}') status = fail(scan, from, "a %{ that is not closed");
    struct xl_dynamic_node *node = take(scan, XL_DYNAMIC_WRAP, &parts);
    if (status) return status;
    if (!node) return no_memory(scan);
    scan->at++;
    return push(scan, nodes, node, 0);
}

/* --- Variables -------------------------------------------------------------------------------- */

static size_t name_length(const char *at) {
    size_t n = 0;
    while (isalnum((unsigned char)at[n]) || (at[n] && strchr("_-", at[n]))) n++;
    return n && !isdigit((unsigned char)at[0]) ? n : 0;
}

/* What stands behind a name: "=", "?=", "=!", ":" and a value, or nothing. */
static enum xl_status read_assignment(struct scan *scan, enum place place,
                                      struct xl_dynamic_node *node, struct nodes *value) {
    const struct xl_dynamic_node *read = NULL;
    node->kind = XL_DYNAMIC_GET;
    if (*scan->at == ':') {
        scan->at++;
    } else if (*scan->at == '=' || !strncmp(scan->at, "?=", 2)) {
        if (place != IN_TEXT)
            return fail(scan, scan->at, "a variable is set outside of braces only");
        node->kind = XL_DYNAMIC_SET;
        node->keeps_value = *scan->at == '?';
        scan->at += node->keeps_value ? 2 : 1;
        node->is_immediate = *scan->at == '!';
        scan->at += node->is_immediate;
    } else {
        return XL_OK;
    }
    skip_blanks(scan);
    enum xl_status status = read_sequence(scan, IN_BRACES, &read);
    return status ? status : push(scan, value, read, 0);
}

/* "${...}" */
static enum xl_status read_variable(struct scan *scan, enum place place, struct nodes *nodes) {
    const char *from = scan->at;
    struct nodes value = {.n = 0};
    struct xl_dynamic_node head = {.n = 0};
    scan->at += 2;
    skip_blanks(scan);
    size_t n = name_length(scan->at);
    if (!n) return fail(scan, from, "expected ${name}, ${name=value} or ${name:default}");
    const char *name = xl_arena_strndup(scan->arena, scan->at, n);
    scan->at += n;
    skip_blanks(scan);
    enum xl_status status = read_assignment(scan, place, &head, &value);
    if (!status && *scan->at != '}')
        status = fail(scan, from, "a ${ that is not closed; alternatives in it need braces");
    struct xl_dynamic_node *node = take(scan, head.kind, &value);
    if (status) return status;
    if (!node || !name) return no_memory(scan);
    scan->at++;
    node->text = name;
    node->is_immediate = head.is_immediate;
    node->keeps_value = head.keeps_value;
    return push(scan, nodes, node, 0);
}

/* --- Wildcards -------------------------------------------------------------------------------- */

/* "(k=v, k=v)": each value is a template. */
static enum xl_status read_parameters(struct scan *scan, struct xl_dynamic_node *node) {
    const char *end = strchr(scan->at, ')'), *from = scan->at;
    size_t n = 1;
    if (!end || end == scan->at + 1) return fail(scan, from, "expected (name=value, ...)");
    for (const char *c = from; c < end; c++) n += *c == ',';
    struct xl_dynamic_parameter *list = xl_arena_alloc(scan->arena, n * sizeof *list);
    if (!list) return no_memory(scan);
    for (const char *at = from + 1; at <= end; at++) {
        size_t length = strcspn(at, ",)");
        const char *equals = memchr(at, '=', length);
        if (!equals) return fail(scan, at, "expected name=value");
        const char *name = at + strspn(at, blanks);
        size_t n_name = strcspn(name, "= \t\r\n");
        const char *value = equals + 1 + strspn(equals + 1, blanks);
        const char *value_end = at + length;
        while (value_end > value && strchr(blanks, value_end[-1])) value_end--;
        struct xl_dynamic_parameter *parameter = &list[node->n_parameters++];
        size_t n_value = value_end > value ? (size_t)(value_end - value) : 0;
        char *text = xl_arena_strndup(scan->arena, value, n_value);
        parameter->name = xl_arena_strndup(scan->arena, name, n_name);
        if (!parameter->name || !text) return no_memory(scan);
        struct scan inner = {text, text, scan->arena, scan->err, scan->depth};
        enum xl_status status = read_sequence(&inner, IN_TEXT, &parameter->value);
        if (status) return status;
        at += length;
    }
    node->parameters = list;
    scan->at = end + 1;
    return XL_OK;
}

/* "__path__" */
static enum xl_status read_wildcard(struct scan *scan, struct nodes *nodes) {
    const char *from = scan->at;
    const struct xl_dynamic_node *path = NULL;
    struct nodes child = {.n = 0};
    scan->at += 2;
    enum xl_dynamic_method method = read_method(scan);
    const char *begin = scan->at;
    enum xl_status status = read_sequence(scan, IN_PATH, &path);
    if (!status && scan->at == begin)
        status = fail(scan, from, "a wildcard without a name; two underscores begin one");
    if (!status) status = push(scan, &child, path, 0);
    struct xl_dynamic_node *node = take(scan, XL_DYNAMIC_WILDCARD, &child);
    if (!status && !node) status = no_memory(scan);
    if (!status && *scan->at == '(') status = read_parameters(scan, node);
    if (status) return status;
    if (strncmp(scan->at, "__", 2) != 0)
        return fail(scan, from, "a wildcard that does not end in two underscores");
    scan->at += 2;
    node->method = method;
    return push(scan, nodes, node, 0);
}

/* --- All together ----------------------------------------------------------------------------- */

static enum xl_status read_piece(struct scan *scan, enum place place, struct nodes *nodes) {
    if (*scan->at == '{') return read_choice(scan, nodes);
    if (!strncmp(scan->at, "${", 2)) return read_variable(scan, place, nodes);
    if (!strncmp(scan->at, "%{", 2)) return read_wrap(scan, nodes);
    if (!strncmp(scan->at, "__", 2)) return read_wildcard(scan, nodes);
    return read_words(scan, place, nodes);
}

static bool is_end(const struct scan *scan, enum place place) {
    const char *at = scan->at;
    if (!*at) return true;
    if (place == IN_TEXT) return false;
    if (*at == '|' || *at == '}' || !strncmp(at, "$$", 2)) return true;
    return place == IN_PATH && (*at == '(' || *at == ')' || !strncmp(at, "__", 2));
}

static enum xl_status read_sequence(struct scan *scan, enum place place,
                                    const struct xl_dynamic_node **out) {
    struct nodes nodes = {.n = 0};
    enum xl_status status =
        scan->depth++ < MAX_NESTING ? XL_OK : fail(scan, scan->at, "braces nest too deep");
    for (;;) {
        skip_comments(scan);
        if (status || is_end(scan, place)) break;
        status = read_piece(scan, place, &nodes);
    }
    scan->depth--;
    bool is_one = nodes.n == 1 && nodes.at[0]->kind != XL_DYNAMIC_SET;
    const struct xl_dynamic_node *one = is_one ? nodes.at[0] : NULL;
    struct xl_dynamic_node *all = take(scan, XL_DYNAMIC_SEQUENCE, &nodes);
    if (status) return status;
    *out = one ? one : all;
    return *out ? XL_OK : no_memory(scan);
}

enum xl_status xl_dynamic_parse(const char *text, struct xl_arena *arena,
                                const struct xl_dynamic_node **out, struct xl_err *err) {
    struct scan scan = {text, text, arena, err, 0};
    return read_sequence(&scan, IN_TEXT, out);
}
