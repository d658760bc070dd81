/* test_download_select.c - which files of a repository are downloaded: the listings of ten real
 * repositories (tests/data/hub), and the corners; and the hub's answers that listings are read off.
 */
#include "hub/download/select.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const char blob[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/* A listing, and of each file whether it is to be downloaded, or is there already ('='). */
struct example {
    struct xl_arena arena;
    struct xl_repo_listing listing;
    bool expected[64], is_there[64];
};

static void add(struct example *example, char mark, long long size, const char *path) {
    char page[512];
    struct xl_err err = {0};
    int i = example->listing.n;
    int n = snprintf(page, sizeof page,
                     "[{\"type\":\"file\",\"oid\":\"%.40s\",\"size\":%lld,\"path\":\"%s\"}]", blob,
                     size, path);
    cr_assert_lt(i, 64);
    example->expected[i] = mark != '-';
    example->is_there[i] = mark == '=';
    cr_assert_eq(
        xl_repo_listing_add(&example->listing, "page", page, (size_t)n, &example->arena, &err),
        XL_OK, "%s", err.text);
}

/* Lines "MARK SIZE PATH". */
static void read_example(struct example *example, const char *name) {
    char path[512], line[512], file[400], mark;
    long long size;
    snprintf(path, sizeof path, "%s/tests/data/hub/%s.txt", XL_SOURCE_DIR, name);
    FILE *in = fopen(path, "r");
    cr_assert(in, "%s", path);
    while (fgets(line, sizeof line, in))
        if (line[0] != '#' && sscanf(line, "%c %lld %399s", &mark, &size, file) == 3)
            add(example, mark, size, file);
    fclose(in);
    cr_assert_gt(example->listing.n, 2);
}

static void add_text(struct example *example, const char *lines) {
    char file[400], mark;
    for (const char *at = lines; at; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (sscanf(at, "%c %399s", &mark, file) == 2) add(example, mark, 1000, file);
    }
}

static enum xl_status select_of(struct example *example, const char *file,
                                struct xl_selection *selection, struct xl_err *err) {
    return xl_hub_select(&example->listing, "org/name", file, example->is_there, &example->arena,
                         selection, err);
}

static void expect(struct example *example, enum xl_repo_kind kind) {
    struct xl_selection selection;
    struct xl_err err = {0};
    cr_assert_eq(select_of(example, NULL, &selection, &err), XL_OK, "%s", err.text);
    cr_expect_eq(selection.kind, kind);
    for (int i = 0; i < example->listing.n; i++)
        cr_expect_eq(selection.wanted[i], example->expected[i], "%s",
                     example->listing.file[i].path);
    xl_arena_deinit(&example->arena);
}

static void expect_failure(struct example *example, const char *file, enum xl_status status,
                           const char *text) {
    struct xl_selection selection;
    struct xl_err err = {0};
    cr_expect_eq(select_of(example, file, &selection, &err), status, "%s", err.text);
    cr_expect(strstr(err.text, text), "%s", err.text);
    xl_arena_deinit(&example->arena);
}

Test(select, ten_repositories) {
    static const struct {
        const char *name;
        enum xl_repo_kind kind;
    } examples[] = {
        {"sdxl-base", XL_REPO_PIPELINE},   {"sdxl-turbo", XL_REPO_PIPELINE},
        {"realvis", XL_REPO_PIPELINE},     {"cyberrealistic", XL_REPO_PIPELINE},
        {"animagine", XL_REPO_PIPELINE},   {"juggernaut", XL_REPO_PIPELINE},
        {"dreamshaper", XL_REPO_PIPELINE}, {"epicrealism", XL_REPO_FILE},
        {"pixel-art", XL_REPO_FILE},       {"anime-illust", XL_REPO_PIPELINE},
    };
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        struct example example = {.listing = {0}};
        read_example(&example, examples[i].name);
        expect(&example, examples[i].kind);
    }
}

/* About seven gigabytes of forty-six. */
Test(select, bytes_of_the_base_model) {
    struct example example = {.listing = {0}};
    struct xl_selection selection;
    struct xl_err err = {0};
    int64_t all = 0, chosen = 0;
    read_example(&example, "sdxl-base");
    cr_assert_eq(select_of(&example, NULL, &selection, &err), XL_OK, "%s", err.text);
    for (int i = 0; i < example.listing.n; i++) {
        all += example.listing.file[i].size;
        chosen += selection.wanted[i] ? example.listing.file[i].size : 0;
    }
    cr_expect_gt(all, 70000000000);
    cr_expect_lt(chosen, 7000000000);
    cr_expect_gt(chosen, 6900000000);
    xl_arena_deinit(&example.arena);
}

#define SMALL                                                                                      \
    "+ model_index.json\n+ scheduler/scheduler_config.json\n+ tokenizer/vocab.json\n"              \
    "+ unet/config.json\n+ vae/config.json\n+ text_encoder/config.json\n"                          \
    "+ text_encoder_2/config.json\n"
#define ENCODERS "+ text_encoder/model.safetensors\n+ text_encoder_2/model.safetensors\n"
#define VAE "+ vae/diffusion_pytorch_model.safetensors\n"

/* What is there already is not downloaded again in half the size; of one component alone. */
Test(select, what_is_there_stays) {
    struct example example = {.listing = {0}};
    add_text(&example, SMALL ENCODERS VAE "= unet/diffusion_pytorch_model.safetensors\n"
                                          "- unet/diffusion_pytorch_model.fp16.safetensors\n");
    expect(&example, XL_REPO_PIPELINE);
}

/* Shards whose index or whose other half is missing are no set. */
Test(select, incomplete_sets) {
    struct example example = {.listing = {0}};
    add_text(&example,
             SMALL ENCODERS VAE "+ unet/diffusion_pytorch_model.safetensors\n"
                                "- unet/diffusion_pytorch_model.fp16-00001-of-00002.safetensors\n"
                                "- unet/diffusion_pytorch_model.fp16.safetensors.index.json\n");
    expect(&example, XL_REPO_PIPELINE);
    example = (struct example){.listing = {0}};
    add_text(&example,
             SMALL ENCODERS VAE "- unet/diffusion_pytorch_model-00001-of-00002.safetensors\n"
                                "- unet/diffusion_pytorch_model-00002-of-00002.safetensors\n"
                                "+ unet/diffusion_pytorch_model.bf16.safetensors\n");
    expect(&example, XL_REPO_PIPELINE);
}

/* Of an encoder the file comes before shards, as transformers has it. */
Test(select, encoder_shards) {
    struct example example = {.listing = {0}};
    add_text(&example, SMALL ENCODERS VAE "+ unet/diffusion_pytorch_model.fp16.safetensors\n"
                                          "- text_encoder/model-00001-of-00001.safetensors\n"
                                          "- text_encoder/model.safetensors.index.json\n");
    expect(&example, XL_REPO_PIPELINE);
}

Test(select, a_component) {
    struct example example = {.listing = {0}};
    add_text(&example, "- README.md\n+ config.json\n+ diffusion_pytorch_model.safetensors\n"
                       "- diffusion_pytorch_model.bin\n- sdxl_vae.safetensors\n");
    expect(&example, XL_REPO_COMPONENT);
}

Test(select, a_file_that_is_asked_for) {
    struct example example = {.listing = {0}};
    struct xl_selection selection;
    struct xl_err err = {0};
    read_example(&example, "animagine");
    cr_assert_eq(select_of(&example, "animagine-xl-4.0-opt.safetensors", &selection, &err), XL_OK,
                 "%s", err.text);
    for (int i = 0; i < example.listing.n; i++)
        cr_expect_eq(selection.wanted[i], strstr(example.listing.file[i].path, "-opt.") != NULL);
    expect_failure(&example, "no.safetensors", XL_EMODEL, "has no file no.safetensors");
}

Test(select, refused) {
    struct example example = {.listing = {0}};
    add_text(&example, "+ a.safetensors\n+ b.safetensors\n");
    expect_failure(&example, NULL, XL_EINVAL, "a.safetensors, b.safetensors; say which");
    example = (struct example){.listing = {0}};
    add_text(&example, "+ model.ckpt\n+ README.md\n");
    expect_failure(&example, NULL, XL_EFORMAT, "pickles only");
    example = (struct example){.listing = {0}};
    add_text(&example, "+ model.ckpt\n");
    expect_failure(&example, "model.ckpt", XL_EFORMAT, "never read");
    example = (struct example){.listing = {0}};
    add_text(&example, SMALL ENCODERS VAE "- unet/diffusion_pytorch_model.bin\n");
    expect_failure(&example, NULL, XL_EFORMAT, "weights in unet are pickles");
    example = (struct example){.listing = {0}};
    add_text(&example, "+ model_index.json\n+ transformer/config.json\n");
    expect_failure(&example, NULL, XL_EFORMAT, "has no unet/config.json");
    example = (struct example){.listing = {0}};
    add_text(&example, "+ README.md\n");
    expect_failure(&example, NULL, XL_EFORMAT, "neither model_index.json nor");
    example = (struct example){.listing = {0}};
    expect_failure(&example, NULL, XL_EFORMAT, "neither model_index.json nor");
}

/* --- The hub's answers -------------------------------------------------------------------------
 */

static enum xl_status page(struct example *example, const char *text, struct xl_err *err) {
    return xl_repo_listing_add(&example->listing, "page", text, strlen(text), &example->arena, err);
}

Test(listing, pages) {
    struct example example = {.listing = {0}};
    struct xl_err err = {0};
    cr_assert_eq(
        page(&example,
             "[{\"type\":\"directory\",\"oid\":\"x\",\"size\":0,\"path\":\"unet\"},"
             "{\"type\":\"file\",\"oid\":\"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391\","
             "\"size\":134,\"lfs\":{\"oid\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934"
             "ca495991b7852b855\",\"size\":5135149760,\"pointerSize\":134},"
             "\"path\":\"unet/a.safetensors\"}]",
             &err),
        XL_OK, "%s", err.text);
    cr_assert_eq(page(&example,
                      "[{\"type\":\"file\",\"oid\":\"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391\","
                      "\"size\":12,\"path\":\"README.md\"}]",
                      &err),
                 XL_OK, "%s", err.text);
    cr_assert_eq(example.listing.n, 2);
    const struct xl_repo_file *file = xl_repo_listing_find(&example.listing, "unet/a.safetensors");
    cr_assert(file);
    cr_expect_eq(file->size, 5135149760);
    cr_expect_str_eq(file->blob, blob);
    cr_expect(!xl_repo_listing_find(&example.listing, "unet"));
    xl_arena_deinit(&example.arena);
}

Test(listing, hostile) {
    static const char *const paths[] = {"../a", "a/../b", "/etc/passwd", "a//b",  "",  "a/",
                                        ".",    "a\\\\b", "a\\nb",       "a/./b", ".."};
    struct xl_err err = {0};
    char text[300];
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct example example = {.listing = {0}};
        snprintf(text, sizeof text,
                 "[{\"type\":\"file\",\"oid\":\"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391\","
                 "\"size\":12,\"path\":\"%s\"}]",
                 paths[i]);
        cr_expect_eq(page(&example, text, &err), XL_ENETWORK, "%s", paths[i]);
        cr_expect_eq(example.listing.n, 0);
        xl_arena_deinit(&example.arena);
    }
    static const char *const texts[] = {
        "",
        "{}",
        "[",
        "null",
        "<html>",
        "[{\"type\":\"file\"}]",
        "[{\"type\":\"file\",\"oid\":\"../../x\",\"size\":12,\"path\":\"a\"}]",
        "[{\"type\":\"file\",\"oid\":\"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391\",\"size\":-1,"
        "\"path\":\"a\"}]",
        "[{\"type\":\"file\",\"oid\":\"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391\",\"size\":\"1\","
        "\"path\":\"a\"}]"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct example example = {.listing = {0}};
        cr_expect_eq(page(&example, texts[i], &err), XL_ENETWORK, "%s", texts[i]);
        xl_arena_deinit(&example.arena);
    }
}

static enum xl_status info(const char *text, struct xl_arena *arena, struct xl_repo_info *out,
                           struct xl_err *err) {
    return xl_repo_info_read("info", text, strlen(text), arena, out, err);
}

#define SHA "\"sha\":\"462165984030d82259a11f4367a4eed129e94a7b\""

Test(listing, info) {
    struct xl_arena arena = {0};
    struct xl_repo_info out;
    struct xl_err err = {0};
    cr_assert_eq(info("{" SHA ",\"gated\":false,\"cardData\":{\"license\":\"openrail++\"}}", &arena,
                      &out, &err),
                 XL_OK, "%s", err.text);
    cr_expect_str_eq(out.commit, "462165984030d82259a11f4367a4eed129e94a7b");
    cr_expect_str_eq(out.licence, "openrail++");
    cr_expect(!out.is_gated);
    cr_assert_eq(
        info("{" SHA ",\"gated\":\"auto\",\"tags\":[\"x\",\"license:other\"]}", &arena, &out, &err),
        XL_OK, "%s", err.text);
    cr_expect_str_eq(out.licence, "other");
    cr_expect(out.is_gated);
    cr_assert_eq(info("{" SHA "}", &arena, &out, &err), XL_OK, "%s", err.text);
    cr_expect_str_eq(out.licence, "");
    cr_expect_eq(info("{\"sha\":\"../../../etc\"}", &arena, &out, &err), XL_ENETWORK);
    cr_expect_eq(info("{}", &arena, &out, &err), XL_ENETWORK);
    cr_expect_eq(info("[]", &arena, &out, &err), XL_ENETWORK);
    xl_arena_deinit(&arena);
}
