#include "image/sheet.h"
#include "lab/run_page.h"
#include <stdio.h>
enum xl_status xl_run_page_begin(const char *d, const json_t *r, const json_t *c,
                                 struct xl_err *e) {
    (void)d, (void)r, (void)c, (void)e;
    return XL_OK;
}
enum xl_status xl_run_page_update(const char *d, const json_t *c, struct xl_err *e) {
    (void)d, (void)c, (void)e;
    return XL_OK;
}
enum xl_status xl_run_page_end(const char *d, const json_t *c, struct xl_err *e) {
    (void)d, (void)c, (void)e;
    return XL_OK;
}
enum xl_status xl_sheet_new(const struct xl_sheet_params *p, struct xl_sheet **o,
                            struct xl_err *e) {
    (void)p, (void)e;
    *o = NULL;
    return XL_OK;
}
enum xl_status xl_sheet_add(struct xl_sheet *s, const struct xl_sheet_cell *c, struct xl_err *e) {
    (void)s, (void)c, (void)e;
    return XL_OK;
}
enum xl_status xl_sheet_finish(struct xl_sheet *s, int *n, struct xl_err *e) {
    (void)s, (void)e;
    if (n) *n = 0;
    return XL_OK;
}
void xl_sheet_abandon(struct xl_sheet *s) {
    (void)s;
}
void xl_sheet_page_name(const char *stem, int page, char out[XL_SHEET_NAME_MAX]) {
    snprintf(out, XL_SHEET_NAME_MAX, "%s_%02d.png", stem, page);
}
