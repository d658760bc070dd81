/* describe_file.h - what a file of weights is, as JSON, for commands and for the network. */
#ifndef XL_LAB_DESCRIBE_FILE_H
#define XL_LAB_DESCRIBE_FILE_H

#include "base/json.h"
#include "hub/file_class.h"

/* As members of an object; arena: for texts on the way. */
void xl_file_class_put(json_t *object, const struct xl_file_class *is, struct xl_arena *arena,
                       bool *ok);

/* The words that its training pictures were most often described with, of ss_tag_frequency. In the
 * arena; NULL: there are none. */
const char *xl_frequent_words(const struct xl_st_metadata *metadata, struct xl_arena *arena);

#endif
