/* asset_files.h - the page's files as the build embeds them. */
#ifndef XL_HTTP_ASSET_FILES_H
#define XL_HTTP_ASSET_FILES_H

#include <stddef.h>

/* path: below web/, "app/app.js"; bytes: [*n], and a NUL behind them. The table is generated. */
struct xl_asset_file {
    const char *path, *bytes;
    const size_t *n;
};
extern const struct xl_asset_file xl_asset_files[];
extern const int xl_n_asset_files;

#endif
