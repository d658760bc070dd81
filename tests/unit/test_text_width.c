/* test_text_width.c - columns of a terminal, of any bytes. */
#include "base/text_width.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define NIHON "\xE6\x97\xA5\xE6\x9C\xAC" /* two letters of two columns */
#define FOX "\xF0\x9F\xA6\x8A"           /* an emoji */

Test(text_width, columns) {
    cr_expect_eq(xl_text_width(""), 0);
    cr_expect_eq(xl_text_width("a fox"), 5);
    cr_expect_eq(xl_text_width(NIHON), 4);
    cr_expect_eq(xl_text_width("a " FOX), 4);
    cr_expect_eq(xl_text_width("caf\xC3\xA9"), 4);
    cr_expect_eq(xl_text_width("cafe\xCC\x81"), 4, "an accent of its own has no column");
    cr_expect_eq(xl_text_width("\xE2\x80\x99"), 1, "an apostrophe of three bytes");
    cr_expect_eq(xl_text_width("\xEF\xBC\xA1"), 2, "a full-width letter");
}

Test(text_width, what_steers_a_terminal_is_a_question_mark) {
    cr_expect_eq(xl_text_width("\x1b[31m"), 5);
    cr_expect_eq(xl_text_width("a\xFFz"), 3);
    cr_expect_not(xl_text_next("\x1b").is_shown);
    cr_expect_not(xl_text_next("\xE2\x80\xAE").is_shown, "right-to-left override");
    cr_expect(xl_text_next(NIHON).is_shown);
}

static void expect_fit(const char *text, int columns, size_t bytes) {
    cr_expect_eq(xl_text_fit(text, columns), bytes, "%s in %d columns: %zu bytes", text, columns,
                 xl_text_fit(text, columns));
}

Test(text_width, beginnings_that_fit) {
    expect_fit("a fox", 10, 5);
    expect_fit("a fox", 3, 3);
    expect_fit(NIHON, 3, 3); /* half a letter is none */
    expect_fit(NIHON, 1, 0);
    expect_fit("e\xCC\x81x", 1, 3); /* the accent stays with its letter */
    expect_fit("a fox", -1, 0);
}

static void expect_cut(const char *text, int columns, const char *expected) {
    char out[64];
    snprintf(out, sizeof out, "%s", text);
    xl_text_cut(out, columns);
    cr_expect_str_eq(out, expected, "%s in %d columns: %s", text, columns, out);
}

Test(text_width, cut) {
    expect_cut("a fox", 5, "a fox");
    expect_cut("a foxes", 5, "a ...");
    expect_cut(NIHON NIHON, 6, "\xE6\x97\xA5..."); /* 5 columns: half a letter is none */
    expect_cut(NIHON, 3, "...");
    expect_cut("fox", 2, "..");
    expect_cut(NIHON, 1, ".");
    expect_cut("fox", 0, "");
    expect_cut("fox", -4, "");
}

static void expect_tame(const char *text, const char *expected) {
    char out[64];
    snprintf(out, sizeof out, "%s", text);
    xl_text_tame(out);
    cr_expect_str_eq(out, expected, "%s", expected);
}

Test(text_width, tame) {
    expect_tame("a " NIHON " " FOX "?", "a " NIHON " " FOX "?");
    expect_tame("\033[31mred\007\n", "?[31mred??");
    expect_tame("a\xE2\x80\xAE z", "a? z"); /* writes from right to left */
    expect_tame("\xFF\xC3x", "??x");
    expect_tame("", "");
}
