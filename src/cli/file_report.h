/* file_report.h - what a file of weights is, for people: for the commands that tell of models,
 * LoRAs and embeddings. lab/data/describe_file.h is the same for programs. */
#ifndef XL_CLI_FILE_REPORT_H
#define XL_CLI_FILE_REPORT_H

#include "hub/file_class.h"

/* Lines below the file's name on standard output; arena: for texts on the way. */
void xl_file_report_print(const struct xl_file_class *is, struct xl_arena *arena);
/* What whoever wrote the file says of it: title, what it was trained on, trigger words, ... */
void xl_file_report_print_metadata(const struct xl_file_class *is, struct xl_arena *arena);

#endif
