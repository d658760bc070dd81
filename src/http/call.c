/* call.c - paths and queries taken apart, decoded once and checked. Keeps no state. */
#include "http/call.h"

#include "base/str.h"
#include "lab/settings/settings.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- Decoding --------------------------------------------------------------------------------- */

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum xl_status xl_call_fail_separator(struct xl_err *err) {
    return xl_fail(err, XL_EINVAL, "the address has a separator behind a percent sign");
}

/* n bytes, decoded, in the arena. In a path what was hidden by a percent sign may be no backslash,
 * and a slash for routes alone that say so: file systems and proxies read such paths in more than
 * one way. hides_slash: NULL: it is no path */
static enum xl_status decode(struct xl_arena *arena, const char *text, size_t n, bool *hides_slash,
                             const char **out, struct xl_err *err) {
    bool is_path = hides_slash != NULL;
    size_t length = 0;
    char *copy = xl_arena_alloc(arena, n + 1);
    if (!copy) return xl_fail_nomem(err, "a request", n);
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if (c == '+' && !is_path) c = ' ';
        if (text[i] == '%') {
            int high = i + 2 < n ? hex_digit(text[i + 1]) : -1;
            int low = i + 2 < n ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return xl_fail(err, XL_EINVAL,
                               "the address has a percent sign without two hexadecimal digits "
                               "after it");
            c = (char)(high << 4 | low);
            i += 2;
            if (is_path && c == '\\') return xl_call_fail_separator(err);
            if (is_path && c == '/') *hides_slash = true;
        }
        bool is_control = (unsigned char)c < 32 || c == 127;
        if (is_control && (is_path || !c || !strchr("\t\r\n", c)))
            return xl_fail(err, XL_EINVAL, "the address has a control character");
        copy[length++] = c;
    }
    if (!xl_utf8_valid(copy, length)) return xl_fail(err, XL_EINVAL, "the address is not UTF-8");
    *out = copy;
    return XL_OK;
}

static enum xl_status split_path(struct xl_call *call, const char *path, size_t n,
                                 struct xl_err *err) {
    for (size_t at = 1; at <= n;) {
        const char *slash = memchr(path + at, '/', n - at), **segment;
        size_t length = slash ? (size_t)(slash - path) - at : n - at;
        if (call->n_segments == XL_SEGMENTS_MAX)
            return xl_fail(err, XL_EINVAL, "the address has more than %d parts", XL_SEGMENTS_MAX);
        segment = &call->segments[call->n_segments++];
        enum xl_status status =
            decode(&call->arena, path + at, length, &call->hides_slash, segment, err);
        if (status) return status;
        if (!strcmp(*segment, ".") || !strcmp(*segment, "..") || strchr(*segment, '\\'))
            return xl_fail(err, XL_EINVAL,
                           "the address has a part that is \".\", \"..\", or has a "
                           "backslash");
        at += length + 1;
    }
    return XL_OK;
}

static enum xl_status split_query(struct xl_call *call, const char *query, struct xl_err *err) {
    while (*query) {
        size_t n = strcspn(query, "&"), n_name = strcspn(query, "=&");
        struct xl_pair pair = {.value = NULL};
        enum xl_status status = XL_OK;
        if (n && call->n_pairs == XL_PAIRS_MAX)
            return xl_fail(err, XL_EINVAL, "the query has more than %d parameters", XL_PAIRS_MAX);
        if (n) status = decode(&call->arena, query, n_name, NULL, &pair.name, err);
        if (!status && n && n_name < n)
            status =
                decode(&call->arena, query + n_name + 1, n - n_name - 1, NULL, &pair.value, err);
        if (status) return status;
        if (n) call->pairs[call->n_pairs++] = pair;
        query += n + (query[n] == '&');
    }
    return XL_OK;
}

enum xl_status xl_call_split(struct xl_call *call, const char *path, const char *query,
                             struct xl_err *err) {
    size_t n = strlen(path);
    call->n_segments = call->n_pairs = 0;
    call->hides_slash = false;
    if (path[0] != '/') return xl_fail(err, XL_EINVAL, "the address does not begin with a slash");
    /* "/" has no parts; a slash at the end is one more, empty part. */
    enum xl_status status = n > 1 ? split_path(call, path, n, err) : XL_OK;
    return status || !query ? status : split_query(call, query, err);
}

/* --- Matching --------------------------------------------------------------------------------- */

/* The i-th part of a pattern; *n: its length. NULL after the last. */
static const char *part_of(const char *pattern, int i, size_t *n) {
    if (!pattern[1]) return NULL;
    for (const char *at = pattern + 1;; at += *n + 1) {
        *n = strcspn(at, "/");
        if (!i--) return at;
        if (!at[*n]) return NULL;
    }
}

static const char *rest_of(struct xl_call *call, int first) {
    struct xl_str rest = {0};
    for (int i = first; i < call->n_segments; i++)
        xl_str_printf(&rest, "%s%s", i > first ? "/" : "", call->segments[i]);
    const char *copy = rest.failed ? NULL
                                   : xl_arena_strdup(&call->arena, rest.len ? rest.text : "");
    xl_str_deinit(&rest);
    return copy;
}

bool xl_route_matches(const struct xl_route *route, struct xl_call *call) {
    struct xl_pair found[XL_SEGMENTS_MAX];
    int n_found = 0, i = 0;
    size_t n;
    for (const char *part; (part = part_of(route->pattern, i, &n)); i++) {
        bool is_name = part[0] == '{',
             is_rest = is_name && n > 5 && !strncmp(part + n - 4, "...", 3);
        if (i >= call->n_segments) return false;
        const char *segment = call->segments[i];
        if (!is_name && (strlen(segment) != n || strncmp(segment, part, n) != 0)) return false;
        if (!is_name) continue;
        if (!segment[0]) return false;
        const char *name = xl_arena_strndup(&call->arena, part + 1, n - (is_rest ? 5 : 2));
        const char *value = is_rest ? rest_of(call, i) : segment;
        if (!name || !value || call->n_pairs + n_found == XL_PAIRS_MAX) return false;
        found[n_found++] = (struct xl_pair){name, value};
        if (is_rest) {
            i = call->n_segments;
            break;
        }
    }
    if (i != call->n_segments) return false;
    memmove(call->pairs + n_found, call->pairs, (size_t)call->n_pairs * sizeof *call->pairs);
    memcpy(call->pairs, found, (size_t)n_found * sizeof *found);
    call->n_pairs += n_found;
    return true;
}

/* --- Checking --------------------------------------------------------------------------------- */

static const struct xl_param *param_of(const struct xl_route *route, const char *name) {
    for (const struct xl_param *param = route->params; param && param->name; param++)
        if (!strcmp(param->name, name)) return param;
    return NULL;
}

static enum xl_status unknown(const struct xl_route *route, const char *name, struct xl_err *err) {
    struct xl_str known = {0};
    for (const struct xl_param *param = route->params; param && param->name; param++)
        xl_str_printf(&known, "%s%s", known.len ? ", " : "", param->name);
    enum xl_status status =
        known.len ? xl_fail(err, XL_EINVAL, "there is no parameter \"%.60s\" here; there are %s",
                            name, known.text)
                  : xl_fail(err, XL_EINVAL,
                            "there is no parameter \"%.60s\" here, which takes none", name);
    xl_str_deinit(&known);
    return status;
}

static enum xl_status check_number(const struct xl_param *param, const char *text,
                                   struct xl_err *err) {
    char *end, least[XL_REAL_MAX], most[XL_REAL_MAX];
    bool is_int = param->type == XL_PARAM_INT;
    errno = 0;
    double value = is_int ? (double)strtoll(text, &end, 10) : strtod(text, &end);
    bool is_number = *text && *text != ' ' && !*end && !errno && isfinite(value);
    if (is_number && (param->min >= param->max || (value >= param->min && value <= param->max)))
        return XL_OK;
    xl_real_text(param->min, least);
    xl_real_text(param->max, most);
    return param->min < param->max
               ? xl_fail(err, XL_EINVAL, "%s is \"%.60s\", expected %s from %s to %s", param->name,
                         text, is_int ? "a whole number" : "a number", least, most)
               : xl_fail(err, XL_EINVAL, "%s is \"%.60s\", expected %s", param->name, text,
                         is_int ? "a whole number" : "a number");
}

static int choice_of(const struct xl_param *param, const char *text) {
    for (int i = 0; param->choices[i]; i++)
        if (!strcmp(param->choices[i], text)) return i;
    return -1;
}

static enum xl_status check_choice(const struct xl_param *param, const char *text,
                                   struct xl_err *err) {
    struct xl_str known = {0};
    if (choice_of(param, text) >= 0) return XL_OK;
    for (int i = 0; param->choices[i]; i++)
        xl_str_printf(&known, "%s%s", i ? ", " : "", param->choices[i]);
    enum xl_status status = xl_fail(err, XL_EINVAL, "%s is \"%.60s\", expected one of %s",
                                    param->name, text, known.text ? known.text : "");
    xl_str_deinit(&known);
    return status;
}

static enum xl_status check_value(const struct xl_param *param, const char *text,
                                  struct xl_err *err) {
    bool is_on;
    size_t most = param->max > 0 ? (size_t)param->max : 4096;
    if (param->type == XL_PARAM_SWITCH)
        return text ? xl_read_switch(text, param->name, &is_on, err) : XL_OK;
    if (!text) return xl_fail(err, XL_EINVAL, "%s needs a value", param->name);
    if (param->type == XL_PARAM_CHOICE) return check_choice(param, text, err);
    if (param->type != XL_PARAM_TEXT) return check_number(param, text, err);
    if (strlen(text) > most)
        return xl_fail(err, XL_EINVAL, "%s has %zu bytes, expected at most %zu", param->name,
                       strlen(text), most);
    return XL_OK;
}

static bool is_said(const struct xl_call *call, const char *name) {
    for (int i = 0; i < call->n_pairs; i++)
        if (!strcmp(call->pairs[i].name, name)) return true;
    return false;
}

enum xl_status xl_call_check(const struct xl_call *call, const char **field, struct xl_err *err) {
    const struct xl_route *route = call->route;
    for (int i = 0; i < call->n_pairs; i++) {
        const struct xl_pair *pair = &call->pairs[i];
        const struct xl_param *param = param_of(route, pair->name);
        *field = pair->name;
        if (!param && route->flags & XL_ROUTE_LAX) continue;
        if (!param) return unknown(route, pair->name, err);
        for (int k = 0; k < i; k++)
            if (!strcmp(call->pairs[k].name, pair->name))
                return xl_fail(err, XL_EINVAL, "%s is said twice", pair->name);
        enum xl_status status = check_value(param, pair->value, err);
        if (status) return status;
    }
    for (const struct xl_param *param = route->params; param && param->name; param++) {
        *field = param->name;
        if (param->is_required && !is_said(call, param->name))
            return xl_fail(err, XL_EINVAL, "the parameter %s is missing: %s", param->name,
                           param->help);
    }
    *field = NULL;
    return XL_OK;
}

/* --- Values ----------------------------------------------------------------------------------- */

const char *xl_call_text(const struct xl_call *call, const char *name) {
    for (int i = 0; i < call->n_pairs; i++)
        if (!strcmp(call->pairs[i].name, name)) return call->pairs[i].value;
    return NULL;
}

int64_t xl_call_int(const struct xl_call *call, const char *name, int64_t otherwise) {
    const char *text = xl_call_text(call, name);
    return text ? strtoll(text, NULL, 10) : otherwise;
}

double xl_call_real(const struct xl_call *call, const char *name, double otherwise) {
    const char *text = xl_call_text(call, name);
    return text ? strtod(text, NULL) : otherwise;
}

bool xl_call_switch(const struct xl_call *call, const char *name, bool otherwise) {
    bool is_on = true;
    if (!is_said(call, name)) return otherwise;
    const char *text = xl_call_text(call, name);
    return !text || xl_read_switch(text, name, &is_on, NULL) == XL_OK ? is_on : otherwise;
}

int xl_call_choice(const struct xl_call *call, const char *name, int otherwise) {
    const char *text = xl_call_text(call, name);
    return text ? choice_of(param_of(call->route, name), text) : otherwise;
}
