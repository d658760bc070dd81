/* test_lora_text.c - LoRAs as people write them: options, axes and tags. */
#include "lab/data/lora_text.h"

#include <criterion/criterion.h>
#include <string.h>

static struct xl_arena arena;

static struct xl_lora_list read(const char *text) {
    struct xl_lora_list list = {.n = 0};
    struct xl_err err = {0};
    cr_assert_eq(xl_lora_text_read(text, &arena, &list, &err), XL_OK, "%s: %s", text, err.text);
    return list;
}

static void expect(const struct xl_lora_said *said, const char *name, double te, double unet) {
    cr_expect_str_eq(said->name, name);
    cr_expect_eq(said->text_scale, te, "%s: %g", name, said->text_scale);
    cr_expect_eq(said->unet_scale, unet, "%s: %g", name, said->unet_scale);
}

Test(lora_text, a_scale_is_a_number_at_the_end) {
    static const struct {
        const char *text, *name;
        double te, unet;
    } cases[] = {
        {"glass", "glass", 1, 1},
        {"glass:0.8", "glass", 0.8, 0.8},
        {"glass:-1", "glass", -1, -1},
        {"glass:0.8:0.6", "glass", 0.8, 0.6},
        {" glass:.5 ", "glass", 0.5, 0.5},
        {"org/name:0.8", "org/name", 0.8, 0.8},
        {"org/name:file.safetensors", "org/name:file.safetensors", 1, 1},
        {"org/name:file.safetensors:0.8:0", "org/name:file.safetensors", 0.8, 0},
        {"/a b/c.safetensors:1e-1", "/a b/c.safetensors", 0.1, 0.1},
        {"v1.5", "v1.5", 1, 1},
        {"a:nan", "a:nan", 1, 1},
        {"a:inf", "a:inf", 1, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct xl_lora_list list = read(cases[i].text);
        cr_assert_eq(list.n, 1, "%s", cases[i].text);
        expect(&list.item[0], cases[i].name, cases[i].te, cases[i].unet);
    }
    xl_arena_deinit(&arena);
}

Test(lora_text, several_are_joined_and_none_is_none) {
    struct xl_lora_list list = read("a:0.5 + b+c:2 + d");
    cr_assert_eq(list.n, 3);
    expect(&list.item[0], "a", 0.5, 0.5);
    expect(&list.item[1], "b+c", 2, 2);
    expect(&list.item[2], "d", 1, 1);
    cr_expect_eq(read("none").n, 0);
    cr_expect_eq(read("").n, 0);
    cr_expect_eq(read("none + a").n, 1);
    xl_arena_deinit(&arena);
}

Test(lora_text, what_is_no_lora_is_refused) {
    static const char *const texts[] = {":0.5", "a:", "a::0.5", "a:1001", "a:0.5:-2000", "a + :1"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct xl_lora_list list = {.n = 0};
        struct xl_err err = {0};
        cr_expect_eq(xl_lora_text_read(texts[i], &arena, &list, &err), XL_EINVAL, "%s", texts[i]);
        cr_expect(strstr(err.text, "expected"), "%s", err.text);
    }
    xl_arena_deinit(&arena);
}

Test(lora_text, more_than_there_is_room_for_are_refused) {
    char text[(XL_LORAS_MAX + 1) * 4 + 1] = "a";
    for (int i = 0; i < XL_LORAS_MAX; i++) strcat(text, " + a");
    struct xl_lora_list list = {.n = 0};
    cr_expect_eq(xl_lora_text_read(text, &arena, &list, NULL), XL_EINVAL);
    xl_arena_deinit(&arena);
}

static enum xl_status shout(void *user, const char *name, const char **to, struct xl_err *err) {
    (void)user, (void)err;
    *to = strcmp(name, "a") ? NULL : "A";
    return XL_OK;
}

Test(lora_text, names_are_changed_and_scales_kept) {
    const char *out = NULL;
    cr_assert_eq(xl_lora_text_rename("a:0.50 + b:1:0.5 + none", shout, NULL, &arena, &out, NULL),
                 XL_OK);
    cr_expect_str_eq(out, "A:0.50 + b:1:0.5 + none");
    xl_arena_deinit(&arena);
}

Test(lora_text, tags_are_taken_out) {
    static const struct {
        const char *prompt, *without, *name;
        double te, unet;
    } cases[] = {
        {"a cat <lora:glass:0.8>", "a cat", "glass", 0.8, 0.8},
        {"<lora:glass> a cat", "a cat", "glass", 1, 1},
        {"a <lora:glass:0.8:0.6> cat", "a cat", "glass", 0.8, 0.6},
        {"a cat,<lora:my glass:1>, blue", "a cat,, blue", "my glass", 1, 1},
        {"a<lyco:glass:te=0.5:unet=1>", "a", "glass", 0.5, 1},
        {"a<lora:glass:unet=0.25>", "a", "glass", 1, 0.25},
        {"a<lora:glass:0.8:te=0.5>", "a", "glass", 0.5, 0.5},
        {"a<lora:glass:0.8:0.8:te=0.5>", "a", "glass", 0.5, 0.8},
        {"a<lora: org/name:f.safetensors :2>", "a", "org/name:f.safetensors", 2, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct xl_lora_list list = {.n = 0};
        struct xl_err err = {0};
        const char *without = NULL;
        cr_assert_eq(xl_lora_tags_take(cases[i].prompt, &arena, &without, &list, &err), XL_OK,
                     "%s: %s", cases[i].prompt, err.text);
        cr_expect_str_eq(without, cases[i].without);
        cr_assert_eq(list.n, 1);
        expect(&list.item[0], cases[i].name, cases[i].te, cases[i].unet);
        cr_expect(xl_lora_tags_are_in(cases[i].prompt));
    }
    xl_arena_deinit(&arena);
}

Test(lora_text, several_tags_and_none) {
    const char *without = NULL, prompt[] = "a < b, lora:x, <hypernet:y:1>";
    struct xl_lora_list list = {.n = 0};
    cr_expect_eq(xl_lora_tags_take(prompt, &arena, &without, &list, NULL), XL_OK);
    cr_expect_eq(without, prompt);
    cr_expect_eq(list.n, 0);
    cr_expect_not(xl_lora_tags_are_in(prompt));
    cr_expect_eq(
        xl_lora_tags_take("<lora:a:1><lora:b:2> x <lora:a:3>", &arena, &without, &list, NULL),
        XL_OK);
    cr_expect_str_eq(without, "x");
    cr_expect_eq(list.n, 3);
    cr_expect_eq(xl_lora_tags_take("<lora:a:1>", &arena, &without, NULL, NULL), XL_OK);
    cr_expect_str_eq(without, "");
    xl_arena_deinit(&arena);
}

Test(lora_text, broken_tags_are_refused) {
    static const char *const prompts[] = {"<lora:>",        "a <lora::1>",       "<lora:a:1",
                                          "<lora:a:dyn=4>", "<lora:a<lora:b:1>", "<lora:a:2000>"};
    for (size_t i = 0; i < sizeof prompts / sizeof *prompts; i++) {
        struct xl_lora_list list = {.n = 0};
        const char *without = NULL;
        cr_expect_eq(xl_lora_tags_take(prompts[i], &arena, &without, &list, NULL), XL_EINVAL, "%s",
                     prompts[i]);
        cr_expect_null(without);
    }
    xl_arena_deinit(&arena);
}

Test(lora_text, scales_are_written_short) {
    char out[XL_LORA_SCALES_MAX];
    cr_expect_str_eq(xl_lora_scales_write(1, 1, out), "");
    cr_expect_str_eq(xl_lora_scales_write(0.8, 0.8, out), ":0.8");
    cr_expect_str_eq(xl_lora_scales_write(0.8, 0.6, out), ":0.8:0.6");
}
