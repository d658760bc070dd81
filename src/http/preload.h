/* preload.h - what a view of the page needs at once. Its HTML names all of that, so that a browser
 * asks for it together and not for each file when it has read the one that imports it. It is read
 * off the modules themselves.
 */
#ifndef XL_HTTP_PRELOAD_H
#define XL_HTTP_PRELOAD_H

#include "base/str.h"

/* Append links to the style sheets and modules that app/app.js and a view import, one by way of
 * another. What is loaded when somebody wants it, by import(), is not among them.
 * view: its module below app/ without ".js", "gallery/gallery"
 * folder: the address of the page's files, which ends in "/"
 * Errors: as everywhere, out->failed */
void xl_preload_links(const char *view, const char *folder, struct xl_str *out);

#endif
