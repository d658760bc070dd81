/* tensor_uses.h - when the tensors of a plan have been read: a backend that packs weights in some
 * order tells the owner of a tensor once nothing will read it any more. */
#ifndef XL_BACKEND_TENSOR_USES_H
#define XL_BACKEND_TENSOR_USES_H

#include "backend/backend.h"

struct xl_tensor_use; /* opaque */
struct xl_tensor_uses {
    struct xl_tensor_use *uses;
    size_t n;
    const struct xl_compile_options *options; /* whom to tell */
};

/* Every tensor of the plan, read by none so far. Caller: xl_tensor_uses_deinit. Errors: XL_ENOMEM
 */
enum xl_status xl_tensor_uses_init(const struct xl_plan *plan,
                                   const struct xl_compile_options *options,
                                   struct xl_tensor_uses *out, struct xl_err *err) XL_CHECKED;
void xl_tensor_uses_deinit(struct xl_tensor_uses *uses);
/* Reader `number` (in order, from 0 on) reads all parts of this weight. */
void xl_tensor_uses_mark(struct xl_tensor_uses *uses, const struct xl_value *weight, int number);
/* Report what no reader reads. */
void xl_tensor_uses_report_unread(const struct xl_tensor_uses *uses);
/* Readers first .. last - 1 are done: report what they were the last to read. */
void xl_tensor_uses_report(const struct xl_tensor_uses *uses, int first, int last);

#endif
