/* assets.h - the page: files of web/app, web/style and web/lib, built into the program, compressed
 * once at the start.
 *
 * The page's addresses are relative, so that it works below any path. Its files are at
 * assets/VERSION/..., where VERSION stands for what is in all of them: they never change there, and
 * a module finds another by a relative address. In pages "@ASSETS@" becomes that folder and
 * "@ROOT@" the root, both relative to the page's own address, and "@PRELOAD@" links to what the
 * view of that address needs at once (preload.h).
 */
#ifndef XL_HTTP_ASSETS_H
#define XL_HTTP_ASSETS_H

#include "http/route.h"

struct xl_assets; /* opaque; read-only once made: any thread */

/* Errors: XL_ENOMEM */
enum xl_status xl_assets_new(struct xl_assets **out, struct xl_err *err) XL_CHECKED;
void xl_assets_free(struct xl_assets *assets); /* NULL is fine */

/* The routes of the page and its files. Lives as long as assets. */
struct xl_route_table xl_assets_table(struct xl_assets *assets);

#endif
