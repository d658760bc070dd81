/* http_none.c - in the place of http_curl.c where libcurl was not there when the program was built.
 */
#include "hub/download/http.h"

enum xl_status xl_http_new(struct xl_http **out, struct xl_err *err) {
    (void)out;
    return xl_fail(err, XL_ENETWORK,
                   "this program was built without libcurl and cannot download: install "
                   "libcurl4-openssl-dev and build it again");
}

void xl_http_free(struct xl_http *http) {
    (void)http;
}

enum xl_status xl_http_get(struct xl_http *http, const struct xl_http_request *request,
                           struct xl_http_answer *answer, struct xl_err *err) {
    (void)http, (void)request, (void)answer;
    return xl_fail(err, XL_EINTERNAL, "a request without libcurl");
}
