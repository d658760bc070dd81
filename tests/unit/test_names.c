/* test_names.c - names as people type them. */
#include "lab/data/names.h"

#include <criterion/criterion.h>
#include <string.h>

Test(names, case_blanks_accents_and_punctuation_do_not_matter) {
    cr_expect(xl_name_matches("H.R. Giger", "hr giger"));
    cr_expect(xl_name_matches("Children’s Book Illustration", "childrens book illustration"));
    cr_expect(xl_name_matches("Black & White", "black-white"));
    cr_expect(xl_name_matches("Café", "CAFE"));
    cr_expect(xl_name_matches("Untitled", "untitled"));
    cr_expect_not(xl_name_matches("Ink", "Inc"));
    cr_expect_not(xl_name_matches("SDXL Turbo", "SDXL Turbo 2"));
}

/* Nothing of them is left in the slug, and yet they are different names. */
Test(names, other_scripts_are_not_all_the_same) {
    cr_expect(xl_name_matches("水彩", "水彩"));
    cr_expect_not(xl_name_matches("水彩", "油彩"));
    cr_expect_not(xl_name_matches("水彩", "untitled"));
    cr_expect_not(xl_name_matches("...", "!!!"));
}

Test(names, exact_before_alike_before_alias) {
    static const char *const aliases[] = {"ink wash", "Third"};
    const struct xl_named list[] = {
        {"INK", NULL, 0}, {"Ink", NULL, 0}, {"Wash", aliases, 2}, {"third", NULL, 0}};
    cr_expect_eq(xl_named_find(list, 4, "Ink"), 1);
    cr_expect_eq(xl_named_find(list, 4, "ink"), 0);
    cr_expect_eq(xl_named_find(list, 4, "InkWash"), 2);
    cr_expect_eq(xl_named_find(list, 4, "Third"), 3);
    cr_expect_eq(xl_named_find(list, 4, "fourth"), -1);
    cr_expect_eq(xl_named_find(list, 0, "Ink"), -1);
}

Test(names, the_nearest_are_named_in_order) {
    static const char *const aliases[] = {"Giger"};
    const struct xl_named list[] = {{"Watercolor", NULL, 0},
                                    {"H.R. Giger", aliases, 1},
                                    {"Pixel Art / Isometric Game", NULL, 0},
                                    {"Isometric Tech Diagram", NULL, 0},
                                    {"Isometrics", NULL, 0},
                                    {"Isometry", NULL, 0}};
    char out[200];
    cr_expect_str_eq(xl_named_nearest(list, 6, "Watercoulor", out, sizeof out), "\"Watercolor\"");
    cr_expect_str_eq(xl_named_nearest(list, 6, "gigr", out, sizeof out), "\"H.R. Giger\"");
    cr_expect_str_eq(xl_named_nearest(list, 6, "isometric", out, sizeof out),
                     "\"Isometrics\", \"Isometry\" or \"Pixel Art / Isometric Game\"");
    cr_expect_str_eq(xl_named_nearest(list, 6, "xyzzy", out, sizeof out), "");
    cr_expect_str_eq(xl_named_nearest(list, 6, "水彩", out, sizeof out), "");
    cr_expect_str_eq(xl_named_nearest(list, 6, "isometric", out, 16), "\"Isometrics\"");
}
