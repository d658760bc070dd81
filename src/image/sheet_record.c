/* sheet_record.c - what a page of a contact sheet says of itself. Keeps no state. */
#include "image/sheet.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

void xl_sheet_record_write(const struct xl_sheet_record *record, char out[XL_SHEET_RECORD_MAX]) {
    snprintf(out, XL_SHEET_RECORD_MAX, "{\"sheet\":{\"page\":%d,\"pages\":%d,\"shows\":\"%s\"}}",
             record->page, record->n_pages, record->shows);
}

bool xl_sheet_record_parse(const char *text, struct xl_sheet_record *out) {
    json_t *root = json_loads(text, 0, NULL);
    const json_t *sheet = json_object_get(root, "sheet");
    bool is_sheet = json_is_object(sheet);
    if (is_sheet) {
        const char *shows = json_string_value(json_object_get(sheet, "shows"));
        *out = (struct xl_sheet_record){
            .page = (int)json_integer_value(json_object_get(sheet, "page")),
            .n_pages = (int)json_integer_value(json_object_get(sheet, "pages"))};
        snprintf(out->shows, sizeof out->shows, "%s", shows ? shows : "");
    }
    json_decref(root);
    return is_sheet;
}
