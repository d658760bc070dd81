/* test_cell.c - the name of a cell: changed by all that decides pixels and by nothing else; cells
 * to JSON and back. */
#include "lab/cell/cell_text.h"

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
    CHANGED(precision, 1);
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
    other.effective_negative = NULL;
    other.strength = 0.5; /* there is no init image */
    cr_expect(xl_cell_fits(&plain, &other));
    other.steps = 31;
    cr_expect_not(xl_cell_fits(&plain, &other));
    other = plain;
    other.init_image = "a.png";
    cr_expect_not(xl_cell_fits(&plain, &other));
}

/* What does nothing is not in the name, so a field that a later version adds changes none. */
Test(cell, names_are_kept) {
    struct xl_cell cell = {.styled_prompt = "a cat",
                           .width = 64,
                           .height = 64,
                           .steps = 1,
                           .scheduler = "default",
                           .seed = 7};
    cr_expect_str_eq(id_of(cell, "weights"), "166a33f82f69925328e63be6bba388ff");
}

/* --- The table -------------------------------------------------------------------------------- */

Test(cell, the_table_is_whole) {
    const struct xl_cell_field *field, *other;
    for (int i = 0; (field = xl_cell_field_at(i)); i++) {
        cr_expect_eq(xl_cell_field_find(field->key), field);
        if (field->type == XL_CELL_CHOICE)
            cr_expect_not_null(xl_option_find(field->key), "%s: whose choices?", field->key);
        if (field->bits & XL_CELL_SHARED)
            cr_expect_gt(field->order, 0, "%s: what is drawn together is sorted together",
                         field->key);
        for (int k = 0; k < i; k++) {
            other = xl_cell_field_at(k);
            cr_expect(!field->order || field->order != other->order, "%s and %s", field->key,
                      other->key);
        }
    }
    cr_expect_null(xl_cell_field_find("no such field"));
}

Test(cell, settings_fill_in_what_has_their_name) {
    struct xl_settings settings;
    struct xl_cell cell;
    xl_settings_default(&settings);
    settings.prompt = "a dog";
    settings.guidance_rescale = 0.5;
    settings.rng = 1;
    settings.precision = XL_PRECISION_BF16;
    settings.seed = 3;
    settings.vae_tile = 256;
    xl_cell_from_settings(&cell, &settings);
    cr_expect_str_eq(cell.prompt, "a dog");
    cr_expect_str_eq(cell.scheduler, "default");
    cr_expect(cell.guidance_rescale == 0.5 && cell.rng == 1 && cell.seed == 3);
    cr_expect(cell.precision == XL_PRECISION_BF16 && cell.vae_tile == 256 && cell.steps == 30);
    cr_expect(!cell.model_key && !cell.styled_prompt && !cell.width);
}

/* --- Order ------------------------------------------------------------------------------------ */

Test(cell, order_of_drawing) {
    struct xl_cell cells[6];
    int order[6];
    for (int i = 0; i < 6; i++) {
        cells[i] = plain;
        cells[i].styled_prompt = i % 2 ? "a" : "b"; /* as asked: b comes first */
        cells[i].model = i < 3;
        cells[i].width = i == 1 ? 64 : 128;
    }
    cr_assert_eq(xl_cells_sort(cells, 6, order, NULL), XL_OK);
    const int expected[] = {4, 3, 5, 1, 0, 2};
    for (int i = 0; i < 6; i++) cr_expect_eq(order[i], expected[i], "%d: %d", i, order[i]);
}

/* --- For people ------------------------------------------------------------------------------- */

static const char *labels(const struct xl_cell *a, const struct xl_cell *b) {
    struct xl_str lines[3] = {{0}};
    static char all[1024];
    xl_cell_put_labels(lines, 3, 40, a, xl_cells_differ(a, b));
    snprintf(all, sizeof all, "%s|%s|%s", lines[0].text ? lines[0].text : "",
             lines[1].text ? lines[1].text : "", lines[2].text ? lines[2].text : "");
    for (int i = 0; i < 3; i++) xl_str_deinit(&lines[i]);
    return all;
}

Test(cell, labels_say_what_differs) {
    struct xl_cell other = plain;
    cr_expect_str_eq(labels(&plain, &other), "Watercolor||");
    other.seed = 7;
    cr_expect_str_eq(labels(&plain, &other), "seed 18446744073709551615||");
    other.scheduler = "heun";
    cr_expect_str_eq(labels(&plain, &other), "euler|seed 18446744073709551615|");
    other = plain;
    other.prompt = "a dog";
    other.styled_prompt = "a dog, watercolor";
    other.guidance_rescale = 0;
    cr_expect_str_eq(labels(&plain, &other), "a cat|guidance rescale 0.25|");
    other.profile = "Oil";
    other.steps = 7;
    other.seed = 7;
    cr_expect_str_eq(labels(&plain, &other),
                     "Watercolor|a cat|seed 18446744073709551615, steps 30, guidance rescale 0.25");
    other = plain;
    other.height = 1024;
    other.seed = 7;
    other.steps = 7;
    other.guidance = 7;
    cr_expect_str_eq(labels(&plain, &other),
                     "1024x768|seed 18446744073709551615, steps 30|guidance 5.5");
    other = plain;
    other.negative = "blurry";
    cr_expect_str_eq(labels(&plain, &other), "negative none||");
}
