/* prompt_steps.c - brackets are paired first, on a stack; those whose inside makes sense become
 * groups; then the text of a step is one walk that leaves out the parts of groups which are not
 * this step's. Nothing is recursive: nesting costs memory that is in proportion to the text. */
#include "text/prompt_steps.h"
#include "base/str.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum kind {
    LITERAL, /* brackets that are text: they pair with nothing, or hold what makes no sense */
    PLAIN,   /* brackets that are left to the weights */
    SCHEDULED,
    ALTERNATE,
};

/* A bracket that opens, and what it turned out to be. */
struct group {
    size_t open, close; /* where the brackets are */
    enum kind kind;
    int parent;           /* the group around it; -1: none */
    int n_colons, n_bars; /* of its own */
    size_t last_colon;
    bool is_spoilt; /* something in it makes no sense */
    int when;       /* SCHEDULED */
};

struct steps {
    const char *text;
    size_t n;
    struct group *groups; /* in the order of their opening */
    int n_groups;
    int *stack; /* groups that are open */
    int depth;
    int n_steps;
    bool *is_change; /* [n_steps + 1]: the text changes after this step */
};

/* --- Which brackets belong together ---
 */

/* Whoever is open now holds a bracket or a bar that makes no sense there, and is text itself. */
static void spoil_all(struct steps *steps) {
    steps->depth = 0;
}

static void open_group(struct steps *steps, size_t at) {
    int parent = steps->depth ? steps->stack[steps->depth - 1] : -1;
    steps->groups[steps->n_groups] = (struct group){.open = at, .parent = parent};
    steps->stack[steps->depth++] = steps->n_groups++;
}

/* "[...:NUMBER]" with blanks around the number. */
static bool read_when(struct steps *steps, struct group *group) {
    const char *begin = steps->text + group->last_colon + 1, *end = steps->text + group->close;
    while (begin < end && isspace((unsigned char)*begin)) begin++;
    while (end > begin && isspace((unsigned char)end[-1])) end--;
    char digits[64];
    size_t n = (size_t)(end - begin);
    if (!n || n >= sizeof digits) return false;
    memcpy(digits, begin, n);
    digits[n] = 0;
    if (strspn(digits, "+-0123456789.eE") != n || !strpbrk(digits, "0123456789")) return false;
    char *stop;
    double value = strtod(digits, &stop);
    if (*stop) return false;
    if (memchr(digits, '.', n)) value *= steps->n_steps;
    group->when = value >= steps->n_steps ? steps->n_steps : value < 0 ? 0 : (int)value;
    return true;
}

static enum kind kind_of(struct steps *steps, struct group *group) {
    if (group->is_spoilt) return LITERAL;
    if (steps->text[group->open] == '(')
        return group->n_bars || group->n_colons > 1 ? LITERAL : PLAIN;
    if (group->n_bars) return group->n_colons ? LITERAL : ALTERNATE;
    if (!group->n_colons) return PLAIN;
    return group->n_colons <= 2 && read_when(steps, group) ? SCHEDULED : LITERAL;
}

static void close_group(struct steps *steps, size_t at) {
    char opener = steps->text[at] == ')' ? '(' : '[';
    struct group *group = steps->depth ? &steps->groups[steps->stack[steps->depth - 1]] : NULL;
    if (!group || steps->text[group->open] != opener) {
        spoil_all(steps);
        return;
    }
    steps->depth--;
    group->close = at;
    group->kind = kind_of(steps, group);
    if (group->kind == LITERAL && group->parent >= 0) steps->groups[group->parent].is_spoilt = true;
}

/* False: all of the text is a plain one. */
static bool find_groups(struct steps *steps) {
    for (size_t i = 0; i < steps->n; i++) {
        char c = steps->text[i];
        struct group *group = steps->depth ? &steps->groups[steps->stack[steps->depth - 1]] : NULL;
        if (c == '\\' && ++i == steps->n) return false;
        if (c == '(' || c == '[') open_group(steps, i);
        if (c == ')' || c == ']') close_group(steps, i);
        if (c == '|' && group) group->n_bars++;
        if (c != ':' || !group) continue;
        group->n_colons++;
        group->last_colon = i;
    }
    return true;
}

/* --- What a step sees ---
 */

struct walk {
    const struct steps *steps;
    int step;
    int next;  /* the group that opens next */
    int *part; /* of each open group, the part that the walk is in */
    int depth, n_hidden;
    struct xl_str out;
    bool is_wrong; /* a bar that stands in no alternative */
};

static int wanted_part(const struct walk *walk, const struct group *group) {
    if (group->kind == ALTERNATE) return (walk->step - 1) % (group->n_bars + 1);
    if (group->kind == SCHEDULED)
        return walk->step <= group->when ? group->n_colons - 2 : group->n_colons - 1;
    return 0;
}

static struct group *innermost(const struct walk *walk) {
    return walk->depth ? &walk->steps->groups[walk->steps->stack[walk->depth - 1]] : NULL;
}

static bool is_hidden(const struct walk *walk, const struct group *group) {
    if (group->kind == PLAIN) return false;
    return walk->part[walk->depth - 1] != wanted_part(walk, group);
}

/* A step of the walk over a bracket, colon or bar; whether it is text. */
static bool pass_sign(struct walk *walk, size_t i) {
    char c = walk->steps->text[i];
    struct group *group = innermost(walk);
    if (c == '(' || c == '[') {
        struct group *opened = &walk->steps->groups[walk->next];
        walk->steps->stack[walk->depth] = walk->next++;
        if (opened->kind == LITERAL) return true;
        walk->part[walk->depth++] = 0;
        walk->n_hidden += is_hidden(walk, opened);
        return opened->kind == PLAIN;
    }
    if (group && i == group->close) {
        walk->n_hidden -= is_hidden(walk, group);
        walk->depth--;
        return group->kind == PLAIN;
    }
    bool divides =
        group && ((c == ':' && group->kind == SCHEDULED) || (c == '|' && group->kind == ALTERNATE));
    if (c == '|' && !divides) walk->is_wrong = true;
    if (!divides) return true;
    walk->n_hidden -= is_hidden(walk, group);
    walk->part[walk->depth - 1]++;
    walk->n_hidden += is_hidden(walk, group);
    return false;
}

/* The text of one step, malloc'd; NULL: out of memory. */
static char *text_of(const struct steps *steps, int step, int *part, bool *is_wrong) {
    struct walk walk = {.steps = steps, .step = step, .part = part};
    for (size_t i = 0, n; i < steps->n; i += n) {
        n = strcspn(steps->text + i, "\\()[]:|");
        if (n == 0 && steps->text[i] == '\\') n = 2;
        bool is_text = n || pass_sign(&walk, i);
        if (!n) n = 1;
        if (is_text && !walk.n_hidden) xl_str_append(&walk.out, steps->text + i, n);
    }
    *is_wrong |= walk.is_wrong;
    return xl_str_take(&walk.out);
}

static void note_changes(struct steps *steps) {
    steps->is_change[steps->n_steps] = true;
    for (int i = 0; i < steps->n_groups; i++) {
        const struct group *group = &steps->groups[i];
        if (group->kind == SCHEDULED) steps->is_change[group->when] = true;
        for (int step = 1; group->kind == ALTERNATE && step <= steps->n_steps; step++)
            steps->is_change[step] = true;
    }
}

/* --- All steps ---
 */

static enum xl_status add_part(struct xl_prompt_parts *parts, int last, char *text,
                               struct xl_arena *arena, struct xl_err *err) {
    const char *kept = NULL;
    int index = parts->n_texts;
    for (int i = parts->n - 1; text && !kept && i >= 0; i--) {
        if (strcmp(parts->at[i].text, text) != 0) continue;
        kept = parts->at[i].text;
        index = parts->at[i].index;
    }
    bool is_same = parts->n && kept == parts->at[parts->n - 1].text;
    if (text && !kept) kept = xl_arena_strdup(arena, text);
    free(text);
    if (!kept) return xl_fail_nomem(err, "a prompt", 0);
    if (is_same)
        parts->at[parts->n - 1].last = last;
    else
        parts->at[parts->n++] = (struct xl_prompt_part){last, kept, index};
    if (index == parts->n_texts) parts->n_texts++;
    return XL_OK;
}

static enum xl_status list_parts(struct steps *steps, int *part, struct xl_arena *arena,
                                 struct xl_prompt_parts *out, struct xl_err *err) {
    bool is_wrong = false;
    enum xl_status status = XL_OK;
    note_changes(steps);
    int n_changes = 0;
    for (int step = 1; step <= steps->n_steps; step++) n_changes += steps->is_change[step];
    *out =
        (struct xl_prompt_parts){.at = xl_arena_alloc(arena, (size_t)n_changes * sizeof *out->at)};
    if (!out->at) return xl_fail_nomem(err, "a prompt", 0);
    for (int step = 1; !status && !is_wrong && step <= steps->n_steps; step++)
        if (steps->is_change[step])
            status = add_part(out, step, text_of(steps, step, part, &is_wrong), arena, err);
    if (status || !is_wrong) return status;
    out->n = out->n_texts = 0;
    return add_part(out, steps->n_steps, strdup(steps->text), arena, err);
}

static enum xl_status one_part(const char *text, int n_steps, struct xl_arena *arena,
                               struct xl_prompt_parts *out, struct xl_err *err) {
    *out = (struct xl_prompt_parts){.at = xl_arena_alloc(arena, sizeof *out->at)};
    if (!out->at) return xl_fail_nomem(err, "a prompt", 0);
    return add_part(out, n_steps, strdup(text), arena, err);
}

enum xl_status xl_prompt_steps(const char *text, int n_steps, struct xl_arena *arena,
                               struct xl_prompt_parts *out, struct xl_err *err) {
    struct steps steps = {.text = text, .n = strlen(text), .n_steps = n_steps < 1 ? 1 : n_steps};
    size_t n_open = 1;
    for (const char *at = text; *at; at++) n_open += *at == '(' || *at == '[';
    steps.groups = calloc(n_open, sizeof *steps.groups);
    steps.stack = calloc(n_open, sizeof *steps.stack);
    steps.is_change = calloc((size_t)steps.n_steps + 1, sizeof *steps.is_change);
    int *part = calloc(n_open, sizeof *part);
    enum xl_status status;
    if (!steps.groups || !steps.stack || !steps.is_change || !part)
        status = xl_fail_nomem(err, "a prompt", 0);
    else if (find_groups(&steps))
        status = list_parts(&steps, part, arena, out, err);
    else
        status = one_part(text, steps.n_steps, arena, out, err);
    free(steps.groups);
    free(steps.stack);
    free(steps.is_change);
    free(part);
    return status;
}
