/* test_multipart.c - forms of parts: what they hold, however the bytes are cut; and what is none.
 */
#include "base/str.h"
#include "http/form.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TYPE "multipart/form-data; boundary=XyZ"

/* What a reading gave, as text: "name|file|type=content;" */
struct told {
    struct xl_str text;
    int n_open;
};

static enum xl_status begin(void *user, const struct xl_part_head *part, struct xl_err *err) {
    struct told *told = user;
    (void)err;
    cr_assert_eq(told->n_open++, 0);
    xl_str_printf(&told->text, "%s|%s|%s=", part->name, part->file_name ? part->file_name : "-",
                  part->type ? part->type : "-");
    return XL_OK;
}

static enum xl_status data(void *user, const char *bytes, size_t n, struct xl_err *err) {
    struct told *told = user;
    (void)err;
    cr_assert_eq(told->n_open, 1);
    cr_assert_gt(n, 0);
    xl_str_append(&told->text, bytes, n);
    return XL_OK;
}

static enum xl_status end(void *user, struct xl_err *err) {
    struct told *told = user;
    (void)err;
    cr_assert_eq(told->n_open--, 1);
    xl_str_puts(&told->text, ";");
    return XL_OK;
}

static const struct xl_multipart_limits wide = {
    .parts = 10, .part_bytes = 1000, .total_bytes = 2000};

/* Read a body in pieces of `step` bytes (0: of random lengths); told->text is malloc'd. */
static enum xl_status read_form(const char *type, const struct xl_multipart_limits *limits,
                                const char *body, size_t n, size_t step, struct told *told,
                                bool *is_too_large) {
    struct xl_multipart *multipart = NULL;
    struct xl_err err = {0};
    *told = (struct told){.n_open = 0};
    const struct xl_multipart_sink sink = {begin, data, end, told};
    enum xl_status status = xl_multipart_new(type, limits, &sink, &multipart, &err);
    if (status) return status;
    for (size_t at = 0; at < n && !status;) {
        size_t some = step ? step : 1 + (size_t)rand() % 9;
        if (some > n - at) some = n - at;
        char *piece = malloc(some); /* its end is watched by AddressSanitizer */
        memcpy(piece, body + at, some);
        status = xl_multipart_push(multipart, piece, some, &err);
        free(piece);
        at += some;
    }
    if (!status) status = xl_multipart_end(multipart, &err);
    if (is_too_large) *is_too_large = xl_multipart_is_too_large(multipart);
    xl_multipart_free(multipart);
    cr_expect(!status || err.text[0]);
    return status;
}

#define PART(name_, content)                                                                       \
    "--XyZ\r\nContent-Disposition: form-data; name=\"" name_ "\"\r\n\r\n" content "\r\n"
#define FILE_PART(name_, file, type, content)                                                      \
    "--XyZ\r\nContent-Disposition: form-data; name=\"" name_ "\"; filename=\"" file                \
    "\"\r\nContent-Type: " type "\r\n\r\n" content "\r\n"
#define END "--XyZ--\r\n"

static const struct {
    const char *body, *told; /* told NULL: refused */
} cases[] = {
    {PART("a", "1") END, "a|-|-=1;"},
    {PART("a", "1") "--XyZ--", "a|-|-=1;"},
    {PART("a", "") END, "a|-|-=;"},
    {PART("a", "1") PART("b", "two\r\nlines") END, "a|-|-=1;b|-|-=two\r\nlines;"},
    {FILE_PART("f", "x.png", "image/png", "\x89PNG\r\n\x1a\n") END,
     "f|x.png|image/png=\x89PNG\r\n\x1a\n;"},
    {FILE_PART("f", "", "application/octet-stream", "") END, "f||application/octet-stream=;"},
    {"a preamble\r\n" PART("a", "1") END "an epilogue", "a|-|-=1;"},
    {PART("a", "\r\n--Xy") END, "a|-|-=\r\n--Xy;"},
    {PART("a", "\r\n--Xy\r\n--XyA\r\n\r\n-\r\r\n--X") END,
     "a|-|-=\r\n--Xy\r\n--XyA\r\n\r\n-\r\r\n--X;"},
    {PART("a", "--XyZ") END, "a|-|-=--XyZ;"},
    {PART("a", "\r") END, "a|-|-=\r;"},
    {PART("a", "\r\n") END, "a|-|-=\r\n;"},
    {"--XyZ \t\r\ncontent-disposition:form-data;name=a\r\n\r\n1\r\n" END, "a|-|-=1;"},
    {"--XyZ\r\nX: y\r\nContent-Disposition: form-data; x=\"a;name=b\"; "
     "name=\"c\\\"d\"\r\n\r\n1\r\n" END,
     "c\"d|-|-=1;"},
    {"", NULL},
    {END, ""},
    {"--XyZ\r\n", NULL},
    {PART("a", "1"), NULL},
    {PART("a", "1") "--XyZ-", NULL},
    {PART("a", "1") "--XyZ\r\n", NULL},
    {PART("a", "1") "--XyZ!!\r\n", NULL},
    {"--XyZ\r\n\r\n1\r\n" END, NULL},
    {"--XyZ\r\nContent-Disposition: form-data\r\n\r\n1\r\n" END, NULL},
    {"--XyZ\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n" END, NULL},
    {"--XyZ\r\nContent-Disposition: form-data; name=\"a\r\n\r\n1\r\n" END, NULL},
    {"--XyZ\r\nContent-Disposition: form-data; name=a; filename=\"b\r\n\r\n1\r\n" END, NULL},
    {"--XyZ\r\nContent-Disposition: form-data; name=\xff\r\n\r\n1\r\n" END, NULL},
    {"--XyZ\nContent-Disposition: form-data; name=a\n\n1\n--XyZ--\n", NULL},
    {"--XyZ\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; "
     "name=b\r\n\r\n1\r\n" END,
     NULL},
};

Test(multipart, any_cut_gives_the_same) {
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = strlen(cases[i].body);
        for (size_t step = 0; step < 40; step++) {
            struct told told;
            srand((unsigned)(i + step));
            enum xl_status status =
                read_form(TYPE, &wide, cases[i].body, n, step < 20 ? step : 0, &told, NULL);
            cr_expect_eq(status, cases[i].told ? XL_OK : XL_EINVAL, "case %zu, pieces of %zu", i,
                         step);
            if (cases[i].told && cases[i].told[0])
                cr_expect_str_eq(told.text.text, cases[i].told, "case %zu, pieces of %zu", i, step);
            xl_str_deinit(&told.text);
        }
    }
}

/* Content of '\r', '\n', '-' and the boundary's letters, so that it begins delimiters all the time.
 */
Test(multipart, content_that_looks_like_a_delimiter) {
    static const char letters[] = "\r\n--XyZ";
    for (unsigned seed = 0; seed < 400; seed++) {
        char content[200];
        struct xl_str body = {0}, expected = {0};
        struct told told;
        srand(seed);
        size_t n = (size_t)rand() % sizeof content;
        for (size_t i = 0; i < n; i++) content[i] = letters[(size_t)rand() % 7];
        if (memmem(content, n, "\r\n--XyZ", 7)) continue;
        xl_str_puts(&body, "--XyZ\r\nContent-Disposition: form-data; name=a\r\n\r\n");
        xl_str_append(&body, content, n);
        xl_str_puts(&body, "\r\n" END);
        xl_str_puts(&expected, "a|-|-=");
        xl_str_append(&expected, content, n);
        xl_str_puts(&expected, ";");
        cr_assert_eq(read_form(TYPE, &wide, body.text, body.len, seed % 12, &told, NULL), XL_OK);
        cr_expect_eq(told.text.len, expected.len, "seed %u", seed);
        cr_expect_eq(memcmp(told.text.text, expected.text, expected.len), 0, "seed %u", seed);
        xl_str_deinit(&told.text);
        xl_str_deinit(&body);
        xl_str_deinit(&expected);
    }
}

Test(multipart, limits) {
    static const char body[] = PART("a", "12345") PART("b", "12345") PART("c", "12345") END;
    const struct {
        struct xl_multipart_limits limits;
        bool fits;
    } limits[] = {
        {{3, 5, 15}, true}, {{2, 5, 15}, false}, {{3, 4, 15}, false}, {{3, 5, 14}, false}};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        for (size_t step = 1; step < 200; step += 7) {
            struct told told;
            bool is_too_large;
            enum xl_status status = read_form(TYPE, &limits[i].limits, body, sizeof body - 1, step,
                                              &told, &is_too_large);
            cr_expect_eq(status == XL_OK, limits[i].fits, "%zu", i);
            cr_expect_eq(is_too_large, !limits[i].fits);
            xl_str_deinit(&told.text);
        }
    struct xl_str long_header = {0};
    struct told told;
    bool is_too_large;
    xl_str_puts(&long_header, "--XyZ\r\nX: ");
    for (int i = 0; i < 5000; i++) xl_str_puts(&long_header, "x");
    cr_expect_eq(
        read_form(TYPE, &wide, long_header.text, long_header.len, 100, &told, &is_too_large),
        XL_EINVAL);
    cr_expect(is_too_large);
    xl_str_deinit(&long_header);
}

Test(multipart, types) {
    static const struct {
        const char *type;
        bool fits;
    } types[] = {
        {"multipart/form-data; boundary=XyZ", true},
        {"Multipart/Form-Data; charset=utf-8; BOUNDARY=\"XyZ\"", true},
        {"multipart/form-data;boundary=XyZ ", true},
        {"multipart/form-data", false},
        {"multipart/form-data; boundary=", false},
        {"multipart/form-data; boundary=\"X", false},
        {"multipart/form-data; boundary=\"X\r\nY\"", false},
        {"multipart/form-data; boundary=a{b", false},
        {"multipart/mixed; boundary=XyZ", false},
        {"multipart/form-datax; boundary=XyZ", false},
        {"multipart/form-data; "
         "boundary=01234567890123456789012345678901234567890123456789012345678901234567890",
         false},
        {NULL, false},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct told told;
        static const char body[] = PART("a", "1") END;
        enum xl_status status =
            read_form(types[i].type, &wide, body, sizeof body - 1, 3, &told, NULL);
        cr_expect_eq(status == XL_OK, types[i].fits, "%s", types[i].type);
        xl_str_deinit(&told.text);
    }
}

Test(multipart, forms) {
    static const char body[] = PART("prompt", "a fox")
        FILE_PART("image", "x.png", "image/png", "bytes") END;
    struct xl_form *form = NULL;
    struct xl_form_part *part = NULL;
    char bytes[16] = "";
    cr_assert_eq(xl_form_new(TYPE, "/tmp", 100, 200, &form, NULL), XL_OK);
    cr_assert_eq(xl_form_push(form, body, sizeof body - 1, NULL), XL_OK);
    cr_assert_eq(xl_form_end(form, NULL), XL_OK);
    cr_expect_str_eq(xl_form_find(form, "prompt")->text, "a fox");
    cr_expect_null(xl_form_find(form, "none"));
    cr_assert_eq(xl_form_file(form, &part, NULL), XL_OK);
    cr_expect_eq(read(part->fd, bytes, sizeof bytes), 5);
    cr_expect_str_eq(bytes, "bytes");
    xl_form_free(form);
    form = NULL;
    static const char no_text[] = PART("a", "\xff") END;
    cr_assert_eq(xl_form_new(TYPE, NULL, 100, 200, &form, NULL), XL_OK);
    cr_expect_eq(xl_form_push(form, no_text, sizeof no_text - 1, NULL), XL_EINVAL);
    xl_form_free(form);
}
