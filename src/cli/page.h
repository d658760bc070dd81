/* page.h - a page of a manual as troff (man macros) or as Markdown, on standard output.
 *
 * Texts are ASCII or UTF-8 without markup but for one thing: what stands between `backquotes` is
 * code, shown in bold on a terminal. Everything that either language would take for markup is
 * escaped.
 */
#ifndef XL_CLI_PAGE_H
#define XL_CLI_PAGE_H

#include "base/status.h"

struct xl_page {
    bool is_markdown;
    bool is_begin; /* directly behind a heading */
};

/* Level 1 is a section of the manual ("OPTIONS"), 2 is below it. */
void xl_page_heading(struct xl_page *page, int level, const char *text);

/* Text; a newline in it begins a new paragraph. */
void xl_page_text(struct xl_page *page, const char *text);

/* A term, all of it code, and what it means: as an item of a list. */
void xl_page_item(struct xl_page *page, const char *term, const char *text);

/* Lines that stay as they are. */
void xl_page_code(struct xl_page *page, const char *lines);

/* A table of n columns. In troff the first column is a term (code) and the others follow it as
 * text, those that are empty left out, behind their headings where a heading ends with a colon. */
enum { XL_PAGE_MAX_COLUMNS = 6 };
void xl_page_table(struct xl_page *page, const char *const *headings, int n);
void xl_page_row(struct xl_page *page, const char *const *headings, const char *const *cells,
                 int n);
/* After the last row, and after the last item of a list. */
void xl_page_end(struct xl_page *page);

#endif
