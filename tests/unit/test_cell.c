/* test_cell.c - the name of a cell: changed by all that decides pixels and by nothing else; cells
 * to JSON and back. */
#include "lab/run/cell.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct xl_cell plain = {
    .index = 3,
    .model = 1,
    .job = 2,
    .profile = "Watercolor",
    .prompt = "a cat",
    .styled_prompt = "a cat, watercolor",
    .effective_negative = "photo",
    .width = 1024,
    .height = 768,
    .steps = 30,
    .guidance = 5.5,
    .guidance_rescale = 0.25,
    .scheduler = "euler",
    .seed = UINT64_MAX,
    .vae_tile = 512,
};

static const char *id_of(struct xl_cell cell, const char *identity) {
    static char ids[8][XL_CELL_ID_DIGITS + 1];
    static int next;
    cr_assert_eq(xl_cell_identify(&cell, identity, NULL), XL_OK);
    return strcpy(ids[next++ % 8], cell.id);
}

#define CHANGED(field, value)                                                                      \
    do {                                                                                           \
        struct xl_cell cell = plain;                                                               \
        cell.field = value;                                                                        \
        cr_expect_str_neq(id_of(cell, "weights"), id_of(plain, "weights"), #field);                \
    } while (0)

#define UNCHANGED(field, value)                                                                    \
    do {                                                                                           \
        struct xl_cell cell = plain;                                                               \
        cell.field = value;                                                                        \
        cr_expect_str_eq(id_of(cell, "weights"), id_of(plain, "weights"), #field);                 \
    } while (0)

Test(cell, all_that_decides_pixels_is_in_the_name) {
    CHANGED(styled_prompt, "a cat, oil");
    CHANGED(effective_negative, "");
    CHANGED(effective_negative, NULL);
    CHANGED(width, 768);
    CHANGED(height, 1024);
    CHANGED(steps, 31);
    CHANGED(guidance, 5.500000001);
    CHANGED(guidance_rescale, 0);
    CHANGED(scheduler, "euler-a");
    CHANGED(seed, UINT64_MAX - 1);
    CHANGED(rng, 1);
    CHANGED(vae_tile, 0);
    cr_expect_str_neq(id_of(plain, "weights"), id_of(plain, "other weights"));
    struct xl_cell cell = plain, other = plain;
    cell.init_image = other.init_image = "a.png";
    cell.init_digest = "1";
    other.init_digest = "2";
    cr_expect_str_neq(id_of(cell, ""), id_of(other, ""));
    other = cell;
    other.strength = 0.5;
    cr_expect_str_neq(id_of(cell, ""), id_of(other, ""));
}

Test(cell, what_does_not_is_not) {
    UNCHANGED(index, 7);
    UNCHANGED(model, 7);
    UNCHANGED(job, 7);
    UNCHANGED(profile, "my own name for it");
    UNCHANGED(prompt, "asked in other words");
    UNCHANGED(strength, 0.5); /* there is no init image */
    struct xl_cell cell = plain, moved = plain;
    cell.init_image = "a.png";
    moved.init_image = "/elsewhere/b.png";
    cell.init_digest = moved.init_digest = "1";
    cr_expect_str_eq(id_of(cell, ""), id_of(moved, ""));
}

Test(cell, to_json_and_back) {
    struct xl_cell cell = plain, back;
    struct xl_arena arena = {0};
    struct xl_err err = {0};
    cell.negative = "blurry";
    cell.init_image = "a.png";
    cell.init_digest = "12";
    cell.strength = 0.1;
    cell.rng = 1;
    cr_assert_eq(xl_cell_identify(&cell, "weights", NULL), XL_OK);
    json_t *object = xl_cell_write(&cell);
    cr_assert_eq(xl_cell_read(object, "run.json", &arena, &back, &err), XL_OK, "%s", err.text);
    json_t *again = xl_cell_write(&back);
    cr_expect(json_equal(object, again));
    cr_expect_eq(back.seed, UINT64_MAX);
    cr_assert_eq(xl_cell_identify(&back, "weights", NULL), XL_OK);
    cr_expect_str_eq(back.id, cell.id);
    const char *needed[] = {"id", "seed", "prompt", "styled_prompt", "profile", "scheduler"};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        json_t *less = json_copy(object);
        json_object_del(less, needed[i]);
        cr_expect_eq(xl_cell_read(less, "run.json", &arena, &back, &err), XL_EINPUT, "%s",
                     needed[i]);
        json_decref(less);
    }
    json_object_set_new(object, "width", json_string("wide"));
    cr_expect_eq(xl_cell_read(object, "run.json", &arena, &back, &err), XL_EINPUT);
    cr_expect(strstr(err.text, "run.json") && strstr(err.text, "width"), "%s", err.text);
    json_decref(object);
    json_decref(again);
    xl_arena_deinit(&arena);
}

Test(cell, what_is_drawn_together) {
    struct xl_cell other = plain;
    other.seed = 1;
    other.styled_prompt = "another";
    cr_expect(xl_cell_fits(&plain, &other));
    other.steps = 31;
    cr_expect_not(xl_cell_fits(&plain, &other));
    other = plain;
    other.effective_negative = NULL; /* zeros in place of an encoded text: another batch */
    cr_expect_not(xl_cell_fits(&plain, &other));
}
