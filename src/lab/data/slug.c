/* slug.c - by Unicode's compatibility composition, of which letters and digits stay. Keeps no
 * state. */
#include "lab/data/slug.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <utf8proc.h>

enum {
    FOLDED_MAX = 1024, /* characters; names are shorter */
    LONGEST = 18,      /* of what one character is decomposed into: U+FDFA */
};

struct slug {
    char *out;
    int n, max;
    bool has_gap;     /* something was left out since the last character */
    bool takes_marks; /* the last character was a letter that keeps what stands above it */
};

static bool is_letter(utf8proc_int32_t c) {
    utf8proc_category_t category = utf8proc_category(c);
    return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
           (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

static bool is_mark(utf8proc_int32_t c) {
    utf8proc_category_t category = utf8proc_category(c);
    return category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME;
}

static bool is_symbol(utf8proc_int32_t c) {
    return utf8proc_category(c) == UTF8PROC_CATEGORY_SO;
}

/* All of the bytes or none. */
static void append(struct slug *slug, const char *bytes, int n) {
    if (slug->n + slug->has_gap + n > slug->max) { /* full; never ends in '-' */
        slug->max = slug->n;
        return;
    }
    if (slug->has_gap) slug->out[slug->n++] = '-';
    slug->has_gap = false;
    memcpy(slug->out + slug->n, bytes, (size_t)n);
    slug->n += n;
}

static void append_character(struct slug *slug, utf8proc_int32_t c) {
    utf8proc_uint8_t bytes[4];
    append(slug, (const char *)bytes, (int)utf8proc_encode_char(c, bytes));
}

/* The ASCII letter that a letter is without its accents, or the letter as it is. */
static utf8proc_int32_t without_accents(utf8proc_int32_t c) {
    utf8proc_int32_t parts[LONGEST];
    int boundclass = 0;
    utf8proc_ssize_t n =
        utf8proc_decompose_char(c, parts, LONGEST, UTF8PROC_DECOMPOSE, &boundclass);
    return n > 0 && parts[0] < 128 ? parts[0] : c;
}

static void add(struct slug *slug, utf8proc_int32_t c) {
    if (is_letter(c)) {
        c = without_accents(c);
        slug->takes_marks = c >= 128;
        append_character(slug, c);
    } else if (is_mark(c)) {
        if (slug->takes_marks && !slug->has_gap) append_character(slug, c);
    } else {
        slug->has_gap = slug->n > 0;
    }
}

/* What people draw with where they write no letters, by its number: "u1f98a". */
static void add_symbol(struct slug *slug, utf8proc_int32_t c) {
    char word[12];
    if (!is_symbol(c)) return;
    slug->has_gap = slug->n > 0;
    append(slug, word, snprintf(word, sizeof word, "u%x", (unsigned)c));
}

/* A text as its letters are compared: composed, case folded, whatever lies between letters a blank.
 * In a fixed room, so that a name is never made from what lack of memory left of another. */
struct folded {
    utf8proc_int32_t at[FOLDED_MAX];
    int n;
};

static void fold_character(struct folded *folded, utf8proc_int32_t c) {
    const utf8proc_option_t fold = UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD |
                                   UTF8PROC_IGNORE;
    utf8proc_int32_t parts[LONGEST];
    int boundclass = 0;
    utf8proc_ssize_t n = utf8proc_decompose_char(c, parts, LONGEST, fold, &boundclass);
    for (int i = 0; i < n && folded->n < FOLDED_MAX; i++) {
        bool is_gap = !is_letter(parts[i]) && !is_mark(parts[i]) && !is_symbol(parts[i]);
        if (is_gap && (!folded->n || folded->at[folded->n - 1] == ' ')) continue;
        folded->at[folded->n++] = is_gap ? ' ' : parts[i];
    }
}

/* What is no UTF-8 is a gap. */
static void fold_text(struct folded *folded, const char *text) {
    folded->n = 0;
    while (*text && folded->n < FOLDED_MAX) {
        utf8proc_int32_t c;
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text, -1, &c);
        fold_character(folded, n > 0 ? c : ' ');
        text += n > 0 ? n : 1;
    }
    const utf8proc_option_t compose = UTF8PROC_COMPOSE | UTF8PROC_STABLE;
    utf8proc_ssize_t n = utf8proc_normalize_utf32(folded->at, folded->n, compose);
    if (n >= 0) folded->n = (int)n;
}

static void fill(struct slug *slug, const struct folded *folded,
                 void (*take)(struct slug *slug, utf8proc_int32_t c)) {
    for (int i = 0; i < folded->n && slug->n < slug->max; i++) take(slug, folded->at[i]);
    slug->out[slug->n] = 0;
}

void xl_slug(const char *text, int max, char *out) {
    /* "É" is "é", "ﬁ" is "fi", "Ａ" is "a"; an accent of its own joins its letter; characters that
     * cannot be seen vanish. */
    struct folded folded;
    fold_text(&folded, text);
    struct slug slug = {.out = out, .max = max};
    fill(&slug, &folded, add);
    if (!slug.n) {
        slug = (struct slug){.out = out, .max = max};
        fill(&slug, &folded, add_symbol);
    }
    if (!slug.n) snprintf(out, (size_t)max + 1, "untitled");
}
