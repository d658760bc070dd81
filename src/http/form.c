/* form.c - a sink for the reader of parts. */
#include "http/form.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* --- Parts ------------------------------------------------------------------------------------ */

/* A file that nobody else can open. Where the disk has none without a name, memory has. */
static int open_nameless(const char *dir) {
    int fd = dir ? open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;
    return fd >= 0 ? fd : memfd_create("sdxl-lab-upload", MFD_CLOEXEC);
}

static enum xl_status begin(void *user, const struct xl_part_head *part, struct xl_err *err) {
    struct xl_form *form = user;
    struct xl_form_part *mine = &form->parts[form->n++]; /* the reader counts */
    *mine = (struct xl_form_part){.name = strdup(part->name), .fd = -1};
    if (part->file_name) {
        mine->file_name = strdup(part->file_name);
        mine->fd = open_nameless(form->dir);
        if (mine->fd < 0)
            return xl_fail(err, XL_EDISK, "a file for what is sent: %s", strerror(errno));
    } else {
        mine->text = strdup("");
    }
    bool ok = mine->name && (mine->file_name || mine->text);
    return ok ? XL_OK : xl_fail_nomem(err, "a form", 0);
}

static enum xl_status write_all(int fd, const char *bytes, size_t n, struct xl_err *err) {
    while (n) {
        ssize_t some = write(fd, bytes, n);
        if (some < 0 && errno == EINTR) continue;
        if (some <= 0)
            return xl_fail(err, XL_EDISK, "what is sent cannot be kept: %s", strerror(errno));
        bytes += some;
        n -= (size_t)some;
    }
    return XL_OK;
}

static enum xl_status add(void *user, const char *bytes, size_t n, struct xl_err *err) {
    struct xl_form *form = user;
    struct xl_form_part *part = &form->parts[form->n - 1];
    part->n += n;
    if (part->fd >= 0) return write_all(part->fd, bytes, n, err);
    if (part->n > XL_FORM_TEXT_BYTES)
        return xl_fail(err, XL_EINVAL, "the field \"%.60s\" has more than %d bytes", part->name,
                       XL_FORM_TEXT_BYTES);
    char *larger = realloc(part->text, part->n + 1);
    if (!larger) return xl_fail_nomem(err, "a form", part->n);
    part->text = larger;
    memcpy(larger + part->n - n, bytes, n);
    larger[part->n] = 0;
    return XL_OK;
}

static enum xl_status end(void *user, struct xl_err *err) {
    struct xl_form *form = user;
    const struct xl_form_part *part = &form->parts[form->n - 1];
    if (part->fd >= 0) {
        lseek(part->fd, 0, SEEK_SET);
        return XL_OK;
    }
    if (strlen(part->text) == part->n && xl_utf8_valid(part->text, part->n)) return XL_OK;
    return xl_fail(err, XL_EINVAL, "the field \"%.60s\" is not UTF-8", part->name);
}

/* --- Forms ------------------------------------------------------------------------------------ */

enum xl_status xl_form_new(const char *content_type, const char *dir, size_t file_max, size_t total,
                           struct xl_form **out, struct xl_err *err) {
    struct xl_form *form = calloc(1, sizeof *form);
    if (!form) return xl_fail_nomem(err, "a form", sizeof *form);
    const struct xl_multipart_limits limits = {
        .parts = XL_FORM_PARTS, .part_bytes = file_max, .total_bytes = total};
    const struct xl_multipart_sink sink = {.begin = begin, .data = add, .end = end, .user = form};
    form->dir = dir;
    form->file_max = file_max;
    enum xl_status status = xl_multipart_new(content_type, &limits, &sink, &form->reader, err);
    if (status)
        free(form);
    else
        *out = form;
    return status;
}

void xl_form_free(struct xl_form *form) {
    if (!form) return;
    for (int i = 0; i < form->n; i++) {
        free(form->parts[i].name);
        free(form->parts[i].file_name);
        free(form->parts[i].text);
        if (form->parts[i].fd >= 0) close(form->parts[i].fd);
    }
    xl_multipart_free(form->reader);
    free(form);
}

enum xl_status xl_form_push(struct xl_form *form, const char *bytes, size_t n, struct xl_err *err) {
    return xl_multipart_push(form->reader, bytes, n, err);
}

enum xl_status xl_form_end(struct xl_form *form, struct xl_err *err) {
    return xl_multipart_end(form->reader, err);
}

bool xl_form_is_too_large(const struct xl_form *form) {
    return xl_multipart_is_too_large(form->reader);
}

struct xl_form_part *xl_form_find(struct xl_form *form, const char *name) {
    for (int i = 0; i < form->n; i++)
        if (!strcmp(form->parts[i].name, name)) return &form->parts[i];
    return NULL;
}

enum xl_status xl_form_file(struct xl_form *form, struct xl_form_part **out, struct xl_err *err) {
    struct xl_form_part *found = NULL;
    for (int i = 0; i < form->n; i++) {
        if (form->parts[i].fd < 0) continue;
        if (found) return xl_fail(err, XL_EINVAL, "the form has more than one file");
        found = &form->parts[i];
    }
    if (!found) return xl_fail(err, XL_EINVAL, "the form has no file");
    *out = found;
    return XL_OK;
}
