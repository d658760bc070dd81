/* decided.h - what a grammar decides beside words, as settings: its names are those of the option
 * table, its values what the options take.
 */
#ifndef XL_LAB_DECIDED_H
#define XL_LAB_DECIDED_H

#include "lab/settings/settings.h"
#include "prompts/sequence.h"

/* Whether every setting is one that a sweep can vary, and every value one that it takes: profiles,
 * sizes and samplers are looked up, models are not. Errors: XL_EINPUT, "FILE:LINE:COLUMN: ..." */
enum xl_status xl_decided_check(const struct xl_grammar *grammar, struct xl_err *err) XL_CHECKED;

/* The job of the prompt that came last: an object that xl_settings_read_object reads, with prompt,
 * negative, seed and the settings that were decided. NULL: out of memory. Caller: json_decref */
json_t *xl_decided_job(const struct xl_grammar *grammar, const struct xl_sequence *sequence,
                       const struct xl_prompt_text *text);

#endif
