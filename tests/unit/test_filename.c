/* test_filename.c - whatever a prompt holds, the name is one safe path component. */
#include "lab/run/filename.h"

#include "base/file.h"
#include "base/str.h"

#include <criterion/criterion.h>
#include <stdio.h>
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
    expect_slug("CON", "con");
}

Test(filename, accents_and_styles_of_letters_fall_off) {
    expect_slug("caf\xC3\xA9 noir, Z\xC3\x9CRICH", "cafe-noir-zurich");
    expect_slug("cafe\xCC\x81", "cafe"); /* e and a combining accent */
    expect_slug("\xEF\xBC\xA1\xEF\xBC\x91 \xEF\xAC\x81ne", "a1-fine"); /* full width, ligature */
    expect_slug("stra\xC3\x9F"
                "e",
                "strasse");
    expect_slug("\xF0\x9F\x98\x80 smile \xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x9A\x80", "smile");
    expect_slug("ca\xE2\x80\x8Bt", "cat");         /* zero-width space */
    expect_slug("\xE2\x80\xAEgnp.exe", "gnp-exe"); /* right-to-left override */
}

Test(filename, letters_of_other_scripts_stay) {
    expect_slug("\xE6\xBC\xA2\xE5\xAD\x97", "\xE6\xBC\xA2\xE5\xAD\x97");
    expect_slug("\xE6\xBC\xA2\xE3\x80\x81\xE5\xAD\x97 with a Cat", /* an ideographic comma */
                "\xE6\xBC\xA2-\xE5\xAD\x97-with-a-cat");
    expect_slug("\xD0\x9B\xD0\x98\xD0\xA1\xD0\xB0 1", /* Cyrillic, in lower case */
                "\xD0\xBB\xD0\xB8\xD1\x81\xD0\xB0-1");
    expect_slug("\xE3\x81\x8B\xE3\x82\x99", "\xE3\x81\x8C");             /* ka and a mark are ga */
    expect_slug("\xE0\xA4\x95\xE0\xA5\x80", "\xE0\xA4\x95\xE0\xA5\x80"); /* ki: a vowel sign */
    expect_slug("a\xEF\xB7\xBA", /* the longest decomposition there is: four Arabic words */
                "a\xD8\xB5\xD9\x84\xD9\x89-\xD8\xA7\xD9\x84\xD9\x84\xD9\x87-"
                "\xD8\xB9\xD9\x84\xD9\x8A\xD9\x87-\xD9\x88\xD8\xB3\xD9\x84\xD9\x85");
}

Test(filename, symbols_have_their_numbers_where_there_are_no_letters) {
    expect_slug("\xF0\x9F\xA6\x8A!", "u1f98a");
    expect_slug("\xF0\x9F\xA6\x8A \xE2\x99\xA5", "u1f98a-u2665");
    expect_slug("\xF0\x9F\xA6\x8A 7", "7");
    expect_slug("$ + \xCC\x81", "untitled"); /* a mark without a letter */
}

Test(filename, a_slug_is_cut_between_characters) {
    char slug[9];
    xl_slug("\xE6\xBC\xA2\xE5\xAD\x97\xE6\xBC\xA2", 8, slug);
    cr_expect_str_eq(slug, "\xE6\xBC\xA2\xE5\xAD\x97");
}

Test(filename, hostile_prompts) {
    expect_slug("../../etc/passwd", "etc-passwd");
    expect_slug("/proc/self/mem", "proc-self-mem");
    expect_slug("..\\..\\windows\\system32", "windows-system32");
    expect_slug("C:\\aux.txt", "c-aux-txt");
    expect_slug("\\\\server\\share", "server-share");
    expect_slug("%2e%2e%2f$(rm -rf)", "2e-2e-2f-rm-rf");
    expect_slug("%252e%252e%252f", "252e-252e-252f");
    expect_slug("\xEF\xBC\x8E\xEF\xBC\x8E\xEF\xBC\x8Fx", "x"); /* full-width ../ */
    expect_slug("\xC0\xAE\xC0\xAE\xC0\xAFx", "x");             /* overlong ../ */
    expect_slug("\xE2\x80\xA5\xE2\x88\x95x", "x");             /* two-dot leader, division slash */
    expect_slug("\x1b[31mred\n\r\t\x7f", "31mred");
    expect_slug("`id`; DROP TABLE x; --", "id-drop-table-x");
    expect_slug("<script>alert(1)</script>", "script-alert-1-script");
    expect_slug("=cmd|' /C calc'!A0", "cmd-c-calc-a0");
    expect_slug("-rf *", "rf");
    expect_slug(". hidden.", "hidden");
    expect_slug("\xFF\xFE\x80\xED\xA0\x80", "untitled");
    expect_slug("a\xC3", "a");
}

Test(filename, a_very_long_prompt_is_cut) {
    char *prompt = malloc(10001), slug[XL_SLUG_MAX + 1];
    memset(prompt, 'x', 10000);
    prompt[10000] = 0;
    xl_slug(prompt, XL_SLUG_MAX, slug);
    cr_expect_eq(strlen(slug), XL_SLUG_MAX);
    memset(prompt, ' ', 9999);
    xl_slug(prompt, XL_SLUG_MAX, slug);
    cr_expect_str_eq(slug, "x");
    free(prompt);
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
        struct xl_output_name parts = {"20260101-000000", prompt, prompt, NULL,
                                       UINT64_MAX,        round,  0};
        xl_output_name(&parts, name);
        for (const char *c = name; *c; c++)
            cr_assert((*c & 0x80) || strchr("abcdefghijklmnopqrstuvwxyz0123456789-_.", *c));
        cr_assert(xl_utf8_valid(name, strlen(name)));
        cr_assert_null(strstr(name, ".."));
        cr_assert_lt(strlen(name), 200);
    }
}

Test(filename, the_form_of_a_name) {
    char name[XL_OUTPUT_NAME_MAX];
    struct xl_output_name parts = {
        "20260101-000000", "Dark Fantasy / Grimdark", "a cat", NULL, 7, 3, 0};
    xl_output_name(&parts, name);
    cr_assert_str_eq(name, "20260101-000000_dark-fantasy-grimdark_a-cat_seed7_03.png");
    parts.profile = NULL;
    xl_output_name(&parts, name);
    cr_assert_str_eq(name, "20260101-000000_raw_a-cat_seed7_03.png");
    parts.tag = "steps20-guidance7.5";
    xl_output_name(&parts, name);
    cr_assert_str_eq(name, "20260101-000000_raw_a-cat_steps20-guidance7.5_seed7_03.png");
    parts.max = 60; /* what differs has half of the room that is short, the words the rest */
    parts.prompt = "a very long prompt about a cat";
    xl_output_name(&parts, name);
    cr_assert_str_eq(name, "20260101-000000_raw_a-very-long_steps20-guidanc_seed7_03.png");
}

static const char *const long_prompt =
    "a lighthouse on a cliff at dusk, waves below it, a storm comes "
    "up behind it, oil on canvas";

/* Whatever room there is, a name takes it, and time, seed and index stay. */
Test(filename, names_fit_the_room_that_there_is) {
    struct xl_output_name parts = {.stamp = "20260101-000000",
                                   .profile = "Pixel Art / Isometric Game + Low-Poly 3D / PS1",
                                   .prompt = long_prompt,
                                   .tag = "steps20-negative-caf\xC3\xA9-guidance7.5",
                                   .seed = UINT64_MAX,
                                   .index = 1234};
    char name[XL_OUTPUT_NAME_MAX], last[XL_OUTPUT_NAME_MAX] = "";
    for (parts.max = XL_OUTPUT_NAME_LEAST; parts.max <= XL_OUTPUT_NAME_MAX; parts.max++) {
        static const char end[] = "_seed18446744073709551615_1234.png";
        xl_output_name(&parts, name);
        cr_assert_leq((int)strlen(name), parts.max, "%s", name);
        cr_assert_geq(strlen(name) + 1, strlen(last), "%s after %s", name, last);
        cr_assert_eq(strncmp(name, "20260101-000000_", 16), 0, "%s", name);
        cr_assert_str_eq(name + strlen(name) - strlen(end), end);
        snprintf(last, sizeof last, "%s", name);
    }
    parts.tag = NULL;
    parts.max = 131;
    parts.seed = 1;
    parts.index = 0;
    xl_output_name(&parts, name);
    cr_expect_str_eq(name, "20260101-000000_pixel-art-isometric-game-low-poly_a-lighthouse-on-a-"
                           "cliff-at-dusk-waves-below-it-a-storm-comes-up-behi_seed1_00.png");
}

Test(filename, letters_of_several_bytes_are_not_cut_apart) {
    char name[XL_OUTPUT_NAME_MAX];
    struct xl_output_name parts = {
        .stamp = "20260101-000000",
        .prompt = "\xE6\xBC\xA2\xE5\xAD\x97\xE6\xBC\xA2\xE5\xAD\x97\xE6\xBC\xA2\xE5\xAD\x97",
        .seed = 1};
    for (parts.max = XL_OUTPUT_NAME_LEAST; parts.max < 80; parts.max++) {
        xl_output_name(&parts, name);
        cr_assert_leq((int)strlen(name), parts.max, "%s", name);
        cr_assert(xl_utf8_valid(name, strlen(name)), "%s", name);
    }
}

Test(filename, how_long_names_in_a_folder_may_be) {
    char *deep = malloc(5000);
    memset(deep, 'd', 4999);
    deep[4999] = 0;
    cr_expect_eq(xl_dir_name_max("."), 255);
    cr_expect_eq(xl_dir_name_max(deep), 0);
    deep[4000] = 0; /* with a slash and a NUL 94 of 4096 bytes are left */
    cr_expect_eq(xl_dir_name_max(deep), 94);
    free(deep);
}
