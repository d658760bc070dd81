/* names.c - names as people type them: what they are compared by, and which are near. Keeps
 * nothing; any thread. */
#include "lab/data/names.h"
#include "base/str.h"
#include "lab/data/slug.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_MAX = 3 * XL_NAME_MAX };

/* The letters and digits alone; false when nothing is left. */
static bool make_key(const char *name, char out[KEY_MAX + 1]) {
    size_t n = 0;
    xl_slug(name, KEY_MAX, out);
    if (!strcmp(out, "untitled")) {
        /* Of "Untitled" itself something is left. */
        bool has_letter = false;
        for (const char *c = name; *c; c++) has_letter |= (*c | 32) == 'u';
        if (!has_letter) return out[0] = 0, false;
    }
    for (const char *c = out; *c; c++)
        if (*c != '-') out[n++] = *c;
    out[n] = 0;
    return true;
}

bool xl_name_matches(const char *a, const char *b) {
    char x[KEY_MAX + 1], y[KEY_MAX + 1];
    if (!strcmp(a, b)) return true;
    return make_key(a, x) && make_key(b, y) && !strcmp(x, y);
}

int xl_named_find(const struct xl_named *list, int n, const char *name) {
    for (int i = 0; i < n; i++)
        if (!strcmp(list[i].name, name)) return i;
    for (int i = 0; i < n; i++)
        if (xl_name_matches(list[i].name, name)) return i;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < list[i].n_aliases; k++)
            if (xl_name_matches(list[i].aliases[k], name)) return i;
    return -1;
}

/* How far a name is from what was typed; from FAR on it is something else. */
enum { FAR = 100 };
static int distance(const char *wanted, const char *name) {
    char key[KEY_MAX + 1];
    size_t n = strlen(wanted);
    if (!make_key(name, key)) return FAR;
    int max = n < 4 ? 1 : n < 8 ? 2 : 3;
    int edits = xl_edit_distance(wanted, key, max);
    if (edits <= max) return edits;
    /* A part of the name, or more than it: "giger", "pixel art style". */
    bool is_part = n >= 3 && strstr(key, wanted);
    bool is_more = strlen(key) >= 4 && strstr(wanted, key);
    return is_part || is_more ? max + 1 : FAR;
}

char *xl_named_nearest(const struct xl_named *list, int n, const char *name, char *out,
                       size_t size) {
    enum { N = 3 };
    const char *best[N];
    int best_distance[N], n_best = 0;
    char wanted[KEY_MAX + 1];
    out[0] = 0;
    if (!make_key(name, wanted)) return out;
    for (int i = 0; i < n; i++) {
        int d = distance(wanted, list[i].name);
        for (int k = 0; k < list[i].n_aliases; k++) {
            int other = distance(wanted, list[i].aliases[k]);
            if (other < d) d = other;
        }
        if (d >= FAR) continue;
        int at = n_best < N ? n_best++ : N;
        while (at > 0 && best_distance[at - 1] > d) {
            if (at < N) best[at] = best[at - 1], best_distance[at] = best_distance[at - 1];
            at--;
        }
        if (at < N) best[at] = list[i].name, best_distance[at] = d;
    }
    for (int i = 0; i < n_best; i++) {
        size_t used = strlen(out);
        const char *glue = !i ? "" : i == n_best - 1 ? " or " : ", ";
        if (used + strlen(glue) + strlen(best[i]) + 3 > size) break;
        snprintf(out + used, size - used, "%s\"%s\"", glue, best[i]);
    }
    return out;
}
