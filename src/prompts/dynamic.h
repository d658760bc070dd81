/* dynamic.h - templates as sd-dynamic-prompts writes them: "a {red|blue} __animal__".
 *
 *   {a|b}  {2$$a|b|c}  {1-2$$ and $$a|b|c}  {0.5::a|b}    one or several of these
 *   __name__  __dir/a*__  __name(x=1)__                   a value of a wildcard
 *   ${x=...}  ${x=!...}  ${x?=...}  ${x}  ${x:default}    variables
 *   %{words around ... $$ inner}                          a wrapper
 *   # to the end of the line; // and what C takes for a comment at the beginning of a token
 *
 * docs/GENERATOR.md has the whole. What differs from dynamicprompts: '%' and '$' that begin nothing
 * are signs; a template that is only cyclical ends; a wildcard that is not there stays as it is
 * written, once, with a notice. Keeps no state; any thread.
 */
#ifndef XL_PROMPTS_DYNAMIC_H
#define XL_PROMPTS_DYNAMIC_H

#include "base/arena.h"
#include "base/str.h"
#include "prompts/wildcards.h"

struct xl_dynamic_node;

/* Read a template; texts live in the arena. Errors: XL_EINVAL, "character N: ..." */
enum xl_status xl_dynamic_parse(const char *text, struct xl_arena *arena,
                                const struct xl_dynamic_node **out, struct xl_err *err) XL_CHECKED;

/* Where a template is made to a text. */
struct xl_dynamic {
    const struct xl_wildcards *wildcards; /* NULL: there are none */
    uint64_t seed;                        /* equal seeds choose alike */
    uint64_t stream;                      /* of texts that do not go by each other: 0, 1, ... */
    struct xl_str *notices;               /* of wildcards that are not there, one a line */
};

/* One text, chosen by chance: with equal files the same for the same seed on every machine. In the
 * arena. "@" and "!" take the value whose number is the seed's rest, so that seeds that follow each
 * other go round. Errors: XL_EINVAL as above, a variable that is not set, templates that lead back
 * to themselves; XL_ENOMEM */
enum xl_status xl_dynamic_draw(const struct xl_dynamic *dynamic, const char *text,
                               struct xl_arena *arena, const char **out,
                               struct xl_err *err) XL_CHECKED;

/* Every text, the right-most choice changing first; weights count nothing, "~" chooses by the seed.
 * *out: [*n] in the arena; *n: at most `most`, *is_all: there are no more. Errors: as above */
enum xl_status xl_dynamic_all(const struct xl_dynamic *dynamic, const char *text, int most,
                              struct xl_arena *arena, const char *const **out, int *n, bool *is_all,
                              struct xl_err *err) XL_CHECKED;

#endif
