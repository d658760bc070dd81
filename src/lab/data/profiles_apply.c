/* profiles_apply.c - profiles around a prompt: suffixes, templates, and negatives without repeats.
 */
#include "base/str.h"
#include "lab/data/profiles.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { MAX_TEXT = 256 << 10 };

static const char hole[] = "{prompt}";

/* ---- The prompt ---- */

/* What is left of a text when blanks and commas at its end are dropped. */
static size_t trimmed_length(const char *text, size_t n) {
    while (n && strchr(" \t\n,", text[n - 1])) n--;
    return n;
}

static void truncate_to(struct xl_str *str, size_t n) {
    if (str->text && n < str->len) str->text[str->len = n] = 0;
}

/* Put `inner` where a template has {prompt}. Without an inner text what surrounds the hole closes
 * up: "{prompt}, ink" is "ink", "a cat, {prompt}, ink" is "a cat, ink". */
static void fill_template(const char *words, const char *inner, struct xl_str *out) {
    for (const char *next; (next = strstr(words, hole)); words = next + sizeof hole - 1) {
        xl_str_append(out, words, (size_t)(next - words));
        if (inner[0]) {
            xl_str_puts(out, inner);
            continue;
        }
        const char *after = next + sizeof hole - 1;
        const char *before = out->text ? out->text : "";
        size_t n = trimmed_length(before, out->len);
        if (!n || strchr(before + n, ','))
            next += strspn(after, " ,");
        else if (*after == ',')
            truncate_to(out, n);
    }
    xl_str_puts(out, words);
    if (!inner[0]) truncate_to(out, trimmed_length(out->text ? out->text : "", out->len));
}

static void add_suffix(const char *words, const char *inner, struct xl_str *out) {
    size_t n = trimmed_length(inner, strlen(inner));
    xl_str_append(out, inner, n);
    if (n) xl_str_puts(out, ", ");
    xl_str_puts(out, words);
}

/* How long filling in makes a text, at most. */
static size_t styled_length(const char *words, const char *inner) {
    size_t n_holes = 0;
    for (const char *c = words; (c = strstr(c, hole)); c += sizeof hole - 1) n_holes++;
    return strlen(words) + (n_holes ? n_holes : 1) * strlen(inner) + 2;
}

static enum xl_status style_prompt(const struct xl_profile *const *stack, int n, const char *given,
                                   struct xl_arena *arena, const char **out, struct xl_err *err) {
    const char *prompt = given;
    for (int i = 0; i < n; i++) {
        const char *words = stack[i]->prompt;
        struct xl_str styled = {0};
        if (!words[0]) continue;
        size_t length = styled_length(words, prompt);
        if (length > MAX_TEXT)
            return xl_fail(err, XL_EINVAL,
                           "profile \"%s\": the prompt would have %zu bytes, at most %d",
                           stack[i]->name, length, MAX_TEXT);
        if (strstr(words, hole))
            fill_template(words, prompt, &styled);
        else
            add_suffix(words, prompt, &styled);
        char *text = xl_str_take(&styled);
        prompt = text ? xl_arena_strdup(arena, text) : NULL;
        free(text);
        if (!prompt) return xl_fail_nomem(err, "a prompt", length);
    }
    *out = prompt;
    return XL_OK;
}

/* ---- The negative ---- */

/* The terms that are in the result, folded. */
struct terms {
    struct xl_str text;
    char **seen;
    size_t n, capacity;
    bool failed;
};

/* Length of the term at text: up to the next comma or newline that is in no bracket. "\(" is a
 * letter. */
static size_t term_length(const char *text) {
    int depth = 0;
    size_t i = 0;
    for (; text[i]; i++) {
        if (text[i] == '\\' && text[i + 1]) {
            i++;
        } else if (strchr("([{<", text[i])) {
            depth++;
        } else if (strchr(")]}>", text[i])) {
            depth -= depth > 0;
        } else if ((text[i] == ',' || text[i] == '\n') && !depth) {
            break;
        }
    }
    return i;
}

/* The text in small letters, whatever the script, with one blank where it has several. malloc'd */
static char *fold(const char *text, size_t n) {
    utf8proc_uint8_t *folded = NULL;
    const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD;
    if (!xl_utf8_valid(text, n) ||
        utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)n, &folded, options) < 0)
        return strndup(text, n); /* other bytes are compared as they are */
    char *key = (char *)folded;
    size_t length = 0;
    for (const char *c = key; *c; c++) {
        bool is_blank = strchr(" \t", *c) != NULL;
        if (is_blank && length && key[length - 1] == ' ') continue;
        key[length++] = is_blank ? ' ' : *c;
    }
    key[length] = 0;
    return key;
}

static bool has_seen(const struct terms *terms, const char *key) {
    for (size_t i = 0; i < terms->n; i++)
        if (!strcmp(terms->seen[i], key)) return true;
    return false;
}

static void add_term(struct terms *terms, const char *text, size_t n) {
    while (n && strchr(" \t", text[0])) text++, n--;
    while (n && strchr(" \t", text[n - 1])) n--;
    if (!n || terms->failed) return;
    char *key = fold(text, n);
    if (key && has_seen(terms, key)) {
        free(key);
        return;
    }
    if (key && terms->n == terms->capacity) {
        size_t capacity = terms->capacity ? 2 * terms->capacity : 64;
        char **seen = realloc(terms->seen, capacity * sizeof *seen);
        terms->failed = !seen;
        if (seen) terms->seen = seen, terms->capacity = capacity;
    }
    if (!key || terms->failed) {
        terms->failed = true;
        free(key);
        return;
    }
    terms->seen[terms->n++] = key;
    if (terms->text.len) xl_str_puts(&terms->text, ", ");
    xl_str_append(&terms->text, text, n);
}

static void add_terms(struct terms *terms, const char *text) {
    for (;;) {
        size_t n = term_length(text);
        add_term(terms, text, n);
        if (!text[n]) return;
        text += n + 1;
    }
}

static void clear_terms(struct terms *terms) {
    for (size_t i = 0; i < terms->n; i++) free(terms->seen[i]);
    free(terms->seen);
    xl_str_deinit(&terms->text);
    *terms = (struct terms){.failed = terms->failed};
}

/* A negative with {prompt} in it goes around what is there, as in AUTOMATIC1111's styles; without
 * it, it comes behind. */
static enum xl_status add_negative(const struct xl_profile *profile, struct terms *terms,
                                   struct xl_err *err) {
    const char *words = profile->negative, *inner = terms->text.text ? terms->text.text : "";
    struct xl_str filled = {0};
    if (!strstr(words, hole)) {
        add_terms(terms, words);
        return XL_OK;
    }
    size_t length = styled_length(words, inner);
    if (length > MAX_TEXT)
        return xl_fail(err, XL_EINVAL,
                       "profile \"%s\": the negative prompt would have %zu bytes, at most %d",
                       profile->name, length, MAX_TEXT);
    fill_template(words, inner, &filled);
    char *text = xl_str_take(&filled);
    clear_terms(terms);
    if (text) add_terms(terms, text);
    terms->failed |= !text;
    free(text);
    return XL_OK;
}

static enum xl_status merge_negatives(const struct xl_profile *const *stack, int n,
                                      const char *given, struct xl_arena *arena, const char **out,
                                      struct xl_err *err) {
    struct terms terms = {0};
    bool has_any = false;
    for (int i = 0; i < n; i++) has_any |= stack[i]->negative[0] != 0;
    if (!has_any) {
        *out = given;
        return XL_OK;
    }
    if (given) add_terms(&terms, given);
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < n; i++) status = add_negative(stack[i], &terms, err);
    const char *text = terms.text.text ? terms.text.text : "";
    bool is_whole = !terms.failed && !terms.text.failed;
    const char *copy = is_whole ? xl_arena_strdup(arena, text) : NULL;
    clear_terms(&terms);
    if (status) return status;
    if (!copy) return xl_fail_nomem(err, "a negative prompt", 0);
    *out = copy;
    return XL_OK;
}

enum xl_status xl_profiles_apply(const struct xl_profile *const *stack, int n,
                                 const struct xl_profiles_text *given, struct xl_arena *arena,
                                 struct xl_profiles_text *out, struct xl_err *err) {
    struct xl_profiles_text text;
    enum xl_status status = style_prompt(stack, n, given->prompt, arena, &text.prompt, err);
    if (!status) status = merge_negatives(stack, n, given->negative, arena, &text.negative, err);
    if (!status) *out = text;
    return status;
}
