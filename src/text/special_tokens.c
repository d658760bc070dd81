/* special_tokens.c - which tokens begin, end and pad a prompt, and what else a repository adds,
 * from up to four files that say it in different ways. Used while a tokenizer is opened, by the
 * thread that opens it. */
#include "text/special_tokens.h"

#include <stdlib.h>
#include <string.h>

enum {
    DEFAULT_MAX_LENGTH = 77,
    MAX_MAX_LENGTH = 1 << 20,
    MAX_ADDED = 10000, /* each is compared with each place of a text */
};

/* Tokens with a name of their own, in the order in which new ones get their ids, and what they are
 * when no file says. */
static const struct {
    const char *key, *value;
} named_tokens[] = {
    {"bos_token", "<|startoftext|>"},
    {"eos_token", "<|endoftext|>"},
    {"unk_token", "<|endoftext|>"},
    {"sep_token", NULL},
    {"pad_token", "<|endoftext|>"},
    {"cls_token", NULL},
    {"mask_token", NULL},
};
enum { N_NAMED = sizeof named_tokens / sizeof *named_tokens };

/* Lists of further tokens; the second name is the newer one. */
static const char *const lists[] = {"additional_special_tokens", "extra_special_tokens"};

struct reader {
    const char *name; /* of the file that errors name */
    json_t *config;   /* tokenizer_config.json and special_tokens_map.json in one */
    const struct xl_vocab *vocab;
    struct xl_added *added;
    int n_declared;  /* tokens in `added` that came with an id: nothing changes their rule */
    int32_t next_id; /* for a token that has none in the vocabulary */
};

/* ---- One token ------------------------------------------------------------------------------- */

/* A token is a string or an object with "content". */
static enum xl_status content_of(const struct reader *reader, const char *key, json_t *token,
                                 const char **content, struct xl_err *err) {
    const char *text = NULL;
    if (json_is_string(token)) {
        text = json_string_value(token);
        if (strlen(text) != json_string_length(token)) text = NULL;
    } else if (json_is_object(token)) {
        enum xl_status status =
            xl_json_string((struct xl_json){token, reader->name}, "content", &text, err);
        if (status) return status;
    }
    if (!text)
        return xl_fail(err, XL_EFORMAT,
                       "%s: \"%s\" is not a token: expected a string or an object with \"content\"",
                       reader->name, key);
    *content = text;
    return XL_OK;
}

/* A token that is special is looked for in the raw text unless it says otherwise. */
static enum xl_status rule_of(const struct reader *reader, json_t *token, bool is_special,
                              struct xl_added_rule *rule, struct xl_err *err) {
    struct xl_json json = {token, reader->name};
    *rule = (struct xl_added_rule){0};
    enum xl_status status = XL_OK;
    if (json_is_object(token)) {
        if (!is_special) status = xl_json_bool(json, "special", &is_special, err);
        rule->is_normalized = !is_special;
        if (!status) status = xl_json_bool(json, "normalized", &rule->is_normalized, err);
        if (!status) status = xl_json_bool(json, "single_word", &rule->is_single_word, err);
    } else {
        rule->is_normalized = !is_special;
    }
    return status;
}

static enum xl_status put_token(struct reader *reader, const char *key, json_t *token,
                                bool is_special, struct xl_err *err) {
    const char *content;
    struct xl_added_rule rule;
    enum xl_status status = content_of(reader, key, token, &content, err);
    if (!status) status = rule_of(reader, token, is_special, &rule, err);
    if (status || !*content) return status;
    int32_t id = xl_vocab_find(reader->vocab, (struct xl_span){content, strlen(content)});
    bool is_known = xl_added_find(reader->added, content), is_new = id < 0 && !is_known;
    if (!is_known && reader->added->n == MAX_ADDED)
        return xl_fail(err, XL_EFORMAT, "%s: more than %d added tokens", reader->name, MAX_ADDED);
    status = xl_added_put(reader->added, content, rule, is_new ? reader->next_id : id, err);
    if (!status && is_new) reader->next_id++;
    return status;
}

/* ---- Tokens that came with an id ------------------------------------------------------------- */

struct declared {
    int id;
    json_t *token; /* a reference of our own */
};

struct declared_list {
    struct declared *at;
    size_t n;
};

static enum xl_status declare(struct declared_list *list, int id, json_t *token,
                              struct xl_err *err) {
    struct declared *at = realloc(list->at, (list->n + 1) * sizeof *at);
    if (at) list->at = at;
    if (!at || !token) return xl_fail_nomem(err, "added tokens", 0);
    at[list->n++] = (struct declared){id, json_incref(token)};
    return XL_OK;
}

static int compare_ids(const void *a, const void *b) {
    const struct declared *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* "added_tokens_decoder": {"49406": {"content": ...}, ...} */
static enum xl_status declare_decoder(const struct reader *reader, json_t *decoder,
                                      struct declared_list *list, struct xl_err *err) {
    if (!json_is_object(decoder))
        return xl_fail(err, XL_EFORMAT, "%s: \"added_tokens_decoder\" is not an object",
                       reader->name);
    const char *key;
    json_t *token;
    json_object_foreach(decoder, key, token) {
        char *end;
        long id = strtol(key, &end, 10);
        if (end == key || *end || id < 0 || id > INT32_MAX)
            return xl_fail(err, XL_EFORMAT,
                           "%s: \"added_tokens_decoder\" has a key that is not a token id",
                           reader->name);
        enum xl_status status = declare(list, (int)id, token, err);
        if (status) return status;
    }
    return XL_OK;
}

/* added_tokens.json: {"content": id, ...} */
static enum xl_status declare_file(const struct xl_tokenizer_data *data, struct declared_list *list,
                                   struct xl_err *err) {
    json_t *root = NULL;
    const char *name = data->file[XL_TOKENIZER_ADDED].name;
    enum xl_status status = xl_tokenizer_data_json(data, XL_TOKENIZER_ADDED, &root, err);
    const char *key;
    json_t *value;
    json_object_foreach(root, key, value) {
        int id = 0;
        if (!status)
            status = xl_json_int((struct xl_json){root, name}, key, 0, INT32_MAX, &id, err);
        json_t *token = json_string(key);
        if (!status) status = declare(list, id, token, err);
        json_decref(token);
    }
    json_decref(root);
    return status;
}

/* "added_tokens" of tokenizer.json: [{"id": 49406, "content": ...}, ...] */
static enum xl_status declare_listed(const struct reader *reader, const json_t *listed,
                                     struct declared_list *list, struct xl_err *err) {
    size_t i;
    json_t *token;
    json_array_foreach(listed, i, token) {
        int id = -1;
        enum xl_status status =
            xl_json_int((struct xl_json){token, reader->name}, "id", 0, INT32_MAX, &id, err);
        if (!status) status = declare(list, id, token, err);
        if (status) return status;
    }
    return XL_OK;
}

static bool is_content(json_t *token, const char *content) {
    if (json_is_object(token)) token = json_object_get(token, "content");
    return json_is_string(token) && !strcmp(json_string_value(token), content);
}

/* Is this text one of the named tokens or in one of the lists? */
static bool is_special(const struct reader *reader, const char *content) {
    for (int i = 0; i < N_NAMED; i++)
        if (is_content(json_object_get(reader->config, named_tokens[i].key), content)) return true;
    for (int l = 0; l < 2; l++) {
        size_t i;
        json_t *token;
        json_array_foreach(json_object_get(reader->config, lists[l]), i, token) {
            if (is_content(token, content)) return true;
        }
    }
    return false;
}

static enum xl_status put_declared(struct reader *reader, const struct xl_tokenizer_data *data,
                                   const json_t *listed, struct xl_err *err) {
    struct declared_list list = {0};
    json_t *decoder = json_object_get(reader->config, "added_tokens_decoder");
    enum xl_status status;
    if (decoder) {
        status = declare_decoder(reader, decoder, &list, err);
    } else {
        status = declare_file(data, &list, err);
        if (!status) status = declare_listed(reader, listed, &list, err);
    }
    if (list.n) qsort(list.at, list.n, sizeof *list.at, compare_ids);
    for (size_t i = 0; i < list.n; i++) {
        const char *content;
        if (!status) status = content_of(reader, "added_tokens", list.at[i].token, &content, err);
        if (!status)
            status = put_token(reader, "added_tokens", list.at[i].token,
                               is_special(reader, content), err);
        json_decref(list.at[i].token);
    }
    free(list.at);
    reader->n_declared = reader->added->n;
    return status;
}

/* ---- Tokens that only have a name ------------------------------------------------------------ */

static bool is_declared(const struct reader *reader, const char *content) {
    const struct xl_added_token *token = xl_added_find(reader->added, content);
    return token && token - reader->added->tokens < reader->n_declared;
}

static enum xl_status put_undeclared(struct reader *reader, const char *key, json_t *token,
                                     struct xl_err *err) {
    const char *content;
    enum xl_status status = content_of(reader, key, token, &content, err);
    if (status || is_declared(reader, content)) return status;
    return put_token(reader, key, token, true, err);
}

/* One of named_tokens. *id: untouched when no file names the token and it has no default. */
static enum xl_status put_named(struct reader *reader, int which, int32_t *id, struct xl_err *err) {
    const char *key = named_tokens[which].key, *content;
    json_t *token = json_object_get(reader->config, key);
    if (!token || json_is_null(token)) {
        if (!named_tokens[which].value) return XL_OK;
        token = json_string(named_tokens[which].value);
        if (!token || json_object_set_new(reader->config, key, token))
            return xl_fail_nomem(err, reader->name, 0);
    }
    enum xl_status status = content_of(reader, key, token, &content, err);
    if (status) return status;
    if (!is_declared(reader, content) &&
        xl_vocab_find(reader->vocab, (struct xl_span){content, strlen(content)}) < 0)
        return xl_fail(
            err, XL_EFORMAT,
            "%s: \"%s\" is a token that neither the vocabulary nor the added tokens have",
            reader->name, key);
    status = put_undeclared(reader, key, token, err);
    const struct xl_added_token *found = status ? NULL : xl_added_find(reader->added, content);
    if (found) *id = found->id;
    return status;
}

static bool is_named(const char *key) {
    for (int i = 0; i < N_NAMED; i++)
        if (!strcmp(key, named_tokens[i].key)) return true;
    return false;
}

/* Keys like "image_token" that only this repository has, then the lists. */
static enum xl_status put_others(struct reader *reader, struct xl_err *err) {
    static const char suffix[] = "_token";
    enum xl_status status;
    const char *key;
    json_t *token;
    json_object_foreach(reader->config, key, token) {
        size_t n = strlen(key), n_suffix = sizeof suffix - 1;
        if (n < n_suffix || strcmp(key + n - n_suffix, suffix) || is_named(key)) continue;
        if (!json_is_string(token) && !json_is_object(token)) continue; /* "add_bos_token": false */
        status = put_undeclared(reader, key, token, err);
        if (status) return status;
    }
    for (int l = 0; l < 2; l++) {
        size_t i;
        json_array_foreach(json_object_get(reader->config, lists[l]), i, token) {
            status = put_undeclared(reader, lists[l], token, err);
            if (status) return status;
        }
    }
    return XL_OK;
}

/* ---- Files ----------------------------------------------------------------------------------- */

/* special_tokens_map.json goes over tokenizer_config.json, unless the latter is of the newer kind
 * that lists its added tokens. */
static enum xl_status load_config(const struct xl_tokenizer_data *data, json_t **config,
                                  struct xl_err *err) {
    enum xl_status status = xl_tokenizer_data_json(data, XL_TOKENIZER_CONFIG, config, err);
    if (status || json_object_get(*config, "added_tokens_decoder")) return status;
    json_t *map = NULL;
    status = xl_tokenizer_data_json(data, XL_TOKENIZER_SPECIAL, &map, err);
    if (!status && json_object_update(*config, map))
        status = xl_fail_nomem(err, data->file[XL_TOKENIZER_SPECIAL].name, 0);
    json_decref(map);
    return status;
}

static enum xl_status read_settings(struct xl_json json, int *max_length, struct xl_err *err) {
    static const char *const sides[] = {"padding_side", "truncation_side"};
    enum xl_status status =
        xl_json_int(json, "model_max_length", 2, MAX_MAX_LENGTH, max_length, err);
    for (int i = 0; i < 2 && !status; i++) {
        const char *side = "right";
        status = xl_json_string(json, sides[i], &side, err);
        if (!status && strcmp(side, "right"))
            status = xl_fail(err, XL_EFORMAT, "%s: \"%s\" is not supported: expected \"right\"",
                             json.name, sides[i]);
    }
    return status;
}

enum xl_status xl_special_tokens_read(const struct xl_tokenizer_data *data,
                                      const struct xl_vocab *vocab, const json_t *listed,
                                      struct xl_special_tokens *out, struct xl_err *err) {
    struct reader reader = {.name = data->file[XL_TOKENIZER_CONFIG].name,
                            .vocab = vocab,
                            .added = &out->added,
                            .next_id = (int32_t)vocab->n};
    int32_t ids[N_NAMED] = {0};
    out->max_length = DEFAULT_MAX_LENGTH;
    enum xl_status status = load_config(data, &reader.config, err);
    if (!status)
        status = read_settings((struct xl_json){reader.config, reader.name}, &out->max_length, err);
    if (!status) status = put_declared(&reader, data, listed, err);
    for (int i = 0; i < N_NAMED && !status; i++) status = put_named(&reader, i, &ids[i], err);
    if (!status) status = put_others(&reader, err);
    if (!status) {
        out->bos = ids[0];
        out->eos = ids[1];
        out->unk = ids[2];
        out->pad = ids[4];
    }
    json_decref(reader.config);
    return status;
}

void xl_special_tokens_deinit(struct xl_special_tokens *special) {
    xl_added_deinit(&special->added);
    *special = (struct xl_special_tokens){0};
}
