/* test_ladder.c - what is given up when memory is short, in which order, and that it ends. */
#include "lab/run/ladder.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* Every rung below `asked`, "tile/group/WxH" joined by blanks. */
static const char *descend(struct xl_rung asked, int unit) {
    static char out[1024];
    struct xl_ladder ladder;
    xl_ladder_init(&ladder, asked, unit);
    out[0] = 0;
    for (int i = 0; i < 100 && xl_ladder_lower(&ladder); i++) {
        char rung[64];
        snprintf(rung, sizeof rung, "%s%d/%d/%dx%d", i ? " " : "", ladder.now.vae_tile,
                 ladder.now.group, ladder.now.width, ladder.now.height);
        strcat(out, rung);
    }
    return out;
}

Test(ladder, order_of_rungs) {
    cr_expect_str_eq(descend((struct xl_rung){0, 1, 768, 768}, 8),
                     "512/1/768x768 512/1/576x576 512/1/512x512");
    cr_expect_str_eq(descend((struct xl_rung){0, 4, 1024, 1024}, 8),
                     "512/4/1024x1024 512/2/1024x1024 512/1/1024x1024 512/1/768x768 512/1/680x680");
    cr_expect_str_eq(descend((struct xl_rung){0, 3, 1024, 576}, 8),
                     "512/3/1024x576 512/2/1024x576 512/1/1024x576 512/1/768x432 512/1/680x384");
    cr_expect_str_eq(descend((struct xl_rung){512, 1, 768, 768}, 8), "512/1/576x576 512/1/512x512");
}

Test(ladder, no_side_below_256) {
    cr_expect_str_eq(descend((struct xl_rung){0, 1, 320, 320}, 8), "160/1/320x320 160/1/256x256");
    cr_expect_str_eq(descend((struct xl_rung){0, 1, 256, 256}, 8), "128/1/256x256");
    cr_expect_str_eq(descend((struct xl_rung){0, 1, 64, 64}, 8), "");
    cr_expect_str_eq(descend((struct xl_rung){0, 2, 64, 64}, 8), "0/1/64x64");
    cr_expect_str_eq(descend((struct xl_rung){0, 1, 200, 1024}, 8),
                     "512/1/200x1024 512/1/200x768 512/1/200x680");
}

Test(ladder, every_descent_ends_and_falls) {
    for (int width = 8; width <= 2048; width += 56)
        for (int height = 8; height <= 2048; height += 104)
            for (int group = 1; group <= 64; group *= 3) {
                struct xl_ladder ladder;
                xl_ladder_init(&ladder, (struct xl_rung){0, group, width, height}, 8);
                int n = 0, sizes = 1;
                for (struct xl_rung before = ladder.now; xl_ladder_lower(&ladder);
                     before = ladder.now, n++) {
                    bool is_smaller = ladder.now.width * ladder.now.height <
                                      before.width * before.height;
                    sizes += is_smaller;
                    cr_assert(is_smaller || ladder.now.group < before.group ||
                              (ladder.now.vae_tile && !before.vae_tile));
                    cr_assert(ladder.now.width % 8 == 0 && ladder.now.height % 8 == 0);
                }
                cr_assert(n <= 10 && sizes <= 3, "%dx%d: %d rungs, %d sizes", width, height, n,
                          sizes);
            }
}

Test(ladder, says_what_was_given_up) {
    char text[XL_LADDER_TEXT];
    struct xl_ladder ladder;
    xl_ladder_init(&ladder, (struct xl_rung){0, 2, 768, 768}, 8);
    xl_ladder_describe(&ladder, text);
    cr_expect_str_eq(text, "");
    while (xl_ladder_lower(&ladder)) xl_ladder_describe(&ladder, text);
    cr_expect_str_eq(text, "VAE in tiles of 512, 1 instead of 2 together, 512x512 instead of "
                           "768x768");
}
