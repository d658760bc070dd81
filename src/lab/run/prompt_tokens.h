/* prompt_tokens.h - what a text becomes in a syntax, as JSON: for inspect tokens, and for whoever
 * types and wants to know what fits.
 */
#ifndef XL_LAB_PROMPT_TOKENS_H
#define XL_LAB_PROMPT_TOKENS_H

#include "base/json.h"
#include "lab/settings/settings.h"
#include "text/tokenizer.h"

/* Fill in row: "syntax", "tokens" (of the text; of the longest where steps differ), "chunks" (how
 * many, for the UNet), "cut" (tokens that are left out), these three for each encoder ("encoders"),
 * and where there are any, "cut_text" (from the first word on that does not fit). Plain: "ids_1"
 * and "ids_2". Else "parts": for each text that a step sees (a1111: up to "last_step"), or that is
 * mixed in or put behind (compel: "weight"), "chunks_1" and "chunks_2" of {ids, weights}. is_brief:
 * without ids and parts. Tags of LoRAs are no part of the text; the vectors of a textual inversion
 * have ids behind those of the vocabulary. settings: the syntax, the number of steps, embeddings.
 * Errors: XL_EINVAL what the syntax refuses; those of xl_text_embeddings */
enum xl_status xl_prompt_tokens(const struct xl_settings *settings,
                                struct xl_tokenizer *const tokenizers[2], const char *text,
                                bool is_brief, json_t *row, struct xl_err *err) XL_CHECKED;

#endif
