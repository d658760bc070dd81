/* test_hub.c - finding models in the cache, choosing their files, and naming what is not there. */
#include "hub/hub.h"

#include "unit/scratch.h"

#include <fcntl.h>
#include <time.h>

static struct xl_arena arena;
static struct xl_err err;

/* An empty world: no cache but the one in the scratch folder. */
static void set_up(void) {
    scratch_open();
    unsetenv("HF_HUB_CACHE");
    unsetenv("HUGGINGFACE_HUB_CACHE");
    unsetenv("XDG_CACHE_HOME");
    setenv("HF_HOME", scratch("hf"), 1);
    setenv("HOME", scratch("home"), 1);
}

static void tear_down(void) {
    xl_arena_deinit(&arena);
    scratch_close();
}

TestSuite(hub, .init = set_up, .fini = tear_down);

#define COMMIT_1 "1111111111111111111111111111111111111111"
#define COMMIT_2 "2222222222222222222222222222222222222222"
#define COMMIT_3 "3333333333333333333333333333333333333333"
#define SHA256 "abcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcd"

static const char model_index[] =
    "{'_class_name':'StableDiffusionXLPipeline','force_zeros_for_empty_prompt':true,"
    "'scheduler':['diffusers','DDIMScheduler'],'unet':['diffusers','UNet2DConditionModel'],"
    "'vae':['diffusers','AutoencoderKL'],'text_encoder':['transformers','CLIPTextModel'],"
    "'text_encoder_2':['transformers','CLIPTextModelWithProjection'],"
    "'tokenizer':['transformers','CLIPTokenizer'],'tokenizer_2':['transformers','CLIPTokenizer'],"
    "'image_encoder':[null,null]}";

/* The files of a whole pipeline. */
static const char *const pipeline_files[] = {
    "model_index.json",
    "scheduler/scheduler_config.json",
    "text_encoder/config.json",
    "text_encoder/model.safetensors",
    "text_encoder_2/config.json",
    "text_encoder_2/model.safetensors",
    "tokenizer/merges.txt",
    "tokenizer/vocab.json",
    "tokenizer_2/merges.txt",
    "tokenizer_2/vocab.json",
    "unet/config.json",
    "unet/diffusion_pytorch_model.safetensors",
    "vae/config.json",
    "vae/diffusion_pytorch_model.safetensors",
};
enum { N_PIPELINE_FILES = sizeof pipeline_files / sizeof *pipeline_files };

static void write_json(const char *path, const char *text) {
    char *json = scratch_quotes(text);
    scratch_puts(path, json);
    free(json);
}

/* One tensor of eight bytes. */
static void write_weights(const char *path, const char *tensor) {
    char header[256];
    snprintf(header, sizeof header, "{'%s':{'dtype':'F16','shape':[4],'data_offsets':[0,8]}}",
             tensor);
    scratch_safetensors(path, header, 8);
}

static void write_file(const char *path) {
    if (strstr(path, "model_index.json"))
        write_json(path, model_index);
    else if (strstr(path, ".safetensors"))
        write_weights(path, "a");
    else
        write_json(path, "{'x':1}");
}

/* A folder of plain files; without a slash at its end. */
static void write_folder(const char *dir) {
    char path[SCRATCH_PATH];
    for (int i = 0; i < N_PIPELINE_FILES; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, pipeline_files[i]);
        write_file(path);
    }
}

static struct xl_snapshot resolve(const char *model, const char *revision) {
    struct xl_snapshot snapshot = {0};
    err.text[0] = 0;
    cr_assert_eq(xl_hub_resolve(model, revision, &arena, &snapshot, &err), XL_OK, "%s", err.text);
    return snapshot;
}

static void expect_unresolved(const char *model, const char *revision, enum xl_status status,
                              const char *says) {
    struct xl_snapshot snapshot = {0};
    enum xl_status found = xl_hub_resolve(model, revision, &arena, &snapshot, &err);
    cr_expect_eq(found, status, "%s: %s", model, xl_status_name(found));
    cr_expect_null(snapshot.dir, "%s", model);
    cr_expect(found && strstr(err.text, says), "\"%s\" does not say \"%s\"", err.text, says);
}

static struct xl_pipeline_files open_pipeline(const char *dir) {
    struct xl_snapshot snapshot = {.dir = dir, .id = "test"};
    struct xl_pipeline_files files = {0};
    err.text[0] = 0;
    cr_assert_eq(xl_hub_pipeline(&snapshot, NULL, &arena, &files, &err), XL_OK, "%s", err.text);
    return files;
}

static void expect_refused(const char *dir, enum xl_status status, const char *says) {
    struct xl_snapshot snapshot = {.dir = dir, .id = "test"};
    struct xl_pipeline_files files = {0};
    enum xl_status found = xl_hub_pipeline(&snapshot, NULL, &arena, &files, &err);
    cr_expect_eq(found, status, "%s, expected %s: %s", xl_status_name(found),
                 xl_status_name(status), err.text);
    cr_expect_null(files.scheduler_class);
    cr_expect(found && strstr(err.text, says), "\"%s\" does not say \"%s\"", err.text, says);
}

/* The last part of the path of file i of a component. */
static const char *chosen(const struct xl_pipeline_files *files, enum xl_component c, int i) {
    cr_assert_lt(i, files->component[c].n_files);
    return strrchr(files->component[c].files[i], '/') + 1;
}

/* A repository in the cache as the Python library writes it: blobs, and links to them. */
static void write_repository(const char *repository, const char *commit) {
    char path[SCRATCH_PATH], target[SCRATCH_PATH];
    for (int i = 0; i < N_PIPELINE_FILES; i++) {
        const char *file = pipeline_files[i];
        snprintf(path, sizeof path, "%s/blobs/%.2s%062d", repository, commit, i);
        if (strstr(file, "model_index.json"))
            write_json(path, model_index);
        else if (strstr(file, ".safetensors"))
            write_weights(path, "a");
        else
            write_json(path, "{'x':1}");
        snprintf(path, sizeof path, "%s/snapshots/%s/%s", repository, commit, file);
        snprintf(target, sizeof target, "%s../../blobs/%.2s%062d", strchr(file, '/') ? "../" : "",
                 commit, i);
        scratch_make_parents(path);
        cr_assert_eq(symlink(target, path), 0, "%s", path);
    }
}

static void write_ref(const char *repository, const char *ref, const char *commit) {
    char path[SCRATCH_PATH];
    snprintf(path, sizeof path, "%s/refs/%s", repository, ref);
    scratch_puts(path, commit);
}

/* ---- resolving ---- */

Test(hub, finds_a_repository_in_every_place) {
    static const struct {
        const char *variable, *value, *place;
    } cases[] = {
        {"HF_HUB_CACHE", "%s/a", "a"},
        {"HUGGINGFACE_HUB_CACHE", "%s/b", "b"},
        {"HF_HOME", "%s/c", "c/hub"},
        {"HF_HOME", "%s/d", "d"},
        {"XDG_CACHE_HOME", "%s/e", "e/huggingface/hub"},
        {"HOME", "%s/f", "f/.cache/huggingface/hub"},
        {"HF_HUB_CACHE", "~/g", "home/g"},
        {"HF_HUB_CACHE", "$HOME/h", "home/h"},
        {"HF_HOME", "${HOME}/$UNSET_BY_NOBODY/i", "home/$UNSET_BY_NOBODY/i/hub"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsetenv("HF_HUB_CACHE");
        unsetenv("HUGGINGFACE_HUB_CACHE");
        unsetenv("HF_HOME");
        unsetenv("XDG_CACHE_HOME");
        setenv("HOME", scratch("home"), 1);
        char value[SCRATCH_PATH], repository[SCRATCH_PATH];
        snprintf(value, sizeof value, cases[i].value[0] == '%' ? "%s%s" : "%.0s%s", scratch_dir,
                 cases[i].value[0] == '%' ? cases[i].value + 2 : cases[i].value);
        setenv(cases[i].variable, value, 1);
        snprintf(repository, sizeof repository, "%s/%s/models--org--n.a-m_e", scratch_dir,
                 cases[i].place);
        expect_unresolved("org/n.a-m_e", NULL, XL_EMODEL, "not in the Hugging Face cache");
        write_repository(repository, COMMIT_1);
        write_ref(repository, "main", COMMIT_1);
        struct xl_snapshot snapshot = resolve("org/n.a-m_e", NULL);
        cr_expect_eq(strncmp(snapshot.dir, repository, strlen(repository)), 0, "%s", snapshot.dir);
        cr_expect_str_eq(snapshot.commit, COMMIT_1);
        cr_expect_str_eq(snapshot.id, "org/n.a-m_e");
        cr_expect_null(snapshot.notice);
    }
}

Test(hub, an_empty_variable_is_not_set) {
    setenv("HF_HUB_CACHE", "", 1);
    setenv("HUGGINGFACE_HUB_CACHE", "", 1);
    write_repository(scratch("hf/hub/models--gpt"), COMMIT_1);
    write_ref(scratch("hf/hub/models--gpt"), "main", COMMIT_1);
    write_repository(scratch("here/models--gpt"), COMMIT_2);
    write_ref(scratch("here/models--gpt"), "main", COMMIT_2);
    cr_assert_eq(chdir(scratch("here")), 0);
    cr_expect_str_eq(resolve("gpt", NULL).commit, COMMIT_1);
}

Test(hub, says_where_it_looked) {
    setenv("HF_HUB_CACHE", scratch("elsewhere"), 1);
    expect_unresolved("org/none", NULL, XL_EMODEL, scratch("elsewhere"));
    expect_unresolved("org/none", NULL, XL_EMODEL, scratch("hf/hub"));
    expect_unresolved("org/none", NULL, XL_EMODEL, "org/none");
}

Test(hub, revisions_are_branches_pull_requests_and_commits) {
    const char *repository = scratch("hf/hub/models--org--x");
    write_repository(repository, COMMIT_1);
    write_repository(repository, COMMIT_2);
    write_ref(repository, "main", COMMIT_1);
    write_ref(repository, "refs/pr/7", COMMIT_2 "\n");
    cr_expect_str_eq(resolve("org/x", NULL).commit, COMMIT_1);
    cr_expect_str_eq(resolve("org/x", "main").commit, COMMIT_1);
    cr_expect_str_eq(resolve("org/x", "refs/pr/7").commit, COMMIT_2);
    cr_expect_str_eq(resolve("org/x", COMMIT_2).commit, COMMIT_2);
    /* What was asked for by name is never replaced by something else. */
    expect_unresolved("org/x", "fp16", XL_EMODEL, "revision \"fp16\"");
    expect_unresolved("org/x", COMMIT_3, XL_EMODEL, COMMIT_3);
}

Test(hub, a_missing_ref_takes_the_only_snapshot_and_says_so) {
    const char *repository = scratch("hf/hub/models--org--x");
    write_repository(repository, COMMIT_1);
    struct xl_snapshot snapshot = resolve("org/x", NULL);
    cr_expect_str_eq(snapshot.commit, COMMIT_1);
    cr_expect(snapshot.notice && strstr(snapshot.notice, COMMIT_1), "%s", snapshot.notice);
    /* A ref that is cut short, or names a commit that is not there, is as good as none. */
    write_ref(repository, "main", "");
    cr_expect_str_eq(resolve("org/x", NULL).commit, COMMIT_1);
    write_ref(repository, "main", COMMIT_3);
    cr_expect_not_null(resolve("org/x", NULL).notice);
    write_ref(repository, "main", "../../../../etc");
    cr_expect_not_null(resolve("org/x", NULL).notice);
}

static void set_age(const char *path, time_t seconds) {
    struct timespec times[2] = {{.tv_sec = 1700000000 - seconds}, {.tv_sec = 1700000000 - seconds}};
    cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

Test(hub, of_several_snapshots_the_newest_complete_one) {
    const char *repository = scratch("hf/hub/models--org--x");
    write_repository(repository, COMMIT_1);
    write_repository(repository, COMMIT_2);
    write_repository(repository, COMMIT_3);
    cr_assert_eq(unlink(scratch("hf/hub/models--org--x/snapshots/" COMMIT_3 "/vae/config.json")),
                 0);
    set_age(scratch("hf/hub/models--org--x/snapshots/" COMMIT_1), 300);
    set_age(scratch("hf/hub/models--org--x/snapshots/" COMMIT_2), 200);
    set_age(scratch("hf/hub/models--org--x/snapshots/" COMMIT_3), 100);
    struct xl_snapshot snapshot = resolve("org/x", NULL);
    cr_expect_str_eq(snapshot.commit, COMMIT_2);
    cr_expect(snapshot.notice && strstr(snapshot.notice, "newest complete"), "%s", snapshot.notice);
    set_age(scratch("hf/hub/models--org--x/snapshots/" COMMIT_1), 50);
    cr_expect_str_eq(resolve("org/x", NULL).commit, COMMIT_1);
}

Test(hub, a_complete_copy_in_another_place_is_preferred) {
    write_repository(scratch("hf/hub/models--org--x"), COMMIT_1);
    write_ref(scratch("hf/hub/models--org--x"), "main", COMMIT_1);
    write_repository(scratch("hf/models--org--x"), COMMIT_2);
    write_ref(scratch("hf/models--org--x"), "main", COMMIT_2);
    cr_expect_str_eq(resolve("org/x", NULL).commit, COMMIT_1);
    cr_assert_eq(unlink(scratch("hf/hub/models--org--x/snapshots/" COMMIT_1 "/unet/config.json")),
                 0);
    struct xl_snapshot snapshot = resolve("org/x", NULL);
    cr_expect_str_eq(snapshot.commit, COMMIT_2);
    cr_expect(snapshot.notice && strstr(snapshot.notice, COMMIT_1), "%s", snapshot.notice);
    /* Neither is complete: the first, whose gaps are then reported. */
    cr_assert_eq(unlink(scratch("hf/models--org--x/snapshots/" COMMIT_2 "/unet/config.json")), 0);
    cr_expect_str_eq(resolve("org/x", NULL).commit, COMMIT_1);
}

Test(hub, what_a_ref_names_comes_before_a_guess) {
    write_repository(scratch("hf/hub/models--org--x"), COMMIT_1);
    write_repository(scratch("hf/models--org--x"), COMMIT_2);
    write_ref(scratch("hf/models--org--x"), "main", COMMIT_2);
    set_age(scratch("hf/models--org--x/snapshots/" COMMIT_2), 100);
    struct xl_snapshot snapshot = resolve("org/x", NULL);
    cr_expect_str_eq(snapshot.commit, COMMIT_2);
    cr_expect_null(snapshot.notice);
}

Test(hub, only_the_beginning_of_a_download) {
    write_ref(scratch("hf/hub/models--org--x"), "main", COMMIT_1);
    expect_unresolved("org/x", NULL, XL_EMODEL, "only the beginning of a download");
}

Test(hub, takes_a_folder_by_its_path) {
    write_folder(scratch("my model"));
    struct xl_snapshot snapshot = resolve(scratch("my model"), NULL);
    cr_expect_str_eq(snapshot.dir, scratch("my model"));
    cr_expect_null(snapshot.commit);
    cr_assert_eq(chdir(scratch_dir), 0);
    cr_expect_str_eq(resolve("my model", NULL).dir, scratch("my model"));
    cr_expect_str_eq(resolve("./my model", NULL).dir, scratch("my model"));
    cr_expect_str_eq(resolve("./my model", NULL).id, "./my model");
    /* A folder comes before a repository of that name, as in diffusers. */
    write_folder(scratch("org/x"));
    write_repository(scratch("hf/hub/models--org--x"), COMMIT_1);
    cr_expect_null(resolve("org/x", NULL).commit);
    cr_expect_str_eq(resolve("hf/hub/models--org--x", NULL).commit, COMMIT_1, "by its path");
    expect_unresolved(scratch("hf"), NULL, XL_EMODEL, "no model_index.json");
    cr_assert_eq(mkdir(scratch("org/y"), 0777), 0);
    expect_unresolved("org/y", NULL, XL_EMODEL, "holds no model_index.json");
}

Test(hub, refuses_what_is_no_model) {
    static const char *const ids[] = {
        "../x",    "/x",    "a/../b", "org/..",         "a//b", "a/",   "a/b/c", "org/x ",
        "a\\b",    "-a/b",  "a/b.",   "a--b",           "a..b", "a/b?", "a%2fb", "~/x",
        "a/b\xc3", "$HOME", "a:b",    "models--org--x", "a/-b", ".a/b", "a./b"};
    write_repository(scratch("hf/hub/models--org--x"), COMMIT_1);
    cr_assert_eq(mkdir(scratch("inside"), 0777), 0); /* so that ".." is ours as well */
    cr_assert_eq(chdir(scratch("inside")), 0);
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        expect_unresolved(ids[i], NULL, XL_EINVAL, ids[i]);
    expect_unresolved("/", NULL, XL_EMODEL, "no model_index.json");
    expect_unresolved("..", NULL, XL_EMODEL, "no model_index.json");
    expect_unresolved("", NULL, XL_EINVAL, "expected a repository or a folder");
    expect_unresolved("org/x\n", NULL, XL_EINVAL, "control character");
    expect_unresolved("org/\x1b[31m", NULL, XL_EINVAL, "control character");
    static const char *const revisions[] = {"",     "..",    "../main", "a/../b", "/etc/passwd",
                                            "a//b", "main/", "a\nb",    "a\\b",   "."};
    for (size_t i = 0; i < sizeof revisions / sizeof *revisions; i++)
        expect_unresolved("org/x", revisions[i], XL_EINVAL, "expected a branch");
}

Test(hub, files_by_their_endings) {
    scratch_puts(scratch("model.ckpt"), "x");
    scratch_puts(scratch("model.safetensors"), "x");
    scratch_puts(scratch("model.txt"), "x");
    expect_unresolved(scratch("model.ckpt"), NULL, XL_EFORMAT, "pickle files can run code");
    expect_unresolved(scratch("model.PICKLE"), NULL, XL_EFORMAT, "pickle files can run code");
    expect_unresolved("org/x:model.pt", NULL, XL_EFORMAT, "safe_serialization=True");
    expect_unresolved(scratch("model.txt"), NULL, XL_EFORMAT, "neither a .safetensors file nor");
    expect_unresolved(scratch("absent.safetensors"), NULL, XL_EMODEL, "there is no such file");
    struct xl_snapshot snapshot = resolve(scratch("model.safetensors"), NULL);
    cr_expect_str_eq(snapshot.file, scratch("model.safetensors"));
    cr_expect_str_eq(snapshot.dir, scratch_dir);
    cr_expect_str_eq(snapshot.id, scratch("model.safetensors"));
}

/* ---- the files of a pipeline ---- */

Test(hub, chooses_the_files_of_a_pipeline) {
    write_folder(scratch("m"));
    struct xl_pipeline_files files = open_pipeline(scratch("m"));
    cr_expect_str_eq(files.scheduler_class, "DDIMScheduler");
    cr_expect(files.force_zeros_for_empty_prompt);
    cr_expect_str_eq(files.scheduler_config, scratch("m/scheduler/scheduler_config.json"));
    cr_expect_str_eq(files.tokenizer_dir, scratch("m/tokenizer"));
    cr_expect_str_eq(files.tokenizer_2_dir, scratch("m/tokenizer_2"));
    for (int c = 0; c < XL_N_COMPONENTS; c++) {
        cr_expect_eq(files.component[c].n_files, 1);
        cr_expect_str_eq(files.component[c].variant, "");
        cr_expect_null(files.component[c].notice);
        cr_expect_str_eq(files.component[c].config,
                         scratch("m/%s/config.json", xl_component_name(c)));
    }
    cr_expect_str_eq(files.component[XL_UNET].files[0],
                     scratch("m/unet/diffusion_pytorch_model.safetensors"));
    cr_expect_str_eq(chosen(&files, XL_TEXT_ENCODER_2, 0), "model.safetensors");
}

Test(hub, names_each_missing_file) {
    for (int i = 0; i < N_PIPELINE_FILES; i++) {
        write_folder(scratch("m"));
        cr_assert_eq(unlink(scratch("m/%s", pipeline_files[i])), 0);
        expect_refused(scratch("m"), XL_EMODEL, pipeline_files[i]);
        cr_expect(strstr(err.text, "missing"), "%s", err.text);
    }
    scratch_remove(scratch("m"));
    write_folder(scratch("m"));
    for (int i = 1; i < N_PIPELINE_FILES; i++)
        cr_assert_eq(unlink(scratch("m/%s", pipeline_files[i])), 0);
    for (int i = 1; i < N_PIPELINE_FILES; i++)
        expect_refused(scratch("m"), XL_EMODEL, pipeline_files[i]);
}

Test(hub, names_each_half_downloaded_file) {
    write_repository(scratch("hf/hub/models--org--x"), COMMIT_1);
    write_ref(scratch("hf/hub/models--org--x"), "main", COMMIT_1);
    struct xl_snapshot snapshot = resolve("org/x", NULL);
    struct xl_pipeline_files files = {0};
    cr_assert_eq(xl_hub_pipeline(&snapshot, NULL, &arena, &files, &err), XL_OK, "%s", err.text);
    for (int i = 0; i < N_PIPELINE_FILES; i++) {
        const char *blob = scratch("hf/hub/models--org--x/blobs/11%062d", i);
        const char *part = scratch("hf/hub/models--org--x/blobs/11%062d.incomplete", i);
        cr_assert_eq(rename(blob, part), 0);
        struct xl_pipeline_files none = {0};
        cr_expect_eq(xl_hub_pipeline(&snapshot, NULL, &arena, &none, &err), XL_EMODEL);
        cr_expect(strstr(err.text, pipeline_files[i]), "%s: %s", pipeline_files[i], err.text);
        cr_expect(strstr(err.text, "half-downloaded"), "%s", err.text);
        cr_expect(strstr(err.text, "1 interrupted download"), "%s", err.text);
        cr_expect_null(none.scheduler_class);
        cr_assert_eq(rename(part, blob), 0);
    }
}

Test(hub, names_what_the_list_of_the_commit_has) {
    write_repository(scratch("hf/hub/models--org--x"), COMMIT_1);
    struct xl_snapshot snapshot = resolve("org/x", NULL);
    struct xl_pipeline_files files = {0};
    cr_expect_eq(xl_hub_pipeline(&snapshot, NULL, &arena, &files, &err), XL_OK, "%s", err.text);
    write_json(scratch("hf/hub/models--org--x/trees/" COMMIT_1 ".json"),
               "{'format_version':1,'files':{'tokenizer_2/special_tokens_map.json':{'size':1},"
               "'unet/diffusion_pytorch_model.fp16.safetensors':{'size':1}}}");
    cr_expect_eq(xl_hub_pipeline(&snapshot, NULL, &arena, &files, &err), XL_EMODEL);
    cr_expect(strstr(err.text, "tokenizer_2/special_tokens_map.json"), "%s", err.text);
    cr_expect_null(strstr(err.text, "fp16"), "another variant may be left out");
}

Test(hub, a_dangling_companion_of_the_tokenizer_is_named) {
    write_folder(scratch("m"));
    cr_assert_eq(symlink("../nothing", scratch("m/tokenizer/tokenizer_config.json")), 0);
    expect_refused(scratch("m"), XL_EMODEL, "tokenizer/tokenizer_config.json");
}

Test(hub, either_kind_of_tokenizer_files) {
    write_folder(scratch("m"));
    cr_assert_eq(unlink(scratch("m/tokenizer/vocab.json")), 0);
    cr_assert_eq(unlink(scratch("m/tokenizer/merges.txt")), 0);
    scratch_puts(scratch("m/tokenizer/tokenizer.json"), "{}");
    open_pipeline(scratch("m"));
}

Test(hub, truncated_and_foreign_weights_are_named) {
    write_folder(scratch("m"));
    cr_assert_eq(truncate(scratch("m/vae/diffusion_pytorch_model.safetensors"), 60), 0);
    expect_refused(scratch("m"), XL_EFORMAT, "vae/diffusion_pytorch_model.safetensors");
    scratch_write(scratch("m/vae/diffusion_pytorch_model.safetensors"), "\x80\2}q\0.", 6);
    expect_refused(scratch("m"), XL_EFORMAT, "pickle");
    scratch_write(scratch("m/vae/diffusion_pytorch_model.safetensors"), "", 0);
    expect_refused(scratch("m"), XL_EMODEL, "vae/diffusion_pytorch_model.safetensors (empty)");
}

Test(hub, only_pickles_are_refused_with_advice) {
    write_folder(scratch("m"));
    cr_assert_eq(rename(scratch("m/unet/diffusion_pytorch_model.safetensors"),
                        scratch("m/unet/diffusion_pytorch_model.bin")),
                 0);
    expect_refused(scratch("m"), XL_EFORMAT, "unet/diffusion_pytorch_model.bin (a pickle)");
    cr_expect(strstr(err.text, "safe_serialization=True"), "%s", err.text);
}

static void write_index_file(const char *replace, const char *with) {
    char *text = strdup(model_index), *at = strstr(text, replace), out[2048];
    cr_assert_not_null(at);
    snprintf(out, sizeof out, "%.*s%s%s", (int)(at - text), text, with, at + strlen(replace));
    write_json(scratch("m/model_index.json"), out);
    free(text);
}

Test(hub, only_sdxl_pipelines) {
    static const struct {
        const char *replace, *with, *says;
    } bad[] = {
        {"StableDiffusionXLPipeline", "StableDiffusionPipeline", "is a StableDiffusionPipeline"},
        {"StableDiffusionXLPipeline", "StableDiffusionXL", "is a StableDiffusionXL,"},
        {"StableDiffusionXLPipeline", "FluxPipeline", "is a FluxPipeline"},
        {"'_class_name':'StableDiffusionXLPipeline',", "", "no \"_class_name\""},
        {"'StableDiffusionXLPipeline'", "7", "\"_class_name\" is an integer"},
        {"['transformers','CLIPTextModel']", "[null,null]", "take the base model"},
        {"'text_encoder':['transformers','CLIPTextModel'],", "", "take the base model"},
        {"'AutoencoderKL'", "'AutoencoderTiny'", "class AutoencoderTiny, expected AutoencoderKL"},
        {"['diffusers','UNet2DConditionModel']", "[null,null]", "class null, expected UNet2D"},
        {"['diffusers','DDIMScheduler']", "null", "\"scheduler\" names no class"},
        {":true", ":'yes'", "\"force_zeros_for_empty_prompt\" is a string"},
        {"{", "[", "not valid JSON"},
    };
    write_folder(scratch("m"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_index_file(bad[i].replace, bad[i].with);
        expect_refused(scratch("m"), XL_EFORMAT, bad[i].says);
    }
    write_index_file("StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline");
    open_pipeline(scratch("m"));
    write_index_file("'force_zeros_for_empty_prompt':true,", "");
    cr_expect(open_pipeline(scratch("m")).force_zeros_for_empty_prompt);
}

/* ---- variants and shards ---- */

/* An index that puts tensor "t1" into the first file, "t2" into the second. */
static void write_index(const char *path, const char *file_1, const char *file_2) {
    char text[512];
    snprintf(text, sizeof text, "{'metadata':{},'weight_map':{'t2':'%s','t1':'%s'}}", file_2,
             file_1);
    write_json(path, text);
}

/* A pipeline whose UNet has no weights yet. */
static void write_without_unet(void) {
    write_folder(scratch("m"));
    cr_assert_eq(unlink(scratch("m/unet/diffusion_pytorch_model.safetensors")), 0);
}

#define STEM "diffusion_pytorch_model"

Test(hub, every_way_to_name_shards) {
    static const struct {
        const char *index, *shard_1, *shard_2, *variant;
    } cases[] = {
        {STEM ".safetensors.index.json", STEM "-00001-of-00002.safetensors",
         STEM "-00002-of-00002.safetensors", ""},
        {STEM ".fp16.safetensors.index.json", STEM ".fp16-00001-of-00002.safetensors",
         STEM ".fp16-00002-of-00002.safetensors", "fp16"},
        {STEM ".safetensors.index.fp16.json", STEM ".fp16-00001-of-00002.safetensors",
         STEM ".fp16-00002-of-00002.safetensors", "fp16"},
        {STEM ".safetensors.index.fp16.json", STEM "-00001-of-00002.fp16.safetensors",
         STEM "-00002-of-00002.fp16.safetensors", "fp16"},
        {STEM ".bf16.safetensors.index.json", STEM "-00001-of-00002.bf16.safetensors",
         STEM "-00002-of-00002.bf16.safetensors", "bf16"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *files[] = {cases[i].index, cases[i].shard_1, cases[i].shard_2};
        write_without_unet();
        write_weights(scratch("m/unet/%s", files[1]), "t1");
        write_weights(scratch("m/unet/%s", files[2]), "t2");
        write_index(scratch("m/unet/%s", files[0]), files[1], files[2]);
        struct xl_pipeline_files found = open_pipeline(scratch("m"));
        cr_expect_eq(found.component[XL_UNET].n_files, 2);
        cr_expect_str_eq(chosen(&found, XL_UNET, 0), files[1]);
        cr_expect_str_eq(chosen(&found, XL_UNET, 1), files[2]);
        cr_expect_str_eq(found.component[XL_UNET].variant, cases[i].variant);
        for (int k = 0; k < 3; k++) {
            cr_assert_eq(rename(scratch("m/unet/%s", files[k]), scratch("away")), 0);
            /* Without an index nobody knows which of its names it had. */
            bool by_name = k > 0 || !strstr(files[0], "index.fp16");
            expect_refused(scratch("m"), XL_EMODEL, by_name ? files[k] : "safetensors.index.json");
            cr_assert_eq(rename(scratch("away"), scratch("m/unet/%s", files[k])), 0);
        }
        scratch_remove(scratch("m"));
    }
}

Test(hub, variants_by_preference) {
    write_without_unet();
    write_weights(scratch("m/unet/" STEM ".ema.safetensors"), "a");
    struct xl_pipeline_files files = open_pipeline(scratch("m"));
    cr_expect_str_eq(files.component[XL_UNET].variant, "ema");
    cr_expect_null(files.component[XL_UNET].notice);
    write_weights(scratch("m/unet/" STEM ".fp16.safetensors"), "a");
    files = open_pipeline(scratch("m"));
    cr_expect_str_eq(files.component[XL_UNET].variant, "fp16");
    cr_expect(strstr(files.component[XL_UNET].notice, STEM ".ema.safetensors is complete too"));
    write_weights(scratch("m/unet/" STEM ".safetensors"), "a");
    files = open_pipeline(scratch("m"));
    cr_expect_str_eq(files.component[XL_UNET].variant, "");
    /* Half-downloaded: the next variant is taken, which is said. */
    cr_assert_eq(truncate(scratch("m/unet/" STEM ".safetensors"), 20), 0);
    files = open_pipeline(scratch("m"));
    cr_expect_str_eq(files.component[XL_UNET].variant, "fp16");
    cr_expect(strstr(files.component[XL_UNET].notice, STEM ".safetensors cannot be used"), "%s",
              files.component[XL_UNET].notice);
}

Test(hub, a_missing_file_has_the_variant_of_the_others) {
    static const char *const stems[XL_N_COMPONENTS] = {STEM, STEM, "model", "model"};
    write_folder(scratch("m"));
    for (int c = 0; c < XL_N_COMPONENTS; c++) {
        const char *dir = xl_component_name(c);
        cr_assert_eq(rename(scratch("m/%s/%s.safetensors", dir, stems[c]),
                            scratch("m/%s/%s.fp16.safetensors", dir, stems[c])),
                     0);
    }
    cr_expect_str_eq(open_pipeline(scratch("m")).component[XL_VAE].variant, "fp16");
    cr_assert_eq(unlink(scratch("m/vae/" STEM ".fp16.safetensors")), 0);
    expect_refused(scratch("m"), XL_EMODEL, "vae/" STEM ".fp16.safetensors");
}

/* Two shards beside a single file, in the folder of a component. */
static void write_both(const char *folder, const char *stem) {
    char shard[2][128];
    for (int i = 0; i < 2; i++) {
        snprintf(shard[i], sizeof shard[i], "%s-0000%d-of-00002.safetensors", stem, i + 1);
        write_weights(scratch("m/%s/%s", folder, shard[i]), i ? "t2" : "t1");
    }
    write_index(scratch("m/%s/%s.safetensors.index.json", folder, stem), shard[0], shard[1]);
}

Test(hub, of_a_file_and_shards_the_ones_that_python_loads) {
    write_folder(scratch("m"));
    write_both("unet", STEM);
    write_both("text_encoder", "model");
    struct xl_pipeline_files files = open_pipeline(scratch("m"));
    cr_expect_eq(files.component[XL_UNET].n_files, 2, "diffusers looks for the index first");
    cr_expect_eq(files.component[XL_TEXT_ENCODER].n_files, 1, "transformers for the file");
    cr_expect_not_null(files.component[XL_UNET].notice);
    cr_expect_not_null(files.component[XL_TEXT_ENCODER].notice);
    /* The stale ones give way, in either direction. */
    cr_assert_eq(rename(scratch("m/unet/" STEM ".safetensors.index.json"), scratch("away")), 0);
    files = open_pipeline(scratch("m"));
    cr_expect_eq(files.component[XL_UNET].n_files, 1);
    cr_expect(strstr(files.component[XL_UNET].notice, STEM ".safetensors.index.json (missing"));
    cr_assert_eq(rename(scratch("away"), scratch("m/unet/" STEM ".safetensors.index.json")), 0);
    cr_assert_eq(unlink(scratch("m/unet/" STEM "-00002-of-00002.safetensors")), 0);
    cr_assert_eq(truncate(scratch("m/text_encoder/model.safetensors"), 30), 0);
    files = open_pipeline(scratch("m"));
    cr_expect_eq(files.component[XL_UNET].n_files, 1);
    cr_expect(strstr(files.component[XL_UNET].notice, STEM "-00002-of-00002.safetensors"));
    cr_expect_eq(files.component[XL_TEXT_ENCODER].n_files, 2);
    cr_expect(strstr(files.component[XL_TEXT_ENCODER].notice, "truncated"));
}

Test(hub, an_index_that_disagrees_with_its_shards) {
    write_without_unet();
    write_both("unet", STEM);
    write_weights(scratch("m/unet/" STEM "-00002-of-00002.safetensors"), "t3");
    expect_refused(scratch("m"), XL_EFORMAT, "does not hold tensor \"t2\"");
    static const struct {
        const char *index, *says;
    } bad[] = {
        {"{'weight_map':{'a':'../../../secret.safetensors'}}",
         "not a safetensors file of its folder"},
        {"{'weight_map':{'a':'/etc/x.safetensors'}}", "not a safetensors file of its folder"},
        {"{'weight_map':{'a':'x.bin'}}", "not a safetensors file of its folder"},
        {"{'weight_map':{'a':'x\\u0000.safetensors'}}", "not a safetensors file of its folder"},
        {"{'weight_map':{'a':'x\\n.safetensors'}}", "not a safetensors file of its folder"},
        {"{'weight_map':{'a':1}}", "not a safetensors file of its folder"},
        {"{'weight_map':{}}", "no \"weight_map\""},
        {"{'weight_map':[]}", "no \"weight_map\""},
        {"{}", "no \"weight_map\""},
        {"{", "not valid JSON"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_json(scratch("m/unet/" STEM ".safetensors.index.json"), bad[i].index);
        expect_refused(scratch("m"), XL_EFORMAT, bad[i].says);
        cr_expect(strstr(err.text, "unet/" STEM ".safetensors.index.json"), "%s", err.text);
    }
}

Test(hub, a_long_list_of_missing_files_is_counted) {
    char text[16384];
    size_t n = (size_t)snprintf(text, sizeof text, "{'weight_map':{");
    for (int i = 1; i <= 60; i++)
        n += (size_t)snprintf(text + n, sizeof text - n,
                              "%s't%d':'" STEM "-%05d-of-00060.safetensors'", i > 1 ? "," : "", i,
                              i);
    snprintf(text + n, sizeof text - n, "}}");
    write_without_unet();
    write_json(scratch("m/unet/" STEM ".safetensors.index.json"), text);
    cr_assert_eq(unlink(scratch("m/text_encoder/config.json")), 0);
    expect_refused(scratch("m"), XL_EMODEL, "unet/" STEM "-00001-of-00060.safetensors (missing), ");
    cr_expect(strstr(err.text, " more"), "%s", err.text);
    cr_expect(strstr(err.text, scratch("m")), "%s", err.text);
}

Test(hub, other_files_are_no_weights) {
    static const char *const others[] = {"model.onnx",
                                         "flax_model.msgpack",
                                         "openvino_model.bin",
                                         "model_fp16.safetensors",
                                         "model.fp16.bak.safetensors",
                                         "model.fp16-00001-of-00002.ema.safetensors",
                                         "model.safetensors.part",
                                         "xmodel.safetensors",
                                         "model.safetensors.index",
                                         "model.safetensors.index.json.bak",
                                         ".model.safetensors",
                                         "model..safetensors"};
    write_folder(scratch("m"));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        scratch_puts(scratch("m/text_encoder/%s", others[i]), "x");
    struct xl_pipeline_files files = open_pipeline(scratch("m"));
    cr_expect_str_eq(chosen(&files, XL_TEXT_ENCODER, 0), "model.safetensors");
    cr_expect_null(files.component[XL_TEXT_ENCODER].notice, "%s",
                   files.component[XL_TEXT_ENCODER].notice);
    cr_assert_eq(unlink(scratch("m/text_encoder/model.safetensors")), 0);
    cr_assert_eq(unlink(scratch("m/text_encoder/openvino_model.bin")), 0);
    expect_refused(scratch("m"), XL_EMODEL,
                   "is incomplete: text_encoder/model.safetensors (missing) (in");
}

/* ---- digests ---- */

Test(hub, a_digest_is_the_name_of_the_blob) {
    scratch_puts(scratch("r/store/ff"), "x");
    scratch_puts(scratch("r/blobs/other"), "x");
    scratch_make_parents(scratch("r/snapshots/c/unet/x"));
    cr_assert_eq(symlink("../../../blobs/" SHA256, scratch("r/snapshots/c/unet/a")), 0);
    cr_assert_eq(symlink("../store/ff", scratch("r/blobs/" SHA256)), 0);
    cr_assert_eq(symlink("a", scratch("r/snapshots/c/unet/b")), 0);
    cr_assert_eq(symlink("../../../blobs/other", scratch("r/snapshots/c/unet/c")), 0);
    cr_assert_eq(symlink(COMMIT_1, scratch("r/snapshots/c/unet/d")), 0);
    cr_assert_eq(symlink(scratch("r/snapshots/c/unet/a"), scratch("r/snapshots/c/unet/e")), 0);
    cr_expect_str_eq(xl_hub_digest(scratch("r/snapshots/c/unet/e"), &arena), SHA256);
    cr_assert_eq(symlink("loop", scratch("r/snapshots/c/unet/loop")), 0);
    cr_expect_str_eq(xl_hub_digest(scratch("r/snapshots/c/unet/a"), &arena), SHA256);
    cr_expect_str_eq(xl_hub_digest(scratch("r/snapshots/c/unet/b"), &arena), SHA256);
    cr_expect_str_eq(xl_hub_digest(scratch("r/snapshots/c/unet/d"), &arena), COMMIT_1);
    cr_expect_null(xl_hub_digest(scratch("r/snapshots/c/unet/c"), &arena));
    cr_expect_null(xl_hub_digest(scratch("r/snapshots/c/unet/loop"), &arena));
    cr_expect_null(xl_hub_digest(scratch("r/store/ff"), &arena));
    cr_expect_null(xl_hub_digest(scratch("r/nothing"), &arena));
}

Test(hub, a_file_is_known_by_its_blob_or_its_content) {
    char digest[XL_SHA256_HEX];
    scratch_puts(scratch("r/blobs/" SHA256), "of another content");
    scratch_make_parents(scratch("r/snapshots/c/x"));
    cr_assert_eq(symlink("../../blobs/" SHA256, scratch("r/snapshots/c/a")), 0);
    cr_assert_eq(xl_hub_file_digest(scratch("r/snapshots/c/a"), digest, &err), XL_OK);
    cr_expect_str_eq(digest, SHA256);
    scratch_write(scratch("plain"), "abc", 3);
    cr_assert_eq(xl_hub_file_digest(scratch("plain"), digest, &err), XL_OK);
    cr_expect_str_eq(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    cr_expect_eq(xl_hub_file_digest(scratch("none"), digest, &err), XL_EINPUT);
    cr_expect(strstr(err.text, scratch("none")), "%s", err.text);
}

/* Each repository once, wherever its copies lie; others than SDXL pipelines not at all. */
Test(hub, the_repositories_of_the_cache_are_those_of_sdxl) {
    setenv("HF_HUB_CACHE", scratch("second"), 1);
    static const char *const ids[] = {"second/models--me--b",    "hf/hub/models--me--b",
                                      "hf/hub/models--me--a",    "hf/hub/models--bare",
                                      "hf/hub/models--me--flux", "hf/hub/models--me--empty",
                                      "hf/hub/datasets--me--d"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        scratch_puts(scratch("%s/refs/main", ids[i]), COMMIT_1);
        if (!strstr(ids[i], "empty"))
            write_json(scratch("%s/snapshots/" COMMIT_1 "/model_index.json", ids[i]),
                       strstr(ids[i], "flux") ? "{'_class_name':'FluxPipeline'}"
                                              : "{'_class_name':'StableDiffusionXLPipeline'}");
    }
    struct xl_hub_repositories found = {0};
    cr_assert_eq(xl_hub_repositories(&arena, &found, &err), XL_OK, "%s", err.text);
    cr_assert_eq(found.n, 3);
    cr_expect_str_eq(found.id[0], "me/b");
    cr_expect_str_eq(found.id[1], "bare");
    cr_expect_str_eq(found.id[2], "me/a");
}
