/* check.h - whether the pictures on the disk say of themselves what their lines of a job log say:
 * somebody may have edited a log, or put another picture in a picture's place.
 */
#ifndef XL_INSIGHT_CHECK_H
#define XL_INSIGHT_CHECK_H

#include "insight/index/index.h"

#include <jansson.h>

/* Read every picture that a log names, as far as it is there and has a record of this program, and
 * compare what both say. What differs is kept in the index until the next check. *out: {"checked":
 * N, "disagreements": [{"path", "field", "log", "record"}, ...]}, the caller's. Errors: as of
 * opening the index */
enum xl_status xl_index_check(struct xl_index *index, json_t **out, struct xl_err *err) XL_CHECKED;

#endif
