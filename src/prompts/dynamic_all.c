/* dynamic_all.c - every text of a template, in the order of dynamicprompts' combinatorial sampler:
 * the right-most choice changes first. Keeps no state.
 */
#include "prompts/dynamic_tree.h"
#include "prompts/hashes.h"

#include <stdlib.h>
#include <string.h>

/* Texts as they are found. */
struct list {
    const char **at;
    int n, capacity, most;
    bool is_cut; /* there were more */
};

struct all {
    struct xl_dynamic_walk walk; /* first: what is handed on is this */
    int most;
    bool is_cut;
};

static enum xl_status no_memory(struct all *all) {
    return xl_fail_nomem(all->walk.err, "a template", 0);
}

static bool is_full(const struct list *list) {
    return list->n >= list->most;
}

static enum xl_status push(struct all *all, struct list *list, const char *text) {
    if (is_full(list)) {
        list->is_cut = true;
        return XL_OK;
    }
    if (list->n == list->capacity) {
        int capacity = list->capacity ? 2 * list->capacity : 16;
        const char **grown = realloc(list->at, (size_t)capacity * sizeof *grown);
        if (!grown) return no_memory(all);
        list->at = grown;
        list->capacity = capacity;
    }
    list->at[list->n++] = text;
    return XL_OK;
}

/* Add a text that was put together; it is taken over. */
static enum xl_status push_str(struct all *all, struct list *list, struct xl_str *text) {
    char *taken = xl_str_take(text);
    const char *kept = taken ? xl_arena_strdup(all->walk.arena, taken) : NULL;
    bool is_long = taken && strlen(taken) > XL_DYNAMIC_MAX_TEXT;
    free(taken);
    if (!kept) return no_memory(all);
    if (is_long) return xl_fail(all->walk.err, XL_EINVAL, "the prompt becomes longer than 256 KiB");
    return push(all, list, kept);
}

static enum xl_status list_node(struct all *all, const struct xl_dynamic_node *node,
                                const struct xl_dynamic_scope *scope, struct list *out);

/* Every text of a part, as many as may be of use. */
static enum xl_status list_part(struct all *all, const struct xl_dynamic_node *node,
                                const struct xl_dynamic_scope *scope, struct list *out) {
    *out = (struct list){.most = all->most};
    enum xl_status status = list_node(all, node, scope, out);
    all->is_cut |= out->is_cut;
    return status;
}

static bool is_without_end(const struct xl_dynamic_node *node) {
    return node->method == XL_DYNAMIC_RANDOM || node->method == XL_DYNAMIC_IN_TURN;
}

/* --- Sequences -------------------------------------------------------------------------------- */

struct sequence {
    const struct xl_dynamic_node *node;
    const struct xl_dynamic_scope *scope;
    struct list *parts; /* by child */
    int *turn;          /* by child: how often it was taken from, where it has no end */
    const char **words; /* by child: of the text that is put together */
};

/* What a part without an end gives this time. */
static enum xl_status next_value(struct all *all, struct sequence *sequence, int i) {
    const struct xl_dynamic_node *child = sequence->node->child[i];
    const struct list *part = &sequence->parts[i];
    uint64_t turn = (uint64_t)sequence->turn[i]++;
    sequence->words[i] = "";
    if (!part->n) return XL_OK;
    if (child->method == XL_DYNAMIC_RANDOM) turn = xl_dice_next(&all->walk.dice);
    sequence->words[i] = part->at[turn % (uint64_t)part->n];
    return XL_OK;
}

static enum xl_status finish(struct all *all, struct sequence *sequence, struct list *out) {
    struct xl_str text = {0};
    enum xl_status status = XL_OK;
    for (int i = sequence->node->n - 1; !status && i >= 0; i--)
        if (is_without_end(sequence->node->child[i])) status = next_value(all, sequence, i);
    for (int i = 0; i < sequence->node->n; i++)
        if (sequence->words[i]) xl_str_puts(&text, sequence->words[i]);
    xl_str_puts(&text, "");
    return status ? status : push_str(all, out, &text);
}

/* The parts from i on. */
static enum xl_status multiply(struct all *all, struct sequence *sequence, int i,
                               struct list *out) {
    enum xl_status status = XL_OK;
    while (i < sequence->node->n && (sequence->node->child[i]->kind == XL_DYNAMIC_SET ||
                                     is_without_end(sequence->node->child[i])))
        i++;
    if (i == sequence->node->n) return finish(all, sequence, out);
    for (int k = 0; !status && !out->is_cut && k < sequence->parts[i].n; k++) {
        sequence->words[i] = sequence->parts[i].at[k];
        status = multiply(all, sequence, i + 1, out);
    }
    return status;
}

static enum xl_status list_sequence(struct all *all, const struct xl_dynamic_node *node,
                                    const struct xl_dynamic_scope *scope, struct list *out) {
    size_t n = (size_t)node->n + 1;
    struct sequence sequence = {.node = node,
                                .parts = calloc(n, sizeof *sequence.parts),
                                .turn = calloc(n, sizeof *sequence.turn),
                                .words = calloc(n, sizeof *sequence.words)};
    enum xl_status status = sequence.parts && sequence.turn && sequence.words
                                ? xl_dynamic_assign(&all->walk, node, &scope)
                                : no_memory(all);
    for (int i = 0; !status && i < node->n; i++)
        if (node->child[i]->kind != XL_DYNAMIC_SET)
            status = list_part(all, node->child[i], scope, &sequence.parts[i]);
    if (!status) status = multiply(all, &sequence, 0, out);
    for (int i = 0; sequence.parts && i < node->n; i++) free(sequence.parts[i].at);
    free(sequence.parts);
    free(sequence.turn);
    free(sequence.words);
    return status;
}

/* --- Choices ---------------------------------------------------------------------------------- */

struct choice {
    const struct xl_bounds *bounds;
    struct list *options; /* the texts of each */
    int n;
    bool *is_taken;
    const char **words;     /* of the options that are taken, in their order */
    struct xl_hashes found; /* of the words of each that was there already */
};

static bool is_among(const char *const *words, int n, const char *word) {
    for (int i = 0; i < n; i++)
        if (!strcmp(words[i], word)) return true;
    return false;
}

/* Whether the words, as they stand one by one, were not there yet. */
static enum xl_status is_new(struct all *all, struct choice *choice, int n, bool *out) {
    struct xl_str key = {0};
    for (int i = 0; i < n; i++) xl_str_printf(&key, "%s\x1F", choice->words[i]);
    enum xl_status status = key.failed ? no_memory(all) : XL_OK;
    if (!status)
        status = xl_hashes_add(&choice->found, xl_text_hash(key.text ? key.text : "", key.len), out,
                               all->walk.err);
    xl_str_deinit(&key);
    return status;
}

/* Options at places i .. count - 1, in every order. */
static enum xl_status permute(struct all *all, struct choice *choice, int i, int count,
                              struct list *out) {
    if (i == count) {
        bool is_fresh = false;
        struct xl_str text = {0};
        enum xl_status status = is_new(all, choice, count, &is_fresh);
        if (status || !is_fresh) return status;
        xl_dynamic_join(&text, choice->words, count, choice->bounds);
        xl_str_puts(&text, "");
        return push_str(all, out, &text);
    }
    enum xl_status status = XL_OK;
    for (int o = 0; !status && !out->is_cut && o < choice->n; o++) {
        if (choice->is_taken[o]) continue;
        choice->is_taken[o] = true;
        for (int k = 0; !status && !out->is_cut && k < choice->options[o].n; k++) {
            choice->words[i] = choice->options[o].at[k];
            if (++all->walk.steps > XL_DYNAMIC_MAX_STEPS)
                status = xl_fail(all->walk.err, XL_EINVAL, "the template takes more than %d steps",
                                 XL_DYNAMIC_MAX_STEPS);
            else if (!is_among(choice->words, i, choice->words[i]))
                status = permute(all, choice, i + 1, count, out);
        }
        choice->is_taken[o] = false;
    }
    return status;
}

/* The texts of the options: of a wildcard that stands alone, those of each of its values. */
static enum xl_status list_options(struct all *all, const struct xl_dynamic_node *node,
                                   const struct xl_dynamic_scope *scope, struct choice *choice) {
    struct xl_dynamic_values values = {.n = 0};
    enum xl_status status = XL_OK;
    if (node->n == 1 && node->child[0]->kind == XL_DYNAMIC_WILDCARD)
        status = xl_dynamic_look_up(&all->walk, node->child[0], scope, &values);
    choice->n = values.n ? values.n : node->n;
    choice->options = calloc((size_t)choice->n + 1, sizeof *choice->options);
    choice->is_taken = calloc((size_t)choice->n + 1, sizeof *choice->is_taken);
    choice->words = calloc((size_t)choice->n + 1, sizeof *choice->words);
    if (!status && (!choice->options || !choice->is_taken || !choice->words))
        status = no_memory(all);
    for (int i = 0; !status && i < choice->n; i++) {
        const struct xl_dynamic_node *option = values.n ? NULL : node->child[i];
        if (values.n)
            status =
                xl_dynamic_parse(values.value[i].text, all->walk.arena, &option, all->walk.err);
        if (!status)
            status = list_part(all, option, values.n ? values.scope : scope, &choice->options[i]);
    }
    return status;
}

static enum xl_status list_choice(struct all *all, const struct xl_dynamic_node *node,
                                  const struct xl_dynamic_scope *scope, struct list *out) {
    struct choice choice = {.bounds = &node->bounds};
    enum xl_status status = list_options(all, node, scope, &choice);
    int least = node->bounds.least < choice.n ? node->bounds.least : choice.n;
    int most = node->bounds.most < choice.n ? node->bounds.most : choice.n;
    for (int count = least; !status && !out->is_cut && count <= most; count++)
        status = permute(all, &choice, 0, count, out);
    for (int i = 0; choice.options && i < choice.n; i++) free(choice.options[i].at);
    free(choice.options);
    free(choice.is_taken);
    free(choice.words);
    xl_hashes_deinit(&choice.found);
    return status;
}

/* --- The rest --------------------------------------------------------------------------------- */

static enum xl_status list_wildcard(struct all *all, const struct xl_dynamic_node *node,
                                    const struct xl_dynamic_scope *scope, struct list *out) {
    struct xl_dynamic_values values;
    enum xl_status status = xl_dynamic_look_up(&all->walk, node, scope, &values);
    if (!status && !values.n) return push(all, out, values.missing);
    for (int i = 0; !status && !out->is_cut && i < values.n; i++) {
        const struct xl_dynamic_node *value = NULL;
        status = xl_dynamic_parse(values.value[i].text, all->walk.arena, &value, all->walk.err);
        if (!status) status = list_node(all, value, values.scope, out);
    }
    return status;
}

static enum xl_status list_wrap(struct all *all, const struct xl_dynamic_node *node,
                                const struct xl_dynamic_scope *scope, struct list *out) {
    struct list around = {.n = 0}, inner = {.n = 0};
    enum xl_status status = list_part(all, node->child[0], scope, &around);
    if (!status) status = list_part(all, node->child[1], scope, &inner);
    for (int i = 0; !status && i < around.n; i++)
        for (int k = 0; !status && !out->is_cut && k < inner.n; k++) {
            struct xl_str text = {0};
            xl_dynamic_wrap(&text, around.at[i], inner.at[k]);
            xl_str_puts(&text, "");
            status = push_str(all, out, &text);
        }
    free(around.at);
    free(inner.at);
    return status;
}

static enum xl_status list_inside(struct all *all, const struct xl_dynamic_node *node,
                                  const struct xl_dynamic_scope *scope, struct list *out) {
    const struct xl_dynamic_node *value;
    switch (node->kind) {
    case XL_DYNAMIC_WORDS:
        return push(all, out, node->text);
    case XL_DYNAMIC_SEQUENCE:
        return list_sequence(all, node, scope, out);
    case XL_DYNAMIC_CHOICE:
        return list_choice(all, node, scope, out);
    case XL_DYNAMIC_WILDCARD:
        return list_wildcard(all, node, scope, out);
    case XL_DYNAMIC_SET:
        return XL_OK;
    case XL_DYNAMIC_GET:
        value = xl_dynamic_value(scope, node->text);
        if (!value && node->n) value = node->child[0];
        if (!value)
            return xl_fail(all->walk.err, XL_EINVAL, "the variable %.60s is not set", node->text);
        return list_node(all, value, scope, out);
    case XL_DYNAMIC_WRAP:
        return list_wrap(all, node, scope, out);
    }
    return XL_OK;
}

static enum xl_status list_node(struct all *all, const struct xl_dynamic_node *node,
                                const struct xl_dynamic_scope *scope, struct list *out) {
    enum xl_status status = xl_dynamic_enter(&all->walk);
    if (status) return status;
    status = list_inside(all, node, scope, out);
    xl_dynamic_leave(&all->walk);
    return status;
}

/* Paths of wildcards and values of "=!" are the first of theirs. */
static enum xl_status first_text(struct xl_dynamic_walk *walk, const struct xl_dynamic_node *node,
                                 const struct xl_dynamic_scope *scope, struct xl_str *out) {
    struct all *all = (struct all *)walk;
    struct list list = {.most = 1};
    enum xl_status status = list_node(all, node, scope, &list);
    xl_str_puts(out, !status && list.n ? list.at[0] : "");
    free(list.at);
    return status;
}

enum xl_status xl_dynamic_all(const struct xl_dynamic *dynamic, const char *text, int most,
                              struct xl_arena *arena, const char *const **out, int *n, bool *is_all,
                              struct xl_err *err) {
    const struct xl_dynamic_node *node = NULL;
    struct all all = {.walk = {.dynamic = dynamic,
                               .arena = arena,
                               .dice = xl_dice_begin(dynamic->seed, dynamic->stream),
                               .err = err,
                               .first = first_text},
                      .most = most};
    struct list list = {.most = most};
    enum xl_status status = xl_dynamic_parse(text, arena, &node, err);
    if (!status && text[0]) status = list_node(&all, node, NULL, &list);
    const char **kept = xl_arena_alloc(arena, (size_t)list.n * sizeof *kept + 1);
    if (!status && !kept) status = no_memory(&all);
    if (!status) {
        if (list.n) memcpy(kept, list.at, (size_t)list.n * sizeof *kept);
        *out = kept;
        *n = list.n;
        *is_all = !list.is_cut && !all.is_cut;
    }
    free(list.at);
    return status;
}
