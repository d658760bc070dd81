/* test_job_read.c - reading job logs: the earlier app's, damaged ones, large ones. */
#include "base/json.h"
#include "base/str.h"
#include "unit/job_log_lines.h"

TestSuite(job_read, .init = scratch_open, .fini = scratch_close);

Test(job_read, logs_of_the_earlier_app_are_read) {
    static const char v16[] =
        "{'timestamp': '20250301-101112', 'mode': 'txt2img', 'multi_profile': false, "
        "'profile_style': 'Photoreal', 'prompt': 'a harbour \\ud83d\\ude00', 'styled_prompt': 'a "
        "harbour, photo', 'negative_prompt': '', 'effective_negative_prompt': 'blurry', "
        "'model_key': 'SDXL Turbo', 'model_id': 'stabilityai/sdxl-turbo', 'scheduler': 'Euler', "
        "'steps': 4, 'guidance_scale': 0.0, 'width': 512, 'height': 512, 'batch_size': 2, "
        "'seed_base': 7, 'seeds': [7, 8], 'paths': ['output_images/a.png', 'output_images/b.png'], "
        "'error': null, 'run_dir': null, 'logged_at': '2025-03-01T10:11:13', 'mood': 'calm'}\n";
    static const char v17[] =
        "{'timestamp': '20250601_101112', 'mode': 'txt2img', 'multi_profile': true, "
        "'profile_style': 'Tim Burton', 'prompt': 'x', 'styled_prompt': 'x, y', "
        "'negative_prompt': '', 'effective_negative_prompt': '', 'model_key': 'RealVis XL V5.0', "
        "'model_id': 'SG161222/RealVisXL_V5.0', 'scheduler': 'UniPC', 'steps': 26, "
        "'guidance_scale': NaN, 'width': 1024, 'height': 576, 'batch_size': 1, 'seed_base': -1, "
        "'seeds': ['18446744073709551615', 18446744073709551614, 5.0], 'paths': ['half \\ud83d'], "
        "'run_dir': 'run_1', 'instance_id': 'dgx'}\r\n";
    char *text = scratch_quotes(v16), *more = scratch_quotes(v17);
    struct xl_str log = {0};
    xl_str_printf(
        &log,
        "%s\n  \nTraceback (most recent call last):\n%s[1, 2]\n{\"a\":NaN, \"b\":1 2}\n{\"cut",
        text, more);
    scratch_puts(scratch("jobs.log"), log.text);
    struct xl_job_counts counts;
    json_t *lines = read_all(scratch("jobs.log"), &counts);
    cr_assert_eq(json_array_size(lines), 2);
    cr_expect_eq(counts.n_entries, 2);
    cr_expect_eq(counts.n_damaged, 4);
    cr_expect_eq(counts.first_damaged, 4);
    const json_t *old = json_array_get(lines, 0), *new = json_array_get(lines, 1);
    expect_key(old, "mood", "\"calm\"");
    expect_key(old, "prompt", "\"a harbour \xF0\x9F\x98\x80\"");
    expect_key(old, "seeds", "[7,8]");
    expect_key(new, "guidance_scale", "null");
    expect_key(new, "paths", "[\"half \xEF\xBF\xBD\"]");
    uint64_t expected[] = {UINT64_MAX, UINT64_MAX - 1, 5}, seed;
    for (size_t i = 0; i < 3; i++) {
        cr_expect(xl_json_read_seed(json_array_get(json_object_get(new, "seeds"), i), &seed));
        cr_expect_eq(seed, expected[i]);
    }
    cr_expect_not(xl_json_read_seed(json_object_get(new, "seed_base"), &seed));
    cr_expect_not(xl_json_read_seed(json_object_get(new, "absent"), &seed));
    json_t *real = json_real(5.5);
    cr_expect_not(xl_json_read_seed(real, &seed));
    cr_expect_eq(seed, 5, "an output is untouched on failure");
    json_decref(real);
    cr_expect_null(json_object_get(new, "error"));
    json_decref(lines);
    xl_str_deinit(&log);
    free(text);
    free(more);
}

static enum xl_status stop_at_two(void *user, const json_t *object, int64_t line,
                                  struct xl_err *err) {
    (void)object;
    *(int64_t *)user = line;
    return line == 2 ? xl_fail(err, XL_ECANCELLED, "enough") : XL_OK;
}

Test(job_read, a_reader_may_stop) {
    scratch_puts(scratch("jobs.log"), "{}\n{}\n{}\n");
    struct xl_err err = {0};
    int64_t line = 0;
    cr_expect_eq(xl_job_log_read(scratch("jobs.log"), stop_at_two, &line, NULL, &err),
                 XL_ECANCELLED);
    cr_expect_eq(line, 2);
    cr_expect_eq(xl_job_log_read(scratch("none"), stop_at_two, &line, NULL, &err), XL_EINPUT);
    cr_expect_eq(xl_job_log_read(scratch_dir, stop_at_two, &line, NULL, &err), XL_EINPUT);
}

/* Lines around the size of the buffer, one of 5 MiB, and one that is too long to be a line. */
Test(job_read, lines_of_any_length_are_read_or_counted) {
    static const size_t lengths[] = {20,      (1 << 20) - 1, 1 << 20, (1 << 20) + 1,
                                     5 << 20, 40 << 20,      30};
    enum { N = sizeof lengths / sizeof *lengths };
    FILE *file = fopen(scratch("jobs.log"), "w");
    cr_assert(file);
    for (int i = 0; i < N; i++) {
        fprintf(file, "{\"a\":\"");
        for (size_t n = 9; n < lengths[i]; n++) fputc('a', file);
        fprintf(file, "\"}\n");
    }
    fprintf(file, "{\"last\":1}");
    cr_assert_eq(fclose(file), 0);
    struct xl_job_counts counts;
    json_t *lines = read_all(scratch("jobs.log"), &counts);
    cr_assert_eq(json_array_size(lines), N);
    cr_expect_eq(counts.n_damaged, 1);
    cr_expect_eq(counts.first_damaged, 6);
    for (int i = 0; i < N - 1; i++)
        cr_expect_eq(json_string_length(json_object_get(json_array_get(lines, i), "a")) + 9,
                     lengths[i < 5 ? i : i + 1]);
    expect_key(json_array_get(lines, N - 1), "last", "1");
    json_decref(lines);
}

static enum xl_status expect_next(void *user, const json_t *object, int64_t line,
                                  struct xl_err *err) {
    (void)err;
    int64_t *next = user;
    cr_assert_eq(json_integer_value(json_object_get(object, "n")), (*next)++);
    cr_assert_eq(line, *next + *next / 1000, "damaged lines count, too");
    return *next == 120000 ? XL_ECANCELLED : XL_OK;
}

/* A log that is parsed by several threads still comes in order, and the reader may stop in it. */
Test(job_read, a_large_log_comes_in_order) {
    FILE *file = fopen(scratch("jobs.log"), "w");
    cr_assert(file);
    for (int i = 0; i < 130000; i++)
        fprintf(file, "%s{\"n\":%d,\"prompt\":\"%080d\"}\n", i % 1000 == 999 ? "damaged\n" : "", i,
                i);
    cr_assert_eq(fclose(file), 0);
    int64_t next = 0;
    cr_expect_eq(xl_job_log_read(scratch("jobs.log"), expect_next, &next, NULL, NULL),
                 XL_ECANCELLED);
    cr_expect_eq(next, 120000);
}

Test(job_read, the_logs_of_a_directory_are_listed) {
    static const char *const files[] = {"jobs_b.log", "jobs.log",     "jobs_a.log",
                                        "job.log",    ".jobs_a.lock", "jobs_a.log.gz",
                                        "jobs",       "notjobs.log"};
    for (int i = 0; i < 8; i++) scratch_puts(scratch("%s", files[i]), "");
    cr_assert_eq(mkdir(scratch("jobs_dir.log"), 0777), 0);
    struct xl_err err = {0};
    struct xl_job_logs logs = {0};
    ok(xl_job_log_list(scratch_dir, &logs, &err));
    cr_assert_eq(logs.n, 3);
    cr_expect_str_eq(logs.paths[0], scratch("jobs.log"));
    cr_expect_str_eq(logs.paths[1], scratch("jobs_a.log"));
    cr_expect_str_eq(logs.paths[2], scratch("jobs_b.log"));
    xl_job_logs_free(&logs);
    ok(xl_job_log_list(scratch("none"), &logs, &err));
    cr_expect_eq(logs.n, 0);
    cr_expect_eq(xl_job_log_list(scratch("jobs.log"), &logs, &err), XL_EINPUT);
}
