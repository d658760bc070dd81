/* embedding_text.h - textual inversions as people write them: "glow.safetensors:glow" of
 * --embedding. Only text: what a name means is found by loras.h.
 *
 *   NAME           a name, a file, a repository ("org/name", "org/name:FILE.safetensors")
 *   none           none: what a source that comes after says does not count
 *   NAME:WORD      the word of the prompt that it stands for; else that is the file's name
 *
 * A word is what follows the last colon, unless that is a file's name or has a slash in it.
 */
#ifndef XL_LAB_EMBEDDING_TEXT_H
#define XL_LAB_EMBEDDING_TEXT_H

#include "lab/data/lora_text.h"

struct xl_embedding_said {
    const char *name;
    const char *word; /* NULL: not said */
};

/* In the arena. Errors: XL_EINVAL no name, a word that is none; XL_ENOMEM */
enum xl_status xl_embedding_text_read(const char *text, struct xl_arena *arena,
                                      struct xl_embedding_said *out, struct xl_err *err) XL_CHECKED;

/* The same text with its name run through `change`, as xl_lora_text_rename does. */
enum xl_status xl_embedding_text_rename(const char *text, xl_lora_name_fn *change, void *user,
                                        struct xl_arena *arena, const char **out,
                                        struct xl_err *err) XL_CHECKED;

/* Whether a text can be the word of an embedding: it is not empty, and has no blank or comma. */
bool xl_is_embedding_word(const char *text);

/* Bytes of a file's name without an ending that embeddings have; all of them without one. */
size_t xl_embedding_stem(const char *name, size_t n);

#endif
