/* index_open.h - the index that a command's settings mean. */
#ifndef XL_CLI_INDEX_OPEN_H
#define XL_CLI_INDEX_OPEN_H

#include "insight/index/index.h"
#include "lab/settings/settings.h"

/* Errors: as xl_index_open */
enum xl_status xl_index_open_for(const struct xl_settings *settings, enum xl_index_how how,
                                 struct xl_index **out, struct xl_err *err) XL_CHECKED;

#endif
