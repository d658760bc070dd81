/* journal.h - the file that the queue comes back from: what happened, a JSON object a line, in
 * OUTPUT_DIR/.queue/INSTANCE.jsonl. docs/QUEUE.md describes the lines; here they are only kept.
 *
 * A line is whole or absent (base/append.h). One process has the journal of an instance, as long as
 * it or a worker that keeps the descriptor of its lock lives. Where a line could not be written the
 * file lacks it, and is behind until it is written anew as a whole. Any thread; one mutex.
 */
#ifndef XL_JOBS_QUEUE_JOURNAL_H
#define XL_JOBS_QUEUE_JOURNAL_H

#include "base/status.h"

#include <jansson.h>

struct xl_journal; /* opaque */

/* Lock the journal of an instance (NULL: xl_instance_name decides), waiting some seconds for
 * workers of a process that was killed. Errors: XL_EDISK; another process has it; XL_ENOMEM */
enum xl_status xl_journal_open(const char *output_dir, const char *instance,
                               struct xl_journal **out, struct xl_err *err) XL_CHECKED;
void xl_journal_close(struct xl_journal *journal); /* NULL is fine */

const char *xl_journal_path(const struct xl_journal *journal);
/* Of its lock, for workers to keep open. */
int xl_journal_descriptor(const struct xl_journal *journal);

/* Every line that can be read, in order; *n_damaged: of the others, those that a crash tore.
 * line: borrowed for the call; what it returns ends the reading. Errors: XL_EINPUT, XL_ENOMEM */
typedef enum xl_status xl_journal_line_fn(void *user, const json_t *line, struct xl_err *err);
enum xl_status xl_journal_read(struct xl_journal *journal, xl_journal_line_fn *line, void *user,
                               int *n_damaged, struct xl_err *err) XL_CHECKED;

/* Append a line. Errors: XL_EDISK, XL_ENOMEM: the file is as before, and behind, as it is while it
 * was that before */
struct xl_journal_line {
    json_t *line;   /* released; NULL: memory was out */
    bool is_synced; /* it is on the disk when this returns */
    bool is_undone; /* where it cannot be written, what it says has not happened */
};
enum xl_status xl_journal_append(struct xl_journal *journal, struct xl_journal_line line,
                                 struct xl_err *err) XL_CHECKED;

/* Whether lines are missing; whether it has grown to several times what it was. Then it should be
 * written anew. */
bool xl_journal_is_behind(struct xl_journal *journal);
bool xl_journal_is_long(struct xl_journal *journal);

/* Write it anew: xl_journal_hold, then make the text of all that is known, then replace. Lines that
 * are appended meanwhile follow the text. Whoever reads them tells by their numbers what the text
 * has already. The file is the old one or the new one. One thread at a time; text NULL: give up.
 * Errors: XL_EDISK, XL_ENOMEM */
void xl_journal_hold(struct xl_journal *journal);
enum xl_status xl_journal_replace(struct xl_journal *journal, const char *text, size_t n,
                                  struct xl_err *err) XL_CHECKED;

#endif
