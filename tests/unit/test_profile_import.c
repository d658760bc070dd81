/* test_profile_import.c - styles of other programs become profiles, hostile ones do not. */
#include "lab/data/profile_import.h"

#include "unit/config.h"

static struct xl_profiles *known;
static struct xl_import import;
static struct xl_err err;

static void load(void) {
    xl_profiles_free(known);
    known = NULL;
    cr_assert_eq(xl_profiles_load(NULL, 0, &known, &err), XL_OK, "%s", err.text);
}
static void set_up(void) {
    config_open();
    load();
}
static void tear_down(void) {
    xl_profiles_free(known);
    xl_import_deinit(&import);
    scratch_close();
}
TestSuite(profile_import, .init = set_up, .fini = tear_down);

static enum xl_status run_n(const char *name, const char *text, size_t n, bool is_forced) {
    const char *path = scratch("%s", name);
    scratch_write(path, text, n);
    xl_import_deinit(&import);
    err.text[0] = 0;
    return xl_profiles_import(path, NULL, known, is_forced, &import, &err);
}
static enum xl_status run(const char *name, const char *text) {
    return run_n(name, text, strlen(text), false);
}

/* The imported profiles are there and are these: name, prompt, negative. */
static void expect_profile(const char *name, const char *prompt, const char *negative) {
    const struct xl_profile *profile = NULL;
    struct xl_err why = {0};
    cr_assert_eq(xl_profiles_find(known, name, &profile, &why), XL_OK, "%s", why.text);
    cr_expect_str_eq(profile->name, name);
    cr_expect_str_eq(profile->prompt, prompt);
    cr_expect_str_eq(profile->negative, negative);
}

Test(profile_import, styles_csv_there_and_back) {
    cr_assert_eq(run("My Styles.csv", "\xEF\xBB\xBFname,prompt,negative_prompt\r\n"
                                      "Plain,\"ink, gold\",blurry\r\n"
                                      "\r\n"
                                      "Template,\"a print of {prompt}, \"\"quoted\"\" \\ : # {}\","
                                      "\"a, b\"\r\n"
                                      "Lines,\"one,\ntwo,\r\n  three\",\r\n"
                                      "\"Ünï, 水彩\",x,\"{prompt}, y\"\n"
                                      "=cmd()|' /C calc'!A0,@SUM(1),-1\n"
                                      "Last,no newline"),
                 XL_OK, "%s", err.text);
    cr_expect_eq(import.n, 6);
    cr_expect_eq(import.n_imported, 6);
    cr_expect_str_eq(import.path, config_file("profiles.d/my-styles.yaml"));
    load();
    cr_expect_eq(xl_profiles_count(known), 29 + 6);
    expect_profile("Plain", "ink, gold", "blurry");
    expect_profile("Template", "a print of {prompt}, \"quoted\" \\ : # {}", "a, b");
    expect_profile("Lines", "one, two,   three", "");
    expect_profile("Ünï, 水彩", "x", "{prompt}, y");
    expect_profile("=cmd()|' /C calc'!A0", "@SUM(1)", "-1");
    expect_profile("Last", "no newline", "");
}

Test(profile_import, columns_in_any_order_and_the_old_name_of_prompt) {
    cr_assert_eq(run("a.csv", "extra, Negative_Prompt ,NAME,text\n1,bad,Old,words\n"), XL_OK);
    load();
    expect_profile("Old", "words", "bad");
}

/* The reason why a row is left out. */
static void expect_left_out(int i, const char *why) {
    cr_assert_lt(i, import.n);
    cr_expect_not_null(import.rows[i].left_out, "row %d", i);
    if (import.rows[i].left_out)
        cr_expect_not_null(strstr(import.rows[i].left_out, why), "\"%s\" is not in \"%s\"", why,
                           import.rows[i].left_out);
}

/* What spreadsheets and people make of the first line. */
Test(profile_import, headers_as_they_are_written) {
    static const char *const files[] = {
        "Name,Prompt,Negative Prompt\nA,\"x, y\",\"b, c\"\n",
        "name,negative prompt,prompt\nA,\"b, c\",\"x, y\"\n",
        " NAME , text ,NEGATIVE-PROMPT\nA,\"x, y\",\"b, c\"\n",
        "negativeprompt;name;prompt\nb, c;A;x, y\n",
        "sep=;\r\nname;prompt;negative_prompt\r\n\"A\";x, y;\"b, c\"\r\n",
        "name\tprompt\tnegative_prompt\nA\tx, y\tb, c\n",
        "name,prompt,negative_prompt,,\nA,\"x, y\",\"b, c\",,\n",
        "\"style\",\"positive\",\"negative\"\n\"A\",\"x, y\",\"b, c\"",
        "prompt,name,negative_prompt\r\"x, y\",A,\"b, c\"\r",
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char name[32];
        snprintf(name, sizeof name, "a%zu.csv", i);
        cr_assert_eq(run_n(name, files[i], strlen(files[i]), true), XL_OK, "%s", err.text);
        cr_expect_null(import.columns, "%s: %s", files[i], import.columns);
        load();
        expect_profile("A", "x, y", "b, c");
    }
}

Test(profile_import, columns_that_are_not_understood_are_named) {
    cr_assert_eq(run("a.csv", "name,prompt,Negatif,model\nA,x,y,z\n"), XL_OK, "%s", err.text);
    cr_expect_str_eq(import.columns, "\"Negatif\", \"model\"");
    load();
    expect_profile("A", "x", "");
}

Test(profile_import, texts_that_moved_into_the_next_column_are_left_out) {
    cr_assert_eq(
        run("a.csv", "name,prompt,negative_prompt\nA,x,y\nB,x, y,z\nC,“x, y”,z\nD,x,y,,\n"), XL_OK,
        "%s", err.text);
    expect_left_out(1, "it has 4 columns, and the first line names 3; texts with a comma");
    expect_left_out(2, "it has 4 columns");
    cr_expect_eq(import.n_imported, 2);
}

Test(profile_import, a_second_file_goes_under_another_name) {
    const char *path = scratch("styles.csv");
    cr_assert_eq(run("styles.csv", "name,prompt\nA,x\n"), XL_OK, "%s", err.text);
    cr_expect_eq(run("styles.csv", "name,prompt\nB,x\n"), XL_EINVAL);
    cr_expect_not_null(strstr(err.text, "--name"), "%s", err.text);
    xl_import_deinit(&import);
    cr_assert_eq(xl_profiles_import(path, "Second one", known, false, &import, &err), XL_OK, "%s",
                 err.text);
    cr_expect_str_eq(import.path, config_file("profiles.d/second-one.yaml"));
    load();
    expect_profile("A", "x", "");
    expect_profile("B", "x", "");
}

Test(profile_import, fooocus_json_there_and_back) {
    cr_assert_eq(run("sdxl_styles_x.json",
                     " [{\"name\": \"sai-x\", \"prompt\": \"x {prompt} . y\","
                     " \"negative_prompt\": \"z\"},\n"
                     "{\"name\": \"only\", \"prompt\": \"\\ud83d\\ude00\", \"more\": [1]},"
                     "{\"name\": \"none\", \"prompt\": null, \"negative_prompt\": \"q\"}]"),
                 XL_OK, "%s", err.text);
    cr_expect_eq(import.n, 3);
    cr_expect_eq(import.n_imported, 2);
    cr_expect_str_eq(import.path, config_file("profiles.d/sdxl-styles-x.yaml"));
    cr_expect_not_null(strstr(import.rows[2].left_out, "the profile that changes nothing"));
    load();
    expect_profile("sai-x", "x {prompt} . y", "z");
    expect_profile("only", "\xF0\x9F\x98\x80", "");
}

Test(profile_import, rows_that_cannot_be_profiles_are_left_out_with_the_reason) {
    char text[2048];
    int n = snprintf(text, sizeof text,
                     "name,prompt,negative_prompt\n"
                     "Good,x,\n"
                     "\033[31mRed,x,\n"
                     "Bell,\"x\a\",\n"
                     "Turn,x,\"\xE2\x80\xAE\"\n"
                     "\"Two\nlines\",x,\n"
                     ",x,y\n"
                     "Nothing,,\n"
                     "good!,y,\n"
                     "Photoreal,mine,\n"
                     "None (Raw),x,\n"
                     "%0101d,x,\n",
                     1);
    cr_assert_eq(run_n("a.csv", text, (size_t)n, false), XL_OK, "%s", err.text);
    cr_expect_eq(import.n, 11);
    cr_expect_eq(import.n_imported, 2);
    expect_left_out(1, "its name holds the character U+001B");
    expect_left_out(2, "its prompt holds the character U+0007");
    expect_left_out(3, "its negative holds the character U+202E");
    cr_expect_str_eq(import.rows[4].name, "Two lines", "a line break is a blank");
    expect_left_out(5, "it has no name");
    expect_left_out(6, "it has no words");
    expect_left_out(7, "the file has that name already");
    expect_left_out(8, "there is a profile \"Photoreal\" already (built-in); --force");
    expect_left_out(9, "the name of the profile that changes nothing");
    expect_left_out(10, "longer than 100 bytes");
    cr_expect_eq(import.rows[1].line, 3);
    cr_expect_eq(import.rows[5].line, 8);
    load();
    cr_expect_eq(xl_profiles_count(known), 29 + 2);
}

Test(profile_import, json_rows_that_cannot_be_profiles) {
    cr_assert_eq(run("a.json", "[{\"name\": \"Good\", \"prompt\": \"x\"}, 5, {\"name\": 5}, null,"
                               "{\"name\": \"A\", \"prompt\": \"x\\u0000y\"}, [],"
                               "{\"name\": \"B\", \"prompt\": \"x\\u001by\"}]"),
                 XL_OK, "%s", err.text);
    cr_expect_eq(import.n_imported, 1);
    expect_left_out(1, "it is no object");
    expect_left_out(2, "its fields are no texts");
    expect_left_out(3, "it is no object");
    expect_left_out(4, "U+0000");
    expect_left_out(5, "it is no object");
    expect_left_out(6, "U+001B");
}

Test(profile_import, nothing_is_replaced_unless_forced) {
    cr_assert_eq(run("a.csv", "name,prompt\nMine,first\n"), XL_OK);
    cr_expect_eq(run("a.csv", "name,prompt\nMine,second\n"), XL_EINVAL);
    cr_expect_not_null(strstr(err.text, "a.yaml: exists already; --force replaces it"));
    load();
    expect_profile("Mine", "first", "");
    cr_expect_eq(run("a.csv", "name,prompt\nMine,second\n"), XL_EINPUT);
    cr_expect_not_null(strstr(err.text, "none of its 1 style can be imported; \"Mine\": there is"));
    const char *text = "name,prompt\nMine,third\nPhotoreal,mine\n";
    cr_assert_eq(run_n("a.csv", text, strlen(text), true), XL_OK, "%s", err.text);
    cr_expect_eq(import.n_imported, 2);
    load();
    expect_profile("Mine", "third", "");
    expect_profile("Photoreal", "mine", "");
}

static void refuse(const char *name, const char *text, size_t n, const char *sentence) {
    cr_expect_eq(run_n(name, text, n, false), XL_EINPUT, "%s", text);
    cr_expect_not_null(strstr(err.text, sentence), "\"%s\" is not in \"%s\"", sentence, err.text);
    cr_expect_neq(access(config_file("profiles.d/bad.yaml"), F_OK), 0, "a file was written");
}
#define REFUSE(name, text, sentence) refuse(name, text, sizeof text - 1, sentence)

Test(profile_import, files_that_are_neither) {
    REFUSE("bad.csv", "", "bad.csv:1:1: neither styles.csv");
    REFUSE("bad.csv", "a,b\n1,2\n", "bad.csv:1:1: neither styles.csv");
    REFUSE("bad.csv", "name,prompt\n", "bad.csv: no styles in it");
    REFUSE("bad.csv", "name,prompt\n\"\nA\",\"open\n\n",
           "bad.csv:3:4: not valid CSV: a quote is opened");
    REFUSE("bad.csv", "name,prompt\n\xC3\xA9,\"x\"y\n", "bad.csv:2:6: not valid CSV: text behind");
    REFUSE("bad.csv", "name,prompt\nA,x\0y\n", "bad.csv:2:4: a NUL byte");
    REFUSE("bad.csv", "name,prompt\nA,\xff\n", "bad.csv:2:3: the byte 0xFF is not UTF-8");
    REFUSE("bad.csv", "\xff\xfen\0a\0", "bad.csv:1:1: the file is UTF-16");
    REFUSE("bad.json", "[{\"name\": \"A\", \"prompt\": }]", "bad.json:1:");
    REFUSE("bad.json", "{\"name\": \"A\", \"prompt\": \"x\"}", "expected a list of styles");
    REFUSE("bad.json", "[]", "bad.json: no styles in it");
    cr_expect_eq(xl_profiles_import(scratch("nowhere.csv"), NULL, known, false, &import, &err),
                 XL_EINPUT);
}

Test(profile_import, a_name_that_climbs_stays_in_its_folder) {
    cr_assert_eq(run("..csv", "name,prompt\nA,x\n"), XL_OK, "%s", err.text);
    cr_expect_str_eq(import.path, config_file("profiles.d/untitled.yaml"));
    cr_assert_eq(run(".. .. etc passwd.csv", "name,prompt\nB,x\n"), XL_OK, "%s", err.text);
    cr_expect_str_eq(import.path, config_file("profiles.d/etc-passwd.yaml"));
}
