/* test_path.c - what "~" and variables in a path stand for, what is refused, and absolute paths. */
#include "base/path.h"

#include <criterion/criterion.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct xl_arena arena;
static struct xl_err err;

static void begin(void) {
    setenv("HOME", "/home/me", 1);
    setenv("DIR", "a b", 1);
    setenv("EMPTY", "", 1);
    unsetenv("UNSET");
}

static void end(void) {
    xl_arena_deinit(&arena);
}

TestSuite(path, .init = begin, .fini = end);

static const char *expand(const char *text) {
    const char *out = NULL;
    return xl_path_expand(text, &arena, &out, &err) ? err.text : out;
}

Test(path, what_is_filled_in) {
    static const struct {
        const char *text, *path;
    } cases[] = {
        {"~", "/home/me"},
        {"~/", "/home/me/"},
        {"~/x/~y", "/home/me/x/~y"},
        {"a/~/b", "a/~/b"},
        {"./~", "./~"},
        {"$DIR/x", "a b/x"},
        {"x${DIR}x", "xa bx"},
        {"~/$DIR/$DIR", "/home/me/a b/a b"},
        {"cost $5, $ and $$DIR$", "cost $5, $ and $DIR$"},
        {"/plain/path.png", "/plain/path.png"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_str_eq(expand(cases[i].text), cases[i].path, "%s: %s", cases[i].text,
                         expand(cases[i].text));
}

Test(path, what_cannot_be_filled_in_is_named) {
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"$UNSET/x", "\"$UNSET/x\": $UNSET is not set"},
        {"a/${UNSET}", "$UNSET is not set"},
        {"$EMPTY/x", "$EMPTY is not set"},
        {"${DIR", "expected the name of a variable"},
        {"${DIR:-x}", "expected the name of a variable"},
        {"${}", "expected the name of a variable"},
        {"~no-such-user-here/x", "there is no user \"no-such-user-here\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect(strstr(expand(cases[i].text), cases[i].sentence), "%s: %s", cases[i].text,
                  expand(cases[i].text));
}

Test(path, homes) {
    char text[300], expected[4200];
    const struct passwd *root = getpwuid(0);
    if (root) {
        snprintf(text, sizeof text, "~%s/x", root->pw_name);
        snprintf(expected, sizeof expected, "%s/x", root->pw_dir);
        cr_expect_str_eq(expand(text), expected);
    }
    setenv("HOME", "/", 1);
    cr_expect_str_eq(expand("~"), "/");
    cr_expect_str_eq(expand("~/x"), "/x");
    const struct passwd *me = getpwuid(getuid());
    unsetenv("HOME");
    if (me) {
        snprintf(expected, sizeof expected, "%s/x", me->pw_dir);
        cr_expect_str_eq(expand("~/x"), expected);
    } else {
        cr_expect(strstr(expand("~/x"), "set HOME"));
    }
}

Test(path, absolute) {
    cr_assert_eq(chdir("/usr"), 0);
    static const char *const cases[][2] = {
        {"x", "/usr/x"},       {"./x", "/usr/x"},      {".//./x", "/usr/x"}, {".", "/usr"},
        {"../x", "/usr/../x"}, {"/x/../y", "/x/../y"}, {"./", "/usr"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_str_eq(xl_path_absolute(cases[i][0], &arena), cases[i][1]);
    cr_assert_eq(chdir("/"), 0);
    cr_expect_str_eq(xl_path_absolute("x", &arena), "/x");
}

/* ---- What others get ---- */

static void expect_told(const char *sentence, const char *wanted) {
    char *told = xl_path_tell(sentence);
    cr_expect_str_eq(told, wanted);
    free(told);
}

Test(path, a_path_may_say_whose_it_is) {
    setenv("HOME", "/data/people/wilhelmine", 1);
    setenv("USER", "wilhelmine", 1);
    unsetenv("LOGNAME");
    static const char *const personal[] = {"/data/people/wilhelmine", "/data/people/wilhelmine/x",
                                           "/scratch/wilhelmine/x",   "/home/anybody/x",
                                           "/Users/anybody",          "/root/x"};
    static const char *const others[] = {"/data/people/wilhelmine2/x", "/data/models/sdxl",
                                         "/homes/x", "/srv/x-wilhelmine/y", "/"};
    for (size_t i = 0; i < sizeof personal / sizeof *personal; i++)
        cr_expect(xl_path_is_personal(personal[i]), "%s", personal[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        cr_expect(!xl_path_is_personal(others[i]), "%s", others[i]);
    setenv("HOME", "/", 1);
    cr_expect(!xl_path_is_personal("/data/models"), "the root is nobody's home");
}

Test(path, sentences_keep_the_last_part_of_personal_paths) {
    setenv("HOME", "/home/wilhelmine", 1);
    expect_told("/home/wilhelmine/pics/a.png: cannot open: no such file",
                "a.png: cannot open: no such file");
    expect_told("not in (/home/wilhelmine/.cache/hub, /srv/hub); or \"/home/x/y\".",
                "not in (hub, /srv/hub); or \"y\".");
    expect_told("3/4 of 1/2, /srv/models/x is not there", "3/4 of 1/2, /srv/models/x is not there");
    expect_told("", "");
}

static void expect_cache(const char *expected) {
    char *path = xl_path_cache("a/b");
    cr_assert_not_null(path);
    cr_expect_str_eq(path, expected);
    free(path);
}

Test(path, what_can_be_made_again) {
    setenv("HOME", "/home/wilhelmine", 1);
    unsetenv("XDG_CACHE_HOME");
    expect_cache("/home/wilhelmine/.cache/sdxl-lab/a/b");
    setenv("XDG_CACHE_HOME", "cache", 1);
    expect_cache("/home/wilhelmine/.cache/sdxl-lab/a/b");
    setenv("XDG_CACHE_HOME", "/var/cache", 1);
    expect_cache("/var/cache/sdxl-lab/a/b");
}
