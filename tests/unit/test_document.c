/* test_document.c - settings from job files and objects, and back: types, slips and their places,
 * axes, round trips. */
#include "lab/settings/settings.h"

#include "base/yaml.h"
#include "lab/settings/axes.h"
#include "unit/scratch.h"

#include <criterion/criterion.h>
#include <string.h>

static struct xl_arena arena;
static struct xl_settings settings;
static struct xl_err err;

static void begin(void) {
    scratch_open();
    err.text[0] = 0;
    xl_settings_default(&settings);
}

static void end(void) {
    xl_arena_deinit(&arena);
    scratch_close();
}

TestSuite(document, .init = begin, .fini = end);

static enum xl_status read_text(const char *text) {
    const char *path = scratch("job.yaml");
    scratch_puts(path, text);
    err.text[0] = 0;
    xl_settings_default(&settings);
    settings.arena = &arena;
    return xl_settings_read_file(&settings, path, &arena, &err);
}

Test(document, a_job_file_sets_every_type) {
    setenv("HOME", "/home/me", 1);
    cr_assert_eq(read_text("prompt: \"a cat, asleep\"\n"
                           "negative: ''\n"
                           "model: SDXL Turbo\n"
                           "profile: None (raw)\n"
                           "width: 832\n"
                           "height: 1216\n"
                           "guidance: 7.5\n"
                           "seed: 18446744073709551615\n"
                           "mode: img2img\n"
                           "init-image: /in.png\n"
                           "output_dir: out\n"
                           "all-profiles: true\n"
                           "profiles_file: [a.yaml, ~/b.yaml]\n"
                           "models_file: c.yaml\n"),
                 XL_OK, "%s", err.text);
    cr_expect_str_eq(settings.prompt, "a cat, asleep");
    cr_expect_str_eq(settings.negative, "");
    cr_expect_str_eq(settings.model, "SDXL Turbo");
    cr_expect_str_eq(settings.profile, "None (raw)");
    cr_expect(settings.width == 832 && settings.height == 1216 && settings.guidance == 7.5);
    cr_expect(settings.has_seed && settings.seed == UINT64_MAX);
    cr_expect_eq(settings.mode, XL_MODE_IMG2IMG);
    cr_expect_str_eq(settings.init_image, "/in.png");
    cr_expect_str_eq(settings.output_dir, "out");
    cr_expect(settings.all_profiles && !settings.all_models);
    cr_assert_eq(settings.profile_files.n, 2);
    cr_expect_str_eq(settings.profile_files.item[1], "/home/me/b.yaml");
    cr_expect(settings.profile_files.item[0][0] == '/', "%s", settings.profile_files.item[0]);
    cr_assert_eq(settings.model_files.n, 1);
    cr_expect(xl_settings_is_given(&settings, "negative"));
    cr_expect_not(xl_settings_is_given(&settings, "steps"));
    cr_expect_eq(settings.steps, 30);
}

Test(document, json_is_read_too_and_null_says_nothing) {
    cr_assert_eq(read_text("{\"prompt\": \"caf\\u00e9 \\ud83d\\ude00\", \"steps\": 12, "
                           "\"negative\": null, \"seed\": \"-1\"}"),
                 XL_OK, "%s", err.text);
    cr_expect_str_eq(settings.prompt, "caf\xC3\xA9 \xF0\x9F\x98\x80");
    cr_expect_eq(settings.steps, 12);
    cr_expect_null(settings.negative);
    cr_expect_not(xl_settings_is_given(&settings, "negative"));
    cr_expect_not(settings.has_seed);
}

Test(document, a_prompt_that_looks_like_a_number_is_its_text) {
    cr_assert_eq(read_text("prompt: 1984\nnegative: 'true'\n"), XL_OK, "%s", err.text);
    cr_expect_str_eq(settings.prompt, "1984");
    cr_expect_str_eq(settings.negative, "true");
}

Test(document, refusals_name_the_file_the_key_and_the_reason) {
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"promt: a cat", "\"promt\" is no setting; did you mean \"prompt\"?"},
        {"stpes: 20", "did you mean \"steps\"?"},
        {"xyzzy: 1", "\"xyzzy\" is no setting"},
        {"count: 3", "\"count\" is no setting"}, /* of inspect noise */
        {"job: other.yaml", "\"job\" is no setting"},
        {"steps: many", "steps: \"many\" is not a whole number from 1 to 1000"},
        {"steps: 20.5", "steps: \"20.5\" is not a whole number"},
        {"steps: [20, 30]", "steps: found a list or a map, expected one value"},
        {"steps: {a: 1}", "steps: found a list or a map"},
        {"guidance: .nan", "guidance: \".nan\" is not a number"},
        {"seed: -2", "seed: \"-2\" is not a seed"},
        {"mode: sideways", "mode: \"sideways\" is not one of: auto, txt2img, img2img"},
        {"all_models: perhaps", "all_models: \"perhaps\" is neither true nor false"},
        {"profiles_file: [[a]]", "profiles_file: found a list or a map"},
        {"sweep: {steps: {from: 1}}", "\"steps\" needs a list of values"},
        {"- prompt", "expected a map of settings"},
        {"just words", "expected a map of settings"},
        {"prompt: a\nprompt: b", "job.yaml:2"},
        {"prompt: [", "job.yaml"},
        {"", "expected a map of settings"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum xl_status status = read_text(cases[i].text);
        cr_expect(status == XL_EINVAL || status == XL_EINPUT, "%s: %s", cases[i].text,
                  xl_status_name(status));
        cr_expect(strstr(err.text, cases[i].sentence), "%s: %s", cases[i].text, err.text);
        cr_expect(strstr(err.text, "job.yaml"), "%s", err.text);
    }
    cr_expect_eq(xl_settings_read_file(&settings, "/nowhere/job.yaml", &arena, &err), XL_EINPUT);
    cr_expect(strstr(err.text, "/nowhere/job.yaml"), "%s", err.text);
}

/* The sentence is that of the file's name, then `sentence`. */
static void refuse(enum xl_status status, const char *text, const char *sentence) {
    cr_expect_eq(read_text(text), status, "%s", text);
    const char *name = strstr(err.text, "job.yaml:");
    cr_assert_not_null(name, "%s: %s", text, err.text);
    cr_expect(!strncmp(name + strlen("job.yaml:"), sentence, strlen(sentence)),
              "\"%s\" does not begin \"%s\"", sentence, name);
}

/* Relative paths are those of the folder that the program was started in. */
Test(document, paths_are_written_as_they_are_found_from_every_folder) {
    static const char *const keys[] = {"output_dir", "init_image", "models_file", "profiles_file"};
    setenv("HOME", "/home/me", 1);
    cr_assert_eq(read_text("output_dir: out\ninit_image: in.png\nmodels_file: m.yaml\n"
                           "profiles_file: ~/p.yaml\nsweep: {prompt: '@p.txt', init_image: [a]}\n"),
                 XL_EINPUT, "there is no p.txt");
    scratch_puts(scratch("p.txt"), "a cat\n");
    cr_assert_eq(chdir(scratch_dir), 0);
    cr_assert_eq(read_text("output_dir: out\ninit_image: in.png\nmodels_file: m.yaml\n"
                           "profiles_file: ~/p.yaml\nsweep: {prompt: '@p.txt', init_image: [a]}\n"),
                 XL_OK, "%s", err.text);
    cr_expect_str_eq(settings.output_dir, "out");
    json_t *object = xl_settings_write_object(&settings);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const json_t *value = json_object_get(object, keys[i]);
        const char *text =
            json_string_value(json_is_array(value) ? json_array_get(value, 0) : value);
        cr_expect(text && text[0] == '/', "%s: %s", keys[i], text);
    }
    const json_t *sweep = json_object_get(object, "sweep");
    cr_expect(strstr(json_string_value(json_array_get(sweep, 0)), "prompt=@/"));
    cr_expect(strstr(json_string_value(json_array_get(sweep, 1)), "init_image=[\"/"));
    json_decref(object);
    cr_expect_eq(read_text("output_dir: $NOBODY_SET_THIS/x\n"), XL_EINVAL);
    cr_expect(strstr(err.text, ":1:13: output_dir: \"$NOBODY_SET_THIS/x\": $NOBODY_SET_THIS"), "%s",
              err.text);
}

Test(document, an_unknown_setting_is_told_with_its_place) {
    refuse(XL_EINVAL, "# c\nprompt: x\n\nstepz: 20\n",
           "4:1: \"stepz\" is no setting; did you mean \"steps\"?");
    refuse(XL_EINVAL, "{\"prompt\": \"é\", \"job\": \"x\"}", "1:17: \"job\" is no setting");
    refuse(XL_EINVAL, "{\"prompt\": \"\\ud83d\\ude00\",\n \"stepz\": 1}", "2:2: \"stepz\"");
}

Test(document, a_wrong_value_is_told_with_its_place) {
    refuse(XL_EINVAL, "steps: many\n", "1:8: steps: \"many\" is not a whole number from 1 to 1000");
    refuse(XL_EINVAL, "output_dir:\n  - x\n",
           "2:3: output_dir: found a list or a map, expected one value");
    refuse(XL_EINVAL, "models_file: [m, [n]]\n", "1:18: models_file: found a list or a map");
    refuse(XL_EINVAL, "\n- prompt\n", "2:1: expected a map of settings");
    refuse(XL_EINPUT, "steps: 3\nsteps: 4\n",
           "2:1: the key \"steps\" is there twice, first on line 1");
}

/* Every option whose name can be written in two ways. */
Test(document, a_setting_in_two_spellings_is_told_with_both_lines) {
    const struct xl_option *option;
    int n = 0;
    for (int i = 0; (option = xl_option_at(i)); i++) {
        char key[64], text[256], sentence[256];
        if (!(option->commands & XL_FOR_GENERATE) || !strchr(option->name, '-')) continue;
        n++;
        snprintf(key, sizeof key, "%s", option->name);
        for (char *c = key; *c; c++) *c = *c == '-' ? '_' : *c;
        snprintf(text, sizeof text, "prompt: a\n%s:\n\n%s:\n", key, option->name);
        snprintf(sentence, sizeof sentence, "4:1: \"%s\" is there already as \"%s\" (",
                 option->name, key);
        refuse(XL_EINVAL, text, sentence);
        cr_expect(strstr(err.text, "job.yaml:2);"), "%s", err.text);
    }
    cr_expect_gt(n, 5);
    refuse(XL_EINVAL, "sweep:\n  init-image: [a]\n  init_image: [b]\n",
           "3:3: \"init_image\" is there already as \"init-image\" (");
}

Test(document, a_wrong_axis_is_told_with_its_place) {
    refuse(XL_EINVAL, "sweep:\n  stepz: [1, 2]\n",
           "2:3: --sweep stepz=[1,2]: \"stepz\" is no setting");
    refuse(XL_EINVAL, "sweep:\n  steps: [1, x]\n", "2:14: --sweep steps=[1,\"x\"]: \"x\" is not");
    refuse(XL_EINVAL, "sweep:\n  rng:\n    - torch-cpu\n    - torch\n",
           "4:7: --sweep rng=[\"torch-cpu\",\"torch\"]: \"torch\" is not one of");
    refuse(XL_EINVAL, "sweep:\n  seed: 1..10:3\n", "2:9: --sweep seed=1..10:3: ");
    refuse(XL_EINVAL, "sweep: {steps: {}}\n", "1:16: sweep: \"steps\" needs a list of values");
    refuse(XL_EINVAL, "sweep: [steps=1, stepz=1]\n",
           "1:18: --sweep stepz=1: \"stepz\" is no setting");
    refuse(XL_EINVAL, "sweep: steps=x\n", "1:8: --sweep steps=x: \"x\" is not");
    refuse(XL_EINPUT, "sweep: {prompt: '@/nowhere.txt'}\n", "1:17: /nowhere.txt: cannot open");
}

/* run.json and requests: there is no file that somebody could correct. */
Test(document, an_object_has_no_places) {
    json_t *object = NULL;
    const char *text = "{steps: many}";
    cr_assert_eq(xl_yaml_parse("t", text, strlen(text), NULL, &object, &err), XL_OK);
    cr_expect_eq(xl_settings_read_object(&settings, "request", object, &arena, &err), XL_EINVAL);
    cr_expect_str_eq(err.text, "request: steps: \"many\" is not a whole number from 1 to 1000");
    json_object_clear(object);
    json_object_set_new(object, "stepz", json_integer(1));
    cr_expect_eq(xl_settings_read_object(&settings, "request", object, &arena, &err), XL_EINVAL);
    cr_expect_str_eq(err.text, "request: \"stepz\" is no setting; did you mean \"steps\"?");
    /* An axis is checked when it is drawn: the file that it names may be gone by now. */
    json_object_clear(object);
    json_object_set_new(object, "sweep", json_pack("{s:s}", "prompt", "@/nowhere.txt"));
    cr_expect_eq(xl_settings_read_object(&settings, "request", object, &arena, &err), XL_OK);
    cr_expect_eq(settings.sweep.n, 1);
    json_decref(object);
}

/* The values of an axis of the settings joined by '|'. */
static const char *axis(int i) {
    static char out[512];
    struct xl_axis parsed;
    out[0] = 0;
    cr_assert_lt(i, settings.sweep.n);
    cr_assert_eq(xl_axis_parse(settings.sweep.item[i], NULL, &arena, &parsed, &err), XL_OK, "%s",
                 err.text);
    snprintf(out, sizeof out, "%s:", parsed.option->name);
    for (int k = 0; k < parsed.n; k++) {
        strcat(out, k ? "|" : " ");
        strcat(out, parsed.values[k]);
    }
    return parsed.is_all ? strcat(out, " all") : out;
}

Test(document, axes_as_a_map_and_as_a_list) {
    cr_assert_eq(read_text("sweep:\n"
                           "  steps: [20, 30]\n"
                           "  guidance: 5:6:0.5\n"
                           "  seed: 1..3\n"
                           "  profile: [\"Tim Burton\", \"None (raw)\"]\n"
                           "  prompt:\n"
                           "    - 'a cat, asleep'\n"
                           "    - 'say \"hi\" [now] = @x'\n"
                           "  model: all\n"
                           "  strength: [0.25]\n"
                           "  height: 64\n"),
                 XL_OK, "%s", err.text);
    cr_assert_eq(settings.sweep.n, 8);
    cr_expect_str_eq(axis(0), "steps: 20|30");
    cr_expect_str_eq(axis(1), "guidance: 5|5.5|6");
    cr_expect_str_eq(axis(2), "seed: 1|2|3");
    cr_expect_str_eq(axis(3), "profile: Tim Burton|None (raw)");
    cr_expect_str_eq(axis(4), "prompt: a cat, asleep|say \"hi\" [now] = @x");
    cr_expect_str_eq(axis(5), "model: all");
    cr_expect_str_eq(axis(6), "strength: 0.25");
    cr_expect_str_eq(axis(7), "height: 64");
    cr_assert_eq(read_text("sweep: [steps=20, 'seed=1..2']\n"), XL_OK, "%s", err.text);
    cr_assert_eq(settings.sweep.n, 2);
    cr_expect_str_eq(axis(1), "seed: 1|2");
    cr_assert_eq(read_text("sweep: steps=7\n"), XL_OK, "%s", err.text);
    cr_expect_str_eq(axis(0), "steps: 7");
}

/* Not any text is a value of these. */
static const char *checked_text(const char *name) {
    if (!strcmp(name, "gpus")) return "GPU-ab12,GPU-cd34";
    return strcmp(name, "wait") ? "reference" : "1h30m";
}

/* Every setting that a request may have, with a value that is not its default. */
static void set_everything(void) {
    const struct xl_option *option;
    for (int i = 0; (option = xl_option_at(i)); i++) {
        const char *text = "say \"hi\",\n\\ caf\xC3\xA9 \xF0\x9F\x98\x80";
        char number[32];
        if (!(option->commands & XL_FOR_GENERATE) || !strcmp(option->name, "job")) continue;
        if (!strcmp(option->name, "from")) continue; /* as a job, what it says is there itself */
        if (option->is_passing) continue;
        switch (option->type) {
        case XL_OPTION_INT:
            snprintf(number, sizeof number, "%.0f", option->max);
            text = xl_arena_strdup(&arena, number);
            break;
        case XL_OPTION_REAL: /* no short decimal: all its digits count */
            snprintf(number, sizeof number, "%.17g", option->min + (option->max - option->min) / 3);
            text = xl_arena_strdup(&arena, number);
            break;
        case XL_OPTION_SEED:
            text = "18446744073709551615";
            break;
        case XL_OPTION_CHOICE:
            text = option->choices[1];
            break;
        case XL_OPTION_SWITCH:
            text = NULL;
            break;
        case XL_OPTION_LIST:
            cr_assert_eq(xl_settings_set(&settings, option, "test", "steps=1,2", &err), XL_OK);
            if (!strcmp(option->name, "sweep")) /* a job file's axes must be good */
                text = "prompt=[\"say \\\"hi\\\",\\n caf\xC3\xA9 \xF0\x9F\x98\x80\"]";
            break;
        case XL_OPTION_STRING:
            if (option->check) text = checked_text(option->name);
            break;
        }
        cr_assert_eq(xl_settings_set(&settings, option, "test", text, &err), XL_OK, "%s", err.text);
    }
}

static void expect_same(const struct xl_settings *a, const struct xl_settings *b) {
    json_t *first = xl_settings_write_object(a), *second = xl_settings_write_object(b);
    cr_assert(first && second);
    cr_expect(json_equal(first, second), "%s\n%s", json_dumps(first, 0), json_dumps(second, 0));
    cr_expect_eq(a->given, b->given);
    json_decref(first);
    json_decref(second);
}

Test(document, what_is_written_is_read_back) {
    set_everything();
    json_t *object = xl_settings_write_object(&settings);
    cr_assert_not_null(object);
    const struct xl_option *option;
    for (int i = 0; (option = xl_option_at(i)); i++)
        cr_expect(!(settings.given >> i & 1) || !strchr(option->name, '-') ||
                      !json_object_get(object, option->name),
                  "%s is written with '_'", option->name);
    struct xl_settings again;
    xl_settings_default(&again);
    cr_assert_eq(xl_settings_read_object(&again, "object", object, &arena, &err), XL_OK, "%s",
                 err.text);
    expect_same(&settings, &again);
    cr_expect(again.guidance == settings.guidance && again.strength == settings.strength);
    cr_expect_eq(again.seed, UINT64_MAX);
    cr_expect_str_eq(again.prompt, settings.prompt);
    cr_expect_eq(again.sweep.n, 2);
    json_decref(object);
}

Test(document, what_passes_is_not_written) {
    cr_assert_eq(xl_settings_set(&settings, xl_option_find("on"), "--on", "slurm", &err), XL_OK);
    cr_assert_eq(xl_settings_set(&settings, xl_option_find("steps"), "--steps", "3", &err), XL_OK);
    json_t *object = xl_settings_write_object(&settings);
    cr_assert_not_null(object);
    cr_expect_eq(json_object_size(object), 1, "a run on a cluster is gone on with anywhere");
    cr_expect_not_null(json_object_get(object, "steps"));
    json_decref(object);
}

Test(document, what_is_written_into_a_file_is_read_back) {
    set_everything();
    json_t *object = xl_settings_write_object(&settings);
    char *text = json_dumps(object, JSON_INDENT(2));
    const char *path = scratch("run.json");
    scratch_puts(path, text);
    struct xl_settings again;
    xl_settings_default(&again);
    cr_assert_eq(xl_settings_read_file(&again, path, &arena, &err), XL_OK, "%s", err.text);
    expect_same(&settings, &again);
    free(text);
    json_decref(object);
}

Test(document, only_what_was_given_is_written) {
    json_t *object = xl_settings_write_object(&settings);
    cr_expect_eq(json_object_size(object), 0);
    json_decref(object);
    cr_assert_eq(read_text("seed: -1\nnegative: ''\nall_models: false\n"), XL_OK);
    object = xl_settings_write_object(&settings);
    cr_expect_eq(json_object_size(object), 3);
    cr_expect_eq(json_integer_value(json_object_get(object, "seed")), -1);
    cr_expect_str_eq(json_string_value(json_object_get(object, "negative")), "");
    cr_expect(json_is_false(json_object_get(object, "all_models")));
    json_decref(object);
}

Test(document, the_example_is_a_job) {
    cr_assert_eq(
        xl_settings_read_file(&settings, XL_SOURCE_DIR "/examples/night.yaml", &arena, &err), XL_OK,
        "%s", err.text);
    cr_expect(settings.prompt || settings.sweep.n);
    for (int i = 0; i < settings.sweep.n; i++) axis(i);
}
