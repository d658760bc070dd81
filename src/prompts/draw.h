/* draw.h - one prompt of a grammar: decisions by chance, and the text that decisions make. */
#ifndef XL_PROMPTS_DRAW_H
#define XL_PROMPTS_DRAW_H

#include "prompts/grammar.h"
#include "prompts/random.h"

/* Decide everything by the weights; how many of several is decided evenly. decisions:
 * [XL_GRAMMAR_MAX_DECISIONS]; *n of them. Returns the marks that are borne together. */
uint64_t xl_grammar_decide(const struct xl_grammar *grammar, struct xl_dice *dice,
                           uint32_t *decisions, int *n);

/* What an entry became: bytes begin..end of the text. */
struct xl_prompt_piece {
    const struct xl_grammar_list *list;
    const struct xl_grammar_entry *entry;
    int begin, end;
};
enum { XL_PROMPT_MAX_PARTS = XL_GRAMMAR_MAX_DECISIONS };

struct xl_prompt_text {
    struct xl_str text;                                /* the prompt */
    struct xl_prompt_piece parts[XL_PROMPT_MAX_PARTS]; /* as they begin; one may lie in another */
    int n_parts;
    struct xl_str raw; /* while it is made */
    int *map;          /* likewise: where each byte of raw went */
    size_t map_capacity;
};

/* The text of decisions, into *out, whose memory is used again: articles, plurals, blanks and
 * commas put right. Errors: XL_ENOMEM */
enum xl_status xl_grammar_render(const struct xl_grammar *grammar, const uint32_t *decisions, int n,
                                 struct xl_prompt_text *out, struct xl_err *err) XL_CHECKED;
void xl_prompt_text_deinit(struct xl_prompt_text *text);

#endif
