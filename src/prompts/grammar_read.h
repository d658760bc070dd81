/* grammar_read.h - what the files that read a grammar share: grammar_read.c the file as a whole,
 * grammar_text.c texts with lists in them, grammar_rules.c what must not meet, grammar_settings.c
 * what else is decided. Lives while a grammar is read.
 */
#ifndef XL_PROMPTS_GRAMMAR_READ_H
#define XL_PROMPTS_GRAMMAR_READ_H

#include "prompts/grammar.h"

#include <stdarg.h>

struct xl_grammar_reader {
    const char *name, *text; /* of the file; NUL-terminated */
    const struct xl_learned *learned;
    struct xl_yaml_places places;
    const json_t *root;
    struct xl_grammar *grammar;
    int lists_capacity;
    struct xl_err *err;
};

/* The sentence of a failure. fragment: what of a value is wrong as it stands in the file, where the
 * place of the value is not narrow enough; NULL: the value. Returns XL_EINPUT */
enum xl_status xl_grammar_fail(struct xl_grammar_reader *reader, struct xl_yaml_place place,
                               const char *fragment, const char *format, ...) XL_PRINTF(4, 5);

/* A new list that nothing is in. NULL: out of memory */
struct xl_grammar_list *xl_grammar_list_add(struct xl_grammar_reader *reader, const char *name);

/* grammar_text.c: the items of a text. Lists are meant by name, and found when all are read
 * (xl_grammar_link). */
enum xl_status xl_grammar_read_text(struct xl_grammar_reader *reader, const char *text,
                                    struct xl_yaml_place place,
                                    struct xl_grammar_entry *entry) XL_CHECKED;
/* "0.5::text": the weight, in millionths, and *text behind it; without one it stays as it is. */
enum xl_status xl_grammar_read_weight(struct xl_grammar_reader *reader, const char **text,
                                      struct xl_yaml_place place, uint64_t *weight) XL_CHECKED;
/* Find every list that is named; refuse those that lead back to themselves. */
enum xl_status xl_grammar_link(struct xl_grammar_reader *reader) XL_CHECKED;

/* grammar_rules.c */
enum xl_status xl_grammar_read_blocked(struct xl_grammar_reader *reader) XL_CHECKED;
/* Take what is blocked out of the lists, and give the rest its sums of weights. */
enum xl_status xl_grammar_settle_entries(struct xl_grammar_reader *reader) XL_CHECKED;
enum xl_status xl_grammar_read_rules(struct xl_grammar_reader *reader) XL_CHECKED;

/* grammar_settings.c */
enum xl_status xl_grammar_read_settings(struct xl_grammar_reader *reader) XL_CHECKED;

/* The nearest of the lists' names, as "; did you mean X?", or "". */
enum { XL_GRAMMAR_HINT = 160 };
const char *xl_grammar_near_list(const struct xl_grammar *grammar, const char *name,
                                 char out[XL_GRAMMAR_HINT]);

#endif
