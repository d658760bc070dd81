/* attention.h - AUTOMATIC1111's prompt weights: a text to pieces that each have a weight.
 *
 * (x) is x at 1.1, [x] at 1 / 1.1, (x:1.3) at 1.3; what is nested multiplies. A backslash takes a
 * bracket or a backslash as it stands. The word BREAK ends a chunk. Brackets that are not closed
 * reach to the end of the text; closing ones that nothing opened are text.
 * Source: what stable-diffusion-webui's prompt_parser.parse_prompt_attention answers.
 */
#ifndef XL_TEXT_ATTENTION_H
#define XL_TEXT_ATTENTION_H

#include "base/arena.h"

/* A piece of a text. */
struct xl_fragment {
    const char *text;
    double weight;
    bool is_break; /* BREAK: what follows begins a chunk; the text is "BREAK" and the weight -1 */
};

struct xl_fragments {
    struct xl_fragment *at; /* [n], in the arena */
    int n;
    bool is_unclosed; /* a bracket reaches to the end, for nothing closes it */
};

enum { XL_ATTENTION_DEPTH = 256 }; /* brackets that are open at once */

/* Neighbours of one weight are one piece; an empty text is one empty piece. Everything is kept in
 * the arena. Errors: XL_EINVAL brackets that are nested too deep; XL_ENOMEM */
enum xl_status xl_attention_parse(const char *text, struct xl_arena *arena,
                                  struct xl_fragments *out, struct xl_err *err) XL_CHECKED;

#endif
