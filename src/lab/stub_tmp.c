#include "lab/run_page.h"
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

