/* test_report.c - an analysis as a document, CSV, a page, and something to run. */
#include "base/json.h"
#include "insight/report/csv.h"
#include "insight/report/document.h"
#include "insight/report/html.h"
#include "insight/report/plan.h"
#include "unit/owner.h"

#include <criterion/criterion.h>

static json_t *document_of(struct owner *owner) {
    struct xl_taste taste;
    struct xl_err err;
    cr_assert(!xl_taste_find(&owner->rows, NULL, &taste, &err), "%s", err.text);
    json_t *document = xl_report_document(&taste, NULL);
    xl_taste_deinit(&taste);
    cr_assert_not_null(document);
    return document;
}

static json_int_t whole(const json_t *object, const char *key) {
    return json_integer_value(json_object_get(object, key));
}

Test(report, a_document_says_what_was_counted) {
    struct owner *owner = owner_new(2, LOVES_PARTS, 20000, 0.02);
    json_t *document = document_of(owner), *row, *tables = json_object_get(document, "tables");
    size_t i;
    json_int_t made = 0, loved = 0;
    json_array_foreach(json_object_get(tables, "model"), i, row) made += whole(row, "made"),
        loved += whole(row, "loved");
    cr_expect(made == 20000 && made == whole(document, "made") &&
              loved == whole(document, "loved"));
    const json_t *bundle = json_array_get(json_object_get(document, "bundles"), 0);
    cr_assert_not_null(bundle);
    const char *model = json_string_value(json_object_get(bundle, "model"));
    cr_assert_not_null(model);
    cr_expect_str_eq(model, owner->names[MODEL][owner->best[0]]);
    cr_expect_str_eq(
        json_string_value(json_object_get(json_object_get(bundle, "settings"), "model")), model);
    cr_expect_null(json_object_get(json_object_get(bundle, "settings"), "seed"));
    json_decref(document);
    owner_free(owner);
}

Test(report, nothing_is_null_and_not_a_number_made_up) {
    struct owner *owner = owner_new(2, LOVES_NOTHING, 0, 0.02);
    json_t *document = document_of(owner);
    cr_expect(json_is_null(json_object_get(document, "rate")) &&
              json_is_null(json_object_get(document, "lift")));
    cr_expect(json_is_null(json_object_get(document, "first_at")) &&
              json_is_null(json_object_get(document, "next")));
    cr_expect_eq(json_array_size(json_object_get(document, "bundles")), 0);
    cr_expect(json_is_array(json_object_get(document, "bundles")));
    struct xl_str html = {0};
    xl_report_html(document, &html);
    cr_expect(!html.failed && strstr(html.text, "There are no pictures") &&
              !strstr(html.text, "nan"));
    xl_str_deinit(&html);
    json_decref(document);
    owner_free(owner);
}

Test(report, a_formula_in_a_csv_file_is_text) {
    static const char *const cases[][2] = {
        {"plain", "plain"},
        {"a,b", "\"a,b\""},
        {"say \"x\"", "\"say \"\"x\"\"\""},
        {"=1+1", "\"'=1+1\""},
        {"+1", "\"'+1\""},
        {"-2", "\"'-2\""},
        {"@SUM(A1)", "\"'@SUM(A1)\""},
        {"\t=1", "\"'\t=1\""},
        {"two\nlines", "\"two\nlines\""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct xl_str out = {0};
        xl_report_csv_cell(&out, cases[i][0]);
        cr_expect_str_eq(out.text ? out.text : "", cases[i][1]);
        xl_str_deinit(&out);
    }
}

Test(report, csv_has_a_row_for_each_level) {
    struct owner *owner = owner_new(2, LOVES_PARTS, 20000, 0.02);
    owner->names[MODEL][0] = "=HYPERLINK(\"x\")";
    json_t *document = document_of(owner);
    struct xl_str out = {0};
    size_t n = 0, expected = 2 + json_array_size(json_object_get(document, "bundles")) +
                             OWNER_WORDS + json_array_size(json_object_get(document, "pairs"));
    xl_report_csv(document, &out);
    cr_assert(!out.failed);
    for (const char *at = out.text; *at; at++) n += *at == '\n';
    for (size_t f = 0; f < OWNER_FACTORS; f++) expected += owner_levels[f];
    cr_expect_eq(n, expected, "%zu rows instead of %zu", n, expected);
    cr_expect(strstr(out.text, "\nmodel,\"'=HYPERLINK(\"\"x\"\")\",") &&
              !strstr(out.text, ",=HYPER"));
    xl_str_deinit(&out);
    json_decref(document);
    owner_free(owner);
}

Test(report, a_job_a_command_and_yaml) {
    json_t *columns = json_pack("{s:s, s:[s, s], s:[s], s:s, s:s, s:s, s:[s, s]}", "model",
                                "It's \"XL\", v5", "profile", "Dark Fantasy / Grimdark",
                                "None (raw)", "resolution", "768x768", "steps", "30", "guidance",
                                "6.5", "lora", "none", "scheduler", "a, b", "c");
    json_t *job = xl_plan_job(columns, 8);
    cr_assert_not_null(job);
    cr_expect_str_eq(json_string_value(json_object_get(job, "size")), "768x768");
    cr_expect_eq(json_integer_value(json_object_get(job, "steps")), 30);
    cr_expect_eq(json_real_value(json_object_get(job, "guidance")), 6.5);
    cr_expect_null(json_object_get(job, "lora"));
    char *command = xl_plan_command(job), *yaml = xl_plan_yaml(job, 2);
    cr_assert(command && yaml);
    cr_expect_not_null(strstr(command, "--sweep 'profile=Dark Fantasy / Grimdark,None (raw)'"),
                       "%s", command);
    cr_expect_not_null(strstr(command, "--sweep 'scheduler=[\"a, b\", \"c\"]'"), "%s", command);
    cr_expect_not_null(strstr(command, "--batch 8"), "%s", command);
    cr_expect_not_null(strstr(yaml, "  size: \"768x768\"\n"), "%s", yaml);
    cr_expect_not_null(strstr(yaml, "    profile: [\"Dark Fantasy / Grimdark\", \"None (raw)\"]\n"),
                       "%s", yaml);
    free(command);
    free(yaml);
    json_decref(job);
    json_decref(columns);
}
