/* test_catalogue.c - the models by name, and whether they are there. */
#include "base/json.h"
#include "lab/data/catalogue.h"

#include "unit/config.h"

#define REPO XL_SOURCE_DIR "/tests/data/models/repo"
#define COMMIT "1111111111111111111111111111111111111111"

static struct xl_arena arena;

static void tear_down(void) {
    xl_arena_deinit(&arena);
    scratch_close();
}
TestSuite(catalogue, .init = config_open, .fini = tear_down);

static struct xl_catalogue *load(const char *extra) {
    struct xl_catalogue *catalogue = NULL;
    struct xl_err err = {0};
    cr_assert_eq(xl_catalogue_load(&extra, extra != NULL, &catalogue, &err), XL_OK, "%s", err.text);
    return catalogue;
}

static const struct {
    const char *key, *repo;
    enum xl_catalogue_kind kind;
    const char *licence;
    bool is_commercial;
} plan[] = {
    {"SDXL Base 1.0", "stabilityai/stable-diffusion-xl-base-1.0", XL_KIND_PIPELINE, "openrail++",
     true},
    {"SDXL Turbo", "stabilityai/sdxl-turbo", XL_KIND_PIPELINE, "sai-nc-community", false},
    {"RealVis XL V5.0", "SG161222/RealVisXL_V5.0", XL_KIND_PIPELINE, "openrail++", true},
    {"CyberRealistic XL v5.8", "John6666/cyberrealistic-xl-v58-sdxl", XL_KIND_PIPELINE,
     "creativeml-openrail-m", true},
    {"Animagine XL 4.0", "cagliostrolab/animagine-xl-4.0", XL_KIND_PIPELINE, "openrail++", true},
    {"Juggernaut XL", "stablediffusionapi/juggernautxl", XL_KIND_PIPELINE, "creativeml-openrail-m",
     false},
    {"DreamShaper XL", "Lykon/dreamshaper-xl-1-0", XL_KIND_PIPELINE, "openrail++", true},
    {"EpicRealism XL", "AiAF/epicrealismXL-vx1Finalkiss_Checkpoint_SDXL", XL_KIND_SINGLE_FILE,
     "creativeml-openrail-m", true},
    {"Pixel Art XL", "nerijs/pixel-art-xl", XL_KIND_LORA, "creativeml-openrail-m", true},
    {"Anime Illust Diffusion XL", "Eugeoter/anime_illust_diffusion_xl", XL_KIND_PIPELINE,
     "faipl-1.0-sd", true},
};
enum { N_PLAN = sizeof plan / sizeof *plan };

Test(catalogue, the_ten_models_of_the_work_plan) {
    struct xl_catalogue *catalogue = load(NULL);
    cr_assert_eq(xl_catalogue_count(catalogue), N_PLAN);
    for (int i = 0; i < N_PLAN; i++) {
        const struct xl_catalogue_model *model = xl_catalogue_at(catalogue, i);
        cr_expect_str_eq(model->key, plan[i].key);
        cr_expect_str_eq(model->repo, plan[i].repo);
        cr_expect_str_eq(model->licence, plan[i].licence);
        cr_expect_eq(model->kind, plan[i].kind, "%s", model->key);
        cr_expect_eq(model->is_commercial, plan[i].is_commercial, "%s", model->key);
        cr_expect(model->width && model->height && model->steps && model->about[0], "%s",
                  model->key);
        cr_expect(xl_has_guidance(model->guidance), "%s", model->key);
    }
    cr_expect_null(xl_catalogue_at(catalogue, N_PLAN));
    xl_catalogue_free(catalogue);
}

Test(catalogue, turbo_has_limits) {
    struct xl_catalogue *catalogue = load(NULL);
    const struct xl_catalogue_model *turbo = xl_catalogue_find(catalogue, "SDXL Turbo");
    cr_assert_not_null(turbo);
    cr_expect(turbo->guidance == 0 && turbo->guidance_min == 0 && turbo->guidance_max == 0);
    cr_expect(turbo->steps == 4 && turbo->steps_min == 1 && turbo->steps_max == 4);
    cr_expect(turbo->width == 512 && turbo->height == 512);
    cr_expect_str_eq(turbo->scheduler, "default");
    cr_expect(turbo->ignores_profile && turbo->ignores_negative);
    const struct xl_catalogue_model *base = xl_catalogue_find(catalogue, "SDXL Base 1.0");
    cr_expect_not(base->ignores_profile || base->ignores_negative);
    cr_expect_not(xl_has_guidance(base->guidance_max) || base->steps_max);
    xl_catalogue_free(catalogue);
}

Test(catalogue, pixel_art_is_a_lora_of_the_base) {
    struct xl_catalogue *catalogue = load(NULL);
    const struct xl_catalogue_model *lora = xl_catalogue_find(catalogue, "Pixel Art XL");
    cr_expect_str_eq(lora->base, "SDXL Base 1.0");
    cr_expect_eq(lora->lora_weight, 1.2);
    cr_expect_str_eq(lora->file, "pixel-art-xl.safetensors");
    cr_expect_not_null(xl_catalogue_find(catalogue, lora->base));
    xl_catalogue_free(catalogue);
}

Test(catalogue, are_found_by_key_alias_and_repository) {
    struct xl_catalogue *catalogue = load(NULL);
    for (int i = 0; i < N_PLAN; i++) {
        const struct xl_catalogue_model *model = xl_catalogue_at(catalogue, i);
        cr_expect_eq(xl_catalogue_find(catalogue, plan[i].key), model);
        cr_expect_eq(xl_catalogue_find(catalogue, plan[i].repo), model);
        for (int k = 0; k < model->n_aliases; k++)
            cr_expect_eq(xl_catalogue_find(catalogue, model->aliases[k]), model, "%s",
                         model->aliases[k]);
    }
    cr_expect_str_eq(xl_catalogue_find(catalogue, "sdxl turbo")->key, "SDXL Turbo");
    cr_expect_str_eq(xl_catalogue_find(catalogue, "sdxl-turbo")->key, "SDXL Turbo");
    cr_expect_str_eq(xl_catalogue_find(catalogue, "STABILITYAI/SDXL-Turbo")->key, "SDXL Turbo");
    cr_expect_null(xl_catalogue_find(catalogue, "./sdxl-turbo"), "a path is a path");
    cr_expect_null(xl_catalogue_find(catalogue, "/models/SDXL Turbo"));
    cr_expect_null(xl_catalogue_find(catalogue, "SDXL Turbo 2"));
    cr_expect_null(xl_catalogue_find(catalogue, ""));
    char out[200];
    cr_expect_str_eq(xl_catalogue_nearest(catalogue, "juggernaut xxl", out, sizeof out),
                     "\"Juggernaut XL\"");
    xl_catalogue_free(catalogue);
}

Test(catalogue, own_models_add_and_override) {
    scratch_puts(config_file("models.yaml"), "Mine: {repo: me/mine, aliases: [M], steps: 12}\n"
                                             "SDXL Turbo: {repo: me/turbo, commercial: true}\n");
    scratch_puts(scratch("extra/own.yaml"), "Local: {folder: sub/model}\n"
                                            "Home: {folder: ~/model, revision: v2}\n"
                                            "Juggernaut XL: null\n");
    struct xl_catalogue *catalogue = load(scratch("extra/own.yaml"));
    cr_expect_eq(xl_catalogue_count(catalogue), N_PLAN + 2);
    cr_expect_eq(xl_catalogue_find(catalogue, "m")->steps, 12);
    cr_expect_eq(xl_catalogue_find(catalogue, "me/mine")->steps, 12);
    const struct xl_catalogue_model *turbo = xl_catalogue_find(catalogue, "SDXL Turbo");
    cr_expect_str_eq(turbo->repo, "me/turbo");
    cr_expect(turbo->is_commercial && !turbo->steps_max && !turbo->ignores_profile);
    cr_expect_eq(xl_catalogue_at(catalogue, 1), turbo, "it keeps its place");
    cr_expect_null(xl_catalogue_find(catalogue, "stabilityai/sdxl-turbo"));
    cr_expect_null(xl_catalogue_find(catalogue, "Juggernaut XL"));
    cr_expect_str_eq(xl_catalogue_find(catalogue, "Local")->folder, scratch("extra/sub/model"));
    cr_expect_str_eq(xl_catalogue_find(catalogue, "Home")->folder, scratch("model"));
    cr_expect_not(xl_catalogue_find(catalogue, "Home")->is_embedded);
    xl_catalogue_free(catalogue);
}

Test(catalogue, the_embedded_model_counts_where_it_is_there) {
    struct xl_catalogue *catalogue = load(NULL);
    cr_expect_null(xl_catalogue_find(catalogue, "Lab Tiny XL"));
    xl_catalogue_free(catalogue);
    scratch_make_parents(scratch("share/models/x"));
    cr_assert_eq(symlink(REPO, scratch("share/models/lab-tiny-xl")), 0);
    catalogue = load(NULL);
    cr_expect_eq(xl_catalogue_count(catalogue), N_PLAN + 1);
    const struct xl_catalogue_model *tiny = xl_catalogue_find(catalogue, "Lab Tiny XL");
    cr_assert_not_null(tiny);
    cr_expect(tiny->is_embedded && tiny->width == 256 && tiny->height == 256 && tiny->steps == 20);
    struct xl_catalogue_status state;
    cr_assert_eq(xl_catalogue_state(tiny, NULL, &arena, &state, NULL), XL_OK);
    cr_expect_eq(state.state, XL_MODEL_READY, "%s", state.why);
    cr_expect_str_eq(state.location, scratch("share/models/lab-tiny-xl"));
    cr_expect_gt(state.bytes, 0);
    xl_catalogue_free(catalogue);
}

/* A snapshot of a repository: links to those of the parts of a small model that are named. */
static void cache(const char *folder, const char *const *parts) {
    char dir[SCRATCH_PATH], link[2 * SCRATCH_PATH], target[SCRATCH_PATH];
    snprintf(dir, sizeof dir, "%s", scratch(".cache/huggingface/hub/%s/snapshots/" COMMIT, folder));
    scratch_puts(scratch(".cache/huggingface/hub/%s/refs/main", folder), COMMIT);
    snprintf(link, sizeof link, "%s/x", dir);
    scratch_make_parents(link);
    for (; *parts; parts++) {
        snprintf(link, sizeof link, "%s/%s", dir, *parts);
        snprintf(target, sizeof target, "%s/%s", REPO, *parts);
        cr_assert_eq(symlink(target, link), 0);
    }
}

static void expect_state(const char *key, enum xl_model_state wanted, const char *why) {
    struct xl_catalogue *catalogue = load(NULL);
    struct xl_catalogue_status state;
    cr_assert_eq(xl_catalogue_state(xl_catalogue_find(catalogue, key), NULL, &arena, &state, NULL),
                 XL_OK);
    cr_expect_eq(state.state, wanted, "%s: %s", xl_model_state_name(state.state),
                 state.why ? state.why : "");
    cr_expect_eq(!state.why, wanted == XL_MODEL_READY);
    cr_expect_eq(!!state.dir, wanted != XL_MODEL_NOT_CACHED);
    if (state.why) cr_expect_not_null(strstr(state.why, why), "%s", state.why);
    xl_catalogue_free(catalogue);
}

#define WHOLE                                                                                      \
    "model_index.json", "scheduler", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", \
        "unet", "vae"

Test(catalogue, states) {
    cache("models--stabilityai--sdxl-turbo", (const char *[]){WHOLE, NULL});
    cache("models--Lykon--dreamshaper-xl-1-0",
          (const char *[]){"model_index.json", "scheduler", "text_encoder", "tokenizer",
                           "tokenizer_2", "unet", "vae", NULL});
    cache("models--nerijs--pixel-art-xl", (const char *[]){NULL});
    expect_state("SDXL Turbo", XL_MODEL_READY, "");
    expect_state("SDXL Base 1.0", XL_MODEL_NOT_CACHED, "download");
    expect_state("DreamShaper XL", XL_MODEL_INCOMPLETE, "text_encoder_2/config.json (missing)");
    expect_state("Pixel Art XL", XL_MODEL_INCOMPLETE, "pixel-art-xl.safetensors (missing)");
    expect_state("EpicRealism XL", XL_MODEL_NOT_CACHED, "download");
}

/* Files of a repository of the cache. */
static void cache_file(const char *folder, const char *file, const char *header, size_t n) {
    scratch_puts(scratch(".cache/huggingface/hub/%s/refs/main", folder), COMMIT);
    scratch_safetensors(scratch(".cache/huggingface/hub/%s/snapshots/" COMMIT "/%s", folder, file),
                        header, n);
}

/* A LoRA for one layer of REPO's UNet. */
#define LORA                                                                                       \
    "{'unet.up_blocks.0.attentions.0.proj_in.lora_A.weight':{'dtype':'F16','shape':[1,24],"        \
    "'data_offsets':[0,48]},'unet.up_blocks.0.attentions.0.proj_in.lora_B.weight':{'dtype':"       \
    "'F16','shape':[24,1],'data_offsets':[48,96]}}"
enum { LORA_BYTES = 96 };

/* A LoRA is as ready as what it changes, and must be one for SDXL. */
Test(catalogue, a_lora_needs_its_base) {
    cache_file("models--nerijs--pixel-art-xl", "pixel-art-xl.safetensors", LORA, LORA_BYTES);
    expect_state("Pixel Art XL", XL_MODEL_INCOMPLETE, "its base SDXL Base 1.0 is not cached: ");
    cache("models--stabilityai--stable-diffusion-xl-base-1.0", (const char *[]){WHOLE, NULL});
    struct xl_catalogue *catalogue = load(NULL);
    const struct xl_catalogue_model *lora = xl_catalogue_find(catalogue, "Pixel Art XL");
    struct xl_catalogue_status state;
    cr_assert_eq(xl_catalogue_state(lora, NULL, &arena, &state, NULL), XL_OK);
    cr_expect_eq(state.state, XL_MODEL_READY, "%s", state.why);
    cr_expect_str_eq(state.location, "stabilityai/stable-diffusion-xl-base-1.0");
    cr_expect(state.lora && strstr(state.lora, "pixel-art-xl.safetensors"));
    cr_expect_eq(lora->base_model, xl_catalogue_find(catalogue, "SDXL Base 1.0"));
    xl_catalogue_free(catalogue);
    cache_file("models--nerijs--pixel-art-xl", "pixel-art-xl.safetensors",
               "{'transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight':{'dtype':'F16',"
               "'shape':[1,2],'data_offsets':[0,4]}}",
               4);
    expect_state("Pixel Art XL", XL_MODEL_UNUSABLE, "a LoRA for Flux, expected a LoRA for SDXL");
}

/* What the catalogue takes for a single file may turn out to be a whole pipeline. */
Test(catalogue, a_pipeline_is_ready_whatever_its_kind) {
    cache("models--AiAF--epicrealismXL-vx1Finalkiss_Checkpoint_SDXL",
          (const char *[]){WHOLE, NULL});
    expect_state("EpicRealism XL", XL_MODEL_READY, "");
}

/* A copy of a small model as a folder that an own file of models names. */
static void own_model(const char *name) {
    char command[3 * SCRATCH_PATH];
    snprintf(command, sizeof command, "cp -rL '%s' '%s' && chmod -R u+w '%s'", REPO,
             scratch("%s", name), scratch("%s", name));
    cr_assert_eq(system(command), 0);
    char text[2 * SCRATCH_PATH];
    snprintf(text, sizeof text, "Own: {folder: %s}\n", scratch("%s", name));
    scratch_puts(config_file("models.yaml"), text);
}

static void set_key(const char *file, const char *key, const char *value) {
    json_t *root = json_load_file(scratch("own/%s", file), 0, NULL);
    json_object_set_new(root, key, json_loads(value, JSON_DECODE_ANY, NULL));
    cr_assert_eq(json_dump_file(root, scratch("own/%s", file), 0), 0);
    json_decref(root);
}

/* Rename a tensor in the header of a file: as long a name. */
static void rename_tensor(const char *file, const char *from, const char *to) {
    FILE *f = fopen(scratch("own/%s", file), "r+b");
    static char header[1 << 20];
    cr_assert(f && strlen(from) == strlen(to));
    size_t n = fread(header, 1, sizeof header, f);
    char *at = memmem(header, n, from, strlen(from));
    cr_assert_not_null(at, "%s", from);
    fseek(f, at - header, SEEK_SET);
    fwrite(to, 1, strlen(to), f);
    fclose(f);
}

/* Ready means: what drawing reads can be read. Each of these was called ready by its files' names.
 */
Test(catalogue, what_cannot_be_drawn_with_is_not_ready) {
    static const struct {
        const char *file, *key, *value, *why;
    } configs[] = {
        {"text_encoder_2/config.json", "hidden_act", "\"gelu_new\"", "gelu_new"},
        {"text_encoder/config.json", "hidden_size", "48", "config.json"},
        {"unet/config.json", "cross_attention_dim", "7", "cross_attention_dim"},
        {"unet/config.json", "class_embed_type", "\"timestep\"", "class_embed_type"},
        {"unet/config.json", "use_linear_projection", "false", ""},
        {"vae/config.json", "layers_per_block", "3", "is missing"},
        {"vae/config.json", "latent_channels", "8", "latent_channels"},
        {"scheduler/scheduler_config.json", "trained_betas", "[0.1]", "trained_betas"},
        {"scheduler/scheduler_config.json", "beta_schedule", "\"odd\"", "odd"},
        {"tokenizer/tokenizer_config.json", "model_max_length", "\"x\"", "model_max_length"},
        {"model_index.json", "scheduler", "[\"diffusers\", \"FlowMatchEulerDiscreteScheduler\"]",
         "FlowMatchEuler"},
        {"model_index.json", "tokenizer", "[\"transformers\", \"T5Tokenizer\"]", "T5Tokenizer"},
    };
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
        scratch_remove(scratch("own"));
        own_model("own");
        if (!i) expect_state("Own", XL_MODEL_READY, "");
        set_key(configs[i].file, configs[i].key, configs[i].value);
        if (!configs[i].why[0]) continue; /* the same weights by another shape */
        expect_state("Own", XL_MODEL_UNUSABLE, configs[i].why);
    }
    static const char *const tensors[][2] = {
        {"unet/diffusion_pytorch_model.safetensors", "\"conv_in.bias\""},
        {"vae/diffusion_pytorch_model.safetensors", "\"encoder.conv_in.bias\""},
        {"vae/diffusion_pytorch_model.safetensors", "\"decoder.conv_out.bias\""},
        {"text_encoder/model.safetensors", "position_embedding.weight"},
        {"text_encoder_2/model.safetensors", "text_projection.weight"},
    };
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
        char other[128];
        snprintf(other, sizeof other, "%s", tensors[i][1]);
        other[strlen(other) - 2] = 'X';
        scratch_remove(scratch("own"));
        own_model("own");
        rename_tensor(tensors[i][0], tensors[i][1], other);
        expect_state("Own", XL_MODEL_UNUSABLE, "is missing");
    }
    scratch_remove(scratch("own"));
    own_model("own");
    scratch_puts(scratch("own/tokenizer_2/vocab.json"), "{\"a\": 0}");
    expect_state("Own", XL_MODEL_UNUSABLE, "tokenizer_2");
}

/* Pipelines of the cache that nobody listed. */
Test(catalogue, pipelines_of_the_cache_are_known) {
    cache("models--me--Autumn-Mix-XL", (const char *[]){WHOLE, NULL});
    cache("models--stabilityai--sdxl-turbo", (const char *[]){WHOLE, NULL});
    cache("models--me--words", (const char *[]){NULL});
    struct xl_catalogue *catalogue = load(NULL);
    const struct xl_catalogue_model *cached = NULL;
    struct xl_catalogue_status state;
    int n = -1;
    cr_assert_eq(xl_catalogue_cached(catalogue, false, &arena, &cached, &n, NULL), XL_OK);
    cr_assert_eq(n, 1);
    cr_expect_str_eq(cached[0].key, "me/Autumn-Mix-XL");
    cache_file("models--me--a-lora", "l.safetensors", LORA, LORA_BYTES);
    cache_file("models--me--a-file", "f.safetensors",
               "{'model.diffusion_model.input_blocks.0.0.weight':{'dtype':'F16','shape':[1,4],"
               "'data_offsets':[0,8]},'conditioner.embedders.1.model.ln_final.bias':{'dtype':'F16',"
               "'shape':[1],'data_offsets':[8,10]}}",
               10);
    cr_assert_eq(xl_catalogue_cached(catalogue, false, &arena, &cached, &n, NULL), XL_OK);
    cr_assert_eq(n, 2);
    cr_expect_str_eq(cached[1].key, "me/a-file");
    cr_expect_eq(cached[1].kind, XL_KIND_SINGLE_FILE);
    cr_assert_eq(xl_catalogue_cached(catalogue, true, &arena, &cached, &n, NULL), XL_OK);
    cr_assert_eq(n, 3);
    cr_expect_str_eq(cached[2].key, "me/a-lora");
    cr_expect_eq(cached[2].kind, XL_KIND_LORA);
    cr_assert_eq(xl_catalogue_state(&cached[0], NULL, &arena, &state, NULL), XL_OK);
    cr_expect_eq(state.state, XL_MODEL_READY, "%s", state.why);
    xl_catalogue_free(catalogue);
}

/* What came with it stays in the list: a base may be a repository, too. */
Test(catalogue, a_base_may_be_taken_out_of_the_list) {
    scratch_puts(config_file("models.yaml"),
                 "SDXL Base 1.0: null\nA: {repo: a/b, kind: lora, base: me/base}\n");
    struct xl_catalogue *catalogue = load(NULL);
    const struct xl_catalogue_model *pixel = xl_catalogue_find(catalogue, "Pixel Art XL");
    cr_assert_not_null(pixel);
    cr_expect_null(pixel->base_model);
    cr_expect_str_eq(xl_catalogue_find(catalogue, "A")->base, "me/base");
    xl_catalogue_free(catalogue);
}

/* What is suggested for a slip of the fingers: names of the list, and SDXL repositories of the
 * cache that it does not know; no other repository. */
Test(catalogue, the_nearest_names_are_those_of_the_list_and_of_the_cache) {
    char out[256];
    cache("models--me--Autumn-Mix-XL", (const char *[]){WHOLE, NULL});
    cache("models--stabilityai--sdxl-turbo", (const char *[]){WHOLE, NULL});
    cache("models--me--autumn-language-model", (const char *[]){NULL});
    struct xl_catalogue *catalogue = load(NULL);
    cr_expect_str_eq(xl_catalogue_nearest(catalogue, "autum-mix-xl", out, sizeof out),
                     "\"me/Autumn-Mix-XL\"");
    cr_expect_str_eq(xl_catalogue_nearest(catalogue, "you/AutumnMixXl", out, sizeof out),
                     "\"me/Autumn-Mix-XL\"");
    cr_expect_str_eq(xl_catalogue_nearest(catalogue, "autumn", out, sizeof out),
                     "\"me/Autumn-Mix-XL\"");
    cr_expect_str_eq(xl_catalogue_nearest(catalogue, "juggernautxxl", out, sizeof out),
                     "\"Juggernaut XL\"");
    cr_expect_str_eq(
        xl_catalogue_nearest(catalogue, "stable-difusion-xl-base-1.0", out, sizeof out),
        "\"SDXL Base 1.0\"");
    cr_expect_str_eq(xl_catalogue_nearest(catalogue, "xyzzy", out, sizeof out), "");
    xl_catalogue_free(catalogue);
}

static void refuse(const char *text, const char *sentence) {
    struct xl_catalogue *catalogue = NULL;
    struct xl_err err = {0};
    scratch_puts(config_file("models.yaml"), text);
    cr_expect_eq(xl_catalogue_load(NULL, 0, &catalogue, &err), XL_EINPUT, "%s", text);
    cr_expect_not_null(strstr(err.text, sentence), "\"%s\" is not in \"%s\"", sentence, err.text);
}

Test(catalogue, mistakes_are_named_with_their_place) {
    refuse("A: {steps: 3}\n",
           "models.yaml:1:1: A: expected repo (org/name) or folder, found neither");
    refuse("A: {repo: a/b, folder: c}\n", "not both");
    refuse("A:\n  repo: just-a-word\n",
           "models.yaml:2:9: A: repo: \"just-a-word\" is no repository");
    refuse("A:\n  repo: a/b\n  kind: checkpoint\n",
           "models.yaml:3:9: A: kind: \"checkpoint\" is not one of: pipeline, single-file, lora");
    refuse("A: {repo: a/b, kind: lora}\n", "a lora needs base");
    refuse("A:\n  repo: a/b\n  kind: lora\n  base: SDXL Bse 1.0\n",
           "models.yaml:4:9: A: base: there is no model \"SDXL Bse 1.0\"; did you mean \"SDXL Base "
           "1.0\"?");
    refuse("A: {repo: a/b, kind: lora, base: Zebra}\n", "base: there is no model \"Zebra\"");
    refuse("A: {repo: a/b, kind: lora, base: Pixel Art XL}\n", "\"Pixel Art XL\" is a LoRA itself");
    refuse("SDXL Base 1.0: null\nA: {repo: a/b, kind: lora, base: SDXL Base 1.0}\n",
           "there is no model \"SDXL Base 1.0\"");
    refuse("A: {repo: a/b, kind: lora, base: A}\n", "\"A\" is a LoRA itself, expected a model");
    refuse("A:\n  repo: a/b\n  width: 100\n  height: 64\n",
           "models.yaml:3:10: A: width: 100 is no");
    refuse("A:\n  repo: a/b\n  width: 64\n", "width and height go together");
    refuse("A:\n  repo: a/b\n  steps: 9\n  steps_max: 4\n", "models.yaml:3:10: A: steps: outside");
    refuse("A:\n  repo: a/b\n  guidance: 2\n  guidance_max: 1\n", "A: guidance: outside");
    refuse("A: {repo: a/b, commercial: yes}\n", "found a text, expected true or false");
    refuse("A: {repo: a/b, stesp: 4}\n",
           "models.yaml:1:16: A: stesp: no such field; did you mean steps?");
}
