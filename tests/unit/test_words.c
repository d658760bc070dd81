/* test_words.c - articles and plurals, blocked words, and numbers of several. */
#include "prompts/blocked.h"
#include "prompts/bounds.h"
#include "prompts/words.h"

#include <criterion/criterion.h>
#include <string.h>

Test(words, a_and_an_go_by_the_sound) {
    static const char *const an[] = {
        "apple",        "old city",     "Elven ruin",       "hour",        "honest man",
        "8-bit game",   "18th-century", "11 o'clock",       "80s mall",    "SF city",
        "FM radio",     "umbrella",     "unimpressed cat",  "urn",         "(old) key",
        "\"odd\" door", "X-ray",        "uninhabited isle", "\xC3\xA9tude"};
    static const char *const a[] = {"fox",
                                    "unicorn",
                                    "UFO",
                                    "ufo",
                                    "used car",
                                    "European",
                                    "one-eyed cat",
                                    "once-proud hall",
                                    "house",
                                    "1920s car",
                                    "110 m tower",
                                    "ukulele",
                                    "utopia",
                                    "HDRfoo",
                                    "uniform",
                                    "Useful tool",
                                    "yellow sea",
                                    "",
                                    "--"};
    for (size_t i = 0; i < sizeof an / sizeof *an; i++)
        cr_expect(xl_takes_an(an[i], strlen(an[i])), "a %s", an[i]);
    for (size_t i = 0; i < sizeof a / sizeof *a; i++)
        cr_expect(!xl_takes_an(a[i], strlen(a[i])), "an %s", a[i]);
}

Test(words, plurals_of_nouns_and_what_belongs_to_them) {
    static const char *const pairs[][2] = {
        {"fox", "foxes"},
        {"cat", "cats"},
        {"city", "cities"},
        {"boy", "boys"},
        {"church", "churches"},
        {"bush", "bushes"},
        {"woman", "women"},
        {"human", "humans"},
        {"goldfish", "goldfish"},
        {"box of fish", "boxes of fish"},
        {"castle on a hill", "castles on a hill"},
        {"old oak leaf", "old oak leaves"},
        {"Wolf", "Wolves"},
        {"ox", "oxen"},
        {"phoenix", "phoenixes"},
        {"spacecraft", "spacecraft"},
        {"mongoose", "mongooses"},
        {"knight in armor", "knights in armor"},
        {"bear cub", "bear cubs"},
        {"", ""},
        {"volcano", "volcanoes"},
        {"fox, asleep", "foxes, asleep"},
        {"bus", "buses"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct xl_str out = {0};
        xl_put_plural(&out, pairs[i][0], strlen(pairs[i][0]));
        cr_expect_str_eq(out.text ? out.text : "", pairs[i][1]);
        xl_str_deinit(&out);
    }
}

Test(words, blocked_words_are_whole_words) {
    const char *phrases[] = {"gor*", "two words", "ass", "nude"};
    struct xl_blocked blocked = {.phrases = phrases, .n = 4};
    xl_blocked_settle(&blocked);
    static const char *const found[] = {"Nude",   "a nude",     "nudes.",    "gory",
                                        "gorgon", "Two  Words", "two-words", "(ass)"};
    static const char *const clean[] = {"denuded",     "nudge",      "a glass",
                                        "assassin",    "two swords", "two",
                                        "n\303\274de", "",           "nudesque"};
    for (size_t i = 0; i < sizeof found / sizeof *found; i++)
        cr_expect_not_null(xl_blocked_find(&blocked, found[i], strlen(found[i])), "%s", found[i]);
    for (size_t i = 0; i < sizeof clean / sizeof *clean; i++)
        cr_expect_null(xl_blocked_find(&blocked, clean[i], strlen(clean[i])), "%s", clean[i]);
}

Test(words, bounds_and_weights) {
    static const struct {
        const char *text;
        int least, most;
        const char *between, *rest; /* least -1: no bounds */
    } cases[] = {
        {"2$$a", 2, 2, NULL, "a"},
        {"1-3$$ and $$a", 1, 3, " and ", "a"},
        {"-2$$a", 1, 2, NULL, "a"},
        {"2-$$a", 2, XL_BOUNDS_ALL, NULL, "a"},
        {"3-1$$a", 1, 3, NULL, "a"},
        {"0$$a", 0, 0, NULL, "a"},
        {"2$$$$a", 2, 2, "", "a"},
        {"2$$|$$a", 2, 2, "|", "a"},
        {"a$$b", -1, 0, NULL, "a$$b"},
        {"-$$a", -1, 0, NULL, "-$$a"},
        {"2$a", -1, 0, NULL, "2$a"},
        {"2$$\n$$a", 2, 2, NULL, "\n$$a"},
        {"99999999999$$a", XL_BOUNDS_ALL, XL_BOUNDS_ALL, NULL, "a"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct xl_bounds bounds = {.least = -1};
        const char *at = cases[i].text;
        cr_expect_eq(xl_bounds_read(&at, &bounds), cases[i].least >= 0, "%s", cases[i].text);
        cr_expect_str_eq(at, cases[i].rest);
        if (cases[i].least < 0) continue;
        cr_expect(bounds.least == cases[i].least && bounds.most == cases[i].most, "%s",
                  cases[i].text);
        cr_expect_eq(bounds.between != NULL, cases[i].between != NULL, "%s", cases[i].text);
        if (cases[i].between)
            cr_expect(bounds.n_between == strlen(cases[i].between) &&
                      !memcmp(bounds.between, cases[i].between, bounds.n_between));
    }
    uint64_t weight = 0;
    const char *at = " 0.5::a";
    cr_expect(xl_weight_read(&at, &weight) && weight == 500000 && !strcmp(at, "a"));
    at = "a::b";
    cr_expect(!xl_weight_read(&at, &weight) && !strcmp(at, "a::b"));
    at = ".25::";
    cr_expect(xl_weight_read(&at, &weight) && weight == 250000);
    at = "2:b";
    cr_expect(!xl_weight_read(&at, &weight));
}
