/* test_job_log.c - the job log: lines that are whole whoever writes and whatever fails, names that
 * stay where they belong, one owner a name. */
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "lab/log/instance.h"
#include "lab/log/job_log.h"
#include "unit/job_log_lines.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void open_scratch(void) {
    unsetenv("INSTANCE_ID");
    unsetenv("CONTAINER_NAME");
    unsetenv("HOSTNAME");
    scratch_open();
}

TestSuite(job_log, .init = open_scratch, .fini = scratch_close);

static const struct xl_job_picture four_pictures[] = {
    {.seed = 42, .path = "output_images/a.png", .cell = "c0"},
    {.seed = 43, .path = "output_images/b.png", .cell = "c1"},
    {.seed = 9223372036854775807u, .cell = "c2"},
    {.seed = 18446744073709551615u, .path = "output_images/d.png"},
};

static struct xl_cell the_cell; /* of the entry */
static json_t *drawn_by;

static struct xl_job_entry an_entry(void) {
    the_cell = (struct xl_cell){
        .model_key = "SDXL Base 1.0",
        .profile = "Watercolor",
        .prompt = "a cat",
        .negative = "",
        .styled_prompt = "a cat, watercolor",
        .effective_negative = "photo",
        .width = 768,
        .height = 768,
        .steps = 30,
        .guidance = 7.5,
        .scheduler = "euler",
        .seed = 42,
    };
    if (!drawn_by)
        drawn_by = json_pack("{s:s, s:s, s:s}", "device", "cpu", "isa", "AVX2", "precision", "F32");
    return (struct xl_job_entry){
        .timestamp = "20261124-031500",
        .multi_profile = true,
        .cell = &the_cell,
        .model_id = "stabilityai/stable-diffusion-xl-base-1.0",
        .weights = "00ff",
        .width = 576,
        .height = 576,
        .fallback = "576x576 instead of 768x768",
        .batch_size = 4,
        .pictures = four_pictures,
        .n_pictures = 4,
        .drawn_by = drawn_by,
        .run_dir = "output_images/run",
        .encode_s = 0.5,
        .sample_s = 2,
        .decode_s = 0.25,
        .total_s = 2.75,
    };
}

static char *content_of(const char *path, size_t *n) {
    struct xl_err err = {0};
    char *text = NULL;
    ok(xl_file_read(path, (struct xl_read_rule){1 << 30, XL_EINPUT, XL_EINPUT}, &text, n, &err));
    return text;
}

/* ---- What a line holds ---- */

Test(job_log, a_line_has_the_keys_of_the_earlier_app_and_ours) {
    static const char *const expected[][2] = {
        {"timestamp", "\"20261124-031500\""},
        {"mode", "\"txt2img\""},
        {"multi_profile", "true"},
        {"profile_style", "\"Watercolor\""},
        {"prompt", "\"a cat\""},
        {"styled_prompt", "\"a cat, watercolor\""},
        {"negative_prompt", "\"\""},
        {"effective_negative_prompt", "\"photo\""},
        {"model_key", "\"SDXL Base 1.0\""},
        {"model_id", "\"stabilityai/stable-diffusion-xl-base-1.0\""},
        {"scheduler", "\"euler\""},
        {"steps", "30"},
        {"guidance_scale", "7.5"},
        {"width", "576"},
        {"height", "576"},
        {"batch_size", "4"},
        {"seed_base", "\"42\""},
        {"seeds", "[\"42\",\"43\",\"9223372036854775807\",\"18446744073709551615\"]"},
        {"paths", "[\"output_images/a.png\",\"output_images/b.png\",\"output_images/d.png\"]"},
        {"error", "null"},
        {"run_dir", "\"output_images/run\""},
        {"instance_id", "\"night\""},
        {"status", "\"XL_OK\""},
        {"cells", "[\"c0\",\"c1\",\"c2\"]"},
        {"requested_width", "768"},
        {"requested_height", "768"},
        {"fallback", "\"576x576 instead of 768x768\""},
        {"init_image", "null"},
        {"strength", "null"},
        {"precision", "\"F32\""},
        {"isa", "\"AVX2\""},
        {"dtype", "\"auto\""},
        {"vae_tile", "0"},
        {"requested_vae_tile", "0"},
        {"format", "2"},
        {"device", "\"cpu\""},
        {"rng", "\"torch-cpu\""},
        {"weights", "\"00ff\""},
        {"version", "\"" XL_VERSION "\""},
        {"encode_s", "0.5"},
        {"sample_s", "2.0"},
        {"decode_s", "0.25"},
        {"total_s", "2.75"},
        {"tflop", "null"},
    };
    struct xl_err err = {0};
    struct xl_job_log *log = NULL;
    ok(xl_job_log_open(scratch("out/deep"), "night", &log, &err));
    cr_expect_str_eq(xl_job_log_path(log), scratch("out/deep/jobs_night.log"));
    cr_expect_str_eq(xl_job_log_instance(log), "night");
    struct xl_job_entry entry = an_entry();
    ok(xl_job_log_append(log, &entry, &err));
    xl_job_log_close(log);
    json_t *lines = read_all(scratch("out/deep/jobs_night.log"), NULL);
    cr_assert_eq(json_array_size(lines), 1);
    const json_t *line = json_array_get(lines, 0);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        expect_key(line, expected[i][0], expected[i][1]);
    cr_expect_eq(strlen(json_string_value(json_object_get(line, "logged_at"))), 20);
    cr_expect_null(json_object_get(line, "truncated"));
    json_decref(lines);
}

Test(job_log, a_failed_job_is_on_record) {
    struct xl_err err = {0};
    struct xl_job_log *log = NULL;
    ok(xl_job_log_open(scratch_dir, "f", &log, &err));
    struct xl_job_picture picture = {.seed = 1};
    struct xl_job_entry entry = an_entry();
    entry.pictures = &picture;
    entry.n_pictures = 1;
    entry.status = XL_ENOMEM;
    entry.error = "out of memory: 3.0 GiB for the UNet";
    the_cell.init_image = "in.png";
    the_cell.strength = 0.5;
    ok(xl_job_log_append(log, &entry, &err));
    entry.n_pictures = 0;
    ok(xl_job_log_append(log, &entry, &err));
    xl_job_log_close(log);
    json_t *lines = read_all(scratch("jobs_f.log"), NULL);
    cr_assert_eq(json_array_size(lines), 2);
    expect_key(json_array_get(lines, 0), "status", "\"XL_ENOMEM\"");
    expect_key(json_array_get(lines, 0), "error", "\"out of memory: 3.0 GiB for the UNet\"");
    expect_key(json_array_get(lines, 0), "seeds", "[\"1\"]");
    expect_key(json_array_get(lines, 0), "paths", "[]");
    expect_key(json_array_get(lines, 0), "strength", "0.5");
    expect_key(json_array_get(lines, 1), "seeds", "[]");
    json_decref(lines);
}

/* Newlines, escapes, quotes, no UTF-8, 10 kB of emoji: one line each, and texts come back. */
Test(job_log, hostile_texts_stay_one_line) {
    char *emoji = malloc(10004);
    for (int i = 0; i < 2500; i++) memcpy(emoji + 4 * i, "\xF0\x9F\x90\xB1", 5);
    const char *prompts[] = {"two\nlines\r\n",
                             "\x1b[31mred\x1b[0m \x07",
                             "\"}\\\",{",
                             emoji,
                             "\xE2\x80\xA8 \xE2\x80\xA9",
                             ""};
    enum { N = sizeof prompts / sizeof *prompts };
    struct xl_err err = {0};
    struct xl_job_log *log = NULL;
    ok(xl_job_log_open(scratch_dir, "h", &log, &err));
    for (int i = 0; i < N; i++) {
        struct xl_job_entry entry = an_entry();
        the_cell.prompt = prompts[i];
        ok(xl_job_log_append(log, &entry, &err));
    }
    struct xl_job_entry entry = an_entry();
    the_cell.prompt = "a\xFF\xC0\x80z";
    ok(xl_job_log_append(log, &entry, &err));
    xl_job_log_close(log);
    size_t n = 0, n_lines = 0;
    char *text = content_of(scratch("jobs_h.log"), &n);
    for (size_t i = 0; i < n; i++) {
        n_lines += text[i] == '\n';
        cr_expect(text[i] == '\n' || (unsigned char)text[i] >= 32, "raw control character");
    }
    cr_expect_eq(n_lines, N + 1);
    json_t *lines = read_all(scratch("jobs_h.log"), NULL);
    for (int i = 0; i < N; i++)
        cr_expect_str_eq(json_string_value(json_object_get(json_array_get(lines, i), "prompt")),
                         prompts[i]);
    cr_expect_str_eq(json_string_value(json_object_get(json_array_get(lines, N), "prompt")),
                     "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz");
    json_decref(lines);
    free(text);
    free(emoji);
}

static size_t longest_line(const char *text, size_t n) {
    size_t longest = 0, begin = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] != '\n') continue;
        if (i + 1 - begin > longest) longest = i + 1 - begin;
        begin = i + 1;
    }
    return longest;
}

Test(job_log, long_texts_are_cut_and_say_so) {
    enum { LONG = 1 << 20 };
    char *worst = malloc(LONG + 1), *umlauts = malloc(LONG + 1);
    memset(worst, 1, LONG); /* six bytes each in JSON */
    for (int i = 0; i < LONG; i += 2) memcpy(umlauts + i, "\xC3\xBC", 2);
    worst[LONG] = umlauts[LONG] = 0;
    struct xl_err err = {0};
    struct xl_job_log *log = NULL;
    ok(xl_job_log_open(scratch_dir, "l", &log, &err));
    struct xl_job_entry entry = an_entry();
    the_cell.prompt = umlauts;
    ok(xl_job_log_append(log, &entry, &err));
    entry = an_entry();
    the_cell.prompt = the_cell.styled_prompt = the_cell.negative = worst;
    the_cell.effective_negative = the_cell.model_key = the_cell.profile = worst;
    the_cell.scheduler = the_cell.init_image = the_cell.init_digest = worst;
    entry.model_id = entry.error = entry.run_dir = entry.weights = entry.fallback = worst;
    struct xl_job_picture picture = {.path = worst, .cell = worst};
    entry.pictures = &picture;
    entry.n_pictures = 1;
    ok(xl_job_log_append(log, &entry, &err));
    xl_job_log_close(log);
    size_t n = 0;
    char *text = content_of(scratch("jobs_l.log"), &n);
    cr_expect_leq(longest_line(text, n), XL_JOB_LINE_MAX);
    struct xl_job_counts counts;
    json_t *lines = read_all(scratch("jobs_l.log"), &counts);
    cr_assert_eq(json_array_size(lines), 2);
    cr_expect_eq(counts.n_damaged, 0);
    for (int i = 0; i < 2; i++) expect_key(json_array_get(lines, i), "truncated", "true");
    const char *cut = json_string_value(json_object_get(json_array_get(lines, 0), "prompt"));
    cr_expect(strlen(cut) > 8000 && strstr(cut, "\xE2\x80\xA6 [cut]"), "%zu", strlen(cut));
    expect_key(json_array_get(lines, 0), "styled_prompt", "\"a cat, watercolor\"");
    json_decref(lines);
    free(text);
    free(worst);
    free(umlauts);
}

static bool is_the_first(void *user) {
    int *n_asked = user;
    return ++*n_asked == 1;
}

Test(job_log, a_line_that_nobody_wants_any_more) {
    int n_asked = 0;
    struct xl_err err = {0};
    struct xl_job_log *log = NULL;
    ok(xl_job_log_open(scratch_dir, "w", &log, &err));
    struct xl_job_entry entry = an_entry();
    entry.is_wanted = is_the_first;
    entry.user = &n_asked;
    for (int i = 0; i < 3; i++) ok(xl_job_log_append(log, &entry, &err));
    xl_job_log_close(log);
    json_t *lines = read_all(scratch("jobs_w.log"), NULL);
    cr_expect_eq(json_array_size(lines), 1);
    cr_expect_eq(n_asked, 3);
    json_decref(lines);
}

/* More paths than a line holds: several lines, every picture in exactly one, in order. */
Test(job_log, many_pictures_become_several_lines) {
    enum { N = 600, LENGTH = 200 };
    static struct xl_job_picture pictures[N];
    static char paths[N][LENGTH + 1];
    for (int i = 0; i < N; i++) {
        memset(paths[i], 'p', LENGTH);
        snprintf(paths[i] + LENGTH - 4, 5, "%04d", i);
        pictures[i] = (struct xl_job_picture){.seed = i, .path = paths[i], .cell = "cell"};
    }
    struct xl_err err = {0};
    struct xl_job_log *log = NULL;
    ok(xl_job_log_open(scratch_dir, "m", &log, &err));
    struct xl_job_entry entry = an_entry();
    entry.pictures = pictures;
    entry.n_pictures = N;
    ok(xl_job_log_append(log, &entry, &err));
    xl_job_log_close(log);
    json_t *lines = read_all(scratch("jobs_m.log"), NULL);
    size_t n_lines = json_array_size(lines), at = 0;
    cr_expect_gt(n_lines, 1);
    for (size_t i = 0; i < n_lines; i++) {
        const json_t *line = json_array_get(lines, i);
        cr_expect_eq(json_integer_value(json_object_get(line, "part")), (json_int_t)i + 1);
        cr_expect_eq(json_integer_value(json_object_get(line, "n_parts")), (json_int_t)n_lines);
        json_t *part = json_object_get(line, "paths");
        for (size_t j = 0; j < json_array_size(part); j++, at++)
            cr_expect_str_eq(json_string_value(json_array_get(part, j)), paths[at]);
    }
    cr_expect_eq(at, N);
    json_decref(lines);
}

/* ---- Names ---- */

Test(job_log, the_name_comes_from_the_first_source_there_is) {
    char name[XL_INSTANCE_MAX + 1], host[256] = "", expected[XL_INSTANCE_MAX + 1];
    gethostname(host, sizeof host - 1);
    xl_instance_sanitize(host, expected);
    xl_instance_name(NULL, name);
    cr_expect_str_eq(name, expected);
    setenv("HOSTNAME", "dgx-3", 1);
    xl_instance_name("", name);
    cr_expect_str_eq(name, "dgx-3");
    setenv("CONTAINER_NAME", "lab_a", 1);
    xl_instance_name(NULL, name);
    cr_expect_str_eq(name, "lab_a");
    setenv("INSTANCE_ID", "", 1);
    xl_instance_name(NULL, name);
    cr_expect_str_eq(name, "lab_a", "an empty variable counts as absent");
    setenv("INSTANCE_ID", "night", 1);
    xl_instance_name(NULL, name);
    cr_expect_str_eq(name, "night");
    xl_instance_name("day", name);
    cr_expect_str_eq(name, "day");
}

Test(job_log, names_are_made_safe) {
    static const char *const cases[][2] = {
        {"gpu-0_A.b", "gpu-0_A.b"},
        {"a b", "a-b"},
        {"../../etc/passwd", "---..-etc-passwd"},
        {"....", "----"},
        {"k\xC3\xB6ln", "k-ln"},
        {"\xFF\xFE", "--"},
        {"a\nb", "a-b"},
        {"%2e%2e", "-2e-2e"},
        {"", ""},
    };
    char out[XL_INSTANCE_MAX + 1];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        xl_instance_sanitize(cases[i][0], out);
        cr_expect_str_eq(out, cases[i][1]);
    }
    char longest[1000];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = 0;
    xl_instance_sanitize(longest, out);
    cr_expect_eq(strlen(out), XL_INSTANCE_MAX);
    xl_instance_sanitize(NULL, out);
    cr_expect_str_eq(out, "");
}

static int count_below(const char *path, char names[][256], int max) {
    DIR *dir = opendir(path);
    cr_assert(dir);
    int n = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        if (names && n < max) snprintf(names[n], 256, "%s", entry->d_name);
        n++;
    }
    closedir(dir);
    return n;
}

/* Names that would leave the directory, were they taken as they are; dressed up in 8 ways each. */
Test(job_log, no_name_leads_out_of_the_directory) {
    static const char *const payloads[] = {
        "..",
        "../x",
        "../../x",
        "/etc/passwd",
        "//x",
        "..\\x",
        "..\\..\\x",
        "C:\\x",
        "%2e%2e%2fx",
        "%252e%252e%252fx",
        "..%c0%afx",
        "\xC0\xAE\xC0\xAE/x",
        "....//x",
        "..;/x",
        ".",
        "./x",
        "~/x",
        "~root",
        "/proc/self/environ",
        "/dev/full",
        "CON",
        "NUL.txt",
        "x\n../y",
        "x\r\n",
        "\x1b[2J",
        "\xE2\x80\xAEgol",
        "x. ",
        "x...",
        "$(touch x)",
        "`touch x`",
        "; rm x",
        "|x",
        "x\ty",
        "*",
        "?",
        "-rf",
        "--help",
        "\"x\"",
        "'x'",
        "<x>",
        "a/b/c",
        "/",
        "//",
        "\\",
    };
    static const char *const dressing[] = {"%s",     "%s/", "x%s",  "x/%s",
                                           "%s.log", " %s", "./%s", "%s%s"};
    enum { N = sizeof payloads / sizeof *payloads };
    cr_assert_eq(mkdir(scratch("in"), 0777), 0);
    static char names[4096][256];
    struct xl_err err = {0};
    struct xl_job_entry entry = an_entry();
    for (int i = 0; i < N * 8; i++) {
        char id[600];
        snprintf(id, sizeof id, dressing[i % 8], payloads[i / 8], payloads[i / 8]);
        struct xl_job_log *log = NULL;
        ok(xl_job_log_open(scratch("in"), id, &log, &err));
        ok(xl_job_log_append(log, &entry, &err));
        cr_expect_eq(
            strncmp(xl_job_log_path(log), scratch("in/jobs_"), strlen(scratch("in/jobs_"))), 0);
        xl_job_log_close(log);
    }
    cr_expect_eq(count_below(scratch_dir, NULL, 0), 1, "only the directory itself");
    int n = count_below(scratch("in"), names, 4096);
    for (int i = 0; i < n; i++) {
        const char *name = names[i] + (names[i][0] == '.');
        cr_expect_eq(strncmp(name, "jobs_", 5), 0, "%s", names[i]);
        cr_expect_eq(
            strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"),
            strlen(name), "%s", names[i]);
        struct stat st;
        cr_expect(!lstat(scratch("in/%s", names[i]), &st) && S_ISREG(st.st_mode));
    }
}

Test(job_log, links_pipes_and_folders_in_the_way_are_refused) {
    struct xl_err err = {0};
    struct xl_job_log *log = NULL;
    cr_assert_eq(symlink(scratch("elsewhere"), scratch("jobs_a.log")), 0);
    cr_assert_eq(symlink(scratch("elsewhere"), scratch(".jobs_b.lock")), 0);
    cr_assert_eq(mkfifo(scratch("jobs_c.log"), 0666), 0);
    cr_assert_eq(mkdir(scratch("jobs_d.log"), 0777), 0);
    scratch_puts(scratch("file"), "");
    cr_expect_eq(xl_job_log_open(scratch_dir, "a", &log, &err), XL_EDISK);
    cr_expect(strstr(err.text, "symbolic link"), "%s", err.text);
    cr_expect_eq(xl_job_log_open(scratch_dir, "b", &log, &err), XL_EDISK);
    cr_expect_eq(xl_job_log_open(scratch_dir, "c", &log, &err), XL_EDISK);
    cr_expect(strstr(err.text, "not a regular file"), "%s", err.text);
    cr_expect_eq(xl_job_log_open(scratch_dir, "d", &log, &err), XL_EDISK);
    cr_expect_eq(xl_job_log_open(scratch("file/x"), "a", &log, &err), XL_EDISK);
    cr_expect_null(log);
    cr_expect_not(xl_file_exists(scratch("elsewhere")));
}

Test(job_log, file_systems_that_do_not_append_atomically_are_known) {
    cr_expect_str_eq(xl_job_log_unsafe_filesystem(0x6969), "NFS");
    cr_expect_str_eq(xl_job_log_unsafe_filesystem(0x0BD00BD0), "Lustre");
    cr_expect_str_eq(xl_job_log_unsafe_filesystem((int32_t)0xFF534D42), "CIFS", "negative on i386");
    cr_expect_null(xl_job_log_unsafe_filesystem(0xEF53), "ext4");
    cr_expect_null(xl_job_log_unsafe_filesystem(0x01021994), "tmpfs");
}

/* ---- Owners ---- */

/* A child that opens the log of instance "same", says which name it got, and holds it until told.
 */
struct child {
    pid_t pid;
    int said, told; /* pipes */
};

static struct child start_child(void) {
    int said[2], told[2];
    cr_assert(!pipe2(said, O_CLOEXEC) && !pipe2(told, O_CLOEXEC));
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid) {
        close(said[1]), close(told[0]);
        return (struct child){pid, said[0], told[1]};
    }
    xl_log_set_level(XL_LOG_ERROR);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(said[0]), close(told[1]);
    struct xl_job_log *log = NULL;
    const char *name = "failed";
    if (!xl_job_log_open(scratch_dir, "same", &log, NULL)) name = xl_job_log_instance(log);
    (void)!write(said[1], name, strlen(name) + 1);
    char byte;
    (void)!read(told[0], &byte, 1);
    _exit(0);
}

static void name_of_child(const struct child *child, char name[64]) {
    ssize_t n = read(child->said, name, 63);
    cr_assert_gt(n, 0);
    name[n] = 0;
}

static void end_child(const struct child *child, int signal_number) {
    signal(SIGPIPE, SIG_IGN);
    if (signal_number) kill(child->pid, signal_number);
    /* A byte and not only the end of the pipe: children that were started later hold it open. */
    (void)!write(child->told, "x", 1);
    close(child->told);
    waitpid(child->pid, NULL, 0);
    close(child->said);
}

Test(job_log, of_fifty_at_once_each_name_has_one_owner) {
    enum { N = 50 };
    struct child children[N];
    char names[N][64];
    bool seen[N + 1] = {false};
    for (int i = 0; i < N; i++) children[i] = start_child();
    for (int i = 0; i < N; i++) {
        name_of_child(&children[i], names[i]);
        int suffix = 1;
        cr_expect(!strcmp(names[i], "same") || sscanf(names[i], "same_%d", &suffix) == 1, "%s",
                  names[i]);
        cr_assert(suffix >= 1 && suffix <= N);
        cr_expect_not(seen[suffix], "%s has two owners", names[i]);
        seen[suffix] = true;
    }
    for (int i = 0; i < N; i++) end_child(&children[i], 0);
}

Test(job_log, a_killed_owner_owns_nothing) {
    struct child first = start_child();
    char name[64];
    name_of_child(&first, name);
    cr_expect_str_eq(name, "same");
    struct child second = start_child();
    name_of_child(&second, name);
    cr_expect_str_eq(name, "same_2");
    end_child(&first, SIGKILL);
    struct child third = start_child();
    name_of_child(&third, name);
    cr_expect_str_eq(name, "same", "at once, though the lock file is there");
    end_child(&second, 0);
    end_child(&third, 0);
}

/* ---- Whole lines ---- */

/* A sanitizer looks at each byte of a line that is written and read: some minutes for as many. */
#ifdef __SANITIZE_ADDRESS__
enum { N_PROCESSES = 32, N_LINES = 500 };
#else
enum { N_PROCESSES = 32, N_LINES = 10000 };
#endif

static void write_many(const char *path, int process) {
    struct xl_job_log *log = NULL;
    if (xl_job_log_open_shared(path, false, &log, NULL)) _exit(1);
    struct xl_job_entry entry = an_entry();
    char prompt[6000]; /* one line in 16 is longer than a page */
    memset(prompt, 'p', sizeof prompt);
    for (int i = 0; i < N_LINES; i++) {
        struct xl_job_picture picture = {.seed = (uint64_t)process << 32 | (unsigned)i};
        size_t n = (size_t)(i * 7919 % (i % 16 ? 100 : (int)sizeof prompt));
        char end = prompt[n];
        prompt[n] = 0;
        the_cell.prompt = prompt;
        entry.pictures = &picture;
        entry.n_pictures = 1;
        if (xl_job_log_append(log, &entry, NULL)) _exit(2);
        prompt[n] = end;
    }
    _exit(0);
}

struct tally {
    int next[N_PROCESSES]; /* lines of one process come in its order */
    int64_t n;
};

static enum xl_status count_line(void *user, const json_t *object, int64_t line,
                                 struct xl_err *err) {
    (void)line, (void)err;
    struct tally *tally = user;
    uint64_t seed = 0;
    cr_assert(xl_json_read_seed(json_array_get(json_object_get(object, "seeds"), 0), &seed));
    cr_assert_lt(seed >> 32, N_PROCESSES);
    cr_assert_eq(tally->next[seed >> 32]++, (int)(seed & 0xffffffff));
    tally->n++;
    return XL_OK;
}

Test(job_log, many_processes_write_one_log_and_no_line_breaks) {
    char path[SCRATCH_PATH];
    snprintf(path, sizeof path, "%s", scratch("jobs.log"));
    for (int i = 0; i < N_PROCESSES; i++) {
        pid_t pid = fork();
        cr_assert_geq(pid, 0);
        if (!pid) write_many(path, i);
    }
    int how = 0;
    for (int i = 0; i < N_PROCESSES; i++)
        cr_assert(wait(&how) > 0 && WIFEXITED(how) && !WEXITSTATUS(how));
    static struct tally tally;
    struct xl_job_counts counts;
    struct xl_err err = {0};
    ok(xl_job_log_read(path, count_line, &tally, &counts, &err));
    cr_expect_eq(counts.n_damaged, 0);
    cr_expect_eq(tally.n, (int64_t)N_PROCESSES * N_LINES);
}

Test(job_log, a_torn_last_line_swallows_nothing) {
    scratch_puts(scratch("jobs_t.log"), "{\"prompt\":\"whole\"}\n{\"prompt\":\"to");
    struct xl_err err = {0};
    struct xl_job_log *log = NULL;
    ok(xl_job_log_open(scratch_dir, "t", &log, &err));
    struct xl_job_entry entry = an_entry();
    ok(xl_job_log_append(log, &entry, &err));
    ok(xl_job_log_append(log, &entry, &err));
    xl_job_log_close(log);
    struct xl_job_counts counts;
    json_t *lines = read_all(scratch("jobs_t.log"), &counts);
    cr_expect_eq(json_array_size(lines), 3);
    cr_expect_eq(counts.n_entries, 3);
    cr_expect_eq(counts.n_damaged, 1);
    cr_expect_eq(counts.first_damaged, 2);
    json_decref(lines);
}

Test(job_log, a_log_that_was_removed_begins_anew) {
    struct xl_err err = {0};
    struct xl_job_log *log = NULL;
    struct xl_job_entry entry = an_entry();
    ok(xl_job_log_open(scratch_dir, "r", &log, &err));
    ok(xl_job_log_append(log, &entry, &err));
    cr_assert_eq(unlink(scratch("jobs_r.log")), 0);
    ok(xl_job_log_append(log, &entry, &err));
    xl_job_log_close(log);
    json_t *lines = read_all(scratch("jobs_r.log"), NULL);
    cr_expect_eq(json_array_size(lines), 1);
    json_decref(lines);
}

/* ---- No room ---- */

/* Append until there is no room, make some, append again: no line is broken, and those that were
 * reported as written are there. */
static void fill_up(void (*make_room)(void)) {
    struct xl_err err = {0};
    struct xl_job_log *log = NULL;
    ok(xl_job_log_open(scratch_dir, "d", &log, &err));
    struct xl_job_entry entry = an_entry();
    char prompt[6000];
    memset(prompt, 'x', sizeof prompt - 1);
    prompt[sizeof prompt - 1] = 0;
    the_cell.prompt = prompt;
    int n = 0;
    while (n < 1000 && !xl_job_log_append(log, &entry, &err)) n++;
    cr_assert(n > 0 && n < 1000);
    cr_expect(strstr(err.text, "jobs_d.log: cannot write"), "%s", err.text);
    for (int i = 0; i < 3; i++) cr_expect_eq(xl_job_log_append(log, &entry, &err), XL_EDISK);
    make_room();
    ok(xl_job_log_append(log, &entry, &err));
    xl_job_log_close(log);
    struct xl_job_counts counts;
    json_decref(read_all(scratch("jobs_d.log"), &counts));
    cr_expect_eq(counts.n_entries, n + 1);
    cr_expect_eq(counts.n_damaged, 0);
}

static void lift_limit(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = limit.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(job_log, a_log_that_may_not_grow_keeps_whole_lines) {
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = 100000;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    fill_up(lift_limit);
}

static void remove_ballast(void) {
    cr_assert_eq(unlink(scratch("ballast")), 0);
}

Test(job_log, a_full_disk_keeps_whole_lines) {
    if ((unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS)) ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount("small", scratch_dir, "tmpfs", 0, "size=512k"))
        cr_skip_test("no file system can be mounted here");
    char *ballast = calloc(1, 200000);
    scratch_write(scratch("ballast"), ballast, 200000);
    free(ballast);
    fill_up(remove_ballast);
    umount(scratch_dir);
}
