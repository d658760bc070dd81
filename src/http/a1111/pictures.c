/* pictures.c - pictures that clients send within JSON. Keeps no state. */
#include "http/a1111/parts.h"

#include "base/base64.h"
#include "base/json.h"
#include "http/api/uploads.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* base64 may be broken into lines. */
static char *without_blanks(const char *text) {
    char *copy = malloc(strlen(text) + 1), *to = copy;
    if (!copy) return NULL;
    for (; *text; text++)
        if (!strchr(" \t\r\n", *text)) *to++ = *text;
    *to = 0;
    return copy;
}

enum xl_status xl_a1111_bytes_read(const char *text, struct xl_reply *reply, const char *field,
                                   void **bytes, size_t *n, struct xl_err *err) {
    static const char data[] = "data:";
    if (!strncmp(text, "http://", 7) || !strncmp(text, "https://", 8))
        return xl_field_refuse(reply, field, err,
                               "%s: Requests not allowed: no address is fetched here; send the "
                               "picture itself as base64",
                               field);
    if (!strncmp(text, data, sizeof data - 1)) {
        const char *comma = strchr(text, ',');
        bool is_base64 = comma && comma - text > 7 && !strncmp(comma - 7, ";base64", 7);
        if (!is_base64)
            return xl_field_refuse(reply, field, err,
                                   "%s: Invalid encoded image: expected data:image/png;base64,...",
                                   field);
        text = comma + 1;
    }
    char *plain = without_blanks(text);
    if (!plain) return xl_fail_nomem(err, "a picture", strlen(text));
    bool is_read = plain[0] && xl_base64_read(plain, bytes, n);
    free(plain);
    return is_read ? XL_OK
                   : xl_field_refuse(reply, field, err,
                                     "%s: Invalid encoded image: the text is no base64 of a file",
                                     field);
}

/* --- The picture to begin from ---------------------------------------------------------------- */

/* Have the confined process write a file anew among the uploads. */
static enum xl_status keep_picture(struct xl_call *call, const char *bytes, size_t n,
                                   struct xl_clean_picture *picture, const char **path,
                                   struct xl_err *err) {
    const struct xl_a1111 *a1111 = call->user;
    char name[] = "the init image";
    const struct xl_form_part part = {.file_name = name,
                                      .fd = memfd_create("sdxl-lab-init-image", MFD_CLOEXEC)};
    enum xl_status status = part.fd < 0 ? xl_fail_nomem(err, "a picture", n) : XL_OK;
    while (!status && n) {
        ssize_t some = write(part.fd, bytes, n);
        if (some <= 0) status = xl_fail_nomem(err, "a picture", n);
        if (some > 0) bytes += some, n -= (size_t)some;
    }
    if (!status) status = xl_upload_keep(call, a1111->params.library, &part, picture, path, err);
    if (part.fd >= 0) close(part.fd);
    return status;
}

static enum xl_status check_size(const json_t *fields, const struct xl_clean_picture *picture,
                                 struct xl_reply *reply, struct xl_err *err) {
    int64_t mode = xl_field_int(fields, "resize_mode");
    bool fits = picture->width == xl_field_int(fields, "width") &&
                picture->height == xl_field_int(fields, "height");
    if (!mode || fits) return XL_OK;
    return xl_field_refuse(reply, "resize_mode", err,
                           "resize_mode is %lld; the init image is stretched here (0): send it at "
                           "%lldx%lld, or say 0",
                           (long long)mode, (long long)xl_field_int(fields, "width"),
                           (long long)xl_field_int(fields, "height"));
}

enum xl_status xl_a1111_init_image_put(struct xl_call *call, struct xl_reply *reply,
                                       const json_t *fields, json_t *settings, struct xl_err *err) {
    const json_t *images = json_object_get(fields, "init_images");
    const char *text = json_string_value(json_array_get(images, 0)), *path = NULL;
    struct xl_clean_picture picture = {.width = 0};
    void *bytes = NULL;
    size_t n = 0;
    bool ok = true;
    if (!json_array_size(images)) return xl_a1111_refuse(reply, 404, err, "Init image not found");
    if (json_array_size(images) > 1 || !text)
        return xl_field_refuse(reply, "init_images", err,
                               "init_images: expected one picture as base64, found %zu %s",
                               json_array_size(images), text ? "pictures" : "of another type");
    enum xl_status status = xl_a1111_bytes_read(text, reply, "init_images", &bytes, &n, err);
    if (status) return status;
    status = keep_picture(call, bytes, n, &picture, &path, err);
    free(bytes);
    if (status) {
        if (status == XL_EINPUT) reply->name = "value_error";
        return xl_reply_about(reply, status == XL_EINPUT ? "init_images" : NULL, status);
    }
    status = check_size(fields, &picture, reply, err);
    xl_json_put(settings, "init_image", json_string(strrchr(path, '/') + 1), &ok);
    xl_json_put(settings, "mode", json_string("img2img"), &ok);
    xl_json_put(settings, "strength", json_real(xl_field_real(fields, "denoising_strength")), &ok);
    return status || ok ? status : xl_fail_nomem(err, "settings", 0);
}
