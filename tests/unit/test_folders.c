/* test_folders.c - files that are called by name: the folders they lie in, and LoRAs by name, path
 * and repository. */
#include "lab/data/loras.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct xl_arena arena;
static char root[] = "/tmp/test_folders.XXXXXX";

static const char *path(const char *name) {
    return xl_arena_printf(&arena, "%s/%s", root, name);
}

/* A file with its folders. */
static void put(const char *name, const char *text) {
    char *at = (char *)path(name);
    for (char *slash = at + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        mkdir(at, 0777);
        *slash = '/';
    }
    FILE *file = fopen(at, "w");
    cr_assert(file && fputs(text, file) >= 0 && !fclose(file), "%s", at);
}

/* The least that is a LoRA; number: of its file, so that no two are the same. */
static void put_lora(const char *name, char number) {
    static const char header[] =
        "{\"lora_unet_a.lora_down.weight\":{\"dtype\":\"F32\",\"shape\":[1,1],"
        "\"data_offsets\":[0,4]},\"lora_unet_a.lora_up.weight\":{\"dtype\":\"F32\","
        "\"shape\":[1,1],\"data_offsets\":[4,8]}}";
    const char n_header[8] = {(char)(sizeof header - 1)}, numbers[8] = {number};
    _Static_assert(sizeof header <= 256, "one byte says its length");
    put(name, "");
    FILE *file = fopen(path(name), "w");
    cr_assert(file && fwrite(n_header, 8, 1, file) && fputs(header, file) >= 0 &&
                  fwrite(numbers, 8, 1, file) && !fclose(file),
              "%s", name);
}

static void begin(void) {
    cr_assert_not_null(mkdtemp(root));
    setenv("HOME", root, 1);
    setenv("XDG_CONFIG_HOME", path("config"), 1);
    setenv("XDG_DATA_HOME", path("data"), 1);
    setenv("HF_HOME", path("hf"), 1);
    setenv("SDXL_LAB_SHARE", path("share"), 1);
    unsetenv("HF_HUB_CACHE");
    unsetenv("HUGGINGFACE_HUB_CACHE");
}

static void end(void) {
    char command[80];
    snprintf(command, sizeof command, "rm -rf %s", root);
    cr_assert_eq(system(command), 0);
    xl_arena_deinit(&arena);
}

TestSuite(folders, .init = begin, .fini = end);

static struct xl_named_files list(enum xl_named_kind kind) {
    struct xl_named_files files;
    struct xl_err err = {0};
    cr_assert_eq(xl_named_files_list(kind, &arena, &files, &err), XL_OK, "%s", err.text);
    return files;
}

Test(folders, own_files_then_those_of_folders_then_what_ships) {
    put("data/sdxl-lab/loras/glass.safetensors", "own");
    put("data/sdxl-lab/loras/styles/ink.SAFETENSORS", "");
    put("data/sdxl-lab/loras/notes.txt", "");
    put("data/sdxl-lab/loras/.hidden.safetensors", "");
    put("data/sdxl-lab/vaes/soft.safetensors", "");
    put("webui/Lora/glass.safetensors", "");
    put("config/sdxl-lab/comfy/rain.safetensors", "");
    put("share/models/lab-tiny-loras/turbo.safetensors", "");
    put("config/sdxl-lab/folders.yaml", "loras: [~/webui/Lora, comfy, ~/gone]\n");
    const struct xl_named_files files = list(XL_NAMED_LORAS);
    static const char *const below[] = {"glass", "styles/ink", "glass", "rain", "turbo"};
    cr_assert_eq(files.n, 5);
    for (int i = 0; i < 5; i++) cr_expect_str_eq(files.list[i].below, below[i]);
    cr_expect_eq(files.n_folders, 5);
    cr_expect_str_eq(xl_named_files_find(&files, "glass")->path,
                     path("data/sdxl-lab/loras/glass.safetensors"));
    cr_expect_eq(xl_named_files_find(&files, "styles/ink"), &files.list[1]);
    cr_expect_eq(xl_named_files_find(&files, "ink.safetensors"), &files.list[1]);
    cr_expect_eq(xl_named_files_find(&files, "Turbo"), &files.list[4]);
    cr_expect_null(xl_named_files_find(&files, "tubro"));
    char near[100];
    cr_expect_str_eq(xl_named_files_nearest(&files, "tubro", near, sizeof near), "\"turbo\"");
    cr_expect_eq(list(XL_NAMED_VAES).n, 1);
    cr_expect_eq(list(XL_NAMED_EMBEDDINGS).n, 0);
}

Test(folders, a_wrong_list_is_told_with_its_place) {
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"lora: [a]\n", "folders.yaml:1:1: \"lora\" is no kind of folder"},
        {"loras:\n  - a\n  - 5\n", "folders.yaml:3:5: expected a folder"},
        {"loras: {a: b}\n", "folders.yaml:1:8: expected a folder"},
        {"- a\n", "folders.yaml:1:1: expected kinds with folders"},
        {"loras: $NOT_THERE/x\n", "folders.yaml:1:8: "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct xl_named_files files;
        struct xl_err err = {0};
        put("config/sdxl-lab/folders.yaml", cases[i].text);
        cr_assert_eq(xl_named_files_list(XL_NAMED_LORAS, &arena, &files, &err), XL_OK);
        cr_expect(strstr(files.wrong, cases[i].says), "%s", files.wrong);
        const struct xl_lora_place *found;
        struct xl_loras *loras = xl_loras_new();
        cr_expect_eq(xl_loras_find(loras, "glass", &found, &err), XL_EINPUT);
        cr_expect(strstr(err.text, cases[i].says), "%s", err.text);
        xl_loras_free(loras);
    }
}

/* --- LoRAs ------------------------------------------------------------------------------------ */

static void expect_found(struct xl_loras *loras, const char *said, const char *file,
                         const char *short_name) {
    const struct xl_lora_place *found = NULL;
    struct xl_err err = {0};
    cr_assert_eq(xl_loras_find(loras, said, &found, &err), XL_OK, "%s: %s", said, err.text);
    cr_expect_str_eq(found->path, path(file));
    cr_expect_str_eq(found->said, short_name);
}

static void expect_refused(struct xl_loras *loras, const char *said, enum xl_status status,
                           const char *says) {
    const struct xl_lora_place *found = NULL;
    struct xl_err err = {0};
    cr_expect_eq(xl_loras_find(loras, said, &found, &err), status, "%s: %s", said, err.text);
    cr_expect(strstr(err.text, says), "%s", err.text);
}

#define COMMIT "0123456789012345678901234567890123456789"

static void put_repositories(void) {
    put("hf/hub/models--me--pixel/refs/main", COMMIT);
    put_lora("hf/hub/models--me--pixel/snapshots/" COMMIT "/pixel-xl.safetensors", 1);
    put("hf/hub/models--me--two/refs/main", COMMIT);
    put_lora("hf/hub/models--me--two/snapshots/" COMMIT "/one.safetensors", 2);
    put_lora("hf/hub/models--me--two/snapshots/" COMMIT "/two.safetensors", 3);
}

Test(folders, loras_are_found_by_what_people_call_them) {
    struct xl_loras *loras = xl_loras_new();
    put_lora("data/sdxl-lab/loras/glass.safetensors", 4);
    put_lora("elsewhere/rain.safetensors", 5);
    put_repositories();
    expect_found(loras, "glass", "data/sdxl-lab/loras/glass.safetensors", "glass");
    expect_found(loras, "~/elsewhere/rain.safetensors", "elsewhere/rain.safetensors", "rain");
    expect_found(loras, path("elsewhere"), "elsewhere/rain.safetensors", "rain");
    expect_found(loras, "me/pixel",
                 "hf/hub/models--me--pixel/snapshots/" COMMIT "/pixel-xl.safetensors", "me/pixel");
    expect_found(loras, "me/two:two.safetensors",
                 "hf/hub/models--me--two/snapshots/" COMMIT "/two.safetensors",
                 "me/two:two.safetensors");
    expect_found(loras, "pixel-xl",
                 "hf/hub/models--me--pixel/snapshots/" COMMIT "/pixel-xl.safetensors", "pixel-xl");
    const struct xl_lora_place *found = NULL;
    cr_assert_eq(xl_loras_find(loras, "glass", &found, NULL), XL_OK);
    char digest[XL_SHA256_HEX];
    cr_assert_eq(xl_sha256_file(found->path, digest, NULL), XL_OK);
    cr_expect_str_eq(found->digest, digest);
    cr_expect_eq(xl_loras_find_digest(loras, "glass", found->digest)->path != NULL, 1);
    cr_expect_null(xl_loras_find_digest(loras, "pixel-xl", found->digest));
    xl_loras_free(loras);
}

Test(folders, what_is_no_lora_is_told) {
    struct xl_loras *loras = xl_loras_new();
    put_lora("data/sdxl-lab/loras/glass.safetensors", 4);
    put("elsewhere/old.ckpt", "");
    put_repositories();
    expect_refused(loras, "glas", XL_EMODEL, "did you mean \"glass\"?");
    expect_refused(loras, "qqqqqqqqqq", XL_EMODEL, "loras, ");
    expect_refused(loras, "~/gone.safetensors", XL_EMODEL, "gone.safetensors is not there");
    expect_refused(loras, "~/elsewhere/old.ckpt", XL_EFORMAT, "expected a .safetensors file");
    expect_refused(loras, "me/two", XL_EMODEL, "one.safetensors, two.safetensors");
    expect_refused(loras, "me/two:three.safetensors", XL_EMODEL, "three.safetensors");
    expect_refused(loras, "me/gone", XL_EMODEL, "me/gone");
    xl_loras_free(loras);
}
