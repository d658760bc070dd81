/* clip_vocab.h - CLIP's own tokenizer, for models that bring none: single files hold weights alone.
 * Its merges are built into the program (data/clip/); the vocabulary follows from them.
 */
#ifndef XL_TEXT_CLIP_VOCAB_H
#define XL_TEXT_CLIP_VOCAB_H

#include "text/tokenizer.h"

/* The tokenizers of SDXL's two text encoders. They differ in the token that pads: the end of the
 * text, and "!" (id 0). */
enum xl_clip_pad { XL_CLIP_PAD_END, XL_CLIP_PAD_ZERO };

/* The texts of its files, as repositories of SDXL have them (vocab.json, merges.txt,
 * tokenizer_config.json). Caller: xl_tokenizer_data_deinit. Errors: XL_ENOMEM */
enum xl_status xl_clip_tokenizer_data(enum xl_clip_pad pad, struct xl_tokenizer_data *out,
                                      struct xl_err *err) XL_CHECKED;

/* The tokenizer in that folder; dir NULL: CLIP's own. Errors: as xl_tokenizer_open */
enum xl_status xl_tokenizer_open_or_clip(const char *dir, enum xl_clip_pad pad,
                                         struct xl_tokenizer **out, struct xl_err *err) XL_CHECKED;

/* "clip 1"; another number should the texts ever change. Goes into the digests of models. */
extern const char xl_clip_tokenizer_version[];

#endif
