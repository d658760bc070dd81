/* triggers.c - words that stand for ids of their own. A text is cut where such a word stands as a
 * word; in the tokens of what is between, the tokens of the word are looked for as well. Keeps no
 * state. */
#include "text/chunks.h"
#include "text/ints.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Tokens of the words, found once a text. */
struct triggers {
    const struct xl_chunk_rule *rule;
    struct xl_ints *ids; /* of each */
};

static bool is_word(char c) {
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* Whether n bytes at `at` of a text stand alone: no letter goes on over their ends. */
static bool stands_alone(const char *text, const char *at, size_t n) {
    bool begins = at == text || !is_word(at[0]) || !is_word(at[-1]);
    return begins && (!at[n] || !is_word(at[n - 1]) || !is_word(at[n]));
}

/* Bytes at `at` that are the word, or name it as ComfyUI does: "embedding:WORD.safetensors"; 0:
 * they are something else. */
static size_t match(const char *text, const char *at, const char *word) {
    static const char prefix[] = "embedding:", *const endings[] = {".safetensors", ".pt", ".bin"};
    size_t n_prefix = strncasecmp(at, prefix, sizeof prefix - 1) ? 0 : sizeof prefix - 1;
    size_t n = n_prefix + strlen(word);
    if (strncasecmp(at + n_prefix, word, n - n_prefix) != 0) return 0;
    for (size_t i = 0; n_prefix && i < sizeof endings / sizeof *endings; i++) {
        size_t n_end = strlen(endings[i]);
        if (!strncasecmp(at + n, endings[i], n_end) && stands_alone(text, at, n + n_end))
            return n + n_end;
    }
    return stands_alone(text, at, n) ? n : 0;
}

bool xl_trigger_is_in(const char *word, const char *text) {
    for (const char *at = text; at && *at; at++)
        if (match(text, at, word)) return true;
    return false;
}

/* The trigger of the longest word that stands at `at`; *n: its bytes there. */
static const struct xl_trigger *word_at(const struct xl_chunk_rule *rule, const char *text,
                                        const char *at, size_t *n) {
    const struct xl_trigger *best = NULL;
    *n = 0;
    for (int i = 0; i < rule->n_triggers; i++) {
        size_t length = match(text, at, rule->triggers[i].word);
        if (length <= *n) continue;
        best = &rule->triggers[i];
        *n = length;
    }
    return best;
}

static void push_vectors(const struct xl_trigger *trigger, struct xl_ints *out) {
    for (int i = 0; i < trigger->n_vectors; i++) xl_ints_push(out, trigger->first_id + i);
}

/* The trigger with most tokens whose tokens these are. */
static int tokens_at(const struct triggers *triggers, const int32_t *ids, size_t n) {
    int best = -1;
    for (int i = 0; i < triggers->rule->n_triggers; i++) {
        const struct xl_ints *own = &triggers->ids[i];
        if (!own->n || own->n > n || memcmp(own->at, ids, own->n * sizeof *ids) != 0) continue;
        if (best < 0 || own->n > triggers->ids[best].n) best = i;
    }
    return best;
}

static enum xl_status add_piece(const struct triggers *triggers, const char *text, size_t n,
                                struct xl_ints *out, struct xl_err *err) {
    int32_t *ids = NULL;
    int n_ids = 0;
    char *piece = strndup(text, n);
    if (!piece) return xl_fail_nomem(err, "token ids", n);
    enum xl_status status = xl_tokenize(triggers->rule->tokenizer, piece, &ids, &n_ids, err);
    free(piece);
    for (int i = 0; !status && i < n_ids;) {
        int found = tokens_at(triggers, ids + i, (size_t)(n_ids - i));
        if (found < 0) {
            xl_ints_push(out, ids[i++]);
        } else {
            push_vectors(&triggers->rule->triggers[found], out);
            i += (int)triggers->ids[found].n;
        }
    }
    if (!status) free(ids);
    return status;
}

static enum xl_status add_text(const struct triggers *triggers, const char *text,
                               struct xl_ints *out, struct xl_err *err) {
    enum xl_status status = XL_OK;
    const char *begin = text;
    for (const char *at = text; !status && *at;) {
        size_t n;
        const struct xl_trigger *trigger = word_at(triggers->rule, text, at, &n);
        if (!trigger) {
            at++;
            continue;
        }
        if (at > begin) status = add_piece(triggers, begin, (size_t)(at - begin), out, err);
        push_vectors(trigger, out);
        begin = at += n;
    }
    return status || !*begin ? status : add_piece(triggers, begin, strlen(begin), out, err);
}

enum xl_status xl_trigger_tokenize(const struct xl_chunk_rule *rule, const char *text,
                                   int32_t **ids, int *n, struct xl_err *err) {
    if (!rule->n_triggers) return xl_tokenize(rule->tokenizer, text, ids, n, err);
    struct triggers triggers = {rule, calloc((size_t)rule->n_triggers, sizeof *triggers.ids)};
    struct xl_ints out = {0};
    enum xl_status status = triggers.ids ? XL_OK : xl_fail_nomem(err, "token ids", 0);
    for (int i = 0; !status && i < rule->n_triggers; i++) {
        int32_t *own;
        int n_own;
        status = xl_tokenize(rule->tokenizer, rule->triggers[i].word, &own, &n_own, err);
        if (!status) triggers.ids[i] = (struct xl_ints){.at = own, .n = (size_t)n_own};
    }
    if (!status) status = add_text(&triggers, text, &out, err);
    if (!status && !out.at) xl_ints_push(&out, 0), out.n = 0;
    if (!status && out.failed) status = xl_fail_nomem(err, "token ids", 0);
    for (int i = 0; triggers.ids && i < rule->n_triggers; i++) xl_ints_deinit(&triggers.ids[i]);
    free(triggers.ids);
    if (status) {
        xl_ints_deinit(&out);
        return status;
    }
    *ids = out.at;
    *n = (int)out.n;
    return XL_OK;
}
