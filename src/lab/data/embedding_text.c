/* embedding_text.c - the parts of an --embedding. Keeps no state. */
#include "lab/data/embedding_text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

bool xl_is_embedding_word(const char *text) {
    for (const char *c = text; *c; c++)
        if (isspace((unsigned char)*c) || iscntrl((unsigned char)*c) || *c == ',') return false;
    return text[0] != 0;
}

size_t xl_embedding_stem(const char *name, size_t n) {
    static const char *const endings[] = {".safetensors", ".pt", ".bin"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t n_end = strlen(endings[i]);
        if (n > n_end && !strncasecmp(name + n - n_end, endings[i], n_end)) return n - n_end;
    }
    return n;
}

enum xl_status xl_embedding_text_read(const char *text, struct xl_arena *arena,
                                      struct xl_embedding_said *out, struct xl_err *err) {
    const char *colon = strrchr(text, ':'), *word = colon ? colon + 1 : NULL;
    if (word && (strchr(word, '/') || xl_embedding_stem(word, strlen(word)) < strlen(word)))
        word = NULL;
    if (word && !xl_is_embedding_word(word))
        return xl_fail(err, XL_EINVAL,
                       "\"%.200s\": %s behind the colon; expected one word, without a blank or a "
                       "comma, that stands for the embedding",
                       text, word[0] ? "there is more than a word" : "there is no word");
    size_t n = word ? (size_t)(colon - text) : strlen(text);
    if (!n || n == strspn(text, " \t"))
        return xl_fail(err, XL_EINVAL, "\"%.200s\": expected a file or a name of an embedding",
                       text);
    struct xl_embedding_said said = {xl_arena_strndup(arena, text, n),
                                     word ? xl_arena_strdup(arena, word) : NULL};
    if (!said.name || (word && !said.word)) return xl_fail_nomem(err, "an embedding", 0);
    *out = said;
    return XL_OK;
}

enum xl_status xl_embedding_text_rename(const char *text, xl_lora_name_fn *change, void *user,
                                        struct xl_arena *arena, const char **out,
                                        struct xl_err *err) {
    struct xl_embedding_said said;
    const char *to = NULL;
    enum xl_status status = xl_embedding_text_read(text, arena, &said, err);
    if (!status) status = change(user, said.name, &to, err);
    if (status) return status;
    if (!to) to = said.name;
    *out = said.word ? xl_arena_printf(arena, "%s:%s", to, said.word) : to;
    return *out ? XL_OK : xl_fail_nomem(err, "an embedding", 0);
}
