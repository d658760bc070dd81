/* complete.h - what may stand at the cursor of a command line: one logic for all shells.
 *
 * The completion scripts (shells/) hold no lists. They ask `sdxl-lab complete`, which reads the
 * command table, the option table and the data files, so an option added there is completed at once
 * and the user's own profiles, models and sizes are, too.
 */
#ifndef XL_CLI_COMPLETE_H
#define XL_CLI_COMPLETE_H

#include "base/arena.h"
#include "lab/settings/options.h"

struct xl_candidate {
    const char *text; /* the whole word, as the program is to see it */
    const char *about;
    bool is_exact; /* begins with what is typed, letter by letter */
    struct xl_candidate *next;
};

/* Zero-initialise; texts live in the arena. Out of memory loses candidates and nothing else. */
struct xl_candidates {
    struct xl_arena arena;
    const char *typed; /* the word at the cursor, as far as it is there */
    struct xl_candidate *first, *last;
    bool has_exact;
    bool wants_files, wants_dirs; /* names of files or folders fit, too */
    bool is_open;                 /* more is to follow in the same word: no blank behind it */
};

/* Offer prefix + text if the typed word may become it. is_loose: case, blanks, accents and
 * punctuation do not matter. about may be NULL. */
void xl_candidate_add(struct xl_candidates *out, const char *prefix, const char *text,
                      const char *about, bool is_loose);

/* What fits after the words of a command line; words[n - 1] is the one at the cursor, may be "". */
void xl_complete(const char *const *words, int n, struct xl_candidates *out);

/* The same where words[0] is the program, by any of its names: what that means comes first. */
void xl_complete_line(const char *const *words, int n, struct xl_candidates *out);

/* complete_values.c: offer the values of an option or of a command's words. */
struct xl_value_place {
    enum xl_completion kind;
    const char *prefix; /* what stands before the value in its word: "--profile=" */
    const char *const *profile_files, *const *model_files; /* named earlier on the line */
    int n_profile_files, n_model_files;
};
void xl_complete_values(const struct xl_value_place *place, struct xl_candidates *out);

#endif
