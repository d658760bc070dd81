/* clip_vocab.c - the built-in merges, and the vocabulary that they make: the 256 bytes as printable
 * characters, the same as the last of their words, one token for each merge, begin and end.
 * Source: OpenAI's CLIP, clip/simple_tokenizer.py */
#include "text/clip_vocab.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

extern const char xl_clip_merges[];
extern const size_t xl_clip_merges_size;

const char xl_clip_tokenizer_version[] = "clip 1";

static const char config_start[] =
    "{\"add_prefix_space\": false, \"bos_token\": \"<|startoftext|>\", \"do_lower_case\": true, "
    "\"eos_token\": \"<|endoftext|>\", \"errors\": \"replace\", \"model_max_length\": 77, "
    "\"tokenizer_class\": \"CLIPTokenizer\", \"unk_token\": \"<|endoftext|>\", \"pad_token\": ";

struct writer {
    struct xl_str text;
    int n; /* tokens so far: the id of the next one */
};

static void put_escaped(struct xl_str *text, const char *at, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (at[i] == '"' || at[i] == '\\') xl_str_append(text, "\\", 1);
        xl_str_append(text, at + i, 1);
    }
}

/* "TOKEN": ID, the token in two pieces. */
static void put_token(struct writer *writer, const char *left, size_t n_left, const char *right,
                      size_t n_right) {
    xl_str_puts(&writer->text, writer->n ? ", \"" : "{\"");
    put_escaped(&writer->text, left, n_left);
    put_escaped(&writer->text, right, n_right);
    xl_str_printf(&writer->text, "\": %d", writer->n++);
}

/* Printable in Latin-1: these stand for themselves and come first; the others are U+0100 on. */
static bool is_printable(int byte) {
    return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

static void put_bytes(struct writer *writer, const char *ending) {
    for (int pass = 0; pass < 2; pass++)
        for (int byte = 0, moved = 0; byte < 256; byte++) {
            char character[4];
            if (is_printable(byte) != (pass == 0)) continue;
            int n = xl_utf8_put(pass == 0 ? byte : 256 + moved++, character);
            put_token(writer, character, (size_t)n, ending, strlen(ending));
        }
}

static void put_merges(struct writer *writer) {
    const char *at = strchr(xl_clip_merges, '\n') + 1; /* behind the version */
    while (*at) {
        size_t n_left = strcspn(at, " "), n_right = strcspn(at + n_left + 1, "\n");
        put_token(writer, at, n_left, at + n_left + 1, n_right);
        at += n_left + 1 + n_right + 1;
    }
}

/* malloc'd; NULL: no memory */
static char *vocabulary(size_t *n) {
    struct writer writer = {.n = 0};
    put_bytes(&writer, "");
    put_bytes(&writer, "</w>");
    put_merges(&writer);
    static const char *const ends[] = {"<|startoftext|>", "<|endoftext|>"};
    for (int i = 0; i < 2; i++) put_token(&writer, ends[i], strlen(ends[i]), "", 0);
    xl_str_puts(&writer.text, "}");
    *n = writer.text.len;
    return xl_str_take(&writer.text);
}

enum xl_status xl_clip_tokenizer_data(enum xl_clip_pad pad, struct xl_tokenizer_data *out,
                                      struct xl_err *err) {
    struct xl_tokenizer_data data = {0};
    struct xl_str config = {0};
    xl_str_printf(&config, "%s\"%s\"}", config_start,
                  pad == XL_CLIP_PAD_END ? "<|endoftext|>" : "!");
    size_t n_config = config.len, n_vocab = 0;
    char *merges = malloc(xl_clip_merges_size + 1);
    if (merges) memcpy(merges, xl_clip_merges, xl_clip_merges_size + 1);
    data.file[XL_TOKENIZER_MERGES].text = merges;
    data.file[XL_TOKENIZER_MERGES].n = xl_clip_merges_size;
    data.file[XL_TOKENIZER_CONFIG].text = xl_str_take(&config);
    data.file[XL_TOKENIZER_CONFIG].n = n_config;
    data.file[XL_TOKENIZER_VOCAB].text = vocabulary(&n_vocab);
    data.file[XL_TOKENIZER_VOCAB].n = n_vocab;
    bool ok = merges && data.file[XL_TOKENIZER_CONFIG].text && data.file[XL_TOKENIZER_VOCAB].text;
    for (int i = 0; i < XL_N_TOKENIZER_FILES; i++)
        ok &= (data.file[i].name = strdup(xl_tokenizer_file_name(i))) != NULL;
    if (ok) {
        *out = data;
        return XL_OK;
    }
    xl_tokenizer_data_deinit(&data);
    return xl_fail_nomem(err, "CLIP's vocabulary", 0);
}

enum xl_status xl_tokenizer_open_or_clip(const char *dir, enum xl_clip_pad pad,
                                         struct xl_tokenizer **out, struct xl_err *err) {
    struct xl_tokenizer_data data;
    if (dir) return xl_tokenizer_open(dir, out, err);
    enum xl_status status = xl_clip_tokenizer_data(pad, &data, err);
    if (status) return status;
    status = xl_tokenizer_new(&data, out, err);
    xl_tokenizer_data_deinit(&data);
    return status;
}
