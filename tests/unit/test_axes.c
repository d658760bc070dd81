/* test_axes.c - the values of an axis: lists, spans, ranges, files, JSON, and what is refused. */
#include "lab/settings/axes.h"
#include "lab/settings/settings.h"

#include "unit/scratch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct xl_arena arena;

/* The values of an axis joined by '|', or the sentence of its failure. */
static const char *read_axis(const char *text) {
    static char out[4096];
    struct xl_axis axis;
    struct xl_err err = {0};
    if (xl_axis_parse(text, NULL, &arena, &axis, &err)) {
        snprintf(out, sizeof out, "error: %s", err.text);
        return out;
    }
    if (axis.is_all) return "all";
    out[0] = 0;
    for (int i = 0; i < axis.n; i++) {
        if (i) strcat(out, "|");
        strcat(out, axis.values[i] ? axis.values[i] : "(none)");
    }
    return out;
}

Test(axes, forms_of_values) {
    static const struct {
        const char *text, *values;
    } cases[] = {
        {"steps=20", "20"},
        {"steps=20,30", "20|30"},
        {"steps=20, 30 ,40", "20|30|40"},
        {"steps=10:30:10", "10|20|30"},
        {"steps=30:10:-10", "30|20|10"},
        {"steps=1..4", "1|2|3|4"},
        {"steps=4..1", "4|3|2|1"},
        {"steps=1..3,10", "1|2|3|10"},
        {"guidance=5:8:1", "5|6|7|8"},
        {"guidance=5:6:0.25", "5|5.25|5.5|5.75|6"},
        {"guidance=0:0.3:0.1", "0|0.1|0.2|0.3"},
        {"guidance-rescale=0,0.7", "0|0.7"},
        {"seed=1..3", "1|2|3"},
        {"steps=1:7:3", "1|4|7"},
        {"steps=1:8:3", "1|4|7"},
        {"steps=9:1:-4", "9|5|1"},
        {"guidance=0.1:0.9:0.1", "0.1|0.2|0.3|0.4|0.5|0.6|0.7|0.8|0.9"},
        {"guidance=2:0:-1", "2|1|0"},
        {"guidance=8:7:-0.5", "8|7.5|7"},
        /* Seeds are exact up to 2^64 - 1: beyond 2^53, 2^63, and at the end, where a counter wraps.
         */
        {"seed=18446744073709551615", "18446744073709551615"},
        {"seed=9007199254740992:9007199254740996:2",
         "9007199254740992|9007199254740994|9007199254740996"},
        {"seed=9223372036854775806..9223372036854775809",
         "9223372036854775806|9223372036854775807|9223372036854775808|9223372036854775809"},
        {"seed=18446744073709551614..18446744073709551615",
         "18446744073709551614|18446744073709551615"},
        {"seed=18446744073709551615..18446744073709551614",
         "18446744073709551615|18446744073709551614"},
        {"seed=18446744073709551615:18446744073709551610:-2",
         "18446744073709551615|18446744073709551613|18446744073709551611"},
        {"seed=[18446744073709551615, 1]", "18446744073709551615|1"},
        {"seed=[\"7\", 9223372036854775808]", "7|9223372036854775808"},
        {"seed=[\"1..3\", 10]", "1|2|3|10"},
        {"seed=-1,-1", "-1|-1"},
        {"scheduler=euler,DPM++ 2M Karras", "euler|DPM++ 2M Karras"},
        {"prompt=a cat", "a cat"},
        {"prompt=\"a cat, asleep\",a dog", "a cat, asleep|a dog"},
        {"prompt=\"say \"\"hi\"\"\"", "say \"hi\""},
        {"prompt=[\"a, b\", \"[c]\"]", "a, b|[c]"},
        {"steps=[20,30]", "20|30"},
        {"guidance=[5.5]", "5.5"},
        {"guidance=[0.6, 1e1]", "0.6|1e1"}, /* as it is written */
        {"negative=[null, \"\", \"x\"]", "(none)||x"},
        {"negative=\"\",x", "|x"},
        {"prompt=1..4", "1..4"}, /* a text is no span */
        {"model=all", "all"},
        {"profile=all", "all"},
        {"prompt=all", "all"},
        {"init_image=/a.png,/b.png", "/a.png|/b.png"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_str_eq(read_axis(cases[i].text), cases[i].values, "%s: %s", cases[i].text,
                         read_axis(cases[i].text));
    xl_arena_deinit(&arena);
}

Test(axes, refusals_say_what_and_why) {
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"steps", "expected KEY=VALUES"},
        {"stesp=3", "did you mean steps"},
        {"batch=2", "batch cannot be swept"},
        {"device=cpu", "device cannot be swept"},
        {"steps=", "expected values"},
        {"steps=0", "not a whole number from 1 to 1000"},
        {"steps=20,x", "\"x\" is not a whole number"},
        {"steps=20,,30", "\"\" is not a whole number"},
        {"guidance=5:8:0", "there is no value in 5:8:0, which is FIRST:LAST:STEP"},
        {"guidance=8:5:1", "there is no value in 8:5:1"},
        {"guidance=0.5:5:-0.1", "there is no value in 0.5:5:-0.1"},
        {"steps=1:3:-1", "there is no value in 1:3:-1"},
        {"guidance=0:1000:0.0001", "10000001 values, at most 2000000 go onto one axis"},
        {"seed=1..3000000", "3000000 values, at most 2000000 go onto one axis"},
        {"seed=0..18446744073709551615", "values, at most 2000000 go onto one axis"},
        {"seed=1..18446744073709551616", "a range is FIRST..LAST, or with a step FIRST:LAST:STEP"},
        {"seed=1..10:3", "\"1..10:3\" is not a seed"},
        {"steps=1..10:3", "a range is FIRST..LAST, or with a step FIRST:LAST:STEP"},
        {"seed=-3..3", "\"-3..3\" is not a seed"},
        {"prompt=a,,b", "nothing between two commas; write \"\" for an empty text"},
        {"prompt=a,", "nothing between two commas"},
        {"rng=torch-cpu,torch", "\"torch\" is not one of: torch-cpu, torch-cuda"},
        {"prompt=\"a", "a quote is not closed"},
        {"prompt=\"a\"b", "expected a comma"},
        {"prompt=[\"a\"", "no JSON list"},
        {"prompt=[]", "there is no value"},
        {"prompt=[true]", "\"true\" in the list: expected texts and numbers"},
        {"prompt=[[\"a\"]]", "expected texts and numbers"},
        {"prompt=[\"a\"] b", "no JSON list"},
        {"prompt=@/nowhere/prompts.txt", "/nowhere/prompts.txt"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect(strstr(read_axis(cases[i].text), cases[i].sentence), "%s: %s", cases[i].text,
                  read_axis(cases[i].text));
    xl_arena_deinit(&arena);
}

/* What an axis is written as is read as the same values, without the files that it came from. */
Test(axes, the_text_of_an_axis_is_read_back, .init = scratch_open, .fini = scratch_close) {
    const char *path = scratch("prompts.txt");
    scratch_puts(path, "a \"cat\", asleep\n[b]\n");
    char text[SCRATCH_PATH + 16];
    snprintf(text, sizeof text, "prompt=@%s", path);
    struct xl_axis axis;
    struct xl_err err = {0};
    cr_assert_eq(xl_axis_parse(text, NULL, &arena, &axis, &err), XL_OK, "%s", err.text);
    cr_expect_str_eq(xl_axis_text(&axis, &arena), "prompt=[\"a \\\"cat\\\", asleep\",\"[b]\"]");
    cr_expect_str_eq(read_axis(xl_axis_text(&axis, &arena)), "a \"cat\", asleep|[b]");
    xl_axis_fail(&axis, 1, XL_EINVAL, &err);
    cr_expect(strstr(err.text, "prompts.txt:2:1: --sweep prompt: "), "%s", err.text);
    xl_arena_deinit(&arena);
}

Test(axes, a_file_has_one_value_a_line, .init = scratch_open, .fini = scratch_close) {
    const char *path = scratch("prompts.txt");
    FILE *file = fopen(path, "w");
    fputs("\xEF\xBB\xBF# mine\r\na cat, asleep \r\n \t\n  # a comment\na dog\r\"q\"\nlast", file);
    fclose(file);
    char axis[SCRATCH_PATH + 16];
    snprintf(axis, sizeof axis, "prompt=@%s", path);
    cr_expect_str_eq(read_axis(axis), "a cat, asleep|a dog|\"q\"|last");
    scratch_puts(path, "# steps\n20\nmany\n");
    snprintf(axis, sizeof axis, "steps=@%s", path);
    cr_expect_not_null(strstr(read_axis(axis), "prompts.txt:3:1: --sweep steps="));
    scratch_puts(path, "# nothing\n\n");
    cr_expect_not_null(strstr(read_axis(axis), "prompts.txt: no value in it"));
    scratch_puts(path, "");
    cr_expect_not_null(strstr(read_axis(axis), "prompts.txt: no value in it"));
    xl_arena_deinit(&arena);
}

/* The axis as xl_axis_fill_in leaves it, or the sentence of its failure. */
static const char *fill_in(const char *text) {
    const char *out = text;
    static struct xl_err err;
    return xl_axis_fill_in(text, &arena, &out, &err) ? err.text : out;
}

Test(axes, paths_mean_the_same_from_every_folder) {
    setenv("HOME", "/home/me", 1);
    setenv("DIR", "d$x", 1);
    cr_assert_eq(chdir("/usr"), 0);
    static const char *const cases[][2] = {
        {"steps=1..3", "steps=1..3"},
        {"prompt=~/x", "prompt=~/x"}, /* a text */
        {"prompt=@p.txt", "prompt=@/usr/p.txt"},
        {"steps=@~/s.txt", "steps=@/home/me/s.txt"},
        {"prompt=@$DIR/p.txt", "prompt=@/usr/d$$x/p.txt"},
        {"init-image=a.png,~/b.png", "init-image=[\"/usr/a.png\",\"/home/me/b.png\"]"},
        {"init_image=[\"$DIR\"]", "init_image=[\"/usr/d$$x\"]"},
        {"init-image=\"\",a.png", "init-image=[\"\",\"/usr/a.png\"]"}, /* none, and one */
        {"model=all", "model=all"},
        {"stepz=1", "stepz=1"},
        {"nonsense", "nonsense"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_expect_str_eq(fill_in(cases[i][0]), cases[i][1], "%s", fill_in(cases[i][0]));
        cr_expect_str_eq(fill_in(fill_in(cases[i][0])), cases[i][1]);
    }
    cr_expect_str_eq(read_axis("init-image=a.png,~/b.png"), "/usr/a.png|/home/me/b.png");
    cr_expect_str_eq(read_axis(fill_in("init-image=$DIR/a.png")), "/usr/d$x/a.png");
    cr_expect_str_eq(read_axis("model=~/m,org/name"), "/home/me/m|org/name");
    cr_expect(strstr(fill_in("prompt=@$UNSET_HERE/p"), "$UNSET_HERE is not set"));
    cr_expect(strstr(fill_in("init-image=$UNSET_HERE/p"), "$UNSET_HERE is not set"));
    xl_arena_deinit(&arena);
}
