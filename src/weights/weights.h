/* weights.h - the tensors of one component: one or more safetensors files, mapped read-only.
 * Read-only after opening; may be used by several threads. Refuses everything that the format
 * forbids before a tensor is handed out; never parses pickle.
 *
 * A mapped file must not shrink while it is in use: the system answers a read beyond its end by
 * SIGBUS. The library promises this much: sizes are those of the open file, whatever happens to its
 * name; every tensor lies within them; the hub's own way of writing (a new blob under a new name)
 * never shrinks a file; and xl_weights_verify tells before a reading that all is as it was. Only a
 * file that somebody cuts during the reading itself can still end the process.
 */
#ifndef XL_WEIGHTS_WEIGHTS_H
#define XL_WEIGHTS_WEIGHTS_H

#include "tensor/tensor.h"

struct xl_weights; /* opaque */

/* Map the files (shards of one component). label: "unet", for messages.
 * Tensors may begin at any byte and be F64 or F8, which are read as F32 and F16. An F8 tensor
 * "x.weight" beside which "x.scale_weight" or "x.weight_scale" lies is multiplied by it, one number
 * or one for each row, and read as F32; "x_weight" and a tensor of another ending likewise
 * ("x_scale_weight", "x.scale_weight").
 * Errors: XL_EMODEL a file is missing; XL_EFORMAT truncated, lying header (length, offsets,
 * overlap, holes, dtype, shape product), the same tensor twice, pickle or zip content, not
 * safetensors; scales that do not go with their tensor */
enum xl_status xl_weights_open(const char *label, const char *const *files, int n_files,
                               struct xl_weights **out, struct xl_err *err) XL_CHECKED;
void xl_weights_close(struct xl_weights *weights);

/* A tensor as a selection has it: under another name, some of its rows, or turned over. */
struct xl_weights_pick {
    const char *name; /* as which it is found */
    const struct xl_tensor *tensor;
    int64_t first_row, n_rows; /* n_rows 0: all of it */
    bool is_turned;            /* the file has [columns, rows] of what the tensor shall be */
    const char *why;           /* no tensor: a sentence why it cannot be used */
};

/* Some of the tensors of `from` as weights of their own, of the same mapped files, which stay until
 * the last one is closed. Names and sentences are copied.
 * Errors: XL_EFORMAT the same name twice, rows that are not there; XL_ENOMEM */
enum xl_status xl_weights_select(struct xl_weights *from, const char *label,
                                 const struct xl_weights_pick *picks, int n,
                                 struct xl_weights **out, struct xl_err *err) XL_CHECKED;

/* The files are as they were when they were opened (size, time of the last change); for the moment
 * before a component is read. Errors: XL_EFORMAT one changed */
enum xl_status xl_weights_verify(const struct xl_weights *weights, struct xl_err *err) XL_CHECKED;

/* The tensor of that name, or NULL. Its data points into the mapping. Tensors that no model here
 * can use are left out: of other than floating dtype (position_ids), of a kind that is not read
 * (F4), of more than XL_MAX_RANK dimensions. */
const struct xl_tensor *xl_weights_find(const struct xl_weights *weights, const char *name);
/* A sentence about a tensor that was left out; NULL: there is none of that name. */
const char *xl_weights_why_not(const struct xl_weights *weights, const char *name);
/* All of them; NULL: none. */
struct xl_left_out {
    const char *name, *why;
    const struct xl_left_out *next;
};
const struct xl_left_out *xl_weights_left_out(const struct xl_weights *weights);

int xl_weights_count(const struct xl_weights *weights);
const struct xl_tensor *xl_weights_at(const struct xl_weights *weights, int i); /* by name order */
const char *xl_weights_label(const struct xl_weights *weights);
const char *xl_weights_path(const struct xl_weights *weights); /* of the first file */
int64_t xl_weights_bytes(const struct xl_weights *weights);    /* of all tensors, as stored */
/* The dtype that most bytes have: what the user means by "an fp16 model". */
enum xl_dtype xl_weights_main_dtype(const struct xl_weights *weights);
/* The same as the file says it: "F8_E4M3". */
const char *xl_weights_main_name(const struct xl_weights *weights);

/* A hint to the system: the pages of this tensor are not needed again soon. */
void xl_weights_drop(const struct xl_weights *weights, const struct xl_tensor *tensor);

#endif
