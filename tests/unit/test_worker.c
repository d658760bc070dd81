/* test_worker.c - worker processes: pictures without this process touching a device, and what is
 * made of processes that die, or say what is no answer.
 */
#include "jobs/worker_painter.h"
#include "lab/run/runner.h"
#include "unit/scratch.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#define REPO XL_SOURCE_DIR "/tests/data/models/repo"

static struct xl_settings settings;
static struct xl_sweep sweep;
static struct xl_run_dir dir;
static struct xl_run_counts counts;
static struct xl_err err;
static atomic_int n_devices;

/* The linker puts this one in the place of xl_device_open, for all of the program. */
enum xl_status __real_xl_device_open(const struct xl_device_params *params, struct xl_device **out,
                                     struct xl_err *why);
enum xl_status __wrap_xl_device_open(const struct xl_device_params *params, struct xl_device **out,
                                     struct xl_err *why);
enum xl_status __wrap_xl_device_open(const struct xl_device_params *params, struct xl_device **out,
                                     struct xl_err *why) {
    atomic_fetch_add(&n_devices, 1);
    return __real_xl_device_open(params, out, why);
}

static void begin(void) {
    setenv("XDG_CONFIG_HOME", "/nowhere", 1);
    scratch_open();
    xl_settings_default(&settings);
    settings.model = REPO;
    settings.prompt = "a cat";
    settings.instance = "t";
    settings.width = settings.height = 64;
    settings.steps = 1;
    settings.threads = 1;
    settings.output_dir = scratch_dir;
    signal(SIGPIPE, SIG_IGN);
}

static void end(void) {
    xl_run_counts_deinit(&counts);
    xl_run_dir_close(&dir);
    xl_sweep_deinit(&sweep);
    scratch_close();
}

TestSuite(worker, .init = begin, .fini = end);

/* Draw seeds 1..4 with two workers of a program. */
static enum xl_status draw(const char *program) {
    struct xl_painter *painters[2];
    cr_assert_eq(xl_settings_set(&settings, xl_option_find("sweep"), "", "seed=1..4", &err), XL_OK);
    cr_assert_eq(xl_sweep_plan(&settings, &sweep, &err), XL_OK, "%s", err.text);
    cr_assert_eq(xl_run_dir_create(&settings, &sweep, &dir, &err), XL_OK, "%s", err.text);
    const struct xl_worker_params params = {
        .settings = &settings, .program = program, .kept_open = xl_lock_descriptor(dir.lock)};
    for (int i = 0; i < 2; i++)
        cr_assert_eq(xl_worker_painter_new(&params, &painters[i], &err), XL_OK);
    const struct xl_run run = {
        .settings = &settings, .sweep = &sweep, .dir = &dir, .painters = painters, .n_painters = 2};
    enum xl_status status = xl_run_draw(&run, &counts, &err);
    for (int i = 0; i < 2; i++) painters[i]->close(painters[i]);
    return status;
}

/* A shell script in the place of the program. */
static const char *script(const char *text) {
    const char *path = scratch("program");
    scratch_puts(path, text);
    chmod(path, 0755);
    return path;
}

Test(worker, draws_and_this_process_touches_no_device) {
    cr_expect_eq(draw(XL_PROGRAM), XL_OK, "%s", err.text);
    cr_expect_eq(counts.n_done, 4);
    cr_expect_eq(n_devices, 0);
}

Test(worker, that_ends_at_once_fails_what_it_was_given) {
    cr_expect_eq(draw(script("#!/bin/sh\nexit 7\n")), XL_EPARTIAL);
    cr_expect_eq(counts.n_failed, 4);
    cr_expect_str_eq(err.text, "4 of 4 pictures failed; the first: for the second time over the "
                               "same pictures: a worker process ended with exit code 7");
}

Test(worker, that_cannot_be_started) {
    cr_expect_eq(draw("/nowhere/sdxl-lab"), XL_EPARTIAL);
    cr_expect(strstr(err.text, "a worker process ended with exit code 127"), "%s", err.text);
}

Test(worker, that_speaks_no_json_is_killed) {
    cr_expect_eq(draw(script("#!/bin/sh\necho hello\nexec sleep 60\n")), XL_EPARTIAL);
    cr_expect(strstr(err.text, "a worker process was killed by signal 9"), "%s", err.text);
}

Test(worker, that_refuses_the_model_fails_all_its_cells_with_its_sentence) {
    const char *text = "#!/bin/sh\nread line\necho '{\"event\": \"failed\", \"status\": "
                       "\"XL_EMODEL\", \"error\": \"not mine\"}'\ncat >/dev/null\n";
    cr_expect_eq(draw(script(text)), XL_EPARTIAL);
    cr_expect_str_eq(err.text, "4 of 4 pictures failed; the first: not mine");
}
