/* test_filename.c - whatever a prompt holds, the name is one safe path component. */
#include "lab/filename.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void expect_slug(const char *text, const char *expected) {
    char slug[XL_SLUG_MAX + 1];
    xl_slug(text, XL_SLUG_MAX, slug);
    cr_expect_str_eq(slug, expected, "%s -> %s", text, slug);
}

Test(filename, slugs) {
    expect_slug("A Photo of a CAT, 35mm", "a-photo-of-a-cat-35mm");
    expect_slug("  --  ", "untitled");
    expect_slug("", "untitled");
    expect_slug("../../etc/passwd", "etc-passwd");
    expect_slug("\x1b[31mred\n\r\t", "31mred");
    expect_slug("\xE6\xBC\xA2\xE5\xAD\x97", "untitled");
    expect_slug("caf\xC3\xA9 noir", "caf-noir");
    expect_slug("CON", "con");
    expect_slug("%2e%2e%2f$(rm -rf)", "2e-2e-2f-rm-rf");
}

Test(filename, a_long_prompt_is_cut_and_never_ends_in_a_dash) {
    char prompt[400], slug[XL_SLUG_MAX + 1];
    for (int shift = 0; shift < 3; shift++) {
        for (int i = 0; i < 399; i++) prompt[i] = (i + shift) % 3 ? 'a' : ' ';
        prompt[399] = 0;
        xl_slug(prompt, XL_SLUG_MAX, slug);
        cr_assert_leq(strlen(slug), XL_SLUG_MAX);
        cr_assert_neq(slug[strlen(slug) - 1], '-');
    }
}

Test(filename, hostile_bytes_never_leave_the_safe_set) {
    uint64_t state = 1;
    for (int round = 0; round < 2000; round++) {
        char prompt[200], name[XL_OUTPUT_NAME_MAX];
        for (int i = 0; i < 199; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            prompt[i] = (char)((state >> 33) % 255 + 1);
        }
        prompt[199] = 0;
        struct xl_output_name parts = {"20260101-000000", prompt, prompt, UINT64_MAX, round};
        xl_output_name(&parts, name);
        cr_assert_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_."), strlen(name));
        cr_assert_null(strstr(name, ".."));
        cr_assert_lt(strlen(name), 200);
    }
}

Test(filename, the_form_of_a_name) {
    char name[XL_OUTPUT_NAME_MAX];
    struct xl_output_name parts = {"20260101-000000", "Dark Fantasy / Grimdark", "a cat", 7, 3};
    xl_output_name(&parts, name);
    cr_assert_str_eq(name, "20260101-000000_dark-fantasy-grimdark_a-cat_seed7_03.png");
    parts.profile = NULL;
    xl_output_name(&parts, name);
    cr_assert_str_eq(name, "20260101-000000_raw_a-cat_seed7_03.png");
}
