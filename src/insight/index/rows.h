/* rows.h - putting pictures into the index: a line of a log, or a record, becomes a row for each
 * picture; texts become ids. One thread at a time.
 */
#ifndef XL_INSIGHT_ROWS_H
#define XL_INSIGHT_ROWS_H

#include "insight/index/database.h"
#include "insight/index/log_line.h"

struct xl_row_writer; /* opaque */

/* What was put in since the beginning of a log. */
struct xl_rows_counts {
    int64_t n_entries, n_damaged, first_damaged, n_lines;
    int64_t n_failed; /* jobs that say why they failed */
    int64_t n_pictures;
};

/* is_new: the index is empty. output_dir: from the root, without links. The database stays the
 * caller's. Errors: as of the database */
enum xl_status xl_rows_new(struct xl_database *database, const char *output_dir, bool is_new,
                           struct xl_row_writer **out, struct xl_err *err) XL_CHECKED;
void xl_rows_free(struct xl_row_writer *rows); /* NULL is fine */

/* When all rows are in, before the transaction ends. Errors: as of the database */
enum xl_status xl_rows_finish(struct xl_row_writer *rows, struct xl_err *err) XL_CHECKED;

/* Lines of this log follow; its folder is where relative paths may begin. */
void xl_rows_begin_log(struct xl_row_writer *rows, int64_t log, struct xl_rows_counts counts);
struct xl_rows_counts xl_rows_counted(const struct xl_row_writer *rows);

/* Put in the pictures of a line. Errors: as of the database */
enum xl_status xl_rows_add_line(struct xl_row_writer *rows, const struct xl_log_line *line,
                                struct xl_err *err) XL_CHECKED;

/* Put in the picture of a record; *picture: its id. Errors: as of the database */
enum xl_status xl_rows_add_record(struct xl_row_writer *rows, const struct xl_log_line *line,
                                  const char *folder, const char *file, const char *cell,
                                  int64_t made_at, int64_t *picture, struct xl_err *err) XL_CHECKED;

/* Let go of pictures that one with an id above `newest` names again: what was known from its record
 * alone, and what another log said of it. Errors: as of the database */
enum xl_status xl_rows_drop_doubles(struct xl_database *database, int64_t newest,
                                    struct xl_err *err) XL_CHECKED;

/* What a picture in this place is found by (column path_key). */
int64_t xl_path_key(const char *folder, const char *file, size_t n_file);

/* What a cell of this id (32 hexadecimal digits) is found by (column cell_key); false: no id. */
bool xl_cell_key(const char *id, size_t n, int64_t *key, unsigned char bytes[16]);

#endif
