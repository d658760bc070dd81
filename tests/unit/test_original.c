/* test_original.c - components out of files of the original key names: the same numbers as in
 * diffusers' folder, whatever else the file holds and however its weights are stored; and each name
 * as diffusers' own converter has it. */
#include "scratch.h"
#include "single_case.h"

#include "base/json.h"
#include "weights/original.h"

TestSuite(original, .init = scratch_open, .fini = scratch_close);

#define ok(call) cr_assert_eq((call), XL_OK, "%s", err.text)

static const struct {
    enum xl_original which;
    const char *label, *file;
} components[] = {
    {XL_ORIGINAL_UNET, "unet", "unet/diffusion_pytorch_model.safetensors"},
    {XL_ORIGINAL_VAE, "vae", "vae/diffusion_pytorch_model.safetensors"},
    {XL_ORIGINAL_TEXT, "text_encoder", "text_encoder/model.safetensors"},
    {XL_ORIGINAL_TEXT_2, "text_encoder_2", "text_encoder_2/model.safetensors"},
};

static struct xl_weights *open_file(const char *path) {
    struct xl_weights *weights;
    struct xl_err err = {0};
    ok(xl_weights_open("checkpoint", &path, 1, &weights, &err));
    return weights;
}

static struct xl_weights *select_from(const char *path, enum xl_original which, const char *label) {
    struct xl_weights *file = open_file(path), *part;
    struct xl_err err = {0};
    ok(xl_original_select(file, which, label, &part, &err));
    xl_weights_close(file); /* the part holds on to it */
    return part;
}

static void expect_same(const struct xl_tensor *a, const struct xl_tensor *b) {
    int64_t n = xl_shape_count(a->shape);
    char *x = malloc((size_t)n * 4), *y = malloc((size_t)n * 4);
    cr_assert_eq(n, xl_shape_count(b->shape), "%s", a->name);
    cr_assert_eq(a->shape.dim[0], b->shape.dim[0], "%s", a->name);
    cr_assert_eq(a->dtype, b->dtype, "%s", a->name);
    xl_tensor_read(a, 0, n, x);
    xl_tensor_read(b, 0, n, y);
    cr_expect_eq(memcmp(x, y, (size_t)n * xl_dtype_size(a->dtype)), 0, "%s", a->name);
    /* From the middle, too. */
    xl_tensor_read(a, n / 3, n - n / 3, x);
    cr_expect_eq(memcmp(x, y + (size_t)(n / 3) * xl_dtype_size(a->dtype),
                        (size_t)(n - n / 3) * xl_dtype_size(a->dtype)),
                 0, "%s", a->name);
    free(x);
    free(y);
}

/* All components of the file hold what those of the folder do. */
static void expect_folder(const char *path, const char *folder) {
    for (size_t c = 0; c < sizeof components / sizeof *components; c++) {
        char name[SCRATCH_PATH];
        snprintf(name, sizeof name, "%s/%s", folder, components[c].file);
        struct xl_weights *part = select_from(path, components[c].which, components[c].label);
        struct xl_weights *whole = open_file(name);
        cr_expect_eq(xl_weights_count(part), xl_weights_count(whole), "%s: %d, not %d",
                     components[c].label, xl_weights_count(part), xl_weights_count(whole));
        cr_expect_eq(xl_weights_bytes(part), xl_weights_bytes(whole));
        for (int i = 0; i < xl_weights_count(whole); i++) {
            const struct xl_tensor *wanted = xl_weights_at(whole, i);
            const struct xl_tensor *found = xl_weights_find(part, wanted->name);
            cr_assert_not_null(found, "%s: no %s", components[c].label, wanted->name);
            expect_same(found, wanted);
        }
        xl_weights_close(part);
        xl_weights_close(whole);
    }
}

Test(original, a_checkpoint_holds_what_the_folder_does) {
    static const enum xl_dtype dtypes[] = {XL_DTYPE_F16, XL_DTYPE_F32};
    for (int i = 0; i < 2; i++) {
        single_write_folder(scratch("%d", i), "tiny", dtypes[i], false);
        single_write_random(scratch("%d.safetensors", i), "tiny", dtypes[i], false);
        expect_folder(scratch("%d.safetensors", i), scratch("%d", i));
    }
}

Test(original, other_prefixes_and_all_that_files_carry_along) {
    static const char zeros[64];
    single_write_folder(scratch("m"), "tiny", XL_DTYPE_F16, false);
    single_write_random(scratch("m.safetensors"), "tiny", XL_DTYPE_F16, false);
    struct single_file file = single_read(scratch("m.safetensors"));
    single_rename(&file, "first_stage_model.", "vae.");
    single_rename(&file, "conditioner.embedders.0.transformer.text_model.",
                  "conditioner.embedders.0.transformer.");
    single_add(&file, "model_ema.diffusion_modelinput_blocks00weight", "F16", XL_SHAPE(2), zeros,
               4);
    single_add(&file, "model.diffusion_model.input_blocks.99.0.in_layers.0.weight", "F16",
               XL_SHAPE(2), zeros, 4);
    single_add(&file, "model.diffusion_model.out.02.weight", "F16", XL_SHAPE(2), zeros, 4);
    single_add(&file, "denoiser.sigmas", "F32", XL_SHAPE(4), zeros, 16);
    single_add(&file, "conditioner.embedders.1.model.logit_scale", "F32", XL_SHAPE(1), zeros, 4);
    single_add(&file, "conditioner.embedders.0.transformer.embeddings.position_ids", "I64",
               XL_SHAPE(1, 8), zeros, 64);
    single_add(&file, "optimizer.state", "U8", XL_SHAPE(1), zeros, 1);
    single_write(scratch("other.safetensors"), &file);
    expect_folder(scratch("other.safetensors"), scratch("m"));
    single_free(&file);
}

/* A VAE alone: under the original names, and under diffusers'. */
Test(original, a_vae_alone) {
    single_write_folder(scratch("m"), "tiny", XL_DTYPE_F16, false);
    single_write_random(scratch("m.safetensors"), "tiny", XL_DTYPE_F16, false);
    struct single_file file = single_read(scratch("m.safetensors"));
    int n = 0;
    for (int i = 0; i < file.n; i++)
        if (!strncmp(file.tensors[i].name, "first_stage_model.", 18))
            file.tensors[n++] = file.tensors[i];
    file.n = n;
    single_rename(&file, "first_stage_model.", "");
    single_write(scratch("vae.safetensors"), &file);
    single_free(&file);
    const char *const paths[] = {scratch("vae.safetensors"),
                                 scratch("m/vae/diffusion_pytorch_model.safetensors")};
    struct xl_weights *whole = open_file(paths[1]);
    for (int i = 0; i < 2; i++) {
        struct xl_weights *part = select_from(paths[i], XL_ORIGINAL_VAE, "vae");
        cr_expect_eq(xl_weights_count(part), xl_weights_count(whole));
        for (int k = 0; k < xl_weights_count(whole); k++)
            expect_same(xl_weights_find(part, xl_weights_at(whole, k)->name),
                        xl_weights_at(whole, k));
        xl_weights_close(part);
    }
    xl_weights_close(whole);
}

/* Number (row, column) of a tensor. */
static float number(const struct xl_tensor *tensor, int64_t row, int64_t column) {
    float value = 0, plain = 0;
    xl_tensor_read(tensor, row * xl_shape_last(tensor->shape) + column, 1, &plain);
    xl_convert(&value, XL_DTYPE_F32, &plain, tensor->dtype, 1);
    return value;
}

#define TEXT_2 "conditioner.embedders.1.model."
#define LAYER TEXT_2 "transformer.resblocks.0.attn."

/* F8 with factors for each row: q, k and v get theirs, and a turned matrix has them by columns.
 * 0x38, 0x40, 0x44 are 1, 2, 3 of E4M3. */
static void check_f8(const char *bias_of_scale, const char *of_projection) {
    static const uint8_t ones[] = {0x38, 0x40, 0x44, 0x38, 0x40, 0x44,
                                   0x38, 0x40, 0x44, 0x38, 0x40, 0x44};
    static const float rows[] = {1, 10, 100, 1000, 10000, 100000};
    single_write_random(scratch("m.safetensors"), "tiny", XL_DTYPE_F16, false);
    struct single_file file = single_read(scratch("m.safetensors"));
    struct single_tensor *fused = single_find(&file, LAYER "in_proj_weight");
    *fused =
        (struct single_tensor){.dtype = "F8_E4M3", .shape = XL_SHAPE(6, 2), .data = ones, .n = 12};
    strcpy(fused->name, LAYER "in_proj_weight");
    struct single_tensor *turned = single_find(&file, TEXT_2 "text_projection");
    *turned =
        (struct single_tensor){.dtype = "F8_E4M3", .shape = XL_SHAPE(2, 3), .data = ones, .n = 6};
    strcpy(turned->name, TEXT_2 "text_projection");
    single_add(&file, bias_of_scale, "F32", XL_SHAPE(6), rows, sizeof rows);
    single_add(&file, of_projection, "F32", XL_SHAPE(2), rows, 2 * sizeof *rows);
    single_write(scratch("f8.safetensors"), &file);
    single_free(&file);
    struct xl_weights *part = select_from(scratch("f8.safetensors"), XL_ORIGINAL_TEXT_2, "text");
    static const char *const which[] = {"q", "k", "v"};
    for (int i = 0; i < 3; i++) {
        char name[128];
        snprintf(name, sizeof name, "text_model.encoder.layers.0.self_attn.%s_proj.weight",
                 which[i]);
        const struct xl_tensor *tensor = xl_weights_find(part, name);
        cr_assert_not_null(tensor);
        cr_assert(xl_shape_equal(tensor->shape, XL_SHAPE(2, 2)));
        for (int row = 0; row < 2; row++)
            for (int column = 0; column < 2; column++) {
                int at = (2 * i + row) * 2 + column;
                cr_expect_eq(number(tensor, row, column), (float)(1 + at % 3) * rows[2 * i + row],
                             "%s %d %d", name, row, column);
            }
    }
    const struct xl_tensor *projection = xl_weights_find(part, "text_projection.weight");
    cr_assert_not_null(projection);
    cr_assert(xl_shape_equal(projection->shape, XL_SHAPE(3, 2)));
    for (int row = 0; row < 3; row++)
        for (int column = 0; column < 2; column++)
            cr_expect_eq(number(projection, row, column), (float)(1 + row) * rows[column]);
    xl_weights_close(part);
}

Test(original, rows_and_turned_matrices_keep_their_scales) {
    check_f8(LAYER "in_proj_weight_scale", TEXT_2 "text_projection.scale_weight");
    check_f8(LAYER "in_proj_scale_weight", TEXT_2 "text_projection.weight_scale");
}

Test(original, what_is_not_there_is_said) {
    static const char *const marks[] = {
        "there is no tensor \"model.diffusion_model.input_blocks.0.0.weight\"",
        "there is no tensor \"first_stage_model.decoder.conv_in.weight\"",
        "there is no tensor \"conditioner.embedders.0.transformer.text_model.",
        "there is no tensor \"conditioner.embedders.1.model.token_embedding.weight\""};
    scratch_safetensors(scratch("x.safetensors"),
                        "{'a':{'dtype':'F16','shape':[1],'data_offsets':[0,2]}}", 2);
    struct xl_weights *file = open_file(scratch("x.safetensors")), *part;
    for (size_t c = 0; c < 4; c++) {
        struct xl_err err = {0};
        cr_expect_eq(
            xl_original_select(file, components[c].which, components[c].label, &part, &err),
            XL_EFORMAT);
        cr_expect(strstr(err.text, marks[c]), "%s", err.text);
    }
    xl_weights_close(file);
}

Test(original, fused_weights_are_three_of_a_kind) {
    struct xl_err err = {0};
    scratch_safetensors(
        scratch("x.safetensors"),
        "{'" TEXT_2
        "token_embedding.weight':{'dtype':'F16','shape':[1],'data_offsets':[0,2]},'" LAYER
        "in_proj_bias':{'dtype':'F16','shape':[4],'data_offsets':[2,10]}}",
        10);
    struct xl_weights *file = open_file(scratch("x.safetensors")), *part;
    cr_expect_eq(xl_original_select(file, XL_ORIGINAL_TEXT_2, "text_encoder_2", &part, &err),
                 XL_EFORMAT);
    cr_expect(strstr(err.text, "has 4 rows, expected three times as many"), "%s", err.text);
    xl_weights_close(file);
}

/* What cannot be read is named under the name that is asked for. */
Test(original, tensors_of_other_dtypes_are_told_by_diffusers_names) {
    scratch_safetensors(
        scratch("x.safetensors"),
        "{'" TEXT_2
        "token_embedding.weight':{'dtype':'F16','shape':[1],'data_offsets':[0,2]},'" LAYER
        "in_proj_weight':{'dtype':'I8','shape':[6,2],'data_offsets':[2,14]}}",
        14);
    struct xl_weights *part = select_from(scratch("x.safetensors"), XL_ORIGINAL_TEXT_2, "text");
    const char *why =
        xl_weights_why_not(part, "text_model.encoder.layers.0.self_attn.k_proj.weight");
    cr_assert_not_null(why);
    cr_expect(strstr(why, "in_proj_weight\" is of dtype I8"), "%s", why);
    xl_weights_close(part);
}

/* --- Against diffusers' converter --------------------------------------------------------------
 */

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The tensor of the file in which this one lies. */
static const struct xl_tensor *home_of(const struct xl_weights *file,
                                       const struct xl_tensor *tensor) {
    for (int i = 0; i < xl_weights_count(file); i++) {
        const struct xl_tensor *home = xl_weights_at(file, i);
        const char *begin = home->data, *at = tensor->data;
        if (at >= begin && at < begin + xl_tensor_bytes(home)) return home;
    }
    cr_assert_fail("%s lies nowhere", tensor->name);
    return NULL;
}

static char *line_of(const struct xl_weights *file, const struct xl_tensor *tensor) {
    const struct xl_tensor *home = home_of(file, tensor);
    int64_t before = (const char *)tensor->data - (const char *)home->data;
    char *line = NULL;
    cr_assert(asprintf(&line, "%s %s %lld %s\n", tensor->name, home->name,
                       (long long)(before / xl_tensor_bytes(tensor)),
                       tensor->is_turned ? "turned" : "same") > 0);
    return line;
}

/* As tools/reference/topics/single_file.py writes it. */
static void expect_names(const struct xl_weights *file, const struct xl_weights *part,
                         const json_t *expected) {
    int n = xl_weights_count(part);
    char **lines = calloc((size_t)n, sizeof *lines), hex[17];
    uint64_t hash = 0xCBF29CE484222325u;
    for (int i = 0; i < n; i++) lines[i] = line_of(file, xl_weights_at(part, i));
    qsort(lines, (size_t)n, sizeof *lines, by_text);
    for (int i = 0; i < n; i++) {
        for (const char *c = lines[i]; *c; c++) hash = (hash ^ (uint8_t)*c) * 0x100000001B3u;
        free(lines[i]);
    }
    free(lines);
    snprintf(hex, sizeof hex, "%016llx", (unsigned long long)hash);
    cr_expect_eq(n, json_integer_value(json_object_get(expected, "tensors")));
    cr_expect_str_eq(hex, json_string_value(json_object_get(expected, "digest")), "%s",
                     xl_weights_label(part));
}

Test(original, every_name_of_sdxl_is_what_diffusers_makes_of_it) {
    struct xl_err err = {0};
    json_t *expected;
    ok(xl_json_load(XL_SOURCE_DIR "/tests/data/single_file/names.json", &expected, &err));
    single_write_random(scratch("full.safetensors"), "full", XL_DTYPE_F16, true);
    struct xl_weights *file = open_file(scratch("full.safetensors"));
    for (size_t c = 0; c < 4; c++) {
        struct xl_weights *part;
        ok(xl_original_select(file, components[c].which, components[c].label, &part, &err));
        expect_names(file, part, json_object_get(expected, components[c].label));
        xl_weights_close(part);
    }
    xl_weights_close(file);
    json_decref(expected);
}
