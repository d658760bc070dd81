/* vocab_files.c - the two forms in which a tokenizer's vocabulary and merges come, read without a
 * tree. Used while a tokenizer is opened, by the thread that opens it. */
#include "text/vocab_files.h"
#include "base/str.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ID = 1 << 24 };

/* Entries to make room for before a file of n bytes is read: no more than CLIP's own has, so that a
 * file that is long for another reason does not cost memory. The tables grow where that is short.
 */
static size_t guess_entries(size_t n) {
    return n / 16 < 49408 ? n / 16 : 49408;
}

enum xl_status xl_vocab_parse(struct xl_scan *scan, struct xl_vocab *vocab, struct xl_err *err) {
    bool more;
    enum xl_status status = xl_scan_enter(scan, '{', "an object", err);
    while (!status && !(status = xl_scan_more(scan, '}', "the vocabulary", &more, err)) && more) {
        struct xl_span token;
        int64_t id = 0;
        bool is_new = true;
        status = xl_scan_key(scan, &token, err);
        if (!status) status = xl_scan_int(scan, "a token's id", &id, err);
        if (!status && id > MAX_ID)
            status = xl_scan_fail(scan, err, "expected a whole number from 0 to %d", MAX_ID);
        if (!status) status = xl_vocab_add(vocab, token, (int32_t)id, &is_new, err);
        if (!status && !is_new)
            status =
                xl_scan_fail(scan, err, "the token that has id %d has another id before", (int)id);
    }
    if (!status && !vocab->n)
        status = xl_fail(err, XL_EFORMAT, "%s: the vocabulary is empty", scan->name);
    return status;
}

/* ---- Merges ---------------------------------------------------------------------------------- */

struct merge_reader {
    const char *name; /* merges.txt, and the line in it */
    int line;
    const struct xl_scan *scan; /* of tokenizer.json: knows both; else NULL */
    const struct xl_vocab *vocab;
    struct xl_bpe *bpe;
    uint32_t rank;        /* of the next merge */
    size_t next;          /* the token that it probably makes: both files have them in one order */
    struct xl_str joined; /* left and right in one piece, to be looked up */
};

static enum xl_status refuse(const struct merge_reader *reader, const char *why,
                             struct xl_err *err) {
    if (reader->scan) return xl_scan_fail(reader->scan, err, "%s", why);
    return xl_fail(err, XL_EFORMAT, "%s:%d: %s", reader->name, reader->line, why);
}

static enum xl_status add_merge(struct merge_reader *reader, struct xl_span left,
                                struct xl_span right, struct xl_err *err) {
    struct xl_str *joined = &reader->joined;
    joined->len = 0;
    xl_str_append(joined, left.at, left.n);
    xl_str_append(joined, right.at, right.n);
    if (joined->failed) return xl_fail_nomem(err, "merges of the tokenizer", 0);
    int32_t left_id = xl_vocab_find(reader->vocab, left);
    int32_t right_id = xl_vocab_find(reader->vocab, right);
    int32_t result = xl_vocab_find_next(reader->vocab, (struct xl_span){joined->text, joined->len},
                                        &reader->next);
    if (left_id < 0) return refuse(reader, "the left part is not in the vocabulary", err);
    if (right_id < 0) return refuse(reader, "the right part is not in the vocabulary", err);
    if (result < 0) return refuse(reader, "the merged token is not in the vocabulary", err);
    return xl_bpe_add_merge(reader->bpe, left_id, right_id, reader->rank++, result, err);
}

/* "left right" */
static enum xl_status add_line(struct merge_reader *reader, struct xl_span line,
                               struct xl_err *err) {
    const char *space = memchr(line.at, ' ', line.n);
    struct xl_span left = {line.at, space ? (size_t)(space - line.at) : 0};
    struct xl_span right = {line.at + left.n + 1, space ? line.n - left.n - 1 : 0};
    if (!left.n || !right.n || memchr(right.at, ' ', right.n))
        return refuse(reader, "expected a merge: two tokens with one space between", err);
    return add_merge(reader, left, right, err);
}

static bool is_comment(struct xl_span line) {
    static const char mark[] = "#version";
    return line.n >= sizeof mark - 1 && !memcmp(line.at, mark, sizeof mark - 1);
}

enum xl_status xl_merges_parse(const char *name, struct xl_span text, const struct xl_vocab *vocab,
                               struct xl_bpe *bpe, struct xl_err *err) {
    struct merge_reader reader = {.name = name, .line = 1, .vocab = vocab, .bpe = bpe};
    enum xl_status status = XL_OK;
    for (size_t at = 0; at < text.n && !status; reader.line++) {
        const char *newline = memchr(text.at + at, '\n', text.n - at);
        size_t n = newline ? (size_t)(newline - text.at) - at : text.n - at;
        struct xl_span line = {text.at + at, n};
        if (n && line.at[n - 1] == '\r') line.n--;
        if (line.n && !is_comment(line)) status = add_line(&reader, line, err);
        at += n + 1;
    }
    xl_str_deinit(&reader.joined);
    /* A vocabulary of single bytes has no merges, but even that file has its version line. */
    if (!status && !text.n) status = xl_fail(err, XL_EFORMAT, "%s: the file is empty", name);
    return status;
}

/* ---- tokenizer.json -------------------------------------------------------------------------- */

/* ["left", "right"] */
static enum xl_status scan_pair(struct xl_scan *scan, struct merge_reader *reader,
                                struct xl_err *err) {
    struct xl_span parts[2];
    int n = 0;
    bool more;
    enum xl_status status = xl_scan_enter(scan, '[', "a merge, a string or an array,", err);
    while (!status && !(status = xl_scan_more(scan, ']', "the merge", &more, err)) && more) {
        if (n == 2) return refuse(reader, "expected a merge of two tokens, found more", err);
        status = xl_scan_string(scan, "a token", SIZE_MAX, &parts[n++], err);
    }
    if (status) return status;
    if (n < 2) return refuse(reader, "expected a merge of two tokens, found fewer", err);
    return add_merge(reader, parts[0], parts[1], err);
}

/* A merge is "left right" or ["left", "right"], depending on the version that wrote the file. */
static enum xl_status scan_merges(struct xl_scan *scan, const struct xl_vocab *vocab,
                                  struct xl_bpe *bpe, struct xl_err *err) {
    struct merge_reader reader = {.scan = scan, .vocab = vocab, .bpe = bpe};
    bool more;
    enum xl_status status = xl_scan_enter(scan, '[', "an array", err);
    while (!status && !(status = xl_scan_more(scan, ']', "the merges", &more, err)) && more) {
        struct xl_span line;
        if (xl_scan_peek(scan) != '"') {
            status = scan_pair(scan, &reader, err);
        } else {
            status = xl_scan_string(scan, "a merge", SIZE_MAX, &line, err);
            if (!status) status = add_line(&reader, line, err);
        }
    }
    xl_str_deinit(&reader.joined);
    return status;
}

static enum xl_status scan_added_tokens(struct xl_scan *scan, json_t *added_tokens,
                                        struct xl_err *err) {
    bool more;
    enum xl_status status = xl_scan_enter(scan, '[', "an array", err);
    while (!status && !(status = xl_scan_more(scan, ']', "the added tokens", &more, err)) && more) {
        struct xl_span value;
        json_t *token = NULL;
        status = xl_scan_value(scan, &value, err);
        if (!status) status = xl_json_parse(scan->name, value.at, value.n, &token, err);
        if (!status && json_array_append_new(added_tokens, token))
            status = xl_fail_nomem(err, "added tokens", 0);
    }
    return status;
}

static enum xl_status check_type(struct xl_scan *scan, struct xl_err *err) {
    struct xl_span type;
    enum xl_status status = xl_scan_value(scan, &type, err);
    if (!status && !xl_span_is(type, "\"BPE\""))
        status = xl_scan_fail(scan, err, "the model's type is not \"BPE\", which CLIP needs");
    return status;
}

/* Merges can only be read behind the vocabulary. Files have them there; if not, *late is where. */
static enum xl_status scan_member(struct xl_scan *scan, struct xl_vocab *vocab, struct xl_bpe *bpe,
                                  const char **late, struct xl_err *err) {
    struct xl_span key, value;
    enum xl_status status = xl_scan_key(scan, &key, err);
    if (status) return status;
    if (xl_span_is(key, "type")) return check_type(scan, err);
    if (xl_span_is(key, "vocab")) return xl_vocab_parse(scan, vocab, err);
    if (xl_span_is(key, "merges")) {
        if (vocab->n) return scan_merges(scan, vocab, bpe, err);
        *late = scan->at;
    }
    return xl_scan_value(scan, &value, err);
}

static enum xl_status scan_model(struct xl_scan *scan, struct xl_vocab *vocab, struct xl_bpe *bpe,
                                 struct xl_err *err) {
    bool more;
    const char *late = NULL;
    enum xl_status status = xl_scan_enter(scan, '{', "an object", err);
    while (!status && !(status = xl_scan_more(scan, '}', "the model", &more, err)) && more)
        status = scan_member(scan, vocab, bpe, &late, err);
    if (status || !late || !vocab->n) return status;
    const char *end = scan->at;
    scan->at = late;
    status = scan_merges(scan, vocab, bpe, err);
    scan->at = end;
    return status;
}

enum xl_status xl_tokenizer_json_parse(struct xl_scan *scan, struct xl_vocab *vocab,
                                       struct xl_bpe *bpe, json_t *added_tokens,
                                       struct xl_err *err) {
    bool more;
    enum xl_status status = xl_scan_enter(scan, '{', "an object", err);
    while (!status && !(status = xl_scan_more(scan, '}', "the file", &more, err)) && more) {
        struct xl_span key, value;
        status = xl_scan_key(scan, &key, err);
        if (status) break;
        if (xl_span_is(key, "model"))
            status = scan_model(scan, vocab, bpe, err);
        else if (xl_span_is(key, "added_tokens"))
            status = scan_added_tokens(scan, added_tokens, err);
        else
            status = xl_scan_value(scan, &value, err);
    }
    if (!status) status = xl_scan_end(scan, err);
    if (!status && !(vocab->n && bpe->n_merges))
        status = xl_fail(err, XL_EFORMAT, "%s: \"model\" has no \"%s\"", scan->name,
                         vocab->n ? "merges" : "vocab");
    return status;
}

/* ---- Files ----------------------------------------------------------------------------------- */

static enum xl_status read_two(struct xl_vocab_files *files, const struct xl_tokenizer_text *merges,
                               struct xl_err *err) {
    enum xl_status status = xl_vocab_parse(&files->scan, &files->vocab, err);
    if (!status) status = xl_scan_end(&files->scan, err);
    if (status) return status;
    return xl_merges_parse(merges->name, (struct xl_span){merges->text, merges->n}, &files->vocab,
                           &files->bpe, err);
}

static enum xl_status require(const struct xl_tokenizer_text *text, struct xl_err *err) {
    if (text->text) return XL_OK;
    return xl_fail(err, XL_EMODEL, "%s: cannot open: %s", text->name, strerror(ENOENT));
}

enum xl_status xl_vocab_files_open(struct xl_vocab_files *files,
                                   const struct xl_tokenizer_data *data, struct xl_err *err) {
    const struct xl_tokenizer_text *both = &data->file[XL_TOKENIZER_JSON];
    const struct xl_tokenizer_text *vocab = &data->file[XL_TOKENIZER_VOCAB];
    const struct xl_tokenizer_text *merges = &data->file[XL_TOKENIZER_MERGES];
    bool is_one_file = both->text != NULL;
    const struct xl_tokenizer_text *first = is_one_file ? both : vocab;
    files->added_tokens = json_array();
    if (!files->added_tokens) return xl_fail_nomem(err, first->name, 0);
    enum xl_status status = require(first, err);
    if (!status && !is_one_file) status = require(merges, err);
    if (status) return status;
    files->scan = xl_scan_text(first->name, first->text, first->n);
    size_t n_entries = guess_entries(first->n);
    status = xl_vocab_init(&files->vocab, n_entries, err);
    if (!status) status = xl_bpe_init(&files->bpe, n_entries, err);
    if (status) return status;
    if (!is_one_file) return read_two(files, merges, err);
    return xl_tokenizer_json_parse(&files->scan, &files->vocab, &files->bpe, files->added_tokens,
                                   err);
}

void xl_vocab_files_close(struct xl_vocab_files *files) {
    xl_vocab_deinit(&files->vocab);
    xl_bpe_deinit(&files->bpe);
    json_decref(files->added_tokens);
    xl_scan_deinit(&files->scan);
    *files = (struct xl_vocab_files){0};
}
