/* grammar_rules.c - what of a grammar may not come: blocked words, entries that weigh nothing, and
 * entries that must not meet. Keeps no state.
 */
#include "prompts/blocked.h"
#include "prompts/grammar_read.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PHRASES = 10000, MAX_MARKS = 64, MAX_GROUP = 64 };

/* --- Blocked words ----------------------------------------------------------------------------
 */

/* Add the phrases of a list, in lower case. */
static enum xl_status add_phrases(struct xl_grammar_reader *reader, const json_t *list,
                                  const char **phrases, int *n, struct xl_yaml_place place) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *value = json_array_get(list, i);
        const char *text = json_string_value(value);
        if (!text || !isalnum((unsigned char)text[0]))
            return xl_grammar_fail(reader, place, NULL,
                                   "blocked: expected a list of words that begin with a letter");
        char *copy = xl_arena_strdup(&reader->grammar->arena, text);
        if (!copy) return xl_fail_nomem(reader->err, "a grammar", 0);
        for (char *c = copy; *c; c++) *c = *c == '-' ? ' ' : (char)tolower((unsigned char)*c);
        phrases[(*n)++] = copy;
    }
    return XL_OK;
}

enum xl_status xl_grammar_read_blocked(struct xl_grammar_reader *reader) {
    struct xl_grammar *grammar = reader->grammar;
    const json_t *own = json_object_get(reader->root, "blocked");
    const json_t *safe = json_object_get(reader->root, "safe");
    struct xl_yaml_place place = xl_yaml_value_place(&reader->places, reader->root, "blocked", 0);
    if (own && (!json_is_array(own) || json_array_size(own) > MAX_PHRASES))
        return xl_grammar_fail(reader, place, NULL, "blocked: expected a list of at most %d words",
                               MAX_PHRASES);
    if (safe && !json_is_boolean(safe))
        return xl_grammar_fail(reader,
                               xl_yaml_value_place(&reader->places, reader->root, "safe", 0), NULL,
                               "safe: expected true or false");
    grammar->is_safe = !json_is_false(safe);
    json_t *all = NULL;
    enum xl_status status = xl_yaml_parse("blocked.yaml", xl_blocked_words, xl_blocked_words_size,
                                          NULL, &all, reader->err);
    if (status) return status;
    size_t most = json_array_size(own) + json_array_size(all);
    const char **phrases = xl_arena_alloc(&grammar->arena, (most + 1) * sizeof *phrases);
    int n = 0;
    if (!phrases) status = xl_fail_nomem(reader->err, "a grammar", 0);
    if (!status) status = add_phrases(reader, own, phrases, &n, place);
    if (!status && grammar->is_safe) status = add_phrases(reader, all, phrases, &n, place);
    grammar->blocked.phrases = phrases;
    grammar->blocked.n = n;
    xl_blocked_settle(&grammar->blocked);
    json_decref(all);
    return status;
}

/* --- Entries that stay ------------------------------------------------------------------------
 */

static const char *list_name(const struct xl_grammar_list *list) {
    return list->name ? list->name : "alternatives";
}

static const char *blocked_in(const struct xl_grammar *grammar,
                              const struct xl_grammar_entry *entry) {
    const char *found = NULL;
    for (int i = 0; !found && i < entry->n_items; i++)
        if (!entry->items[i].list)
            found = xl_blocked_find(&grammar->blocked, entry->items[i].text, entry->items[i].n);
    if (!found && entry->plural)
        found = xl_blocked_find(&grammar->blocked, entry->plural, strlen(entry->plural));
    return found;
}

static int by_name(const void *a, const void *b) {
    const struct xl_grammar_entry *const *x = a, *const *y = b;
    int order = strcmp((*x)->name, (*y)->name);
    return order ? order : (*x)->place.line - (*y)->place.line;
}

/* An entry that stands there twice would count twice. */
static enum xl_status drop_twins(struct xl_grammar_reader *reader, struct xl_grammar_list *list) {
    struct xl_grammar_entry **sorted = malloc((size_t)list->n * sizeof *sorted + 1);
    if (!sorted) return xl_fail_nomem(reader->err, "a grammar", 0);
    for (int e = 0; e < list->n; e++) sorted[e] = &list->entries[e];
    qsort(sorted, (size_t)list->n, sizeof *sorted, by_name);
    for (int e = 1; e < list->n; e++) {
        if (strcmp(sorted[e]->name, sorted[e - 1]->name) != 0) continue;
        sorted[e]->weight = 0;
        xl_str_printf(&reader->grammar->notices,
                      "%s:%d:%d: %s: \"%.60s\" stands there twice and counts once\n", reader->name,
                      sorted[e]->place.line, sorted[e]->place.column, list_name(list),
                      sorted[e]->name);
        struct xl_grammar_entry *first = sorted[e - 1];
        sorted[e - 1] = sorted[e];
        sorted[e] = first;
    }
    free(sorted);
    return XL_OK;
}

static enum xl_status settle_list(struct xl_grammar_reader *reader, struct xl_grammar_list *list) {
    struct xl_grammar *grammar = reader->grammar;
    int n = 0;
    enum xl_status status = drop_twins(reader, list);
    for (int e = 0; !status && e < list->n; e++) {
        struct xl_grammar_entry *entry = &list->entries[e];
        const char *blocked = blocked_in(grammar, entry);
        if (blocked)
            xl_str_printf(&grammar->notices, "%s:%d:%d: \"%.60s\" is left out: %s is blocked\n",
                          reader->name, entry->place.line, entry->place.column, entry->name,
                          blocked);
        if (blocked || !entry->weight) {
            list->n_left_out++;
            continue;
        }
        list->entries[n] = *entry;
        list->weight += entry->weight;
        list->entries[n++].upto = list->weight;
    }
    list->n = n;
    if (status || n) return status;
    return xl_grammar_fail(reader, list->place, NULL,
                           "%s: nothing is left, every entry is blocked or weighs nothing",
                           list_name(list));
}

enum xl_status xl_grammar_settle_entries(struct xl_grammar_reader *reader) {
    enum xl_status status = XL_OK;
    for (int l = 0; !status && l < reader->grammar->n_lists; l++)
        status = settle_list(reader, reader->grammar->lists[l]);
    return status;
}

/* --- What must not meet -----------------------------------------------------------------------
 */

struct marks {
    const char *term[MAX_MARKS];
    int n;
};

static bool bears(const struct xl_grammar_list *list, const struct xl_grammar_entry *entry,
                  const char *term) {
    bool found = !strcasecmp(entry->name, term);
    for (int i = 0; !found && i < entry->n_tags; i++) found = !strcasecmp(entry->tags[i], term);
    size_t n = list->name ? strlen(list->name) : 0;
    return found || (n && !strncmp(term, list->name, n) && term[n] == '/' &&
                     !strcasecmp(entry->name, term + n + 1));
}

static bool was_blocked(const struct xl_grammar *grammar, const char *term) {
    return xl_blocked_find(&grammar->blocked, term, strlen(term)) != NULL;
}

/* What somebody may have meant, as "; did you mean X?". */
static const char *near_term(const struct xl_grammar *grammar, const char *term,
                             char out[XL_GRAMMAR_HINT]) {
    int best = 4;
    out[0] = 0;
    for (int l = 0; l < grammar->n_lists; l++)
        for (int e = 0; e < grammar->lists[l]->n; e++) {
            const struct xl_grammar_entry *entry = &grammar->lists[l]->entries[e];
            for (int i = -1; i < entry->n_tags; i++) {
                const char *other = i < 0 ? entry->name : entry->tags[i];
                int distance = xl_edit_distance(term, other, best - 1);
                if (distance >= best) continue;
                best = distance;
                snprintf(out, XL_GRAMMAR_HINT, "; did you mean \"%.100s\"?", other);
            }
        }
    return out;
}

/* The mark of a term; entries that bear it get it. */
static enum xl_status find_mark(struct xl_grammar_reader *reader, struct marks *marks,
                                const char *term, struct xl_yaml_place place, uint64_t *mark) {
    struct xl_grammar *grammar = reader->grammar;
    char hint[XL_GRAMMAR_HINT];
    if (!term)
        return xl_grammar_fail(reader, place, NULL,
                               "expected an entry's text, a tag or LIST/ENTRY");
    for (int i = 0; i < marks->n; i++)
        if (!strcmp(marks->term[i], term)) {
            *mark = UINT64_C(1) << i;
            return XL_OK;
        }
    if (marks->n == MAX_MARKS)
        return xl_grammar_fail(reader, place, NULL,
                               "more than %d different words in never_together and only_with; "
                               "give entries that go together one tag",
                               MAX_MARKS);
    *mark = UINT64_C(1) << marks->n;
    bool is_borne = false;
    for (int l = 0; l < grammar->n_lists; l++)
        for (int e = 0; e < grammar->lists[l]->n; e++) {
            struct xl_grammar_list *list = grammar->lists[l];
            if (!bears(list, &list->entries[e], term)) continue;
            list->entries[e].marks |= *mark;
            is_borne = true;
        }
    if (!is_borne && !was_blocked(grammar, term))
        return xl_grammar_fail(reader, place, term, "\"%.60s\" is no entry and no tag%s", term,
                               near_term(grammar, term, hint));
    marks->term[marks->n++] = term;
    return XL_OK;
}

/* The text of a term; a number is meant as it is written. */
static const char *term_of(struct xl_grammar_reader *reader, const json_t *value) {
    char number[XL_REAL_MAX];
    if (!json_is_number(value)) return json_string_value(value);
    xl_real_text(json_number_value(value), number);
    return xl_arena_strdup(&reader->grammar->arena, number);
}

/* A term, or several of which any counts. */
static enum xl_status find_marks(struct xl_grammar_reader *reader, struct marks *marks,
                                 const json_t *value, struct xl_yaml_place place, uint64_t *any) {
    enum xl_status status = XL_OK;
    *any = 0;
    if (!json_is_array(value)) return find_mark(reader, marks, term_of(reader, value), place, any);
    for (size_t i = 0; !status && i < json_array_size(value); i++) {
        uint64_t mark;
        status = find_mark(reader, marks, term_of(reader, json_array_get(value, i)),
                           xl_yaml_value_place(&reader->places, value, NULL, i), &mark);
        if (!status) *any |= mark;
    }
    return status;
}

/* A group: no two of its terms together. */
static enum xl_status read_group(struct xl_grammar_reader *reader, struct marks *marks,
                                 const json_t *group, struct xl_yaml_place place,
                                 struct xl_grammar_never *out, int *n_out) {
    uint64_t terms[MAX_GROUP];
    size_t n = json_array_size(group);
    enum xl_status status = XL_OK;
    if (n < 2 || n > MAX_GROUP)
        return xl_grammar_fail(reader, place, NULL,
                               "never_together: expected groups of 2 to %d entries or tags",
                               MAX_GROUP);
    for (size_t i = 0; !status && i < n; i++)
        status = find_marks(reader, marks, json_array_get(group, i),
                            xl_yaml_value_place(&reader->places, group, NULL, i), &terms[i]);
    for (size_t i = 0; !status && i < n; i++)
        for (size_t k = 0; k < i; k++)
            out[(*n_out)++] = (struct xl_grammar_never){terms[i], terms[k]};
    return status;
}

static enum xl_status read_never(struct xl_grammar_reader *reader, struct marks *marks) {
    const json_t *groups = json_object_get(reader->root, "never_together");
    struct xl_yaml_place place =
        xl_yaml_value_place(&reader->places, reader->root, "never_together", 0);
    if (!groups) return XL_OK;
    if (!json_is_array(groups))
        return xl_grammar_fail(reader, place, NULL, "never_together: expected a list of groups");
    size_t most = 0;
    for (size_t i = 0; i < json_array_size(groups); i++) {
        size_t n = json_array_size(json_array_get(groups, i));
        most += n <= MAX_GROUP ? n * n / 2 + 1 : 0;
    }
    struct xl_grammar_never *never =
        xl_arena_alloc(&reader->grammar->arena, (most + 1) * sizeof *never);
    if (!never) return xl_fail_nomem(reader->err, "a grammar", 0);
    int n = 0;
    enum xl_status status = XL_OK;
    for (size_t i = 0; !status && i < json_array_size(groups); i++)
        status = read_group(reader, marks, json_array_get(groups, i),
                            xl_yaml_value_place(&reader->places, groups, NULL, i), never, &n);
    reader->grammar->never = never;
    reader->grammar->n_never = n;
    return status;
}

static enum xl_status read_only(struct xl_grammar_reader *reader, struct marks *marks) {
    const json_t *rules = json_object_get(reader->root, "only_with");
    const char *key;
    json_t *value;
    if (!rules) return XL_OK;
    if (!json_is_object(rules))
        return xl_grammar_fail(reader,
                               xl_yaml_value_place(&reader->places, reader->root, "only_with", 0),
                               NULL, "only_with: expected a map of entries and what they need");
    struct xl_grammar_only *only =
        xl_arena_alloc(&reader->grammar->arena, (json_object_size(rules) + 1) * sizeof *only);
    if (!only) return xl_fail_nomem(reader->err, "a grammar", 0);
    int n = 0;
    enum xl_status status = XL_OK;
    json_object_foreach((json_t *)rules, key, value) {
        status = find_mark(reader, marks, key, xl_yaml_key_place(&reader->places, rules, key),
                           &only[n].mark);
        if (!status)
            status = find_marks(reader, marks, value,
                                xl_yaml_value_place(&reader->places, rules, key, 0), &only[n].with);
        if (status) return status;
        n++;
    }
    reader->grammar->only = only;
    reader->grammar->n_only = n;
    return status;
}

enum xl_status xl_grammar_read_rules(struct xl_grammar_reader *reader) {
    struct marks marks = {.n = 0};
    enum xl_status status = read_never(reader, &marks);
    return status ? status : read_only(reader, &marks);
}
