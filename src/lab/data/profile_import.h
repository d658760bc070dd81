/* profile_import.h - other programs' styles as a file of profiles.
 *
 * Reads AUTOMATIC1111's styles.csv (columns name, prompt, negative_prompt in any order and case,
 * with blanks for '_', between commas, semicolons or tabs; quotes, newlines in fields and a byte
 * order mark as spreadsheets write them; other columns are named and left out) and Fooocus' style
 * files (a JSON list of {name, prompt, negative_prompt}). Which of them it is, the content tells.
 * What is read is text and stays text: a row with control characters, or without a name or any
 * words, is left out with the reason.
 */
#ifndef XL_LAB_PROFILE_IMPORT_H
#define XL_LAB_PROFILE_IMPORT_H

#include "lab/data/profiles.h"

struct xl_import_row {
    const char *name, *prompt, *negative; /* NULL: the file has none */
    int line;                             /* where it begins; 0: not known */
    const char *left_out;                 /* why; NULL: imported */
};

struct xl_import {
    struct xl_arena arena; /* holds every text */
    struct xl_import_row *rows;
    int n, n_imported;
    const char *columns; /* of styles.csv that are not understood: "a", "b"; NULL: none */
    const char *path;    /* of the file that was written */
};

/* Write CONFIG/profiles.d/NAME.yaml for a file NAME.csv or NAME.json, or under another `name` than
 * the file's (NULL: its own; CONFIG as in xl_profiles_load). Rows whose name a profile of `known`
 * has already are left out; with is_forced they replace it, and a file of that name is replaced. On
 * success the caller owns *out (xl_import_deinit). Errors: XL_EINPUT not readable as either, or
 * nothing in it can be imported; XL_EINVAL the file to be written is there; XL_EDISK */
enum xl_status xl_profiles_import(const char *path, const char *name,
                                  const struct xl_profiles *known, bool is_forced,
                                  struct xl_import *out, struct xl_err *err) XL_CHECKED;
void xl_import_deinit(struct xl_import *import);

/* profile_rows.c: the rows of a file's text, unchecked; `name` opens sentences. */
enum xl_status xl_import_read(const char *name, const char *text, size_t n, struct xl_import *out,
                              struct xl_err *err) XL_CHECKED;

#endif
