/* dynamic_draw.c - one text of a template, by chance; and what every way over a template needs.
 * Keeps no state.
 */
#include "prompts/dynamic_tree.h"

#include <stdlib.h>
#include <string.h>

enum xl_status xl_dynamic_enter(struct xl_dynamic_walk *walk) {
    if (walk->depth >= XL_DYNAMIC_MAX_DEPTH)
        return xl_fail(walk->err, XL_EINVAL,
                       "endless: a wildcard or a variable leads back to itself, or they lie deeper "
                       "than %d in each other",
                       XL_DYNAMIC_MAX_DEPTH);
    if (walk->steps >= XL_DYNAMIC_MAX_STEPS)
        return xl_fail(walk->err, XL_EINVAL, "the template takes more than %d steps",
                       XL_DYNAMIC_MAX_STEPS);
    walk->depth++;
    walk->steps++;
    return XL_OK;
}

void xl_dynamic_leave(struct xl_dynamic_walk *walk) {
    walk->depth--;
}

static enum xl_status no_memory(struct xl_dynamic_walk *walk) {
    return xl_fail_nomem(walk->err, "a template", 0);
}

/* --- Variables -------------------------------------------------------------------------------- */

const struct xl_dynamic_node *xl_dynamic_value(const struct xl_dynamic_scope *scope,
                                               const char *name) {
    for (; scope; scope = scope->next)
        if (!strcmp(scope->name, name)) return scope->value;
    return NULL;
}

const struct xl_dynamic_scope *xl_dynamic_set(struct xl_dynamic_walk *walk, const char *name,
                                              const struct xl_dynamic_node *value,
                                              const struct xl_dynamic_scope *scope) {
    struct xl_dynamic_scope *set = xl_arena_alloc(walk->arena, sizeof *set);
    if (set) *set = (struct xl_dynamic_scope){name, value, scope};
    return set;
}

/* A text as a node. NULL: out of memory */
static const struct xl_dynamic_node *words_of(struct xl_dynamic_walk *walk, struct xl_str *text) {
    struct xl_dynamic_node *node = xl_arena_alloc(walk->arena, sizeof *node);
    char *taken = xl_str_take(text);
    const char *kept = node && taken ? xl_arena_strdup(walk->arena, taken) : NULL;
    free(taken);
    if (!kept) return NULL;
    *node = (struct xl_dynamic_node){.kind = XL_DYNAMIC_WORDS, .text = kept};
    return node;
}

/* One text of a node, as a node. */
static enum xl_status sample(struct xl_dynamic_walk *walk, const struct xl_dynamic_node *node,
                             const struct xl_dynamic_scope *scope,
                             const struct xl_dynamic_node **out) {
    struct xl_str text = {0};
    enum xl_status status = walk->first ? walk->first(walk, node, scope, &text)
                                        : xl_dynamic_draw_node(walk, node, scope, &text);
    if (status) {
        xl_str_deinit(&text);
        return status;
    }
    *out = words_of(walk, &text);
    return *out ? XL_OK : no_memory(walk);
}

enum xl_status xl_dynamic_assign(struct xl_dynamic_walk *walk, const struct xl_dynamic_node *node,
                                 const struct xl_dynamic_scope **scope) {
    const struct xl_dynamic_scope *outer = *scope, *inner = outer;
    for (int i = 0; i < node->n; i++) {
        const struct xl_dynamic_node *set = node->child[i];
        if (set->kind != XL_DYNAMIC_SET) continue;
        const struct xl_dynamic_node *value = set->child[0];
        if (set->keeps_value && xl_dynamic_value(outer, set->text))
            value = xl_dynamic_value(outer, set->text);
        else if (set->is_immediate) {
            enum xl_status status = sample(walk, value, outer, &value);
            if (status) return status;
        }
        inner = xl_dynamic_set(walk, set->text, value, inner);
        if (!inner) return no_memory(walk);
    }
    *scope = inner;
    return XL_OK;
}

/* --- Wildcards -------------------------------------------------------------------------------- */

enum xl_status xl_dynamic_look_up(struct xl_dynamic_walk *walk, const struct xl_dynamic_node *node,
                                  const struct xl_dynamic_scope *scope,
                                  struct xl_dynamic_values *out) {
    const struct xl_dynamic_node *path = NULL;
    struct xl_wildcard_value *found = NULL;
    *out = (struct xl_dynamic_values){.scope = scope};
    enum xl_status status = sample(walk, node->child[0], scope, &path);
    if (status) return status;
    if (walk->dynamic->wildcards)
        status =
            xl_wildcards_find(walk->dynamic->wildcards, path->text, &found, &out->n, walk->err);
    if (!status && out->n) { /* the arena keeps them */
        size_t bytes = (size_t)out->n * sizeof *found;
        struct xl_wildcard_value *kept = xl_arena_alloc(walk->arena, bytes);
        if (kept) memcpy(kept, found, bytes);
        out->value = kept;
        if (!kept) status = no_memory(walk);
    } else if (!status) {
        out->missing = xl_arena_printf(walk->arena, "__%s__", path->text);
        if (!out->missing) status = no_memory(walk);
    }
    free(found);
    for (int i = 0; !status && i < node->n_parameters; i++) {
        out->scope =
            xl_dynamic_set(walk, node->parameters[i].name, node->parameters[i].value, out->scope);
        if (!out->scope) status = no_memory(walk);
    }
    struct xl_str *notices = walk->dynamic->notices;
    if (!status && out->missing && notices &&
        !(notices->text && strstr(notices->text, out->missing)))
        xl_str_printf(notices, "there is no wildcard %s; it stays as it is written\n",
                      out->missing);
    return status;
}

/* --- Joining ---------------------------------------------------------------------------------- */

void xl_dynamic_join(struct xl_str *out, const char *const *texts, int n,
                     const struct xl_bounds *bounds) {
    struct xl_str joined = {0};
    const char *between = bounds->between;
    size_t n_between = bounds->n_between;
    for (int i = 0; i < n; i++) {
        if (i) xl_str_append(&joined, between, n_between);
        xl_str_puts(&joined, texts[i]);
    }
    const char *from = joined.text ? joined.text : "";
    size_t length = joined.len;
    if (n > 1 && n_between && length >= n_between && !memcmp(from, between, n_between))
        from += n_between, length -= n_between;
    if (n > 1 && n_between && length >= n_between &&
        !memcmp(from + length - n_between, between, n_between))
        length -= n_between;
    xl_str_append(out, from, length);
    out->failed |= joined.failed;
    xl_str_deinit(&joined);
}

void xl_dynamic_wrap(struct xl_str *out, const char *wrapper, const char *inner) {
    const char *dots = strstr(wrapper, "...");
    size_t n = dots ? (size_t)(dots - wrapper) : strlen(wrapper);
    xl_str_append(out, wrapper, n);
    xl_str_puts(out, inner);
    if (dots) xl_str_puts(out, dots + 3);
}

/* --- By chance -------------------------------------------------------------------------------- */

/* The text of one value of a wildcard, which is a template. */
static enum xl_status draw_value(struct xl_dynamic_walk *walk, const char *value,
                                 const struct xl_dynamic_scope *scope, struct xl_str *out) {
    const struct xl_dynamic_node *node = NULL;
    struct xl_err why = {0};
    enum xl_status status = xl_dynamic_parse(value, walk->arena, &node, &why);
    if (status) return xl_fail(walk->err, status, "\"%.60s\" of a wildcard: %s", value, why.text);
    return xl_dynamic_draw_node(walk, node, scope, out);
}

/* Take one of n by weight, among those that weigh something; -1: none does. */
static int pick(struct xl_dynamic_walk *walk, const uint64_t *weight, int n) {
    uint64_t sum = 0;
    for (int i = 0; i < n; i++) sum += weight[i];
    if (!sum) return -1;
    uint64_t at = xl_dice_below(&walk->dice, sum);
    int i = 0;
    while (at >= weight[i]) at -= weight[i++];
    return i;
}

static int in_turn(const struct xl_dynamic_walk *walk, int n) {
    return (int)(walk->dynamic->seed % (uint64_t)n);
}

static bool goes_round(enum xl_dynamic_method method) {
    return method == XL_DYNAMIC_IN_TURN || method == XL_DYNAMIC_EACH;
}

/* Some of what there is to choose from: options of a choice, or values of a wildcard. */
struct offer {
    const struct xl_dynamic_node *choice; /* its bounds; options where there are no values */
    const struct xl_dynamic_values *values;
    int n;
    uint64_t *weight; /* [n]; what was taken becomes 0 */
    const struct xl_dynamic_scope *scope;
};

static enum xl_status draw_offered(struct xl_dynamic_walk *walk, const struct offer *offer, int i,
                                   struct xl_str *out) {
    if (offer->values)
        return draw_value(walk, offer->values->value[i].text, offer->values->scope, out);
    return xl_dynamic_draw_node(walk, offer->choice->child[i], offer->scope, out);
}

static enum xl_status draw_some(struct xl_dynamic_walk *walk, struct offer *offer,
                                enum xl_dynamic_method method, struct xl_str *out) {
    const struct xl_bounds *bounds = &offer->choice->bounds;
    int least = bounds->least < offer->n ? bounds->least : offer->n;
    int most = bounds->most < offer->n ? bounds->most : offer->n, count = least;
    if (most > least) count += (int)xl_dice_below(&walk->dice, (uint64_t)(most - least) + 1);
    const char **texts = xl_arena_alloc(walk->arena, (size_t)count * sizeof *texts + 1);
    enum xl_status status = texts ? XL_OK : no_memory(walk);
    int n = 0;
    for (; !status && n < count; n++) {
        struct xl_str text = {0};
        int i = count == 1 && goes_round(method) ? in_turn(walk, offer->n)
                                                 : pick(walk, offer->weight, offer->n);
        if (i < 0) break;
        offer->weight[i] = 0;
        status = draw_offered(walk, offer, i, &text);
        const struct xl_dynamic_node *words = status ? NULL : words_of(walk, &text);
        if (status) xl_str_deinit(&text);
        if (!status && !words) status = no_memory(walk);
        if (!status) texts[n] = words->text;
    }
    if (!status) xl_dynamic_join(out, texts, n, bounds);
    return status;
}

static enum xl_status draw_choice(struct xl_dynamic_walk *walk, const struct xl_dynamic_node *node,
                                  const struct xl_dynamic_scope *scope, struct xl_str *out) {
    struct offer offer = {.choice = node, .n = node->n, .scope = scope};
    struct xl_dynamic_values values;
    enum xl_status status = XL_OK;
    if (node->n == 1 && node->child[0]->kind == XL_DYNAMIC_WILDCARD) {
        status = xl_dynamic_look_up(walk, node->child[0], scope, &values);
        if (!status && values.n) offer.values = &values, offer.n = values.n;
    }
    offer.weight = xl_arena_alloc(walk->arena, (size_t)offer.n * sizeof *offer.weight + 1);
    if (!status && !offer.weight) status = no_memory(walk);
    for (int i = 0; !status && i < offer.n; i++)
        offer.weight[i] = offer.values ? values.value[i].weight : node->weight[i];
    return status ? status : draw_some(walk, &offer, node->method, out);
}

static enum xl_status draw_wildcard(struct xl_dynamic_walk *walk,
                                    const struct xl_dynamic_node *node,
                                    const struct xl_dynamic_scope *scope, struct xl_str *out) {
    struct xl_dynamic_values values;
    enum xl_status status = xl_dynamic_look_up(walk, node, scope, &values);
    if (status) return status;
    if (!values.n) {
        xl_str_puts(out, values.missing);
        return XL_OK;
    }
    uint64_t sum = 0;
    for (int i = 0; i < values.n; i++) sum += values.value[i].weight;
    int i = 0;
    if (goes_round(node->method))
        i = in_turn(walk, values.n);
    else
        for (uint64_t at = xl_dice_below(&walk->dice, sum); at >= values.value[i].weight; i++)
            at -= values.value[i].weight;
    return draw_value(walk, values.value[i].text, values.scope, out);
}

static enum xl_status draw_wrap(struct xl_dynamic_walk *walk, const struct xl_dynamic_node *node,
                                const struct xl_dynamic_scope *scope, struct xl_str *out) {
    struct xl_str parts[2] = {{0}, {0}};
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < 2; i++)
        status = xl_dynamic_draw_node(walk, node->child[i], scope, &parts[i]);
    if (!status)
        xl_dynamic_wrap(out, parts[0].text ? parts[0].text : "",
                        parts[1].text ? parts[1].text : "");
    for (int i = 0; i < 2; i++) out->failed |= parts[i].failed, xl_str_deinit(&parts[i]);
    return status;
}

static enum xl_status draw_inside(struct xl_dynamic_walk *walk, const struct xl_dynamic_node *node,
                                  const struct xl_dynamic_scope *scope, struct xl_str *out) {
    enum xl_status status = XL_OK;
    const struct xl_dynamic_node *value;
    switch (node->kind) {
    case XL_DYNAMIC_WORDS:
        xl_str_puts(out, node->text);
        break;
    case XL_DYNAMIC_SEQUENCE:
        status = xl_dynamic_assign(walk, node, &scope);
        for (int i = 0; !status && i < node->n; i++)
            status = xl_dynamic_draw_node(walk, node->child[i], scope, out);
        break;
    case XL_DYNAMIC_CHOICE:
        return draw_choice(walk, node, scope, out);
    case XL_DYNAMIC_WILDCARD:
        return draw_wildcard(walk, node, scope, out);
    case XL_DYNAMIC_SET:
        break; /* done by its sequence */
    case XL_DYNAMIC_GET:
        value = xl_dynamic_value(scope, node->text);
        if (!value && node->n) value = node->child[0];
        if (!value)
            return xl_fail(walk->err, XL_EINVAL, "the variable %.60s is not set", node->text);
        return xl_dynamic_draw_node(walk, value, scope, out);
    case XL_DYNAMIC_WRAP:
        return draw_wrap(walk, node, scope, out);
    }
    return status;
}

enum xl_status xl_dynamic_draw_node(struct xl_dynamic_walk *walk,
                                    const struct xl_dynamic_node *node,
                                    const struct xl_dynamic_scope *scope, struct xl_str *out) {
    enum xl_status status = xl_dynamic_enter(walk);
    if (status) return status;
    status = draw_inside(walk, node, scope, out);
    xl_dynamic_leave(walk);
    if (status) return status;
    if (out->failed) return no_memory(walk);
    if (out->len > XL_DYNAMIC_MAX_TEXT)
        return xl_fail(walk->err, XL_EINVAL, "the prompt becomes longer than 256 KiB");
    return XL_OK;
}

enum xl_status xl_dynamic_draw(const struct xl_dynamic *dynamic, const char *text,
                               struct xl_arena *arena, const char **out, struct xl_err *err) {
    const struct xl_dynamic_node *node = NULL;
    struct xl_dynamic_walk walk = {.dynamic = dynamic,
                                   .arena = arena,
                                   .dice = xl_dice_begin(dynamic->seed, dynamic->stream),
                                   .err = err};
    struct xl_str made = {0};
    enum xl_status status = xl_dynamic_parse(text, arena, &node, err);
    if (!status) status = xl_dynamic_draw_node(&walk, node, NULL, &made);
    const struct xl_dynamic_node *words = status ? NULL : words_of(&walk, &made);
    if (status) xl_str_deinit(&made);
    if (!status && !words) status = no_memory(&walk);
    if (!status) *out = words->text;
    return status;
}
