/* prompt_steps.h - prompts that change between steps, in AUTOMATIC1111's syntax:
 *
 *   [from:to:when]  from up to step `when`, to after it
 *   [to:when]       nothing, then to          [from::when]  from, then nothing
 *   [a|b|c]         a in step 1, b in step 2, c in step 3, a in step 4, ...
 *
 * `when` with a point is a part of all steps (0.5: after half of them), else a number of steps.
 * They may stand in each other and in weights, and weights in them. What is no such thing stays
 * text, and brackets without a number or a bar stay for the weights. A bar outside of brackets, or
 * a backslash at the end, makes all of the text a plain one, as there.
 * Source: what stable-diffusion-webui's get_learned_conditioning_prompt_schedules answers.
 */
#ifndef XL_TEXT_PROMPT_STEPS_H
#define XL_TEXT_PROMPT_STEPS_H

#include "base/arena.h"

struct xl_prompt_part {
    int last; /* the last step, counted from 1, that has this text */
    const char *text;
    int index; /* among the texts that differ, in the order of their first coming */
};

struct xl_prompt_parts {
    struct xl_prompt_part *at; /* [n], in the arena; the last one's `last` is the number of steps */
    int n;
    int n_texts; /* that differ */
};

/* The texts of a prompt over n_steps steps; neighbours differ. Time and memory grow with the length
 * of the text and the number of changes. Errors: XL_ENOMEM */
enum xl_status xl_prompt_steps(const char *text, int n_steps, struct xl_arena *arena,
                               struct xl_prompt_parts *out, struct xl_err *err) XL_CHECKED;

#endif
