/* words.c - the words of prompts: how often pictures that have them are loved. */
#include "insight/taste/analysis.h"

#include "insight/stats/multiple.h"

#include <math.h>
#include <stdlib.h>

/* Claims first, loved more before loved less; then what is most certainly loved. */
static int surest(const void *a, const void *b) {
    static const int order[] = {
        [XL_TASTE_MORE] = 0, [XL_TASTE_LESS] = 1, [XL_TASTE_USUAL] = 2, [XL_TASTE_UNKNOWN] = 2};
    const struct xl_taste_word *x = a, *y = b;
    if (order[x->verdict] != order[y->verdict]) return order[x->verdict] - order[y->verdict];
    double p = x->rate.interval.low, q = y->rate.interval.low;
    if (x->verdict == XL_TASTE_LESS) p = -x->rate.interval.high, q = -y->rate.interval.high;
    if (p != q) return p > q ? -1 : 1;
    return x->word < y->word ? -1 : 1;
}

static void test(struct xl_analysis *analysis, struct xl_taste_word *words, size_t n,
                 double *least) {
    const struct xl_taste_rate *all = &analysis->taste->all;
    size_t tested = 0, at = 0;
    for (size_t i = 0; i < n; i++)
        if (words[i].rate.made >= XL_TASTE_LEAST && words[i].rate.made < all->made)
            least[tested++] = xl_least_p(analysis, words[i].rate.made);
    size_t factor = xl_tarone_factor(least, tested, XL_SHARE_WORDS);
    for (size_t i = 0; i < n; i++) {
        const struct xl_taste_rate *rate = &words[i].rate;
        bool is_tested = rate->made >= XL_TASTE_LEAST && rate->made < all->made;
        words[i].p = NAN;
        if (is_tested && xl_corrected(least[at++], factor, XL_SHARE_WORDS) <= XL_TASTE_ALPHA)
            words[i].p = xl_corrected(xl_fisher(rate->loved, rate->made, all->loved, all->made),
                                      factor, XL_SHARE_WORDS);
        words[i].verdict = xl_verdict_of(analysis, rate, words[i].p);
    }
}

/* Pictures are counted by their prompts, and those by their words. */
static enum xl_status count(const struct xl_observations *rows, struct xl_taste_word *words,
                            struct xl_err *err) {
    size_t n = rows->prompt_count;
    uint64_t(*of_prompt)[2] = calloc(n + 1, sizeof *of_prompt); /* made, loved */
    if (!of_prompt) return xl_fail_nomem(err, "prompts", n * sizeof *of_prompt);
    for (size_t i = 0; n && i < rows->row_count; i++) {
        if (rows->prompt[i] == XL_NO_LEVEL) continue;
        of_prompt[rows->prompt[i]][0]++;
        of_prompt[rows->prompt[i]][1] += rows->loved[i] != 0;
    }
    for (size_t p = 0; p < n; p++)
        for (size_t w = rows->word_start[p]; w < rows->word_start[p + 1]; w++) {
            words[rows->word_ids[w]].rate.made += of_prompt[p][0];
            words[rows->word_ids[w]].rate.loved += of_prompt[p][1];
        }
    free(of_prompt);
    return XL_OK;
}

enum xl_status xl_analyse_words(struct xl_analysis *analysis, struct xl_err *err) {
    const struct xl_observations *rows = analysis->observations;
    size_t n = rows->word_count, used = 0;
    struct xl_taste_word *words = xl_arena_alloc(&analysis->scratch, (n + 1) * sizeof *words);
    double *least = malloc((n + 1) * sizeof *least);
    if (!words || !least) {
        free(least);
        return xl_fail_nomem(err, "words of prompts", n * sizeof *words);
    }
    enum xl_status status = count(rows, words, err);
    if (status) {
        free(least);
        return status;
    }
    for (size_t i = 0; i < n; i++) {
        struct xl_taste_rate rate = words[i].rate;
        if (!rate.made) continue;
        words[used] = (struct xl_taste_word){.word = (uint32_t)i};
        words[used++].rate = xl_rate_of(analysis, rate.made, rate.loved);
    }
    test(analysis, words, used, least);
    free(least);
    qsort(words, used, sizeof *words, surest);
    size_t kept = used < XL_TASTE_WORDS ? used : XL_TASTE_WORDS;
    struct xl_taste_word *list = xl_arena_alloc(analysis->arena, (kept + 1) * sizeof *list);
    if (!list) return xl_fail_nomem(err, "words of prompts", 0);
    for (size_t i = 0; i < kept; i++) list[i] = words[i];
    analysis->taste->words = list;
    analysis->taste->word_count = kept;
    analysis->taste->n_words = used;
    return XL_OK;
}
