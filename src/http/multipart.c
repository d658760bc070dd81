/* multipart.c - a state machine over bytes. Content is handed on from the caller's bytes; only what
 * may be the beginning of a delimiter is held back, and that need not be copied: it is the
 * delimiter's own beginning. */
#include "http/multipart.h"

#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum state {
    PREAMBLE, /* before the first delimiter, which begins the body or a line */
    AFTER,    /* a delimiter: "--" is the last, CR LF a part */
    HEADERS,
    CONTENT,
    EPILOGUE,
    FAILED,
};

struct xl_multipart {
    struct xl_multipart_limits limits;
    struct xl_multipart_sink sink;
    /* "\r\n--BOUNDARY", and for each beginning of it the length of the longest one that is also its
     * end: how much of what was held back may still begin a delimiter (Knuth, Morris, Pratt). */
    char delimiter[XL_MULTIPART_BOUNDARY_MAX + 5];
    int n_delimiter, fail[XL_MULTIPART_BOUNDARY_MAX + 5];
    enum state state;
    int matched; /* bytes of the delimiter that were seen */
    char after[2];
    int n_after;
    char headers[XL_MULTIPART_HEADERS_MAX + 1];
    int n_headers;
    int n_parts;
    size_t n_part, n_total;
    bool is_too_large;
    char name[XL_MULTIPART_NAME_MAX + 1], file_name[XL_MULTIPART_NAME_MAX + 1], type[128];
};

/* --- Parameters of headers -------------------------------------------------------------------- */

enum found { IS_WRONG = -1, IS_ABSENT, IS_THERE };

/* The value of a parameter (name=value or name="value" behind a ';'), into out. Browsers write '"'
 * in names as %22, and line ends as %0D%0A. */
static enum found read_parameter(const char *header, const char *name, char *out, size_t size) {
    size_t n = strlen(name), length = 0;
    for (const char *at = strchr(header, ';'); at; at = strchr(at, ';')) {
        at += 1 + strspn(at + 1, " \t");
        bool is_it = !strncasecmp(at, name, n) && at[n] == '=';
        at += is_it ? n + 1 : strcspn(at, "=;");
        if (!is_it && *at == '=') at++;
        bool is_quoted = *at == '"';
        for (at += is_quoted; *at && (is_quoted ? *at != '"' : !strchr("; \t", *at)); at++) {
            if (is_quoted && *at == '\\' && (at[1] == '"' || at[1] == '\\')) at++;
            if (is_it && length + 1 >= size) return IS_WRONG;
            if (is_it) out[length++] = *at;
        }
        if (is_quoted && *at != '"') return IS_WRONG;
        if (!is_it) continue;
        out[length] = 0;
        return IS_THERE;
    }
    return IS_ABSENT;
}

static bool is_boundary(const char *text) {
    size_t n =
        strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'()+_,-./:=? ");
    return n && n <= XL_MULTIPART_BOUNDARY_MAX && !text[n] && text[n - 1] != ' ';
}

/* --- Making ----------------------------------------------------------------------------------- */

static void prepare_delimiter(struct xl_multipart *multipart, const char *boundary) {
    char *text = multipart->delimiter;
    multipart->n_delimiter = snprintf(text, sizeof multipart->delimiter, "\r\n--%s", boundary);
    for (int i = 1, k = 0; i < multipart->n_delimiter; i++) {
        while (k && text[i] != text[k]) k = multipart->fail[k - 1];
        k += text[i] == text[k];
        multipart->fail[i] = k;
    }
    multipart->matched = 2; /* as if a line had ended before the body */
}

enum xl_status xl_multipart_new(const char *content_type, const struct xl_multipart_limits *limits,
                                const struct xl_multipart_sink *sink, struct xl_multipart **out,
                                struct xl_err *err) {
    static const char type[] = "multipart/form-data";
    char boundary[XL_MULTIPART_BOUNDARY_MAX + 1];
    size_t n = sizeof type - 1;
    if (!content_type || strncasecmp(content_type, type, n) != 0 || !content_type[n] ||
        !strchr("; \t", content_type[n]) ||
        read_parameter(content_type + n, "boundary", boundary, sizeof boundary) != IS_THERE ||
        !is_boundary(boundary))
        return xl_fail(err, XL_EINVAL,
                       "Content-Type is \"%.100s\", expected multipart/form-data with a boundary",
                       content_type ? content_type : "");
    struct xl_multipart *multipart = calloc(1, sizeof *multipart);
    if (!multipart) return xl_fail_nomem(err, "a form", sizeof *multipart);
    multipart->limits = *limits;
    multipart->sink = *sink;
    prepare_delimiter(multipart, boundary);
    *out = multipart;
    return XL_OK;
}

void xl_multipart_free(struct xl_multipart *multipart) {
    free(multipart);
}

bool xl_multipart_is_too_large(const struct xl_multipart *multipart) {
    return multipart->is_too_large;
}

/* --- Parts ------------------------------------------------------------------------------------ */

static enum xl_status fail(struct xl_multipart *multipart, struct xl_err *err, const char *why) {
    multipart->state = FAILED;
    return xl_fail(err, XL_EINVAL, "the form of parts %s", why);
}

static enum xl_status too_large(struct xl_multipart *multipart, struct xl_err *err,
                                const char *what, size_t most) {
    multipart->state = FAILED;
    multipart->is_too_large = true;
    return xl_fail(err, XL_EINVAL, "the form of parts has more than %zu %s", most, what);
}

/* A header line's value, when it is the header of that name. */
static const char *value_of(const char *line, const char *name) {
    size_t n = strlen(name);
    if (strncasecmp(line, name, n) != 0 || line[n] != ':') return NULL;
    return line + n + 1 + strspn(line + n + 1, " \t");
}

/* The lines of a part's headers: what it is called, and of which type. */
static enum xl_status read_lines(struct xl_multipart *multipart, const char **disposition,
                                 struct xl_err *err) {
    char *end;
    for (char *line = multipart->headers; *line; line = end + 2) {
        end = strstr(line, "\r\n");
        if (!end) return fail(multipart, err, "has headers without an end");
        *end = 0;
        if (line[strcspn(line, "\r\n")]) return fail(multipart, err, "has a line end in a header");
        const char *type = value_of(line, "Content-Type");
        const char *found = value_of(line, "Content-Disposition");
        if (type) snprintf(multipart->type, sizeof multipart->type, "%s", type);
        if (found && *disposition) return fail(multipart, err, "names a part twice");
        if (found) *disposition = found;
    }
    if (*disposition && !strncasecmp(*disposition, "form-data", 9)) return XL_OK;
    return fail(multipart, err, "has a part that is not form-data");
}

static enum xl_status begin_part(struct xl_multipart *multipart, struct xl_err *err) {
    const char *disposition = NULL;
    size_t n = (size_t)multipart->n_headers - 2; /* without the empty line */
    multipart->headers[n] = 0;
    multipart->type[0] = 0;
    if (strlen(multipart->headers) != n || !xl_utf8_valid(multipart->headers, n))
        return fail(multipart, err, "has headers that are no text");
    enum xl_status status = read_lines(multipart, &disposition, err);
    if (status) return status;
    if (read_parameter(disposition, "name", multipart->name, sizeof multipart->name) != IS_THERE)
        return fail(multipart, err, "has a part without a name, or with one that is too long");
    enum found file =
        read_parameter(disposition, "filename", multipart->file_name, sizeof multipart->file_name);
    if (file == IS_WRONG)
        return fail(multipart, err, "has a file's name that is too long or has no end");
    struct xl_part_head part = {.name = multipart->name,
                                .file_name = file == IS_THERE ? multipart->file_name : NULL,
                                .type = multipart->type[0] ? multipart->type : NULL};
    if (++multipart->n_parts > multipart->limits.parts)
        return too_large(multipart, err, "parts", (size_t)multipart->limits.parts);
    multipart->n_part = 0;
    multipart->n_headers = 0;
    multipart->matched = 0;
    multipart->state = CONTENT;
    return multipart->sink.begin(multipart->sink.user, &part, err);
}

static enum xl_status put_content(struct xl_multipart *multipart, const char *bytes, size_t n,
                                  struct xl_err *err) {
    if (!n || multipart->state == PREAMBLE) return XL_OK;
    multipart->n_part += n;
    multipart->n_total += n;
    if (multipart->n_part > multipart->limits.part_bytes)
        return too_large(multipart, err, "bytes in a part", multipart->limits.part_bytes);
    if (multipart->n_total > multipart->limits.total_bytes)
        return too_large(multipart, err, "bytes", multipart->limits.total_bytes);
    return multipart->sink.data(multipart->sink.user, bytes, n, err);
}

/* --- Bytes ------------------------------------------------------------------------------------ */

/* One more byte behind `matched` bytes of the delimiter: how many are matched then. */
static int match(const struct xl_multipart *multipart, int matched, char byte) {
    while (matched && byte != multipart->delimiter[matched]) matched = multipart->fail[matched - 1];
    return matched + (byte == multipart->delimiter[matched]);
}

/* Content up to the end of a delimiter or of the bytes; *used: how many bytes that is. `held` bytes
 * of a delimiter's beginning came with earlier bytes; as soon as they cannot be one any more, they
 * are content, and what is left of them is again a delimiter's beginning. */
static enum xl_status take_content(struct xl_multipart *multipart, const char *bytes, size_t n,
                                   size_t *used, struct xl_err *err) {
    size_t i = 0, held = (size_t)multipart->matched;
    int k = multipart->matched;
    enum xl_status status = XL_OK;
    while (i < n && k < multipart->n_delimiter && !status) {
        if (!k) { /* most of a file */
            const char *next = memchr(bytes + i, multipart->delimiter[0], n - i);
            i = next ? (size_t)(next - bytes) : n;
            if (!next) break;
        }
        k = match(multipart, k, bytes[i++]);
        size_t outside = held + i - (size_t)k, some = outside < held ? outside : held;
        if (some) status = put_content(multipart, multipart->delimiter, some, err);
        held -= some;
    }
    /* With something held, all bytes belong to what may be a delimiter. */
    if (!status && !held && i > (size_t)k)
        status = put_content(multipart, bytes, i - (size_t)k, err);
    multipart->matched = k;
    *used = i;
    if (status || k < multipart->n_delimiter) return status;
    bool is_part = multipart->state == CONTENT;
    multipart->state = AFTER;
    multipart->n_after = 0;
    return is_part ? multipart->sink.end(multipart->sink.user, err) : XL_OK;
}

static enum xl_status take_after(struct xl_multipart *multipart, char byte, struct xl_err *err) {
    if (!multipart->n_after && (byte == ' ' || byte == '\t')) return XL_OK; /* padding */
    multipart->after[multipart->n_after++] = byte;
    if (multipart->n_after < 2) return XL_OK;
    if (!memcmp(multipart->after, "--", 2))
        multipart->state = EPILOGUE;
    else if (!memcmp(multipart->after, "\r\n", 2))
        multipart->state = HEADERS;
    else
        return fail(multipart, err, "has something behind a delimiter");
    return XL_OK;
}

static enum xl_status take_header(struct xl_multipart *multipart, char byte, struct xl_err *err) {
    int n = multipart->n_headers;
    if (n == XL_MULTIPART_HEADERS_MAX)
        return too_large(multipart, err, "bytes of headers of a part", XL_MULTIPART_HEADERS_MAX);
    multipart->headers[n++] = byte;
    multipart->n_headers = n;
    if (n == 2 && !memcmp(multipart->headers, "\r\n", 2))
        return fail(multipart, err, "has a part without headers");
    bool is_end = n >= 4 && !memcmp(multipart->headers + n - 4, "\r\n\r\n", 4);
    return is_end ? begin_part(multipart, err) : XL_OK;
}

enum xl_status xl_multipart_push(struct xl_multipart *multipart, const char *bytes, size_t n,
                                 struct xl_err *err) {
    enum xl_status status = XL_OK;
    for (size_t used; n && !status; bytes += used, n -= used) {
        used = 1;
        switch (multipart->state) {
        case PREAMBLE:
        case CONTENT:
            status = take_content(multipart, bytes, n, &used, err);
            break;
        case AFTER:
            status = take_after(multipart, *bytes, err);
            break;
        case HEADERS:
            status = take_header(multipart, *bytes, err);
            break;
        case EPILOGUE:
            used = n;
            break;
        case FAILED:
            return xl_fail(err, XL_EINVAL, "the form of parts has failed before");
        }
    }
    if (status) multipart->state = FAILED;
    return status;
}

enum xl_status xl_multipart_end(struct xl_multipart *multipart, struct xl_err *err) {
    if (multipart->state == EPILOGUE) return XL_OK;
    return fail(multipart, err, "ends before its last delimiter");
}
