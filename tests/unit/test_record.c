/* test_record.c - records of pictures as the lab reads them: older formats, back to a cell, and
 * what differs between two of them. */
#include "lab/cell/cell_record.h"
#include "lab/run/blame.h"
#include "unit/scratch.h"

#include <criterion/criterion.h>
#include <string.h>

static struct xl_err err;

static json_t *parsed(const char *quotes) {
    char *text = scratch_quotes(quotes);
    json_t *record = NULL;
    cr_assert_eq(xl_record_parse(text, "a.png", &record, &err), XL_OK, "%s", err.text);
    free(text);
    return record;
}

static void expect_text(const json_t *object, const char *key, const char *text) {
    const char *found = json_string_value(json_object_get(object, key));
    cr_expect_str_eq(found ? found : "(absent)", text, "%s", key);
}

static const char first[] =
    "{'program': 'sdxl-lab 0.1.0', 'mode': 'txt2img', 'prompt': 'a cat, in ink', 'negative': null, "
    "'width': 64, 'height': 72, 'steps': 2, 'guidance': 5.0, 'guidance_rescale': 0.25, "
    "'seed_base': '7', 'batch': 1, 'rng': 'torch-cuda', 'scheduler': {'name': 'euler', 'class': "
    "'EulerDiscreteScheduler', 'timestep_spacing': 'leading'}, 'model': {'id': 'org/name', "
    "'components': [{'name': 'unet', 'bytes': 3, 'files': [{'path': '/x', 'digest': 'ab'}]}]}, "
    "'backend': 'cpu', 'isa': 'AVX2', 'precision': 'BF16', 'vae_precision': 'F32', 'vae_tile': 0, "
    "'cell': 'c', 'asked_prompt': 'a cat', 'asked_negative': null, 'requested_width': 128, "
    "'requested_scheduler': 'default', 'seed': '18446744073709551615', 'index': 0}";

Test(record, the_first_format_is_read) {
    json_t *record = parsed(first);
    struct xl_arena arena = {0};
    struct xl_cell cell;
    expect_text(json_object_get(record, "drawn_by"), "isa", "AVX2");
    expect_text(json_object_get(record, "scheduler_config"), "timestep_spacing", "leading");
    expect_text(json_array_get(json_object_get(json_object_get(record, "model"), "files"), 0),
                "digest", "ab");
    cr_assert_eq(xl_cell_from_record(record, "a.png", &arena, &cell, &err), XL_OK, "%s", err.text);
    cr_expect_str_eq(cell.prompt, "a cat");
    cr_expect_str_eq(cell.styled_prompt, "a cat, in ink");
    cr_expect_str_eq(cell.scheduler, "default");
    cr_expect(cell.width == 64 && cell.height == 72 && cell.steps == 2 && cell.rng == 1);
    cr_expect(cell.guidance_rescale == 0.25 && cell.seed == UINT64_MAX);
    cr_expect(cell.precision == XL_PRECISION_BF16 && !cell.init_image && !cell.negative);
    xl_arena_deinit(&arena);
    json_decref(record);
}

Test(record, what_cannot_be_drawn_again_is_said) {
    static const char *const needed[] = {"styled_prompt", "width", "steps", "seed", "scheduler"};
    struct xl_arena arena = {0};
    struct xl_cell cell;
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        json_t *record = parsed(first);
        json_object_del(record, needed[i]);
        cr_expect_eq(xl_cell_from_record(record, "a.png", &arena, &cell, &err), XL_EINPUT);
        cr_expect_not_null(strstr(err.text, needed[i]), "%s", err.text);
        json_decref(record);
    }
    json_t *record = NULL;
    cr_expect_eq(xl_record_parse("{\"format\": 99}", "a.png", &record, &err), XL_EINPUT);
    cr_expect_not_null(strstr(err.text, "newer"), "%s", err.text);
    cr_expect_eq(xl_record_parse("{", "a.png", &record, &err), XL_EINPUT);
    cr_expect_null(record);
    xl_arena_deinit(&arena);
}

static const char now[] =
    "{'format': 2, 'scheduler_config': {'beta_end': 0.012, 'steps_offset': 1}, 'drawn_by': "
    "{'program': 'sdxl-lab 0.1.0', 'isa': 'AVX2'}, 'model': {'force_zeros_for_empty_prompt': true, "
    "'files': [{'role': 'unet', 'digest': 'aa'}, {'role': 'unet', 'digest': 'bb'}, {'role': "
    "'unet/config.json', 'fingerprint': 'cc'}, {'role': 'scheduler', 'digest': 'dd'}]}}";

static void expect_blame(const char *from, const char *to, const char *text, bool is_of_request) {
    json_t *then = parsed(now);
    char *changed = scratch_quotes(now), *wanted = scratch_quotes(from);
    char *at = strstr(changed, wanted);
    cr_assert_not_null(at, "%s", from);
    char whole[2048], *put = scratch_quotes(to);
    snprintf(whole, sizeof whole, "%.*s%s%s", (int)(at - changed), changed, put,
             at + strlen(wanted));
    json_t *record = NULL;
    struct xl_blame blame;
    cr_assert_eq(xl_record_parse(whole, "b.png", &record, &err), XL_OK, "%s", err.text);
    cr_assert_eq(xl_blame(then, record, &blame, &err), XL_OK);
    cr_expect_str_eq(blame.text ? blame.text : "", text);
    cr_expect_eq(blame.is_of_request, is_of_request, "%s", text);
    free(blame.text);
    free(changed);
    free(wanted);
    free(put);
    json_decref(then);
    json_decref(record);
}

Test(record, what_changed_is_blamed) {
    expect_blame("'aa'", "'aa'", "", false);
    expect_blame("'bb'", "'b0'", "weights of unet", true);
    expect_blame("'cc'", "'c0'", "unet/config.json", true);
    expect_blame("'cc'", "'a longer one'", "", false);
    expect_blame("'dd'", "'d0'", "", false); /* what was read from it did not change */
    expect_blame("true", "false", "force_zeros_for_empty_prompt false, was true", true);
    expect_blame("0.012", "0.02", "beta_end of the scheduler 0.02, was 0.012", true);
    expect_blame("AVX2", "AVX-512", "isa AVX-512, was AVX2", false);
    expect_blame("lab 0.1.0', 'isa': 'AVX2", "lab 0.2.0', 'isa': 'AMX",
                 "program sdxl-lab 0.2.0, was sdxl-lab 0.1.0; isa AMX, was AVX2", false);
}
