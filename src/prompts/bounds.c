/* bounds.c - reading numbers of alternatives and weights. Keeps no state. */
#include "prompts/bounds.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

/* Digits; what is beyond counts as all. -1: none */
static int read_count(const char **at) {
    int n = -1;
    for (; isdigit((unsigned char)**at); (*at)++) {
        n = (n < 0 ? 0 : n) * 10 + (**at - '0');
        if (n > XL_BOUNDS_ALL) n = XL_BOUNDS_ALL;
    }
    return n;
}

/* "SEPARATOR$$": one without braces, '$' and ends of lines. */
static void read_between(const char **text, struct xl_bounds *out) {
    size_t n = strcspn(*text, "${}\n\r");
    if (strncmp(*text + n, "$$", 2) != 0) return;
    out->between = *text;
    out->n_between = n;
    *text += n + 2;
}

bool xl_bounds_read(const char **text, struct xl_bounds *out) {
    const char *at = *text;
    int least = read_count(&at), most = least;
    if (*at == '-') {
        at++;
        most = read_count(&at);
        if (least < 0 && most < 0) return false;
        if (most < 0) most = XL_BOUNDS_ALL;
    }
    if (most < 0 || strncmp(at, "$$", 2) != 0) return false;
    if (least < 0) least = 1;
    *out = (struct xl_bounds){least < most ? least : most, least < most ? most : least, NULL, 0};
    at += 2;
    read_between(&at, out);
    *text = at;
    return true;
}

bool xl_weight_read(const char **text, uint64_t *weight) {
    const char *at = *text + strspn(*text, " \t");
    uint64_t whole = 0, part = 0, unit = XL_WEIGHT_UNIT;
    bool has_digit = false;
    for (; isdigit((unsigned char)*at); at++) {
        has_digit = true;
        whole = whole < XL_WEIGHT_UNIT ? whole * 10 + (uint64_t)(*at - '0') : whole;
    }
    if (*at == '.')
        for (at++; isdigit((unsigned char)*at); at++) {
            has_digit = true;
            unit /= 10;
            part += unit * (uint64_t)(*at - '0');
        }
    at += strspn(at, " ");
    if (!has_digit || strncmp(at, "::", 2) != 0) return false;
    *weight = whole * XL_WEIGHT_UNIT + part;
    *text = at + 2;
    return true;
}

bool xl_weight_of(const json_t *value, uint64_t *weight) {
    double number = json_is_number(value) ? json_number_value(value) : -1;
    if (!(number >= 0 && number <= 1000)) return false;
    *weight = (uint64_t)llround(number * XL_WEIGHT_UNIT);
    return true;
}
