/* lora_text.c - reading and writing LoRAs as text. Keeps nothing; any thread. */
#include "lab/data/lora_text.h"

#include "base/str.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char PLUS[] = " + ";
static const double MOST = 1000;

/* --- Scales ----------------------------------------------------------------------------------- */

/* n bytes that are a number and nothing else: "0.8", "-1", ".5". "nan" and "inf" are none. */
static bool read_number(const char *text, size_t n, double *out) {
    char copy[40], *end;
    if (!n || n >= sizeof copy || strspn(text, "+-.0123456789eE") < n) return false;
    memcpy(copy, text, n);
    copy[n] = 0;
    *out = strtod(copy, &end);
    return end == copy + n;
}

/* The last colon of n bytes; n: there is none. */
static size_t last_colon(const char *text, size_t n) {
    size_t at = n;
    while (at && text[at - 1] != ':') at--;
    return at ? at - 1 : n;
}

/* What stands behind a name. */
struct scales {
    double text, unet;
    int n; /* how many are written: 1 is of both */
};

/* "NAME:X:Y" to its scales; returns the bytes of the name. */
static size_t split(const char *text, size_t n, struct scales *out) {
    double last, before;
    size_t colon = last_colon(text, n);
    *out = (struct scales){1, 1, 0};
    if (colon == n || !read_number(text + colon + 1, n - colon - 1, &last)) return n;
    *out = (struct scales){last, last, 1};
    size_t first = last_colon(text, colon);
    if (first == colon || !read_number(text + first + 1, colon - first - 1, &before)) return colon;
    *out = (struct scales){before, last, 2};
    return first;
}

static enum xl_status check_scales(const struct scales *scales, const char *text, size_t n,
                                   struct xl_err *err) {
    bool is_text = scales->text >= -MOST && scales->text <= MOST;
    if (is_text && scales->unet >= -MOST && scales->unet <= MOST) return XL_OK;
    return xl_fail(err, XL_EINVAL, "\"%.*s\": a scale from %g to %g is expected", (int)n, text,
                   -MOST, MOST);
}

const char *xl_lora_scales_write(double text_scale, double unet_scale,
                                 char out[XL_LORA_SCALES_MAX]) {
    char text[XL_REAL_MAX], unet[XL_REAL_MAX];
    xl_real_text(text_scale, text);
    xl_real_text(unet_scale, unet);
    out[0] = 0;
    if (text_scale != unet_scale)
        snprintf(out, XL_LORA_SCALES_MAX, ":%s:%s", text, unet);
    else if (text_scale != 1)
        snprintf(out, XL_LORA_SCALES_MAX, ":%s", unet);
    return out;
}

/* --- Texts ------------------------------------------------------------------------------------ */

static size_t trim(const char **text, size_t n) {
    while (n && strchr(" \t\r\n", (*text)[0])) (*text)++, n--;
    while (n && strchr(" \t\r\n", (*text)[n - 1])) n--;
    return n;
}

static enum xl_status add(struct xl_lora_list *list, struct xl_arena *arena, const char *name,
                          size_t n, const struct scales *scales, struct xl_err *err) {
    if (list->n == XL_LORAS_MAX)
        return xl_fail(err, XL_EINVAL, "more than %d LoRAs for one picture", XL_LORAS_MAX);
    const char *kept = xl_arena_strndup(arena, name, n);
    if (!kept) return xl_fail_nomem(err, "a LoRA's name", n);
    list->item[list->n++] = (struct xl_lora_said){kept, scales->text, scales->unet};
    return XL_OK;
}

static bool is_none(const char *text, size_t n) {
    return !n || (n == 4 && !memcmp(text, "none", 4));
}

/* The next of the parts that " + " joins: n bytes; *next moves on, NULL behind the last. */
static size_t next_part(const char **next, const char **part) {
    const char *plus = strstr(*next, PLUS);
    size_t n = plus ? (size_t)(plus - *next) : strlen(*next);
    *part = *next;
    *next = plus ? plus + sizeof PLUS - 1 : NULL;
    return trim(part, n);
}

enum xl_status xl_lora_text_read(const char *text, struct xl_arena *arena, struct xl_lora_list *out,
                                 struct xl_err *err) {
    enum xl_status status = XL_OK;
    for (const char *next = text, *part; !status && next;) {
        size_t n = next_part(&next, &part);
        struct scales scales;
        if (is_none(part, n)) continue;
        size_t n_name = split(part, n, &scales);
        if (!n_name || part[n_name - 1] == ':')
            return xl_fail(err, XL_EINVAL,
                           "\"%.*s\": expected NAME, NAME:SCALE or NAME:TEXT_SCALE:UNET_SCALE",
                           (int)n, part);
        status = check_scales(&scales, part, n, err);
        if (!status) status = add(out, arena, part, n_name, &scales, err);
    }
    return status;
}

enum xl_status xl_lora_text_rename(const char *text, xl_lora_name_fn *change, void *user,
                                   struct xl_arena *arena, const char **out, struct xl_err *err) {
    struct xl_str changed = {0};
    enum xl_status status = XL_OK;
    for (const char *next = text, *part; !status && next;) {
        size_t n = next_part(&next, &part);
        struct scales scales;
        size_t n_name = is_none(part, n) ? n : split(part, n, &scales);
        const char *name = xl_arena_strndup(arena, part, n_name), *to = NULL;
        if (!name) status = xl_fail_nomem(err, "a LoRA's name", n_name);
        if (!status && !is_none(part, n)) status = change(user, name, &to, err);
        xl_str_printf(&changed, "%s%s%.*s", changed.len ? PLUS : "",
                      to     ? to
                      : name ? name
                             : "",
                      (int)(n - n_name), part + n_name);
    }
    char *taken = xl_str_take(&changed);
    const char *kept = taken ? xl_arena_strdup(arena, taken) : NULL;
    free(taken);
    if (!status && !kept) status = xl_fail_nomem(err, "a LoRA's name", 0);
    if (!status) *out = kept;
    return status;
}

/* --- Tags ------------------------------------------------------------------------------------- */

/* Behind "<lora:" where a tag begins; NULL: none begins here. */
static const char *opened(const char *at) {
    static const char *const kinds[] = {"<lora:", "<lyco:"};
    for (int i = 0; i < 2; i++)
        if (!strncmp(at, kinds[i], strlen(kinds[i]))) return at + strlen(kinds[i]);
    return NULL;
}

static const char *find_tag(const char *text) {
    while ((text = strchr(text, '<')) && !opened(text)) text++;
    return text;
}

const char *xl_lora_tag_end(const char *at) {
    const char *begin = opened(at);
    if (!begin) return NULL;
    begin += strcspn(begin, "<>");
    return *begin == '>' ? begin + 1 : NULL;
}

bool xl_lora_tags_are_in(const char *prompt) {
    return prompt && find_tag(prompt);
}

/* "te=0.5" or "unet=1" at the end: a scale that is called by name. */
static bool read_named(const char *text, size_t n, double *te, double *unet) {
    if (n > 3 && !memcmp(text, "te=", 3)) return read_number(text + 3, n - 3, te);
    if (n > 5 && !memcmp(text, "unet=", 5)) return read_number(text + 5, n - 5, unet);
    return false;
}

/* The content of a tag: name, then scales. As in A1111 the UNet's is that of the text encoders
 * where it is not said. */
static enum xl_status read_tag(const char *text, size_t n, struct xl_arena *arena,
                               struct xl_lora_list *list, struct xl_err *err) {
    const char *whole = text;
    double te = NAN, unet = NAN;
    struct scales scales;
    size_t length = n = trim(&text, n);
    for (size_t colon; (colon = last_colon(text, n)) < n; n = colon)
        if (!read_named(text + colon + 1, n - colon - 1, &te, &unet)) break;
    n = split(text, n, &scales);
    if (!isnan(te)) scales.text = te;
    if (scales.n < 2) scales.unet = scales.text;
    if (!isnan(unet)) scales.unet = unet;
    n = trim(&text, n);
    if (!n || text[n - 1] == ':' || memchr(text, '=', n))
        return xl_fail(err, XL_EINVAL,
                       "<lora:%.*s>: expected <lora:NAME:SCALE>, <lora:NAME:TEXT_SCALE:UNET_SCALE> "
                       "or <lora:NAME:te=SCALE:unet=SCALE>",
                       (int)(length < 100 ? length : 100), whole);
    enum xl_status status = check_scales(&scales, whole, length, err);
    return status || !list ? status : add(list, arena, text, n, &scales, err);
}

enum xl_status xl_lora_tags_take(const char *prompt, struct xl_arena *arena, const char **without,
                                 struct xl_lora_list *list, struct xl_err *err) {
    struct xl_str rest = {0};
    enum xl_status status = XL_OK;
    const char *at = prompt, *tag;
    while (!status && (tag = find_tag(at))) {
        const char *begin = opened(tag);
        size_t n = strcspn(begin, "<>");
        if (begin[n] != '>')
            status =
                xl_fail(err, XL_EINVAL, "\"%.60s\": the tag is not closed; expected a '>'", tag);
        if (!status) status = read_tag(begin, n, arena, list, err);
        xl_str_append(&rest, at, (size_t)(tag - at));
        if (status) break;
        at = begin + n + 1;
        bool is_apart = !rest.len || rest.text[rest.len - 1] == ' ';
        if (is_apart && *at == ' ') at++;
        if (is_apart && !*at && rest.len) rest.text[--rest.len] = 0;
    }
    if (at != prompt) xl_str_puts(&rest, at);
    char *taken = xl_str_take(&rest);
    const char *kept = at == prompt ? prompt : taken ? xl_arena_strdup(arena, taken) : NULL;
    free(taken);
    if (!status && !kept) status = xl_fail_nomem(err, "a prompt", 0);
    if (!status) *without = kept;
    return status;
}
