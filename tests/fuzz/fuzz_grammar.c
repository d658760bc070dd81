/* fuzz_grammar.c - any text as a grammar of prompts: it is refused with a sentence that begins with
 * its name, or counted and drawn from: prompts without repeats, parts that lie in them. */
#include "fuzz.h"

#include "base/str.h"
#include "prompts/distinct.h"
#include "prompts/sequence.h"

#include <stdlib.h>
#include <string.h>

static void expect(bool promise) {
    if (!promise) abort();
}

static void check_prompt(const struct xl_prompt_text *text) {
    int n = (int)text->text.len;
    expect(n > 0 && !text->text.text[n] && strlen(text->text.text) == (size_t)n);
    expect(text->text.text[0] != ' ' && text->text.text[n - 1] != ' ');
    for (int i = 0; i < text->n_parts; i++)
        expect(0 <= text->parts[i].begin && text->parts[i].begin <= text->parts[i].end &&
               text->parts[i].end <= n);
}

static void draw(const struct xl_grammar *grammar) {
    struct xl_sequence *sequence = NULL;
    struct xl_err err = {0};
    enum xl_status status = xl_sequence_new(grammar, 1, &sequence, &err);
    expect(!status || (status == XL_EINPUT && err.text[0]));
    if (status) return;
    struct xl_ways_count ways = xl_ways_count(xl_sequence_ways(sequence));
    expect(ways.n > 0);
    char *last = NULL;
    for (int i = 0; !status && i < 3; i++) {
        const struct xl_prompt_text *text;
        status = xl_sequence_next(sequence, &text, &err);
        expect(!status || (status == XL_EINPUT && err.text[0]));
        if (status) break;
        check_prompt(text);
        bool is_same = last && !strcmp(last, text->text.text);
        expect(!is_same || xl_sequence_round(sequence));
        free(last);
        last = strdup(text->text.text);
        for (int k = 0; k < grammar->n_settings; k++)
            expect(xl_sequence_setting(sequence, k) < grammar->settings[k].n);
        xl_sequence_seed(sequence);
    }
    free(last);
    xl_sequence_free(sequence);
}

/* What is called distinct is: few ways are counted by their texts. */
static void count(const struct xl_grammar *grammar) {
    struct xl_sequence *sequence = NULL;
    struct xl_ways_count possible;
    bool is_distinct = false;
    if (xl_sequence_new(grammar, 1, &sequence, NULL)) return;
    struct xl_ways_count ways = xl_ways_count(xl_sequence_ways(sequence));
    if (ways.has_numbers && ways.n < 500) {
        enum xl_status status = xl_sequence_possible(sequence, &possible, NULL);
        expect(!status || status == XL_EINPUT);
        if (status) possible.n = 0;
        expect(possible.n <= ways.n);
        expect(!xl_grammar_is_distinct(grammar, &is_distinct, NULL));
        is_distinct = is_distinct && !xl_grammar_may_be_blocked(grammar);
        expect(!is_distinct || possible.n == ways.n);
    }
    xl_sequence_free(sequence);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct xl_grammar *grammar = NULL;
    struct xl_err err = {0};
    char *text = malloc(size + 1);
    expect(text != NULL);
    memcpy(text, data, size);
    text[size] = 0;
    enum xl_status status = xl_grammar_parse("g", text, size, NULL, &grammar, &err);
    expect(!status || ((status == XL_EINPUT || status == XL_ENOMEM) && !strncmp(err.text, "g", 1)));
    if (!status) draw(grammar);
    if (!status) count(grammar);
    xl_grammar_free(grammar);
    free(text);
    return 0;
}
