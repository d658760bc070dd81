/* test_http_none.c - what stands for libcurl where the program was built without it says so. */
#include "hub/download/http.h"

#include <criterion/criterion.h>
#include <string.h>

Test(http_none, says_what_is_missing) {
    struct xl_http *http = NULL;
    struct xl_err err = {0};
    cr_assert_eq(xl_http_new(&http, &err), XL_ENETWORK);
    cr_expect_null(http);
    cr_expect_not_null(strstr(err.text, "built without libcurl"), "%s", err.text);
    cr_expect_not_null(strstr(err.text, "libcurl4-openssl-dev"), "%s", err.text);
    xl_http_free(http);
}
