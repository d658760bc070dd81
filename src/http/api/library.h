/* library.h - the index of pictures for many threads: handles that are taken and given back, and
 * brought up to date when somebody asks who has waited a second or has changed something.
 */
#ifndef XL_HTTP_API_LIBRARY_H
#define XL_HTTP_API_LIBRARY_H

#include "insight/index/index.h"
#include "lab/settings/settings.h"

enum { XL_LIBRARY_HANDLES = 4 };

struct xl_library; /* opaque; any thread */

/* settings: output_dir, index_dir, instance, threads; borrowed. Errors: XL_EDISK the output
 * directory cannot be made; XL_ENOMEM */
enum xl_status xl_library_new(const struct xl_settings *settings, struct xl_library **out,
                              struct xl_err *err) XL_CHECKED;
void xl_library_free(struct xl_library *library); /* NULL is fine */

/* An index that is up to date; the caller's until xl_library_give. Waits while all are taken.
 * Errors: those of xl_index_open */
enum xl_status xl_library_take(struct xl_library *library, struct xl_index **out,
                               struct xl_err *err) XL_CHECKED;
void xl_library_give(struct xl_library *library, struct xl_index *index);

/* Something has changed: whoever takes one from here on sees it. */
void xl_library_touch(struct xl_library *library);
/* A number that has grown when something has. */
long long xl_library_change(struct xl_library *library);

/* The output directory, from the root and without links; and "trash", "uploads" in it. */
const char *xl_library_dir(const struct xl_library *library);
const char *xl_library_uploads(const struct xl_library *library);
const struct xl_settings *xl_library_settings(const struct xl_library *library);

/* Open a picture's file for reading, by the path that the index has: one below the output
 * directory, or below a folder that its owner named (sdxl-lab index add). Errors: XL_EINPUT it is
 * gone, or lies outside; XL_EDISK */
enum xl_status xl_library_open(struct xl_library *library, const char *path, int *fd,
                               struct xl_err *err) XL_CHECKED;
/* The same of one in the trash, by the path that it had before. */
enum xl_status xl_library_open_trashed(struct xl_library *library, const char *path, int *fd,
                                       struct xl_err *err) XL_CHECKED;

/* So many bytes more of thumbnails lie in this folder. Now and then it is looked whether they are
 * more than XL_THUMBNAILS_MAX_BYTES; then those that were used longest ago go. */
#define XL_THUMBNAILS_MAX_BYTES ((int64_t)2 << 30)
void xl_library_wrote_thumbnail(struct xl_library *library, const char *dir, size_t n);

#endif
