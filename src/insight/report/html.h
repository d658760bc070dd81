/* html.h - an analysis as one page that needs nothing else: no script, no network, pictures inside.
 */
#ifndef XL_INSIGHT_REPORT_HTML_H
#define XL_INSIGHT_REPORT_HTML_H

#include "base/str.h"

#include <jansson.h>

enum {
    XL_REPORT_THUMBNAIL = 180, /* pixels of the longer side */
    XL_REPORT_MOST = 40,       /* rows of a table */
    XL_REPORT_FEW = 10,        /* of seeds and runs */
};

/* document: as document.h makes it. Pictures that cannot be read are left out. Every text is
 * escaped; characters that steer something become U+FFFD. Out of memory: out->failed */
void xl_report_html(const json_t *document, struct xl_str *out);

#endif
