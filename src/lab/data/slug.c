/* slug.c - by Unicode's compatibility decomposition, of which the letters and digits of ASCII stay.
 */
#include "lab/data/slug.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <utf8proc.h>

struct slug {
    char *out;
    int n, max;
    bool has_gap; /* something was left out since the last character */
};

static bool is_kept(int32_t c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static void add(struct slug *slug, int32_t c) {
    if (!is_kept(c)) {
        slug->has_gap = slug->n > 0;
        return;
    }
    if (slug->n + slug->has_gap >= slug->max) { /* full; never ends in '-' */
        slug->max = slug->n;
        return;
    }
    if (slug->has_gap) slug->out[slug->n++] = '-';
    slug->has_gap = false;
    slug->out[slug->n++] = (char)c;
}

void xl_slug(const char *text, int max, char *out) {
    /* Compatibility decomposition: "É" is "e" and an accent, "ﬁ" is "fi", "Ａ" is "a". Marks and
     * characters that cannot be seen vanish. */
    const utf8proc_option_t fold = UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD |
                                   UTF8PROC_STRIPMARK | UTF8PROC_IGNORE;
    enum { LONGEST = 18 }; /* U+FDFA */
    struct slug slug = {.out = out, .max = max};
    const utf8proc_uint8_t *c = (const utf8proc_uint8_t *)text, *end = c + strlen(text);
    while (c < end && slug.n < slug.max) {
        utf8proc_int32_t character, parts[LONGEST];
        int boundclass = 0;
        utf8proc_ssize_t n = utf8proc_iterate(c, end - c, &character);
        c += n > 0 ? n : 1;
        if (n <= 0) character = ' '; /* no UTF-8 */
        n = utf8proc_decompose_char(character, parts, LONGEST, fold, &boundclass);
        for (int i = 0; i < n && i < LONGEST; i++) add(&slug, parts[i]);
    }
    out[slug.n] = 0;
    if (!slug.n) snprintf(out, (size_t)max + 1, "untitled");
}
