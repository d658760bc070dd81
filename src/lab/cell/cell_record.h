/* cell_record.h - records of pictures and cells: what the lab adds to a record, and a record read
 * as a cell.
 */
#ifndef XL_LAB_CELL_RECORD_H
#define XL_LAB_CELL_RECORD_H

#include "lab/cell/cell.h"

/* What a record says beside what the engine knows: the cell as it was asked for, its id, and what
 * was given up for want of memory ("" for nothing). JSON text, malloc'd. NULL: out of memory */
char *xl_cell_extra(const struct xl_cell *cell, const char *fallback);

/* Parse a record and bring it to the present format: older ones get its keys, as far as they say
 * the same. name: opens the sentence. Caller: json_decref. Errors: XL_EINPUT no JSON object, or a
 * newer format; XL_ENOMEM */
enum xl_status xl_record_parse(const char *text, const char *name, json_t **out,
                               struct xl_err *err) XL_CHECKED;

/* A record in the present format as the cell that it was drawn from: size, tiles and precision as
 * drawn. Texts are kept in the arena. Errors: XL_EINPUT something that decides pixels is missing or
 * has another type; XL_ENOMEM */
enum xl_status xl_cell_from_record(const json_t *record, const char *name, struct xl_arena *arena,
                                   struct xl_cell *out, struct xl_err *err) XL_CHECKED;

#endif
