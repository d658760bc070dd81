/* test_run_page.c - the files of a run's page; tests/web/ looks at them in a browser. */
#include "base/file.h"
#include "lab/run/run_page.h"
#include "unit/scratch.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>

#define ok(call) cr_assert_eq((call), XL_OK, "%s", err.text)

TestSuite(run_page, .init = scratch_open, .fini = scratch_close);

static char *content(const char *name) {
    struct xl_err err = {0};
    char *text = NULL;
    size_t n = 0;
    struct xl_read_rule rule = {1 << 24, XL_EINPUT, XL_EINPUT};
    ok(xl_file_read(scratch("%s", name), rule, &text, &n, &err));
    return text;
}

static void begin(int n_cells) {
    struct xl_err err = {0};
    json_t *run = json_pack("{s:s}", "title", "a run"), *cells = json_array();
    for (int i = 0; i < n_cells; i++)
        json_array_append_new(cells, json_pack("{s:i, s:s}", "id", i, "state", "waiting"));
    ok(xl_run_page_begin(scratch_dir, run, cells, &err));
    json_decref(run);
    json_decref(cells);
}

static enum xl_status update(const char *prompt, struct xl_err *err) {
    json_t *cells = json_pack("[{s:s, s:s}]", "id", "c", "prompt", prompt);
    enum xl_status status = xl_run_page_update(scratch_dir, cells, err);
    json_decref(cells);
    return status;
}

static int count(const char *text, const char *word) {
    int n = 0;
    for (; (text = strstr(text, word)); text++) n++;
    return n;
}

Test(run_page, the_page_is_one_file_and_the_data_another) {
    begin(3);
    begin(2);
    char *html = content("index.html"), *data = content("cells.js");
    cr_expect_eq(count(html, "<style>\n:root"), 1);
    cr_expect_eq(count(html, "\"use strict\""), 1);
    cr_expect_eq(count(html, "{{"), 0);
    cr_expect_eq(count(html, "http:") + count(html, "https:"), 0, "nothing comes from a network");
    cr_expect_eq(count(data, "run({\"title\":\"a run\"});\n"), 1);
    cr_expect_eq(count(data, "cell({"), 2, "a page that begins again replaces what was there");
    free(html);
    free(data);
    DIR *dir = opendir(scratch_dir);
    int n = 0;
    while (readdir(dir)) n++;
    closedir(dir);
    cr_expect_eq(n, 2 + 2, "no other file");
}

Test(run_page, an_update_is_a_line_of_ascii) {
    struct xl_err err = {0};
    begin(1);
    ok(update("</script>\n\xE2\x80\xA8 \xF0\x9F\x90\xB1", &err));
    json_t *summary = json_pack("{s:s}", "state", "done");
    ok(xl_run_page_end(scratch_dir, summary, &err));
    json_decref(summary);
    char *data = content("cells.js");
    const char *line = strstr(data, "cell({\"id\":\"c\"");
    cr_assert(line && line[-1] == '\n');
    cr_expect(strstr(line, "\\u2028 \\ud83d\\udc31") || strstr(line, "\\u2028 \\uD83D\\uDC31"),
              "%s", line);
    for (const char *c = data; *c; c++) cr_expect((unsigned char)*c < 128);
    cr_expect_not_null(strstr(line, "\nrun({\"state\":\"done\"});\n"));
    free(data);
}

Test(run_page, what_a_crash_tore_off_is_dropped) {
    struct xl_err err = {0};
    begin(1);
    FILE *file = fopen(scratch("cells.js"), "a");
    for (int i = 0; i < 10000; i++) fputs("torn", file);
    fclose(file);
    ok(update("x", &err));
    char *data = content("cells.js");
    cr_expect_eq(count(data, "torn"), 0);
    cr_expect_eq(count(data, "cell({"), 2);
    free(data);
}

Test(run_page, a_data_file_that_was_removed_begins_anew) {
    struct xl_err err = {0};
    begin(1);
    cr_assert_eq(unlink(scratch("cells.js")), 0);
    ok(update("x", &err));
    char *data = content("cells.js");
    cr_expect_eq(strncmp(data, "cell({", 6), 0);
    free(data);
}

Test(run_page, no_room_leaves_whole_lines) {
    struct xl_err err = {0};
    begin(1);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = 2000;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    int n = 0;
    while (n < 1000 && !update("x", &err)) n++;
    cr_assert(n > 0 && n < 1000);
    cr_expect_not_null(strstr(err.text, "cells.js: cannot write"), "%s", err.text);
    cr_expect_eq(update("x", &err), XL_EDISK);
    limit.rlim_cur = limit.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ok(update("x", &err));
    char *data = content("cells.js");
    cr_expect_eq(count(data, "\ncell({\"id\":\"c\""), n + 1);
    cr_expect_eq(count(data, "\n"), n + 4);
    free(data);
}
