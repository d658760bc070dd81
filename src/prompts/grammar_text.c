/* grammar_text.c - texts with lists in them: "A {adjective} {subject:plural}, {2$$, $$style}", and
 * that their lists are there and end. Keeps no state.
 */
#include "prompts/bounds.h"
#include "prompts/grammar_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 16, MAX_ALTERNATIVES = 1000, MAX_TABLE = 300000 };

/* A text that is being read. */
struct scan {
    struct xl_grammar_reader *reader;
    const char *at;
    struct xl_yaml_place place;
    int depth;
};

struct items {
    struct xl_grammar_item *at;
    int n, capacity;
};

static enum xl_status no_memory(const struct scan *scan) {
    return xl_fail_nomem(scan->reader->err, "a grammar", 0);
}

static enum xl_status push(const struct scan *scan, struct items *items,
                           const struct xl_grammar_item *item) {
    if (items->n == items->capacity) {
        int capacity = items->capacity ? 2 * items->capacity : 8;
        struct xl_grammar_item *grown = realloc(items->at, (size_t)capacity * sizeof *grown);
        if (!grown) return no_memory(scan);
        items->at = grown;
        items->capacity = capacity;
    }
    items->at[items->n++] = *item;
    return XL_OK;
}

static enum xl_status push_words(const struct scan *scan, struct items *items,
                                 const struct xl_str *words) {
    if (words->failed) return no_memory(scan);
    if (!words->len) return XL_OK;
    const char *copy = xl_arena_strndup(&scan->reader->grammar->arena, words->text, words->len);
    if (!copy) return no_memory(scan);
    return push(scan, items, &(struct xl_grammar_item){.text = copy, .n = words->len});
}

static bool is_name_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("_-/", c));
}

static size_t name_length(const char *text) {
    size_t n = 0;
    while (is_name_letter(text[n])) n++;
    return n;
}

/* "subject}" or "subject:plural}": the name of a list; *at moves before the brace. */
static bool read_name(struct scan *scan, struct xl_grammar_item *item) {
    static const char plural[] = ":plural";
    const char *from = scan->at;
    size_t n = name_length(from);
    bool is_plural = !strncmp(from + n, plural, strlen(plural));
    const char *end = from + n + (is_plural ? strlen(plural) : 0);
    if (!n || *end != '}') return false;
    item->list_name = xl_arena_strndup(&scan->reader->grammar->arena, from, n);
    item->is_plural = is_plural;
    scan->at = end;
    return true;
}

static enum xl_status read_items(struct scan *scan, struct items *items);

static enum xl_status read_option(struct scan *scan, struct xl_grammar_list *list) {
    struct xl_grammar_entry *entry = &list->entries[list->n];
    struct items items = {0};
    const char *from = scan->at;
    *entry = (struct xl_grammar_entry){.weight = XL_WEIGHT_UNIT, .place = scan->place};
    enum xl_status status =
        xl_grammar_read_weight(scan->reader, &scan->at, scan->place, &entry->weight);
    const char *begin = scan->at;
    if (!status) status = read_items(scan, &items);
    if (!status && scan->at == begin) {
        char fragment[24];
        snprintf(fragment, sizeof fragment, "%.20s", from > begin - 1 ? begin - 1 : from);
        status = xl_grammar_fail(scan->reader, scan->place, fragment,
                                 "an empty alternative; what may be left out is written "
                                 "{0-1$$text}");
    }
    if (!status) {
        struct xl_arena *arena = &scan->reader->grammar->arena;
        size_t bytes = (size_t)items.n * sizeof *items.at;
        struct xl_grammar_item *copy = xl_arena_alloc(arena, bytes + 1);
        entry->name = xl_arena_strndup(arena, begin, (size_t)(scan->at - begin));
        if (!copy || !entry->name)
            status = no_memory(scan);
        else
            memcpy(copy, items.at, bytes);
        entry->items = copy;
        entry->n_items = items.n;
        list->n++;
    }
    free(items.at);
    return status;
}

/* How many alternatives stand up to the brace that closes them. */
static size_t count_options(const char *at) {
    size_t n = 1;
    for (int depth = 0; *at && (depth || *at != '}'); at++) {
        if (*at == '\\' && at[1])
            at++;
        else if (*at == '{')
            depth++;
        else if (*at == '}')
            depth--;
        else if (*at == '|' && !depth)
            n++;
    }
    return n;
}

static enum xl_status read_alternatives(struct scan *scan, struct xl_grammar_item *item) {
    struct xl_grammar_reader *reader = scan->reader;
    size_t n = count_options(scan->at);
    if (n > MAX_ALTERNATIVES)
        return xl_grammar_fail(reader, scan->place, NULL,
                               "%zu alternatives in one place, at most %d", n, MAX_ALTERNATIVES);
    struct xl_grammar_list *list = xl_grammar_list_add(reader, NULL);
    if (!list) return no_memory(scan);
    list->place = scan->place;
    list->entries = xl_arena_alloc(&reader->grammar->arena, n * sizeof *list->entries);
    if (!list->entries) return no_memory(scan);
    item->list = list;
    enum xl_status status = read_option(scan, list);
    while (!status && *scan->at == '|' && (size_t)list->n < n) {
        scan->at++;
        status = read_option(scan, list);
    }
    return status;
}

/* A text in braces that is neither a list nor alternatives. */
static enum xl_status not_a_list(const struct scan *scan, const char *from, size_t n) {
    char fragment[64];
    snprintf(fragment, sizeof fragment, "%.*s", (int)(n < 60 ? n : 60), from);
    return xl_grammar_fail(scan->reader, scan->place, fragment,
                           "%s: expected {LIST}, {LIST:plural}, {one|another}, {2$$LIST} or "
                           "{0-1$$text}; a brace that is meant as one is \\{",
                           fragment);
}

/* From the opening brace to behind the closing one. */
static enum xl_status read_group(struct scan *scan, struct items *items) {
    struct xl_grammar_item item = {.least = 1, .most = 1, .between = ", ", .place = scan->place};
    const char *from = scan->at++;
    struct xl_bounds bounds;
    if (++scan->depth > MAX_DEPTH)
        return xl_grammar_fail(scan->reader, scan->place, NULL, "braces deeper than %d", MAX_DEPTH);
    if (xl_bounds_read(&scan->at, &bounds)) {
        enum { MOST = XL_GRAMMAR_MAX_SEVERAL };
        item.least = bounds.least < MOST ? bounds.least : MOST;
        item.most = bounds.most < MOST ? bounds.most : MOST;
        if (bounds.n_between)
            item.between =
                xl_arena_strndup(&scan->reader->grammar->arena, bounds.between, bounds.n_between);
        if (!item.between) return no_memory(scan);
    }
    bool has_bounds = scan->at > from + 1;
    bool is_single = count_options(scan->at) == 1;
    enum xl_status status = XL_OK;
    if (!is_single || !read_name(scan, &item)) {
        if (is_single && !has_bounds)
            return not_a_list(scan, from, strcspn(from, "}") + (strchr(from, '}') != NULL));
        status = read_alternatives(scan, &item);
    }
    if (status) return status;
    if (*scan->at != '}') {
        char fragment[24];
        snprintf(fragment, sizeof fragment, "%.20s", from);
        return xl_grammar_fail(scan->reader, scan->place, fragment,
                               "a { that is not closed; one that is meant as a sign is \\{");
    }
    scan->at++;
    scan->depth--;
    return push(scan, items, &item);
}

/* "__subject__" is {subject}. */
static bool read_wildcard(struct scan *scan, struct xl_grammar_item *item) {
    size_t n = 0;
    const char *from = scan->at + 2;
    if (strncmp(scan->at, "__", 2) != 0) return false;
    while (is_name_letter(from[n]) && strncmp(from + n, "__", 2) != 0) n++;
    if (!n || strncmp(from + n, "__", 2) != 0) return false;
    *item = (struct xl_grammar_item){
        .list_name = xl_arena_strndup(&scan->reader->grammar->arena, from, n),
        .least = 1,
        .most = 1,
        .between = ", ",
        .place = scan->place};
    scan->at = from + n + 2;
    return true;
}

/* Up to the end of the text, or of the alternative. */
static enum xl_status read_items(struct scan *scan, struct items *items) {
    struct xl_str words = {0};
    struct xl_grammar_item item;
    enum xl_status status = XL_OK;
    while (!status && *scan->at && !(scan->depth && strchr("|}", *scan->at))) {
        const char *from = scan->at;
        if (*from == '\\' && from[1] && strchr("{}|\\_", from[1])) {
            xl_str_append(&words, from + 1, 1);
            scan->at += 2;
        } else if (*from == '{') {
            status = push_words(scan, items, &words);
            words.len = 0;
            if (!status) status = read_group(scan, items);
        } else if (read_wildcard(scan, &item)) {
            status = push_words(scan, items, &words);
            words.len = 0;
            if (!status) status = push(scan, items, &item);
        } else if (!strncmp(from, "${", 2)) {
            status = xl_grammar_fail(scan->reader, scan->place, "${",
                                     "a grammar has no variables; name a list instead");
        } else if (*from == '}') {
            status = xl_grammar_fail(scan->reader, scan->place, "}",
                                     "a } without a {; one that is meant as a sign is \\}");
        } else {
            xl_str_append(&words, *from == '\n' ? " " : from, 1);
            scan->at++;
        }
    }
    if (!status) status = push_words(scan, items, &words);
    xl_str_deinit(&words);
    return status;
}

enum xl_status xl_grammar_read_text(struct xl_grammar_reader *reader, const char *text,
                                    struct xl_yaml_place place, struct xl_grammar_entry *entry) {
    struct scan scan = {.reader = reader, .at = text, .place = place};
    struct items items = {0};
    if (strlen(text) > XL_GRAMMAR_MAX_BYTES)
        return xl_grammar_fail(reader, place, NULL, "a text of %zu bytes, at most %d", strlen(text),
                               XL_GRAMMAR_MAX_BYTES);
    enum xl_status status = read_items(&scan, &items);
    size_t bytes = (size_t)items.n * sizeof *items.at;
    struct xl_grammar_item *copy = status ? NULL
                                          : xl_arena_alloc(&reader->grammar->arena, bytes + 1);
    if (!status && !copy) status = no_memory(&scan);
    if (!status && bytes) memcpy(copy, items.at, bytes);
    if (!status) entry->items = copy;
    if (!status) entry->n_items = items.n;
    free(items.at);
    return status;
}

enum xl_status xl_grammar_read_weight(struct xl_grammar_reader *reader, const char **text,
                                      struct xl_yaml_place place, uint64_t *weight) {
    const char *end = *text;
    if (!xl_weight_read(&end, weight)) return XL_OK;
    char fragment[24];
    snprintf(fragment, sizeof fragment, "%.*s", (int)(end - *text < 20 ? end - *text : 20), *text);
    if (*weight > (uint64_t)1000 * XL_WEIGHT_UNIT)
        return xl_grammar_fail(reader, place, fragment, "%s: a weight is from 0 to 1000", fragment);
    *text = end;
    return XL_OK;
}

/* --- Lists that are named ---------------------------------------------------------------------
 */

const char *xl_grammar_near_list(const struct xl_grammar *grammar, const char *name,
                                 char out[XL_GRAMMAR_HINT]) {
    int best = 4;
    out[0] = 0;
    for (int i = 0; i < grammar->n_lists; i++) {
        const char *other = grammar->lists[i]->name;
        int distance = other && i ? xl_edit_distance(name, other, best - 1) : best;
        bool is_plural = other && !strncmp(name, other, strlen(other)) && other[0];
        if (distance >= best && !is_plural) continue;
        best = distance;
        snprintf(out, XL_GRAMMAR_HINT, "; did you mean %.100s?", other);
    }
    return out;
}

static enum xl_status find_list(struct xl_grammar_reader *reader, struct xl_grammar_item *item) {
    const struct xl_grammar *grammar = reader->grammar;
    char hint[XL_GRAMMAR_HINT];
    for (int i = 1; i < grammar->n_lists; i++) {
        const char *name = grammar->lists[i]->name;
        if (name && !strcmp(name, item->list_name)) {
            item->list = grammar->lists[i];
            return XL_OK;
        }
    }
    xl_grammar_near_list(grammar, item->list_name, hint);
    if (!item->least && !hint[0])
        snprintf(hint, sizeof hint,
                 "; a word that may be left out has a blank before it: {0-1$$ %.60s}",
                 item->list_name);
    return xl_grammar_fail(reader, item->place, item->list_name, "there is no list \"%.60s\"%s",
                           item->list_name, hint);
}

/* What a walk down the lists finds. */
struct walk {
    struct xl_grammar_reader *reader;
    int *decisions; /* by list: -1 not yet, -2 on the way */
    const struct xl_grammar_list *way[1024];
    int depth;
};

static enum xl_status is_circle(struct walk *walk, const struct xl_grammar_list *list,
                                const struct xl_grammar_item *item) {
    struct xl_str way = {0};
    int from = 0;
    while (from < walk->depth && walk->way[from] != list) from++;
    for (int i = from; i < walk->depth && way.len < 200; i++)
        if (walk->way[i]->name)
            xl_str_printf(&way, "%s%.60s", way.len ? " > " : "", walk->way[i]->name);
    enum xl_status status = xl_grammar_fail(
        walk->reader, item->place, item->list_name, "endless: %s leads back to itself (%s%s%.60s)",
        list->name ? list->name : "a text", way.text ? way.text : "", way.len ? " > " : "",
        item->list_name ? item->list_name : "");
    xl_str_deinit(&way);
    return status;
}

static enum xl_status measure_list(struct walk *walk, struct xl_grammar_list *list);

static enum xl_status measure_item(struct walk *walk, const struct xl_grammar_item *item,
                                   int64_t *sum) {
    struct xl_grammar_list *list = walk->reader->grammar->lists[item->list->index];
    if (walk->decisions[list->index] == -2) return is_circle(walk, list, item);
    enum xl_status status = measure_list(walk, list);
    if (status) return status;
    int most = item->most < list->n ? item->most : list->n;
    if (most > 1 && (int64_t)most * list->n > MAX_TABLE)
        return xl_grammar_fail(walk->reader, item->place, item->list_name,
                               "%d of a list of %d entries; such lists have at most %d", most,
                               list->n, MAX_TABLE / most);
    *sum += 1 + (int64_t)most * (1 + walk->decisions[list->index]);
    if (*sum <= XL_GRAMMAR_MAX_DECISIONS) return XL_OK;
    return xl_grammar_fail(walk->reader, item->place, NULL,
                           "one text may take more than %d entries; make it smaller",
                           XL_GRAMMAR_MAX_DECISIONS);
}

/* How many decisions an entry of a list takes at most. */
static enum xl_status measure_list(struct walk *walk, struct xl_grammar_list *list) {
    int *decisions = &walk->decisions[list->index];
    if (*decisions >= 0) return XL_OK;
    *decisions = -2;
    if (walk->depth == (int)(sizeof walk->way / sizeof *walk->way))
        return xl_grammar_fail(walk->reader, list->place, NULL, "lists in lists deeper than %d",
                               walk->depth);
    walk->way[walk->depth++] = list;
    int64_t most = 0;
    for (int e = 0; e < list->n; e++) {
        int64_t sum = 0;
        const struct xl_grammar_entry *entry = &list->entries[e];
        for (int i = 0; i < entry->n_items; i++) {
            enum xl_status status =
                entry->items[i].list ? measure_item(walk, &entry->items[i], &sum) : XL_OK;
            if (status) return status;
        }
        if (sum > most) most = sum;
    }
    walk->depth--;
    *decisions = (int)most;
    return XL_OK;
}

enum xl_status xl_grammar_link(struct xl_grammar_reader *reader) {
    struct xl_grammar *grammar = reader->grammar;
    enum xl_status status = XL_OK;
    for (int l = 0; l < grammar->n_lists; l++)
        for (int e = 0; e < grammar->lists[l]->n; e++) {
            const struct xl_grammar_entry *entry = &grammar->lists[l]->entries[e];
            for (int i = 0; !status && i < entry->n_items; i++)
                if (entry->items[i].list_name)
                    status = find_list(reader, (struct xl_grammar_item *)&entry->items[i]);
        }
    if (status) return status;
    struct walk *walk = calloc(1, sizeof *walk);
    int *decisions = malloc((size_t)grammar->n_lists * sizeof *decisions);
    if (!walk || !decisions) status = xl_fail_nomem(reader->err, "a grammar", 0);
    if (!status) {
        *walk = (struct walk){.reader = reader, .decisions = decisions};
        for (int l = 0; l < grammar->n_lists; l++) decisions[l] = -1;
    }
    for (int l = 0; !status && l < grammar->n_lists; l++)
        status = measure_list(walk, grammar->lists[l]);
    free(walk);
    free(decisions);
    return status;
}
