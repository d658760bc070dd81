/* tokenizer_data.c - reading the texts of a tokenizer from a folder. Keeps no state. */
#include "text/tokenizer_data.h"

#include "base/file.h"

#include <stdlib.h>

const char *xl_tokenizer_file_name(enum xl_tokenizer_file file) {
    static const char *const names[] = {
#define X(name, text) text,
        XL_TOKENIZER_FILE_LIST(X)
#undef X
    };
    return names[file];
}

static enum xl_status read_one(const char *dir, enum xl_tokenizer_file file,
                               struct xl_tokenizer_text *out, struct xl_err *err) {
    static const struct xl_read_rule rule = {64 << 20, XL_EMODEL, XL_EFORMAT};
    char *text;
    out->name = xl_path_join(dir, xl_tokenizer_file_name(file));
    if (!out->name) return xl_fail_nomem(err, dir, 0);
    if (!xl_file_exists(out->name)) return XL_OK;
    enum xl_status status = xl_file_read(out->name, rule, &text, &out->n, err);
    if (!status) out->text = text;
    return status == XL_EMODEL ? XL_OK : status;
}

enum xl_status xl_tokenizer_data_read(const char *dir, struct xl_tokenizer_data *out,
                                      struct xl_err *err) {
    struct xl_tokenizer_data data = {0};
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < XL_N_TOKENIZER_FILES; i++)
        status = read_one(dir, i, &data.file[i], err);
    if (status)
        xl_tokenizer_data_deinit(&data);
    else
        *out = data;
    return status;
}

void xl_tokenizer_data_deinit(struct xl_tokenizer_data *data) {
    for (int i = 0; i < XL_N_TOKENIZER_FILES; i++) {
        free((char *)data->file[i].name);
        free((char *)data->file[i].text);
    }
    *data = (struct xl_tokenizer_data){0};
}

enum xl_status xl_tokenizer_data_json(const struct xl_tokenizer_data *data,
                                      enum xl_tokenizer_file file, json_t **out,
                                      struct xl_err *err) {
    const struct xl_tokenizer_text *text = &data->file[file];
    if (text->text) return xl_json_parse(text->name, text->text, text->n, out, err);
    *out = json_object();
    return *out ? XL_OK : xl_fail_nomem(err, xl_tokenizer_file_name(file), 0);
}
