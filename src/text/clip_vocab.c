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

/* Room for one token beside its bytes, which may all be escaped: quotes, colon, comma, id. */
enum { N_TOKENS = 49408, MORE_BYTES = 16, BYTE_TOKEN_BYTES = 8 };

struct writer {
    char *at; /* has the room */
    int n;    /* tokens so far: the id of the next one */
};

static char *put_escaped(char *to, const char *from, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (from[i] == '"' || from[i] == '\\') *to++ = '\\';
        *to++ = from[i];
    }
    return to;
}

static char *put_number(char *to, int value) {
    char digits[12];
    int n = 0;
    do digits[n++] = (char)('0' + value % 10);
    while (value /= 10);
    while (n) *to++ = digits[--n];
    return to;
}

/* "TOKEN":ID, the token in two pieces. By hand: it is done 99 thousand times when a model opens. */
static void put_token(struct writer *writer, const char *left, size_t n_left, const char *right,
                      size_t n_right) {
    char *to = writer->at;
    *to++ = writer->n ? ',' : '{';
    *to++ = '"';
    to = put_escaped(to, left, n_left);
    to = put_escaped(to, right, n_right);
    *to++ = '"';
    *to++ = ':';
    writer->at = put_number(to, writer->n++);
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
    const char *end = xl_clip_merges + xl_clip_merges_size;
    while (at < end) {
        const char *space = memchr(at, ' ', (size_t)(end - at));
        const char *newline = memchr(space, '\n', (size_t)(end - space));
        put_token(writer, at, (size_t)(space - at), space + 1, (size_t)(newline - space - 1));
        at = newline + 1;
    }
}

/* malloc'd; NULL: no memory */
static char *vocabulary(size_t *n) {
    size_t room = 2 * xl_clip_merges_size + (size_t)N_TOKENS * MORE_BYTES + 512 * BYTE_TOKEN_BYTES;
    char *text = malloc(room + 2);
    struct writer writer = {.at = text};
    if (!text) return NULL;
    put_bytes(&writer, "");
    put_bytes(&writer, "</w>");
    put_merges(&writer);
    static const char *const ends[] = {"<|startoftext|>", "<|endoftext|>"};
    for (int i = 0; i < 2; i++) put_token(&writer, ends[i], strlen(ends[i]), "", 0);
    *writer.at++ = '}';
    *writer.at = 0;
    *n = (size_t)(writer.at - text);
    return text;
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
