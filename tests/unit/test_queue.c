/* test_queue.c - the queue with real workers and the smallest model: what is submitted is drawn as
 * generate draws it, in which order, and what people do to jobs.
 */
#include "jobs/queue/queue.h"
#include "lab/run/runner.h"
#include "unit/scratch.h"

#include "base/clock.h"
#include "base/file.h"
#include "image/image.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#define REPO XL_SOURCE_DIR "/tests/data/models/repo"

static struct xl_settings settings;
static struct xl_queue_params params;
static struct xl_queue *queue;
static struct xl_err err;
static atomic_int n_devices;

/* The linker puts this one in the place of xl_device_open, for all of the program. */
enum xl_status __real_xl_device_open(const struct xl_device_params *device, struct xl_device **out,
                                     struct xl_err *why);
enum xl_status __wrap_xl_device_open(const struct xl_device_params *device, struct xl_device **out,
                                     struct xl_err *why);
enum xl_status __wrap_xl_device_open(const struct xl_device_params *device, struct xl_device **out,
                                     struct xl_err *why) {
    atomic_fetch_add(&n_devices, 1);
    return __real_xl_device_open(device, out, why);
}

static void open_queue(void) {
    cr_assert_eq(xl_queue_open(&params, &queue, &err), XL_OK, "%s", err.text);
}

static void close_queue(void) {
    xl_queue_close(queue);
    queue = NULL;
}

static void begin(void) {
    setenv("XDG_CONFIG_HOME", "/nowhere", 1);
    scratch_open();
    xl_settings_default(&settings);
    settings.model = REPO; /* jobs from the network may name no path */
    settings.given |= xl_option_bit(xl_option_find("model"));
    settings.instance = "t";
    settings.threads = 1;
    settings.device = "cpu";
    settings.output_dir = scratch("out");
    settings.output_dir = strdup(settings.output_dir);
    params = (struct xl_queue_params){.settings = &settings, .program = XL_PROGRAM};
    signal(SIGPIPE, SIG_IGN);
}

static void end(void) {
    close_queue();
    free((char *)settings.output_dir);
    scratch_close();
}

TestSuite(queue, .init = begin, .fini = end, .timeout = 60);

/* Submit an object with ' for " as a client; returns the id, good until the fourth call after. */
static const char *submit_as(const char *client, const char *ask) {
    static char ids[4][XL_JOB_ID];
    static unsigned next;
    char *id = ids[next++ % 4], *text = scratch_quotes(ask);
    json_t *object = json_loads(text, 0, NULL);
    const struct xl_queue_ask asked = {.settings = object, .client = client, .origin = "test"};
    free(text);
    cr_assert_not_null(object, "%s", ask);
    enum xl_status status = xl_queue_submit(queue, &asked, id, NULL, &err);
    json_decref(object);
    cr_assert_eq(status, XL_OK, "%s: %s", ask, err.text);
    return id;
}

static const char *submit(const char *ask) {
    return submit_as("a", ask);
}

/* How an ask is refused. */
static enum xl_status refused(const char *ask) {
    char id[XL_JOB_ID], *text = scratch_quotes(ask);
    json_t *object = json_loads(text, JSON_DECODE_ANY, NULL);
    const struct xl_queue_ask asked = {.settings = object, .client = "a", .origin = "test"};
    err.text[0] = 0;
    enum xl_status status = xl_queue_submit(queue, &asked, id, NULL, &err);
    free(text);
    json_decref(object);
    return status;
}

static json_t *job_of(const char *id) {
    json_t *job = xl_queue_job(queue, id);
    cr_assert_not_null(job, "%s", id);
    return job;
}

static bool is_in(const char *id, const char *state) {
    json_t *job = job_of(id);
    bool is_it = !strcmp(json_string_value(json_object_get(job, "state")), state);
    json_decref(job);
    return is_it;
}

static int number_of(const char *id, const char *key) {
    json_t *job = job_of(id);
    int n = (int)json_integer_value(json_object_get(job, key));
    json_decref(job);
    return n;
}

static void pause_a_moment(void) {
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

/* Wait until a job is in a state; the test's time limit says when it never is. */
static void await(const char *id, const char *state) {
    while (!is_in(id, state)) {
        json_t *job = job_of(id);
        const char *now = json_string_value(json_object_get(job, "state"));
        bool has_failed = !strcmp(now, "failed") && strcmp(state, "failed") != 0;
        cr_assert(!has_failed, "%s", json_string_value(json_object_get(job, "error")));
        json_decref(job);
        pause_a_moment();
    }
}

static void await_pictures(const char *id, int n) {
    while (number_of(id, "n_done") < n) pause_a_moment();
}

/* How many pictures there are below the output directory. */
static int count_files(const char *dir, const char *ending) {
    DIR *stream = opendir(dir);
    int n = 0;
    for (struct dirent *entry; stream && (entry = readdir(stream));) {
        char path[1024];
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        if (entry->d_type == DT_DIR) n += count_files(path, ending);
        size_t n_name = strlen(entry->d_name), n_ending = strlen(ending);
        bool is_its = n_name > n_ending && !strcmp(entry->d_name + n_name - n_ending, ending);
        n += is_its && strncmp(entry->d_name, "sheet", 5) != 0;
    }
    if (stream) closedir(stream);
    return n;
}

static int count_pictures(void) {
    return count_files(settings.output_dir, ".png");
}

/* How many small pictures there have been. */
static int queue_previews(void) {
    int64_t number;
    void *bytes;
    size_t n;
    xl_queue_preview(queue, "", -1, &number, &bytes, &n);
    return number > 0;
}

#define SMALL "'prompt': 'a cat', 'width': 64, 'height': 64, 'steps': 1"
#define SLOW "'prompt': 'a cat', 'width': 128, 'height': 128, 'steps': 1000"

Test(queue, draws_what_is_submitted_and_touches_no_device) {
    open_queue();
    const char *id = submit("{" SMALL ", 'seed': 3, 'batch': 2}");
    await(id, "done");
    json_t *job = job_of(id);
    cr_expect_eq(json_array_size(json_object_get(job, "pictures")), 2);
    cr_expect_eq(json_integer_value(json_object_get(job, "n_done")), 2);
    cr_expect(json_is_null(json_object_get(job, "error")));
    json_decref(job);
    cr_expect_eq(count_pictures(), 2);
    cr_expect_eq(n_devices, 0);
}

Test(queue, a_sweep_has_a_directory_of_its_own) {
    open_queue();
    const char *id = submit("{" SMALL ", 'sweep': {'seed': '1..3', 'guidance': [1, 2]}}");
    await(id, "done");
    json_t *job = job_of(id);
    const char *dir = json_string_value(json_object_get(job, "run_dir"));
    cr_expect_eq(json_integer_value(json_object_get(job, "n_done")), 6);
    cr_expect_neq(strcmp(dir, settings.output_dir), 0);
    cr_expect_eq(count_files(dir, ".json"), 1);
    cr_expect_eq(count_files(dir, ".html"), 1);
    cr_expect_eq(count_pictures(), 6);
    json_decref(job);
}

Test(queue, a_seed_that_nobody_says_is_decided_once) {
    open_queue();
    xl_queue_pause(queue, true);
    const char *id = submit("{" SMALL "}");
    json_t *job = job_of(id);
    const json_t *seed = json_object_get(json_object_get(job, "settings"), "seed");
    cr_expect(json_is_string(seed));
    close_queue();
    open_queue();
    json_t *again = job_of(id);
    cr_expect(json_equal(json_object_get(job, "settings"), json_object_get(again, "settings")));
    json_decref(job);
    json_decref(again);
}

Test(queue, refuses_with_the_sentences_of_the_option_table) {
    open_queue();
    cr_expect_eq(refused("{" SMALL ", 'steps': 0}"), XL_EINVAL);
    cr_expect_eq(refused("{'prompt': 'x', 'stepz': 3}"), XL_EINVAL);
    cr_expect(strstr(err.text, "did you mean \"steps\"?"), "%s", err.text);
    cr_expect_eq(refused("{" SMALL ", 'output_dir': '/tmp'}"), XL_EINVAL);
    cr_expect(strstr(err.text, "output_dir"), "%s", err.text);
    cr_expect_eq(refused("{" SMALL ", 'model': '/etc'}"), XL_EINVAL);
    cr_expect_eq(refused("{" SMALL ", 'lora': ['a:0.5 + /etc/x']}"), XL_EINVAL);
    cr_expect_eq(refused("{" SMALL ", 'init_image': '/etc/passwd'}"), XL_EINVAL);
    cr_expect(strstr(err.text, "no picture that was uploaded"), "%s", err.text);
    cr_expect_eq(refused("{" SMALL ", 'init-image': ['../../etc/passwd']}"), XL_EINVAL);
    cr_expect_eq(refused("{'sweep': 'prompt=@/etc/passwd'}"), XL_EINVAL);
    cr_expect(strstr(err.text, "@FILE"), "%s", err.text);
    cr_expect_eq(refused("{'sweep': {'prompt': '@/etc/passwd'}}"), XL_EINVAL);
    cr_expect_eq(refused("{'sweep': ['model=[\"/etc\"]'], 'prompt': 'x'}"), XL_EINVAL);
    cr_expect_eq(refused("{'sweep': {'init_image': ['/etc/passwd']}, 'prompt': 'x'}"), XL_EINVAL);
    cr_expect_eq(refused("{'model': 'nowhere/nothing', 'prompt': 'x'}"), XL_EMODEL);
    cr_expect_eq(refused("{}"), XL_EINVAL);
    cr_expect_eq(refused("[]"), XL_EINVAL);
    json_t *list = xl_queue_list(queue, -1);
    cr_expect_eq(json_array_size(json_object_get(list, "jobs")), 0);
    json_decref(list);
}

Test(queue, tells_what_a_job_would_be) {
    open_queue();
    struct xl_queue_plan plan;
    json_t *ask = json_pack("{s:s, s:i, s:s}", "prompt", "x", "batch", 3, "sweep", "steps=1..4");
    cr_assert_eq(xl_queue_check(queue, ask, &plan, &err), XL_OK, "%s", err.text);
    cr_expect_eq(plan.n_cells, 12);
    cr_expect_lt(plan.estimate_s, 0);
    free(plan.notices);
    json_decref(ask);
}

Test(queue, cancels_within_a_step_and_keeps_the_worker) {
    open_queue();
    const char *id = submit("{" SLOW "}");
    await(id, "running");
    cr_expect_eq(xl_queue_cancel(queue, id, &err), XL_QUEUE_OK);
    cr_expect(is_in(id, "cancelled"));
    cr_expect_eq(xl_queue_cancel(queue, id, &err), XL_QUEUE_CONFLICT);
    cr_expect_eq(xl_queue_cancel(queue, "nothing", &err), XL_QUEUE_UNKNOWN);
    const char *next = submit("{" SMALL "}");
    await(next, "done");
    cr_expect_eq(count_pictures(), 1);
}

Test(queue, restores_what_was_cancelled_with_what_it_drew) {
    open_queue();
    const char *id = submit("{" SMALL ", 'steps': 60, 'sweep': {'seed': '1..12'}}");
    await_pictures(id, 2);
    xl_queue_cancel(queue, id, &err);
    cr_expect_eq(xl_queue_restore(queue, id, &err), XL_QUEUE_OK, "%s", err.text);
    await(id, "done");
    cr_expect_eq(number_of(id, "n_done"), 12);
    cr_expect_eq(count_pictures(), 12);
}

Test(queue, goes_on_where_it_was_closed) {
    open_queue();
    const char *sweep = submit("{" SMALL ", 'steps': 60, 'sweep': {'seed': '1..12'}}");
    const char *batch = submit("{" SMALL ", 'batch': 3}");
    await_pictures(sweep, 2);
    close_queue();
    cr_expect_lt(count_pictures(), 12);
    open_queue();
    await(sweep, "done");
    await(batch, "done");
    cr_expect_eq(count_pictures(), 15);
    cr_expect_eq(number_of(sweep, "n_done"), 12);
}

static json_t *order(void) {
    json_t *list = xl_queue_list(queue, XL_JOB_QUEUED);
    return list;
}

static const char *nth(const json_t *list, size_t i) {
    return json_string_value(
        json_object_get(json_array_get(json_object_get(list, "jobs"), i), "id"));
}

Test(queue, moves_jobs_and_sees_when_the_order_is_another) {
    open_queue();
    xl_queue_pause(queue, true);
    char a[XL_JOB_ID], b[XL_JOB_ID], c[XL_JOB_ID];
    strcpy(a, submit("{" SMALL "}"));
    strcpy(b, submit("{" SMALL "}"));
    strcpy(c, submit("{" SMALL "}"));
    json_t *list = order();
    int64_t revision = json_integer_value(json_object_get(list, "revision"));
    json_decref(list);
    struct xl_queue_move move = {.id = c, .place = XL_QUEUE_TOP, .revision = revision};
    cr_expect_eq(xl_queue_move(queue, &move, &err), XL_QUEUE_OK);
    cr_expect_eq(xl_queue_move(queue, &move, &err), XL_QUEUE_CONFLICT);
    move = (struct xl_queue_move){.id = b, .before = a, .place = XL_QUEUE_BEFORE, .revision = -1};
    cr_expect_eq(xl_queue_move(queue, &move, &err), XL_QUEUE_OK);
    for (int i = 0; i < 2; i++) { /* and again from the disk */
        list = order();
        cr_expect_str_eq(nth(list, 0), c);
        cr_expect_str_eq(nth(list, 1), b);
        cr_expect_str_eq(nth(list, 2), a);
        cr_expect(json_is_true(json_object_get(list, "paused")));
        json_decref(list);
        close_queue();
        open_queue();
    }
    cr_expect_eq(xl_queue_cancel_all(queue), 3);
    cr_expect(is_in(b, "cancelled"));
    cr_expect_eq(count_pictures(), 0);
}

/* A program that only says that it was started, and how often it was. */
static const char *broken_program(void) {
    const char *path = scratch("program");
    char *text = NULL;
    cr_assert_gt(asprintf(&text, "#!/bin/sh\necho >>%s\nexit 7\n", scratch("starts")), 0);
    scratch_puts(path, text);
    free(text);
    chmod(path, 0755);
    return path;
}

static int count_starts(void) {
    struct stat file;
    return stat(scratch("starts"), &file) ? 0 : (int)file.st_size;
}

static bool is_held(void) {
    json_t *list = xl_queue_list(queue, -1);
    const char *held = json_string_value(json_object_get(list, "held"));
    bool is_held = held && strstr(held, "a worker process");
    json_decref(list);
    return is_held;
}

Test(queue, a_worker_that_cannot_start_fails_the_job_and_the_queue_does_not_spin) {
    params.program = broken_program();
    open_queue();
    char first[XL_JOB_ID];
    strcpy(first, submit("{" SMALL "}"));
    for (int i = 0; i < 20; i++) submit("{" SMALL "}");
    while (!is_held()) pause_a_moment();
    await(first, "failed");
    json_t *job = job_of(first);
    const char *error = json_string_value(json_object_get(job, "error"));
    cr_expect(strstr(error, "a worker process ended with exit code 7"), "%s", error);
    cr_expect_str_eq(json_string_value(json_object_get(job, "status")), "XL_EWORKER");
    json_decref(job);
    nanosleep(&(struct timespec){.tv_sec = 2}, NULL);
    cr_expect_leq(count_starts(), 8); /* of 42 that would fail at once */
}

Test(queue, two_processes_do_not_share_one) {
    open_queue();
    json_t *places = xl_queue_places(queue);
    cr_expect_eq(json_array_size(places), 1);
    cr_expect_str_eq(json_string_value(json_object_get(json_array_get(places, 0), "state")),
                     "idle");
    json_decref(places);
    struct xl_queue *other = NULL;
    cr_expect_eq(xl_queue_open(&params, &other, &err), XL_EDISK);
    cr_expect(strstr(err.text, "has this queue"), "%s", err.text);
}

Test(queue, several_workers_draw_one_sweep_and_several_jobs) {
    settings.workers = 3;
    settings.given |= xl_option_bit(xl_option_find("workers"));
    open_queue();
    const char *sweep = submit("{" SMALL ", 'steps': 20, 'sweep': {'seed': '1..24'}}");
    const char *one = submit_as("b", "{" SMALL "}");
    await(one, "done");
    await(sweep, "done");
    cr_expect_eq(count_pictures(), 25);
}

Test(queue, clients_take_turns) {
    open_queue();
    const char *sweep = submit_as("a", "{" SMALL ", 'steps': 30, 'sweep': {'seed': '1..40'}}");
    await_pictures(sweep, 2);
    const char *one = submit_as("b", "{" SMALL "}");
    await(one, "done");
    cr_expect_lt(number_of(sweep, "n_done"), 40);
}

/* A worker whose requests are kept in a file. */
static const char *listening_program(const char *heard) {
    const char *path = scratch("program");
    char text[1024];
    snprintf(text, sizeof text, "#!/bin/sh\ntee -a '%s' | '%s' \"$@\"\n", heard, XL_PROGRAM);
    scratch_puts(path, text);
    chmod(path, 0755);
    return path;
}

/* What a place is to draw next is this job. */
static bool is_next_of_all(const char *id) {
    json_t *places = xl_queue_places(queue);
    const char *next = json_string_value(json_object_get(json_array_get(places, 0), "next"));
    bool is_it = next && !strcmp(next, id);
    json_decref(places);
    return is_it;
}

static int64_t step_of(const char *id) {
    json_t *job = job_of(id);
    json_t *progress = json_array_get(json_object_get(job, "progress"), 0);
    int64_t step = json_integer_value(json_object_get(progress, "step"));
    json_decref(job);
    return step;
}

/* A job that comes while another one is drawn: its model is made ready meanwhile, and that costs
 * the other one nothing. */
Test(queue, the_next_job_s_model_is_made_ready_while_this_one_is_drawn) {
    char *heard = strdup(scratch("heard")), *text, *program = strdup(listening_program(heard));
    setenv("SDXL_LAB_SHARE", XL_SOURCE_DIR, 1); /* the embedded model is there */
    params.program = program;
    open_queue();
    const char *slow = submit("{" SLOW ", 'width': 256, 'height': 256}");
    while (!step_of(slow)) pause_a_moment();
    const char *other = submit("{" SMALL ", 'model': 'Lab Tiny XL'}");
    while (!is_next_of_all(other)) pause_a_moment();
    int64_t step = step_of(slow);
    while (step_of(slow) < step + 2) pause_a_moment();
    cr_expect(is_in(slow, "running"));
    xl_queue_cancel(queue, slow, &err);
    await(other, "done");
    close_queue();
    size_t n;
    cr_assert_eq(
        xl_file_read(heard, (struct xl_read_rule){1 << 20, XL_EINPUT, XL_EINPUT}, &text, &n, &err),
        XL_OK, "%s", err.text);
    static const char *const order[] = {"\"open\"", "\"draw\"", "\"expect\"", "Lab Tiny XL",
                                        "\"stop\"", "\"open\"", "\"draw\""};
    const char *at = text;
    for (size_t i = 0; at && i < sizeof order / sizeof *order; i++) {
        at = strstr(at, order[i]);
        cr_expect_not_null(at, "%s is missing, or too early: %s", order[i], text);
        if (at) at++;
    }
    cr_expect(!at || !strstr(at, "\"expect\""), "said again: %s", text);
    free(text);
    free(program);
    free(heard);
}

Test(queue, tells_what_happens) {
    struct xl_subscriber *follower;
    struct xl_event event;
    int n_cells = 0, n_done = 0, n_progress = 0;
    open_queue();
    cr_assert_eq(xl_subscriber_new(xl_queue_events(queue), UINT64_MAX, NULL, NULL, &follower, &err),
                 XL_OK);
    const char *id = submit("{" SMALL ", 'steps': 200}");
    uint64_t before = 0;
    while (!n_done && xl_subscriber_next(follower, 30, &event) == XL_NEXT_EVENT) {
        json_t *data = json_loads(event.text, JSON_DECODE_ANY, NULL);
        const char *state = json_string_value(json_object_get(data, "state"));
        cr_expect_gt(event.id, before);
        before = event.id;
        n_cells += !strcmp(event.type, "cell");
        n_progress += !strcmp(event.type, "progress");
        n_done += !strcmp(event.type, "job") && state && !strcmp(state, "done");
        json_decref(data);
        free(event.text);
    }
    cr_expect(is_in(id, "done"));
    cr_expect_eq(n_cells, 1);
    cr_expect_gt(n_progress, 1);
    cr_expect_eq(n_done, 1);
    xl_subscriber_free(follower);
}

Test(queue, makes_small_pictures_for_who_asks) {
    int64_t number = 0, newer;
    void *bytes = NULL, *ignored;
    size_t n = 0;
    open_queue();
    await(submit("{" SMALL "}"), "done");
    cr_expect_eq(queue_previews(), 0);
    const char *id = submit("{" SMALL ", 'steps': 400, 'sweep': {'seed': '1..3'}}");
    while (!bytes) xl_queue_preview(queue, id, 0, &number, &bytes, &n);
    struct xl_image image = {0};
    cr_assert_eq(xl_image_decode("a preview", bytes, n, &image, &err), XL_OK, "%s", err.text);
    cr_expect_eq(image.width, 8);
    cr_expect_eq(image.height, 8);
    xl_image_free(&image);
    free(bytes);
    xl_queue_preview(queue, "nothing", 0, &newer, &ignored, &n);
    cr_expect_null(ignored);
    await(id, "done");
    xl_queue_preview(queue, id, number, &newer, &bytes, &n);
    cr_expect_gt(newer, number);
    free(bytes);
}

/* What the command draws for the same settings, without a second in its name. */
Test(queue, draws_what_generate_draws) {
    open_queue();
    const char *id = submit("{" SMALL ", 'steps': 3, 'seed': 11, 'guidance': 4}");
    await(id, "done");
    json_t *job = job_of(id);
    const json_t *picture = json_array_get(json_object_get(job, "pictures"), 0);
    char *command = NULL;
    cr_assert_gt(
        asprintf(&command,
                 "%s generate --model %s --device cpu --prompt 'a cat' --width 64 --height "
                 "64 --steps 3 --seed 11 --guidance 4 --quiet --output-dir %s/cli >/dev/null",
                 XL_PROGRAM, REPO, scratch_dir),
        0);
    cr_assert_eq(system(command), 0, "%s", command);
    free(command);
    cr_assert_gt(asprintf(&command, "cmp %s %s/cli/*.png",
                          json_string_value(json_array_get(picture, 1)), scratch_dir),
                 0);
    cr_expect_eq(system(command), 0, "%s", command);
    free(command);
    json_decref(job);
}

/* Lines of the job log that name this job. */
Test(queue, the_job_log_names_the_job) {
    open_queue();
    const char *id = submit("{" SMALL "}");
    await(id, "done");
    char *text = NULL, path[600];
    size_t n = 0;
    const struct xl_read_rule rule = {1 << 20, XL_EINPUT, XL_EINPUT};
    snprintf(path, sizeof path, "%s/jobs_t.log", settings.output_dir);
    cr_assert_eq(xl_file_read(path, rule, &text, &n, &err), XL_OK, "%s", err.text);
    json_t *line = json_loads(text, 0, NULL);
    cr_expect_str_eq(json_string_value(json_object_get(line, "job")), id);
    json_decref(line);
    free(text);
}

Test(queue, an_upload_is_named_and_nothing_else_is) {
    params.uploads = scratch("uploads");
    params.uploads = strdup(params.uploads);
    struct xl_image image = {0};
    void *png = NULL;
    size_t n = 0;
    cr_assert_eq(xl_image_new(64, 64, &image, &err), XL_OK);
    cr_assert_eq(xl_png_encode(&image, NULL, 0, &png, &n, &err), XL_OK);
    scratch_write(scratch("uploads/a.png"), png, n);
    scratch_write(scratch("secret.png"), png, n);
    cr_assert_eq(symlink(scratch("secret.png"), scratch("uploads/link.png")), 0);
    free(png);
    xl_image_free(&image);
    open_queue();
    await(submit("{" SMALL ", 'init_image': 'a.png', 'strength': 1}"), "done");
    await(submit("{" SMALL ", 'sweep': {'init_image': ['a.png', ''], 'seed': '1,2'}}"), "done");
    cr_expect_eq(refused("{" SMALL ", 'init_image': 'link.png'}"), XL_EINVAL);
    cr_expect_eq(refused("{" SMALL ", 'init_image': '../secret.png'}"), XL_EINVAL);
    close_queue();
    free((char *)params.uploads);
}
