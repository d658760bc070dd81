/* csv.h - the tables of an analysis for spreadsheets: RFC 4180, one row for each level, word, pair,
 * bundle and gap. A text that a spreadsheet would take for a formula gets an apostrophe in front.
 */
#ifndef XL_INSIGHT_REPORT_CSV_H
#define XL_INSIGHT_REPORT_CSV_H

#include "base/str.h"

#include <jansson.h>

/* document: as document.h makes it. Out of memory: out->failed */
void xl_report_csv(const json_t *document, struct xl_str *out);

/* One cell, with quotes where it needs them. */
void xl_report_csv_cell(struct xl_str *out, const char *text);

#endif
