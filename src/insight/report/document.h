/* document.h - an analysis as one JSON document. Tables on a terminal, CSV files and the page are
 * made from it, so that all of them say the same.
 *
 *   {"format": 1, "made", "loved", "rate", "interval": [low, high], "rated", "ratings": {"1": n,
 * ...}, "first_at", "last_at", "confidence", "false_claims_at_most", "tables": {COLUMN: [{"value",
 * "made", "loved", "rate", "interval", "lift", "p", "verdict", "odds": null or {"ratio",
 * "interval"}, "explained": bool, "comes_with": null or {"column", "value", "share"}, "choices":
 * null or {"won", "lost", "strength", "error"}}, ...]}, "typical": {COLUMN: {"all": [quartiles],
 * "loved": [quartiles]}}, "words": [...], "words_used", "pairs": [{"columns", "values", "name",
 * ..., "expected", "beyond_its_parts"}], "pairs_used", "bundles": [{COLUMN: VALUE, ..., "name",
 * "text", "made", ..., "expected": {"rate", "interval", "lift"}, "basis": "counted" or "parts",
 * "settings": {COLUMN: VALUE}, "pictures": [PATH, ...]}], "gaps": [{"column", "value", ...,
 * "pictures_needed"}], "next": null or {"pictures", "cells", "batch", "axes": {COLUMN: [VALUE,
 * ...]}, "command", "job"}}
 *
 * Numbers that there are none of are null. Rates are between 0 and 1.
 */
#ifndef XL_INSIGHT_REPORT_DOCUMENT_H
#define XL_INSIGHT_REPORT_DOCUMENT_H

#include "insight/taste/taste.h"

#include <jansson.h>

/* The path of a picture, for as long as the call that asks; NULL: not known. */
struct xl_report_pictures {
    const char *(*path)(void *user, int64_t picture);
    void *user;
};

/* pictures may be NULL. Caller: json_decref. NULL: out of memory */
json_t *xl_report_document(const struct xl_taste *taste, const struct xl_report_pictures *pictures);

#endif
