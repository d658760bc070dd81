/* vocab_files.h - the vocabulary and the merges from their files: vocab.json with merges.txt, or
 * tokenizer.json, which holds both.
 */
#ifndef XL_TEXT_VOCAB_FILES_H
#define XL_TEXT_VOCAB_FILES_H

#include "base/json.h"
#include "text/bpe.h"
#include "text/tokenizer_data.h"

/* Parsers over text in memory. All errors: XL_EFORMAT with file and line, XL_ENOMEM. */

/* An object of token: id. Tokens in `vocab` live as long as the scan and its text. */
enum xl_status xl_vocab_parse(struct xl_scan *scan, struct xl_vocab *vocab,
                              struct xl_err *err) XL_CHECKED;

/* Lines "left right", the strongest merge first; "#version" lines are comments. */
enum xl_status xl_merges_parse(const char *name, struct xl_span text, const struct xl_vocab *vocab,
                               struct xl_bpe *bpe, struct xl_err *err) XL_CHECKED;

/* The members "model" (vocab, merges) and "added_tokens" (an array; left alone when absent). */
enum xl_status xl_tokenizer_json_parse(struct xl_scan *scan, struct xl_vocab *vocab,
                                       struct xl_bpe *bpe, json_t *added_tokens,
                                       struct xl_err *err) XL_CHECKED;

/* Both parts of a tokenizer. Zero-initialise; close also after a failure, and before the data goes.
 */
struct xl_vocab_files {
    struct xl_vocab vocab;
    struct xl_bpe bpe;
    json_t *added_tokens; /* array: what tokenizer.json lists, each with its "id" */
    struct xl_scan scan;  /* of vocab.json or tokenizer.json: tokens point into its text */
};

/* tokenizer.json is taken where there is one, as transformers does.
 * Errors: XL_EMODEL a file is missing, XL_EFORMAT, XL_ENOMEM */
enum xl_status xl_vocab_files_open(struct xl_vocab_files *files,
                                   const struct xl_tokenizer_data *data,
                                   struct xl_err *err) XL_CHECKED;
void xl_vocab_files_close(struct xl_vocab_files *files);

#endif
