/* png_info.c - POST png-info: the texts in a picture's file. Nothing of the picture is decoded. */
#include "http/a1111/parts.h"

#include "base/json.h"
#include "image/metadata.h"

#include <stdlib.h>
#include <string.h>

/* The text that says how it was made: of a PNG "parameters", else the comment of its EXIF block. */
static const char *info_of(const struct xl_metadata *metadata) {
    const char *text = xl_metadata_find(metadata, "parameters");
    if (!text) text = xl_metadata_find(metadata, "UserComment");
    return text ? text : "";
}

static json_t *items_of(const struct xl_metadata *metadata) {
    json_t *object = json_object();
    bool ok = object != NULL;
    for (int i = 0; i < metadata->n; i++)
        if (strcmp(metadata->texts[i].keyword, "parameters") != 0)
            xl_json_put(object, metadata->texts[i].keyword, xl_json_text(metadata->texts[i].text),
                        &ok);
    return xl_json_finish(object, ok);
}

enum xl_status xl_a1111_png_info(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    static const struct xl_field rows[] = {
        {"image", XL_FIELD_TEXT, XL_FIELD_TAKEN, "null", NULL},
    };
    static const struct xl_field_table table = {rows, 1, false};
    struct xl_metadata metadata = {.n = 0};
    json_t *fields = NULL;
    void *bytes = NULL;
    size_t n = 0;
    enum xl_status status = xl_fields_read(&table, call->json, call, reply, &fields, err);
    if (status) return status;
    const char *image = json_string_value(json_object_get(fields, "image"));
    if (!image)
        status = xl_field_refuse(reply, "image", err, "field required: image");
    else
        status = xl_a1111_bytes_read(image, reply, "image", &bytes, &n, err);
    if (!status) status = xl_metadata_read("image", bytes, n, &call->arena, &metadata, err);
    if (!status && !metadata.kind)
        status = xl_field_refuse(reply, "image", err,
                                 "image: Invalid encoded image: neither a PNG nor a JPEG nor a "
                                 "WebP file");
    free(bytes);
    json_decref(fields);
    if (status) return status;
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "info", xl_json_text(info_of(&metadata)), &ok);
    xl_json_put(object, "items", items_of(&metadata), &ok);
    xl_json_put(object, "parameters", xl_a1111_infotext_pairs(info_of(&metadata)), &ok);
    return xl_reply_json(reply, 200, xl_json_finish(object, ok), err);
}
