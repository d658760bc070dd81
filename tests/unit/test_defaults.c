/* test_defaults.c - what is taken for a key that a configuration does not have: what diffusers and
 * transformers take. tests/data/defaults has that, by tools/reference/topics/defaults.py. */
#include "config_case.h"
#include "hub/hub.h"
#include "model/clip.h"
#include "model/unet.h"
#include "model/vae.h"
#include "sampler/sampler.h"

#include "unit/scratch.h"

static json_t *table;
static struct xl_err err;

static void set_up(void) {
    cr_assert_eq(xl_json_load(XL_SOURCE_DIR "/tests/data/defaults/defaults.json", &table, &err),
                 XL_OK, "%s", err.text);
}
static void tear_down(void) {
    json_decref(table);
}
TestSuite(defaults, .init = set_up, .fini = tear_down);

static json_t *defaults_of(const char *class_name) {
    json_t *found = json_object_get(table, class_name);
    cr_assert(json_object_size(found) > 0, "%s is not in the table", class_name);
    return found;
}

/* ---- Schedulers ---- */

/* A file with these keys as it is understood; NULL: refused. */
static json_t *scheduler_of(json_t *keys, const char *class_name) {
    struct xl_scheduler_config config;
    char *notice = NULL;
    struct xl_json json = {keys, "test"};
    if (xl_scheduler_config_read(json, class_name, "default", &config, &notice, &err)) return NULL;
    cr_assert_null(notice, "%s", notice);
    return xl_scheduler_config_describe(&config);
}

static bool same_default(const json_t *found, const json_t *wanted) {
    if (json_is_string(wanted) && !json_is_string(found)) /* "-Infinity": nothing is said */
        return false;
    if (json_is_number(found) && json_is_number(wanted))
        return json_number_value(found) == json_number_value(wanted);
    return json_equal(found, wanted);
}

static void check_scheduler(const char *class_name) {
    json_t *defaults = defaults_of(class_name), *value, *empty = json_object();
    json_t *base = scheduler_of(empty, class_name);
    const char *key;
    cr_assert_not_null(base, "%s: %s", class_name, err.text);
    json_object_foreach(base, key, value) {
        if (!strcmp(key, "_class_name")) continue;
        json_t *wanted = json_object_get(defaults, key);
        cr_expect_not_null(wanted, "%s has no key %s", class_name, key);
        cr_expect(same_default(value, wanted), "%s: the default of %s is another", class_name, key);
    }
    /* What is read but not described has the same default when saying it changes nothing. */
    json_object_foreach(defaults, key, value) {
        if (json_is_string(value) && strstr(json_string_value(value), "Infinity")) continue;
        json_t *one = json_object();
        json_object_set(one, key, value);
        json_t *said = scheduler_of(one, class_name);
        cr_assert_not_null(said, "%s: %s at its default: %s", class_name, key, err.text);
        cr_expect(json_equal(said, base), "%s: %s at its default changes it", class_name, key);
        json_decref(one);
        json_decref(said);
    }
    json_decref(empty);
    json_decref(base);
}

Test(defaults, schedulers) {
    int n = 0;
    const char *class_name;
    json_t *keys;
    json_object_foreach(table, class_name, keys) {
        if (!strstr(class_name, "Scheduler")) continue;
        check_scheduler(class_name);
        n++;
    }
    cr_assert_eq(n, 12);
}

/* ---- Models: all that a configuration comes to, as a text ---- */

enum { TEXT = 8192 };

static void print(char *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void print(char *out, const char *format, ...) {
    size_t n = strlen(out);
    va_list args;
    va_start(args, format);
    vsnprintf(out + n, TEXT - n, format, args);
    va_end(args);
}

static void print_block(char *out, const struct xl_unet_block *b) {
    print(out, "[%d %d %d %d:", b->has_attention, b->channels, b->n_resnets, b->heads);
    for (int i = 0; i < b->n_resnets; i++) print(out, " %d", b->has_attention ? b->depth[i] : 0);
    print(out, "] ");
}

static enum xl_status print_unet(struct xl_json json, char *out) {
    struct xl_unet_config c;
    enum xl_status status = xl_unet_config_read(json, &c, &err);
    if (status) return status;
    print(out, "%d %d %d %d ", c.in_channels, c.out_channels, c.sample_size, c.n_blocks);
    for (int i = 0; i < c.n_blocks; i++) print_block(out, &c.down[i]), print_block(out, &c.up[i]);
    print_block(out, &c.mid);
    print(out, "%d %d %g %d %d %d %d %d %g", c.use_linear_projection, c.norm_num_groups, c.norm_eps,
          c.cross_attention_dim, c.pooled_dim, c.addition_time_embed_dim, c.time_embed_dim,
          c.flip_sin_to_cos, c.freq_shift);
    return status;
}

static enum xl_status print_vae(struct xl_json json, char *out) {
    struct xl_vae_config c;
    enum xl_status status = xl_vae_config_read(json, &c, &err);
    if (status) return status;
    print(out, "%d %d:", c.latent_channels, c.n_blocks);
    for (int i = 0; i < c.n_blocks; i++) print(out, " %d", c.block_out_channels[i]);
    print(out, "; %d %d %d %d %d %.9g %d", c.layers_per_block, c.norm_num_groups, c.use_quant_conv,
          c.use_post_quant_conv, c.mid_block_add_attention, c.scaling_factor, c.has_latents_stats);
    return status;
}

static enum xl_status print_clip(struct xl_json json, char *out) {
    struct xl_clip_config c;
    enum xl_status status = xl_clip_config_read(json, &c, &err);
    if (status) return status;
    print(out, "%d %d %d %d %d %d %d %d %g %d", c.vocab_size, c.max_position_embeddings,
          c.hidden_size, c.intermediate_size, c.num_hidden_layers, c.num_attention_heads,
          c.projection_dim, (int)c.hidden_act, c.layer_norm_eps, c.eos_token_id);
    return status;
}

typedef enum xl_status print_fn(struct xl_json json, char *out);

/* Without a key, and with the key at its default: the same, whatever else the file says. */
static void check_absent_keys(const json_t *file, const char *class_name, print_fn *describe) {
    const char *key;
    json_t *value;
    json_object_foreach(defaults_of(class_name), key, value) {
        static char absent[TEXT], said[TEXT];
        json_t *copy = json_deep_copy(file);
        absent[0] = said[0] = 0;
        json_object_del(copy, key);
        enum xl_status a = describe((struct xl_json){copy, "absent"}, absent);
        json_object_set(copy, key, value);
        enum xl_status b = describe((struct xl_json){copy, "said"}, said);
        cr_expect_eq(a, b, "%s: without %s %s, at its default %s: %s", class_name, key,
                     xl_status_name(a), xl_status_name(b), err.text);
        cr_expect_str_eq(absent, said, "%s: %s is absent", class_name, key);
        json_decref(copy);
    }
}

static void check_model(const char *component, const char *class_name, print_fn *describe) {
    static const char *const folders[] = {"sdxl-configs", "repo"};
    for (int i = 0; i < 2; i++) {
        char path[256];
        json_t *file;
        snprintf(path, sizeof path, XL_SOURCE_DIR "/tests/data/models/%s/%s/config.json",
                 folders[i], component);
        cr_assert_eq(xl_json_load(path, &file, &err), XL_OK, "%s", err.text);
        check_absent_keys(file, class_name, describe);
        json_decref(file);
    }
    json_t *empty = json_object();
    check_absent_keys(empty, class_name, describe);
    json_decref(empty);
}

Test(defaults, unet) {
    check_model("unet", "UNet2DConditionModel", print_unet);
}
Test(defaults, vae) {
    check_model("vae", "AutoencoderKL", print_vae);
}
Test(defaults, text_encoders) {
    check_model("text_encoder", "CLIPTextConfig", print_clip);
    check_model("text_encoder_2", "CLIPTextConfig", print_clip);
}

/* ---- The pipeline ---- */

static bool forces_zeros(json_t *value) {
    struct xl_arena arena = {0};
    struct xl_pipeline_files files = {0};
    json_t *index;
    cr_assert_eq(
        xl_json_load(XL_SOURCE_DIR "/tests/data/models/repo/model_index.json", &index, &err), XL_OK,
        "%s", err.text);
    json_object_del(index, "force_zeros_for_empty_prompt");
    if (value) json_object_set(index, "force_zeros_for_empty_prompt", value);
    scratch_open();
    cr_assert_eq(json_dump_file(index, scratch("model_index.json"), 0), 0);
    json_decref(index);
    static const char *const parts[] = {
        "scheduler", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "unet", "vae"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char target[256];
        snprintf(target, sizeof target, XL_SOURCE_DIR "/tests/data/models/repo/%s", parts[i]);
        cr_assert_eq(symlink(target, scratch("%s", parts[i])), 0);
    }
    struct xl_snapshot snapshot = {.dir = scratch_dir, .id = "test"};
    cr_assert_eq(xl_hub_pipeline(&snapshot, NULL, &arena, &files, &err), XL_OK, "%s", err.text);
    xl_arena_deinit(&arena);
    scratch_close();
    return files.force_zeros_for_empty_prompt;
}

Test(defaults, pipeline) {
    static const char *const classes[] = {"StableDiffusionXLPipeline",
                                          "StableDiffusionXLImg2ImgPipeline"};
    for (int i = 0; i < 2; i++) {
        json_t *value = json_object_get(defaults_of(classes[i]), "force_zeros_for_empty_prompt");
        cr_expect_eq(forces_zeros(NULL), forces_zeros(value), "%s", classes[i]);
        cr_expect_eq(forces_zeros(NULL), json_is_true(value), "%s", classes[i]);
    }
    cr_expect_not(forces_zeros(json_null()), "None is not absent");
}
