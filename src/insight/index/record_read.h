/* record_read.h - a picture's own record as a line of a job log: ours field by field, other
 * programs' by what their words are called here. Any thread; a file belongs to one at a time.
 */
#ifndef XL_INSIGHT_RECORD_READ_H
#define XL_INSIGHT_RECORD_READ_H

#include "insight/index/log_line.h"

struct xl_record_file {
    char *folder, *name; /* malloc'd */
    char *place;         /* malloc'd: where it is read; NULL: in its folder */
    int64_t changed;     /* what tells this content from a later one; the caller's */
    bool has_record;     /* false: it says nothing of itself, or is a contact sheet */
    bool is_sheet;
    struct xl_log_line *line;
    const char *cell; /* id, NULL: another program's */
    int64_t made_at;  /* of the file */
    struct xl_arena arena;
    enum xl_status status; /* XL_ENOMEM, or XL_OK */
    struct xl_err err;
};

/* False: out of memory. */
bool xl_record_file_init(struct xl_record_file *file, const char *folder, const char *name,
                         int64_t changed);

/* Fill in the rest. */
void xl_record_file_read(struct xl_record_file *file);

void xl_record_file_deinit(struct xl_record_file *file);

#endif
