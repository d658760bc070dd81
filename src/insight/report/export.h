/* export.h - everything that an analysis gives, as files of a folder:
 *
 *   report.json  report.csv  report.html
 *   bundle_1.yaml ...   the settings of each bundle, for sdxl-lab generate --job
 *   next.yaml           the next sweep, likewise; only where there is one
 *   night.yaml          the same as what a night may draw
 *   favourites_01.png   contact sheets of what is loved, with captions
 */
#ifndef XL_INSIGHT_REPORT_EXPORT_H
#define XL_INSIGHT_REPORT_EXPORT_H

#include "insight/report/document.h"

enum {
    XL_EXPORT_SHEET_MOST = 300
}; /* pictures on contact sheets: the best rated, then the newest */

/* Files of these names are replaced; the folder is made. document: of taste. pictures may be NULL:
 * then there are no contact sheets. Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_report_export(const char *dir, const struct xl_taste *taste,
                                const json_t *document, const struct xl_report_pictures *pictures,
                                struct xl_err *err) XL_CHECKED;

/* favourites_sheet.c: the contact sheets alone. Errors: as above */
enum xl_status xl_report_sheet(const char *dir, const struct xl_taste *taste,
                               const struct xl_report_pictures *pictures,
                               struct xl_err *err) XL_CHECKED;

#endif
