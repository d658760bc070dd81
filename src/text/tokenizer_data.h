/* tokenizer_data.h - the texts that a tokenizer is made from, wherever they come from: the files of
 * a folder, or what a program ships. A tokenizer needs them only while it is made.
 */
#ifndef XL_TEXT_TOKENIZER_DATA_H
#define XL_TEXT_TOKENIZER_DATA_H

#include "base/json.h"

#define XL_TOKENIZER_FILE_LIST(X)                                                                  \
    X(XL_TOKENIZER_VOCAB, "vocab.json")                                                            \
    X(XL_TOKENIZER_MERGES, "merges.txt")                                                           \
    X(XL_TOKENIZER_JSON, "tokenizer.json")                                                         \
    X(XL_TOKENIZER_CONFIG, "tokenizer_config.json")                                                \
    X(XL_TOKENIZER_ADDED, "added_tokens.json")                                                     \
    X(XL_TOKENIZER_SPECIAL, "special_tokens_map.json")

enum xl_tokenizer_file {
#define X(name, text) name,
    XL_TOKENIZER_FILE_LIST(X)
#undef X
        XL_N_TOKENIZER_FILES,
};

/* "vocab.json" */
const char *xl_tokenizer_file_name(enum xl_tokenizer_file file);

struct xl_tokenizer_text {
    const char *name; /* opens sentences: the path, also of a text that is not there */
    const char *text; /* [n]; NULL: not there */
    size_t n;
};

/* Whoever filled it in owns the texts; xl_tokenizer_data_deinit is for what _read filled in. */
struct xl_tokenizer_data {
    struct xl_tokenizer_text file[XL_N_TOKENIZER_FILES];
};

/* The files of a folder, of at most 64 MiB each. Errors: XL_EFORMAT one cannot be read; XL_ENOMEM
 */
enum xl_status xl_tokenizer_data_read(const char *dir, struct xl_tokenizer_data *out,
                                      struct xl_err *err) XL_CHECKED;
void xl_tokenizer_data_deinit(struct xl_tokenizer_data *data);

/* One of the texts as a JSON object; an empty one where it is not there. Caller: json_decref.
 * Errors: XL_EFORMAT, XL_ENOMEM */
enum xl_status xl_tokenizer_data_json(const struct xl_tokenizer_data *data,
                                      enum xl_tokenizer_file file, json_t **out,
                                      struct xl_err *err) XL_CHECKED;

#endif
