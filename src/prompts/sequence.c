/* sequence.c - drawing without repeats, and what else is decided. */
#include "prompts/sequence.h"
#include "prompts/blocked.h"
#include "prompts/distinct.h"
#include "prompts/hashes.h"

#include <stdlib.h>
#include <string.h>

typedef unsigned __int128 number;

enum {
    TRIES = 1000,            /* draws of no use in a row; then numbers are gone through */
    LOOKED_THROUGH = 200000, /* ways that are looked through to count their texts */
};
/* Streams of a seed, beside those of the prompts' settings. */
#define STREAM_WORDS UINT64_C(0)
#define STREAM_SETTINGS UINT64_C(1) /* mixed with the number of the prompt */

struct xl_sequence {
    const struct xl_grammar *grammar;
    struct xl_ways *ways;
    uint64_t seed;
    struct xl_dice dice;
    struct xl_hashes seen;
    int64_t n, round; /* prompts so far; rounds that are through */
    bool is_walking;  /* through the numbers */
    number walked;
    bool has_some; /* prompts in this round */
    struct xl_prompt_text text;
    uint32_t decisions[XL_GRAMMAR_MAX_DECISIONS];
};

enum xl_status xl_sequence_new(const struct xl_grammar *grammar, uint64_t seed,
                               struct xl_sequence **out, struct xl_err *err) {
    struct xl_sequence *sequence = calloc(1, sizeof *sequence);
    if (!sequence) return xl_fail_nomem(err, "prompts", sizeof *sequence);
    *sequence = (struct xl_sequence){
        .grammar = grammar, .seed = seed, .dice = xl_dice_begin(seed, STREAM_WORDS)};
    enum xl_status status = xl_ways_new(grammar, &sequence->ways, err);
    if (status)
        xl_sequence_free(sequence);
    else
        *out = sequence;
    return status;
}

void xl_sequence_free(struct xl_sequence *sequence) {
    if (!sequence) return;
    xl_ways_free(sequence->ways);
    xl_hashes_deinit(&sequence->seen);
    xl_prompt_text_deinit(&sequence->text);
    free(sequence);
}

/* Words that no part has may stand where two parts meet. */
static bool is_blocked(const struct xl_grammar *grammar, const struct xl_prompt_text *text) {
    return xl_blocked_find(&grammar->blocked, text->text.text, text->text.len) != NULL;
}

/* Make the text of n decisions; *is_new: it may be told and was not yet. */
static enum xl_status consider(struct xl_sequence *sequence, int n, bool *is_new,
                               struct xl_err *err) {
    const struct xl_prompt_text *text = &sequence->text;
    *is_new = false;
    enum xl_status status =
        xl_grammar_render(sequence->grammar, sequence->decisions, n, &sequence->text, err);
    if (status || !text->text.len || is_blocked(sequence->grammar, text)) return status;
    return xl_hashes_add(&sequence->seen, xl_text_hash(text->text.text, text->text.len), is_new,
                         err);
}

static enum xl_status draw(struct xl_sequence *sequence, bool *is_found, struct xl_err *err) {
    enum xl_status status = XL_OK;
    *is_found = false;
    for (int i = 0; !status && !*is_found && i < TRIES; i++) {
        int n = 0;
        uint64_t marks =
            xl_grammar_decide(sequence->grammar, &sequence->dice, sequence->decisions, &n);
        if (xl_grammar_allows(sequence->grammar, marks))
            status = consider(sequence, n, is_found, err);
    }
    return status;
}

/* The next of the numbers; none is found when all were gone through. */
static enum xl_status walk(struct xl_sequence *sequence, bool *is_found, struct xl_err *err) {
    struct xl_ways_count count = xl_ways_count(sequence->ways);
    enum xl_status status = XL_OK;
    *is_found = false;
    while (!status && !*is_found && count.has_numbers && sequence->walked < count.n) {
        int n = 0;
        uint64_t order = sequence->seed + (uint64_t)sequence->round;
        xl_ways_decide(sequence->ways, xl_shuffled(sequence->walked++, count.n, order),
                       sequence->decisions, &n);
        status = consider(sequence, n, is_found, err);
    }
    return status;
}

static enum xl_status no_prompt(const struct xl_sequence *sequence, struct xl_err *err) {
    return xl_fail(err, XL_EINPUT,
                   "%s: no prompt was found that is allowed and has no blocked words",
                   sequence->grammar->name);
}

static void begin_round(struct xl_sequence *sequence) {
    xl_hashes_clear(&sequence->seen);
    sequence->round++;
    sequence->is_walking = sequence->has_some = false;
    sequence->walked = 0;
}

enum xl_status xl_sequence_next(struct xl_sequence *sequence, const struct xl_prompt_text **out,
                                struct xl_err *err) {
    for (;;) {
        bool is_found = false;
        enum xl_status status = sequence->is_walking ? walk(sequence, &is_found, err)
                                                     : draw(sequence, &is_found, err);
        if (status) return status;
        if (is_found) {
            sequence->has_some = true;
            sequence->n++;
            *out = &sequence->text;
            return XL_OK;
        }
        if (!sequence->is_walking)
            sequence->is_walking = true;
        else if (sequence->has_some)
            begin_round(sequence);
        else
            return no_prompt(sequence, err);
    }
}

/* --- What else is decided --------------------------------------------------------------------- */

static struct xl_dice dice_of(const struct xl_sequence *sequence, uint64_t what) {
    uint64_t stream = xl_mix_bits(STREAM_SETTINGS + (uint64_t)sequence->n) + what;
    return xl_dice_begin(sequence->seed, stream);
}

int xl_sequence_setting(const struct xl_sequence *sequence, int setting) {
    const struct xl_grammar_setting *of = &sequence->grammar->settings[setting];
    struct xl_dice dice = dice_of(sequence, xl_text_hash(of->name, strlen(of->name)));
    uint64_t at = xl_dice_below(&dice, of->upto[of->n - 1]);
    int i = 0;
    while (at >= of->upto[i]) i++;
    return i;
}

uint64_t xl_sequence_seed(const struct xl_sequence *sequence) {
    const struct xl_grammar *grammar = sequence->grammar;
    uint64_t i = (uint64_t)sequence->n - 1;
    switch (grammar->seeds) {
    case XL_SEEDS_COUNT:
        return grammar->first_seed + i * grammar->seed_step;
    case XL_SEEDS_OF_LIST:
        return grammar->seed_list[i % (uint64_t)grammar->n_seeds];
    case XL_SEEDS_RANDOM:
        break;
    }
    struct xl_dice dice = dice_of(sequence, 0);
    return xl_dice_next(&dice) >> 32; /* 32 bits: what other tools can enter as a seed */
}

int64_t xl_sequence_round(const struct xl_sequence *sequence) {
    return sequence->round;
}

const struct xl_ways *xl_sequence_ways(const struct xl_sequence *sequence) {
    return sequence->ways;
}

/* Whether so many ways are so many texts: where no blocked word can arise that no part has. */
static enum xl_status prove(const struct xl_sequence *sequence, bool *is_exact,
                            struct xl_err *err) {
    if (xl_grammar_may_be_blocked(sequence->grammar)) return XL_OK;
    return xl_grammar_is_distinct(sequence->grammar, is_exact, err);
}

enum xl_status xl_sequence_possible(const struct xl_sequence *sequence, struct xl_ways_count *out,
                                    struct xl_err *err) {
    struct xl_ways_count count = xl_ways_count(sequence->ways);
    struct xl_sequence look = {.grammar = sequence->grammar, .ways = sequence->ways};
    enum xl_status status = XL_OK;
    *out = count;
    out->is_exact = false;
    if (!count.has_numbers) return XL_OK;
    if (count.n > LOOKED_THROUGH) return prove(sequence, &out->is_exact, err);
    bool is_new;
    for (number i = 0; !status && i < count.n; i++) {
        int n = 0;
        xl_ways_decide(look.ways, i, look.decisions, &n);
        status = consider(&look, n, &is_new, err);
    }
    if (!status && !look.seen.n) status = no_prompt(sequence, err);
    if (!status) *out = (struct xl_ways_count){look.seen.n, true, count.has_numbers};
    xl_hashes_deinit(&look.seen);
    xl_prompt_text_deinit(&look.text);
    return status;
}
