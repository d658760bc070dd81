/* prompts.h - what the prompts commands share: a grammar that is open, and its list of prompts. */
#ifndef XL_CLI_PROMPTS_H
#define XL_CLI_PROMPTS_H

#include "cli/cli.h"
#include "prompts/sequence.h"

struct xl_prompts_source {
    struct xl_learned *learned;
    struct xl_grammar *grammar;
    struct xl_sequence *sequence;
    uint64_t seed;
};

/* Open a file or theme with the weights and the seed of the settings; one that nobody chose is
 * drawn at random. What is odd in the file is warned of. Caller, after a failure as well:
 * xl_prompts_close. Errors: XL_EINPUT, XL_ENOMEM */
enum xl_status xl_prompts_open(const struct xl_settings *settings, const char *name,
                               struct xl_prompts_source *out, struct xl_err *err) XL_CHECKED;
void xl_prompts_close(struct xl_prompts_source *source);

/* "6,812,390,400 different prompts", "at most ..." into out; returns out. */
enum { XL_PROMPTS_COUNT_MAX = 96 };
char *xl_prompts_count_text(struct xl_ways_count count, char out[XL_PROMPTS_COUNT_MAX]);

/* The document of n prompts, as they are made. Errors: XL_EINPUT, XL_ENOMEM, XL_ECANCELLED */
enum xl_status xl_prompts_print_json(const struct xl_settings *settings,
                                     const struct xl_prompts_source *source, int n,
                                     struct xl_err *err) XL_CHECKED;

#endif
