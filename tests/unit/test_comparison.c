/* test_comparison.c - what measured pictures come to: medians, the worst, and the sentence. What is
 * drawn and paired is tests/e2e/test_compare.sh's. */
#include "lab/run/comparison.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { MOST = 8 };

/* A comparison of "b" with "a" whose pictures lie so many dB apart; NAN: not measured. */
struct made {
    struct xl_comparison comparison;
    struct xl_comparison_row rows[MOST];
    struct xl_compared pictures[MOST][2];
};

static void make(struct made *made, const double *psnr, int n) {
    static const char *values[] = {"a", "b"};
    *made = (struct made){.comparison = {.values = values, .n_values = 2, .n_rows = n}};
    made->comparison.rows = made->rows;
    for (int r = 0; r < n; r++) {
        made->rows[r] = (struct xl_comparison_row){"row", made->pictures[r]};
        made->pictures[r][0] = (struct xl_compared){.path = "a.png", .seconds = 2};
        made->pictures[r][1] = (struct xl_compared){
            .path = isnan(psnr[r]) ? NULL : "b.png",
            .why = isnan(psnr[r]) ? "not there" : NULL,
            .seconds = r + 1,
            .distance = {.psnr = psnr[r], .ssim = psnr[r] / 100, .gmsd = 1 / psnr[r]}};
    }
}

#define MAKE(made, ...)                                                                            \
    make(made, (const double[]){__VA_ARGS__}, sizeof((double[]){__VA_ARGS__}) / sizeof(double))

Test(comparison, medians_and_the_worst) {
    struct made made;
    MAKE(&made, 40, 20, 50, NAN, 30);
    struct xl_comparison_sum sum = xl_comparison_sum(&made.comparison, 1);
    cr_expect(sum.n == 4 && sum.n_equal == 0 && sum.n_timed == 5);
    cr_expect(sum.median.psnr == 35 && sum.worst.psnr == 20);
    cr_expect(fabs(sum.median.ssim - 0.35) < 1e-12 && sum.worst.ssim == 0.2);
    cr_expect(sum.worst.gmsd == 1 / 20.0, "of GMSD the largest");
    cr_expect_eq(sum.seconds, 3);
    sum = xl_comparison_sum(&made.comparison, 0);
    cr_expect(sum.n == 0 && sum.seconds == 2, "the reference has a time and no distance");
    MAKE(&made, INFINITY, 20, INFINITY);
    sum = xl_comparison_sum(&made.comparison, 1);
    cr_expect(isinf(sum.median.psnr) && sum.worst.psnr == 20 && sum.n_equal == 2);
}

Test(comparison, a_sentence_says_what_it_comes_to) {
    static const struct {
        double psnr[MOST];
        int n;
        const char *text;
    } cases[] = {
        {{45.04}, 1, "b lies 45.0 dB from a: nobody tells them apart side by side"},
        {{45, 42, 41},
         3,
         "b lies 42.0 dB (median; worst 41.0) from a: nobody tells them apart side by side"},
        {{45, 42, 24},
         3,
         "b lies 42.0 dB (median; worst 24.0) from a: nobody tells them apart side by side, but "
         "for "
         "1 of 3, which differs more"},
        {{40}, 1, "b lies 40.0 dB from a: nobody tells them apart side by side"},
        {{32}, 1, "b lies 32.0 dB from a: only fine texture differs"},
        {{26}, 1, "b lies 26.0 dB from a: details differ, the picture is the same"},
        {{25.99, 11},
         2,
         "b lies 18.5 dB (median; worst 11.0) from a: shapes or colours differ, plain to see"},
        {{INFINITY, INFINITY}, 2, "b is the same as a in every pixel"},
        {{INFINITY, 33, INFINITY}, 3, "b equals a in 2 of 3 pictures; the worst lies 33.0 dB away"},
        {{NAN}, 1, "b: nothing could be measured"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct made made;
        make(&made, cases[i].psnr, cases[i].n);
        const char *text = xl_comparison_verdict(&made.comparison, 1);
        cr_expect_str_eq(text, cases[i].text);
        xl_arena_deinit(&made.comparison.arena);
    }
}

Test(comparison, what_cannot_be_compared_along) {
    cr_expect(xl_comparison_suits(xl_option_find("dtype")));
    cr_expect(xl_comparison_suits(xl_option_find("scheduler")));
    cr_expect(!xl_comparison_suits(xl_option_find("prompt")));
    cr_expect(!xl_comparison_suits(xl_option_find("seed")));
    cr_expect(!xl_comparison_suits(xl_option_find("size")));
}

Test(comparison, files_that_are_not_there) {
    struct xl_comparison out = {.n_rows = 7};
    struct xl_err err = {0};
    cr_expect_eq(xl_comparison_of_files("gone.png", "gone too.png", &out, &err), XL_EINPUT);
    cr_expect(strstr(err.text, "gone.png") && out.n_rows == 7, "untouched");
    cr_expect_eq(xl_comparison_of_files(XL_SOURCE_DIR "/tests/data/images",
                                        XL_SOURCE_DIR "/tests/data/noise", &out, &err),
                 XL_EINPUT);
    cr_expect(strstr(err.text, "there is no picture in it"), "%s", err.text);
}
