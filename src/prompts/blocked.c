/* blocked.c - finding blocked words in a text. Keeps no state. */
#include "prompts/blocked.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool is_letter(char c) {
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80 || c == '\'';
}

/* Whether a phrase begins at the word that text begins with. */
static bool matches(const char *phrase, const char *text, size_t n) {
    size_t at = 0;
    for (; *phrase && *phrase != '*'; phrase++) {
        if (*phrase == ' ') { /* whatever stands between words */
            if (at >= n || is_letter(text[at])) return false;
            while (at < n && !is_letter(text[at])) at++;
        } else if (at >= n || (char)tolower((unsigned char)text[at]) != *phrase) {
            return false;
        } else {
            at++;
        }
    }
    if (*phrase == '*' || at == n || !is_letter(text[at])) return true;
    bool is_plural = tolower((unsigned char)text[at]) == 's';
    return is_plural && (at + 1 == n || !is_letter(text[at + 1]));
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void xl_blocked_settle(struct xl_blocked *blocked) {
    int i = 0;
    if (blocked->n) qsort(blocked->phrases, (size_t)blocked->n, sizeof *blocked->phrases, by_bytes);
    for (int byte = 0; byte <= 256; byte++) {
        while (i < blocked->n && (unsigned char)blocked->phrases[i][0] < byte) i++;
        blocked->from[byte] = i;
    }
}

const char *xl_blocked_find(const struct xl_blocked *blocked, const char *text, size_t length) {
    bool is_inside = false; /* of a word */
    for (size_t at = 0; blocked->n && at < length; at++) {
        bool was_inside = is_inside;
        is_inside = is_letter(text[at]);
        if (!is_inside || was_inside) continue;
        int first = tolower((unsigned char)text[at]);
        for (int i = blocked->from[first]; i < blocked->from[first + 1]; i++)
            if (matches(blocked->phrases[i], text + at, length - at)) return blocked->phrases[i];
    }
    return NULL;
}
