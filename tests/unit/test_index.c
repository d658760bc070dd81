/* test_index.c - the index of pictures: what it reads off logs, that it is the same however it came
 * about, and what damage, rotation and other processes do to it. */
#include "base/json.h"
#include "base/log.h"
#include "base/moment.h"
#include "base/str.h"
#include "insight/index/columns.h"
#include "insight/index/index.h"
#include "insight/index/observe.h"
#include "insight/index/pictures.h"
#include "insight/index/words.h"
#include "unit/scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/wait.h>

static void begin(void) {
    xl_log_set_level(XL_LOG_WARN); /* what is made anew is noted */
    scratch_open();
}

TestSuite(index, .init = begin, .fini = scratch_close, .timeout = 300);

enum { LINES = 300 };

/* A line as this program writes it, with the keys that matter. */
static void put_line(struct xl_str *out, int i) {
    xl_str_printf(
        out,
        "{\"format\":2,\"timestamp\":\"20261124-%02d%02d%02d\",\"width\":%d,\"height\":768,"
        "\"model_key\":\"Model %d\",\"profile_style\":\"Profile \\u00e4 %d\","
        "\"prompt\":\"castle %d in \\\"fog\\\"\",\"negative_prompt\":null,"
        "\"styled_prompt\":\"castle %d, grim\",\"scheduler\":\"Euler\",\"steps\":%d,"
        "\"guidance_scale\":%d.5,\"nested\":{\"a\":[1,\"}\",{\"b\":null}]},"
        "\"lora\":%s,\"seeds\":[\"%d\",\"18446744073709551615\"],"
        "\"paths\":[\"out/run_1/p%d_seed%d_00.png\",\"out/run_1/q%d_seed1_01.png\"],"
        "\"cells\":[\"%032x\",\"%031xf\"],\"status\":\"XL_OK\",\"error\":null,"
        "\"run_dir\":\"out/run_1\",\"logged_at\":\"2026-11-24T%02d:%02d:%02dZ\"}\n",
        i / 3600, i / 60 % 60, i % 60, 512 + i % 3 * 128, i % 4, i % 5, i % 7, i % 7, 20 + i % 3,
        i % 6, i % 9 ? "null" : "\"glass:0.8\"", i, i, i, i, i + 1, i + 1, i / 3600, i / 60 % 60,
        i % 60);
}

static void append(const char *name, const char *text, size_t n) {
    FILE *file = fopen(scratch("out/%s", name), "ab");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(text, 1, n, file), n);
    cr_assert_eq(fclose(file), 0);
}

static void put_lines(const char *name, int from, int n) {
    struct xl_str text = {0};
    for (int i = from; i < from + n; i++) put_line(&text, i);
    append(name, text.text, text.len);
    xl_str_deinit(&text);
}

static struct xl_index *open_how(enum xl_index_how how) {
    char dir[SCRATCH_PATH];
    snprintf(dir, sizeof dir, "%s", scratch("out"));
    const struct xl_index_params params = {.output_dir = dir, .threads = 2};
    struct xl_err err = {.text = ""};
    struct xl_index *index = NULL;
    cr_assert_eq(xl_index_open(&params, how, &index, &err), XL_OK, "%s", err.text);
    return index;
}

static struct xl_index_report report_of(struct xl_index *index) {
    struct xl_index_report report;
    cr_assert_eq(xl_index_tell(index, &report, NULL), XL_OK);
    return report;
}

/* Everything that the index says, without ids, which are its own. malloc'd */
static char *answers_of(struct xl_index *index) {
    struct xl_err err = {.text = ""};
    const struct xl_picture_filter all = {.n_where = 0};
    json_t *page = NULL, *facets = NULL, *picture;
    size_t i;
    cr_assert_eq(xl_pictures_page(index, &all, 100000, NULL, &page, &err), XL_OK, "%s", err.text);
    cr_assert_eq(xl_pictures_facets(index, &all, &facets, &err), XL_OK, "%s", err.text);
    json_array_foreach(json_object_get(page, "pictures"), i, picture)
        json_object_del(picture, "id");
    json_object_del(facets, "facets"); /* equal counts come in any order */
    json_object_set_new(page, "facets", facets);
    char *text = xl_json_dump(page, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(page);
    return text;
}

static char *answers(enum xl_index_how how) {
    struct xl_index *index = open_how(how);
    char *text = answers_of(index);
    xl_index_close(index);
    return text;
}

static size_t count_where(struct xl_index *index, const char *column, const char *value) {
    const struct xl_picture_where where = {column, value};
    const struct xl_picture_filter filter = {.where = &where, .n_where = 1};
    struct xl_err err = {.text = ""};
    json_t *page = NULL;
    cr_assert_eq(xl_pictures_page(index, &filter, 10000, NULL, &page, &err), XL_OK, "%s", err.text);
    size_t n = json_array_size(json_object_get(page, "pictures"));
    json_decref(page);
    return n;
}

Test(index, lines_of_this_program_and_of_the_earlier_one_are_read) {
    static const char old[] =
        "{'timestamp': '20250301-101112', 'mode': 'txt2img', 'multi_profile': false, "
        "'profile_style': 'Photoreal', 'prompt': 'a harbour \\ud83d\\ude00', 'styled_prompt': 'a "
        "harbour, photo', 'negative_prompt': '', 'model_key': 'SDXL Turbo', 'scheduler': 'Euler', "
        "'steps': 4, 'guidance_scale': 0.0, 'width': 512, 'height': 512, 'batch_size': 2, "
        "'seed_base': 7, 'seeds': [7, 8], 'paths': ['output_images/a.png', 'output_images/b.png'], "
        "'error': null, 'run_dir': null}\n"
        "{'timestamp': '20250301-101113', 'model_key': 'SDXL Turbo', 'guidance_scale': NaN, "
        "'paths': [], 'seeds': [9], 'error': 'out of memory'}\n"
        "Traceback (most recent call last):\n\n"
        "{'model_key': 'SDXL Turbo', 'steps': 26.0, 'guidance_scale': Infinity, 'seeds': [11], "
        "'paths': ['output_images/run_x/c_seed12_00.png']}\n"
        "{'torn': 'of";
    char *text = scratch_quotes(old);
    mkdir(scratch("out"), 0777);
    put_lines("jobs_new.log", 0, 2);
    append("jobs.log", text, strlen(text));
    free(text);
    struct xl_index *index = open_how(XL_INDEX_UPDATE);
    const struct xl_index_report report = report_of(index);
    cr_expect_eq(report.n_pictures, 7);
    cr_expect_eq(report.n_lines, 5);
    cr_expect_eq(report.n_damaged, 1, "a torn last line is not yet one");
    cr_expect_eq(report.n_failed, 1);
    cr_expect_eq(count_where(index, "model_key", "sdxl turbo"), 3, "case does not matter");
    cr_expect_eq(count_where(index, "model_key", "turbo"), 3, "a part will do");
    cr_expect_eq(count_where(index, "steps", "26"), 1, "26.0 is 26");
    cr_expect_eq(count_where(index, "size", "512x512"), 2);
    cr_expect_eq(count_where(index, "seed", "18446744073709551615"), 2);
    cr_expect_eq(count_where(index, "lora", "none"), 5);
    cr_expect_eq(count_where(index, "run", "run_1"), 4);
    cr_expect_eq(count_where(index, "model_key", "nobody"), 0);
    char *all = answers_of(index);
    cr_expect_not_null(strstr(all, "a harbour \xF0\x9F\x98\x80"));
    cr_expect_not_null(strstr(all, "Profile \xC3\xA4 1"));
    cr_expect_not_null(strstr(all, "castle 1 in \\\"fog\\\""));
    free(all);
    xl_index_close(index);
}

Test(index, a_damaged_line_is_what_the_reader_of_logs_says) {
    static const char *const lines[] = {
        "{}",       "{\"a\":1}",  " {\"a\" : [1, 2] } ", "[1]",
        "{\"a\":}", "{\"a\":1,}", "{\"a\":1}x",          "{\"a\"",
        "\"a\"",    "null",       "{\"a\":tru",          "{'a':1}",
    };
    mkdir(scratch("out"), 0777);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        append("jobs.log", lines[i], strlen(lines[i]));
        append("jobs.log", "\n", 1);
    }
    struct xl_index *index = open_how(XL_INDEX_UPDATE);
    const struct xl_index_report report = report_of(index);
    cr_expect_eq(report.n_lines + report.n_damaged, (int64_t)(sizeof lines / sizeof *lines));
    cr_expect_eq(report.n_lines, 3);
    xl_index_close(index);
}

Test(index, however_it_came_about_it_is_the_same) {
    struct xl_str text = {0};
    size_t at = 0, step = 1;
    mkdir(scratch("out"), 0777);
    for (int i = 0; i < LINES; i++) put_line(&text, i);
    /* In pieces that tear lines anywhere. */
    for (; at < text.len; at += step, step = step * 3 + 7) {
        size_t n = text.len - at < step ? text.len - at : step;
        append("jobs_a.log", text.text + at, n);
        xl_index_close(open_how(XL_INDEX_UPDATE));
    }
    xl_str_deinit(&text);
    char *grown = answers(XL_INDEX_UPDATE), *anew = answers(XL_INDEX_REBUILD);
    cr_expect_str_eq(grown, anew);
    struct xl_index *index = open_how(XL_INDEX_LOOK);
    cr_expect_eq(report_of(index).n_pictures, 2 * LINES);
    cr_expect_eq(report_of(index).n_damaged, 0);
    xl_index_close(index);
    free(grown);
    free(anew);
}

Test(index, logs_are_rotated_copied_emptied_and_removed) {
    mkdir(scratch("out"), 0777);
    put_lines("jobs_a.log", 0, 50);
    char *before = answers(XL_INDEX_UPDATE);
    cr_assert_eq(rename(scratch("out/jobs_a.log"), scratch("out/jobs_a.log.1")), 0);
    char *renamed = answers(XL_INDEX_UPDATE);
    cr_expect_str_eq(renamed, before, "a renamed log keeps its pictures");
    put_lines("jobs_a.log", 50, 10);
    struct xl_index *index = open_how(XL_INDEX_UPDATE);
    cr_expect_eq(report_of(index).n_pictures, 120);
    cr_expect_eq(report_of(index).n_new, 20);
    xl_index_close(index);
    /* Copied and emptied, as copytruncate does; and gone. */
    put_lines("jobs_a.log.2", 50, 10);
    cr_assert_eq(truncate(scratch("out/jobs_a.log"), 0), 0);
    put_lines("jobs_a.log", 60, 1);
    char *copied = answers(XL_INDEX_UPDATE), *anew = answers(XL_INDEX_REBUILD);
    cr_expect_str_eq(copied, anew);
    cr_assert_eq(unlink(scratch("out/jobs_a.log.1")), 0);
    index = open_how(XL_INDEX_UPDATE);
    cr_expect_eq(report_of(index).n_pictures, 22);
    xl_index_close(index);
    free(before);
    free(renamed);
    free(copied);
    free(anew);
}

Test(index, two_logs_that_name_one_picture_count_it_once) {
    mkdir(scratch("out"), 0777);
    put_lines("jobs_a.log", 0, 5);
    xl_index_close(open_how(XL_INDEX_UPDATE));
    put_lines("jobs_b.log", 3, 4);
    char *grown = answers(XL_INDEX_UPDATE), *anew = answers(XL_INDEX_REBUILD);
    cr_expect_str_eq(grown, anew);
    struct xl_index *index = open_how(XL_INDEX_UPDATE);
    cr_expect_eq(report_of(index).n_pictures, 14);
    xl_index_close(index);
    free(grown);
    free(anew);
}

/* --- Damage ----------------------------------------------------------------------------------- */

/* The path of the database; good until the eighth call of scratch. */
static const char *database_path(void) {
    const char *found = NULL;
    DIR *stream = opendir(scratch("out/.index"));
    cr_assert_not_null(stream);
    for (struct dirent *entry; (entry = readdir(stream));)
        if (!strncmp(entry->d_name, "index-", 6) && strstr(entry->d_name, ".sqlite") &&
            strlen(strstr(entry->d_name, ".sqlite")) == 7)
            found = scratch("out/.index/%s", entry->d_name);
    closedir(stream);
    cr_assert_not_null(found);
    return found;
}

static uint32_t random_state = 12345;
static uint32_t next_random(void) {
    random_state = random_state * 1664525u + 1013904223u;
    return random_state >> 8;
}

static void damage(const char *path, int how) {
    struct stat st;
    int fd = open(path, O_RDWR);
    cr_assert_geq(fd, 0);
    cr_assert_eq(fstat(fd, &st), 0);
    int n = how % 4 == 0 ? 1 : how % 4 == 1 ? 100 : 0;
    for (int i = 0; i < n; i++) { /* bytes that are other ones */
        off_t at = (off_t)(next_random() % (uint32_t)st.st_size);
        uint8_t byte;
        cr_assert_eq(pread(fd, &byte, 1, at), 1);
        byte ^= (uint8_t)(1 + next_random() % 255);
        cr_assert_eq(pwrite(fd, &byte, 1, at), 1);
    }
    if (how % 4 == 2) cr_assert_eq(ftruncate(fd, (off_t)(next_random() % (uint32_t)st.st_size)), 0);
    if (how % 4 == 3 && how % 8 == 3) { /* a page in another's place */
        char page[8192];
        uint32_t n_pages = (uint32_t)(st.st_size / 8192);
        cr_assert_eq(pread(fd, page, sizeof page, (off_t)(next_random() % n_pages) * 8192), 8192);
        cr_assert_eq(pwrite(fd, page, sizeof page, (off_t)(next_random() % n_pages) * 8192), 8192);
    } else if (how % 4 == 3) {
        cr_assert_eq(unlink(path), 0);
    }
    close(fd);
}

Test(index, a_hundred_ways_to_scramble_it_change_no_answer) {
    mkdir(scratch("out"), 0777);
    put_lines("jobs_a.log", 0, LINES);
    char *expected = answers(XL_INDEX_UPDATE);
    for (int how = 0; how < 100; how++) {
        char path[SCRATCH_PATH];
        snprintf(path, sizeof path, "%s", database_path());
        damage(path, how);
        char *got = answers(XL_INDEX_UPDATE);
        cr_expect_str_eq(got, expected, "way %d", how);
        free(got);
    }
    free(expected);
}

Test(index, what_damages_it_while_it_is_open_changes_no_answer) {
    mkdir(scratch("out"), 0777);
    put_lines("jobs_a.log", 0, LINES);
    char *expected = answers(XL_INDEX_UPDATE);
    for (int how = 0; how < 8; how++) {
        struct xl_index *index = open_how(XL_INDEX_LOOK);
        char path[SCRATCH_PATH];
        snprintf(path, sizeof path, "%s", database_path());
        damage(path, 1);
        char *got = answers_of(index);
        cr_expect_str_eq(got, expected);
        free(got);
        xl_index_close(index);
    }
    free(expected);
}

/* --- Others at work --------------------------------------------------------------------------- */

/* Append lines one by one, as an instance that draws. */
static pid_t start_writer(const char *name, int from, int n) {
    pid_t child = fork();
    if (child) return child;
    for (int i = from; i < from + n; i++) {
        put_lines(name, i, 1);
        usleep(1000);
    }
    _exit(0);
}

Test(index, two_instances_write_while_it_reads) {
    int status[2];
    mkdir(scratch("out"), 0777);
    pid_t one = start_writer("jobs_a.log", 0, 100), two = start_writer("jobs_b.log", 100, 100);
    int64_t last = 0;
    while (waitpid(one, &status[0], WNOHANG) == 0) {
        struct xl_index *index = open_how(XL_INDEX_UPDATE);
        const struct xl_index_report report = report_of(index);
        cr_expect_geq(report.n_pictures, last);
        cr_expect_eq(report.n_damaged, 0);
        last = report.n_pictures;
        xl_index_close(index);
    }
    waitpid(two, &status[1], 0);
    char *grown = answers(XL_INDEX_UPDATE), *anew = answers(XL_INDEX_REBUILD);
    cr_expect_str_eq(grown, anew);
    struct xl_index *index = open_how(XL_INDEX_UPDATE);
    cr_expect_eq(report_of(index).n_pictures, 400);
    xl_index_close(index);
    free(grown);
    free(anew);
}

Test(index, readers_are_not_blocked_and_see_what_was_there) {
    mkdir(scratch("out"), 0777);
    put_lines("jobs_a.log", 0, 10);
    struct xl_index *reader = open_how(XL_INDEX_UPDATE);
    char *before = answers_of(reader);
    put_lines("jobs_a.log", 10, 10);
    xl_index_close(open_how(XL_INDEX_UPDATE));
    cr_expect_eq(report_of(reader).n_pictures, 40, "an update is seen when it is done");
    xl_index_close(open_how(XL_INDEX_REBUILD));
    cr_expect_eq(report_of(reader).n_pictures, 40, "a reader keeps the index that it opened");
    xl_index_close(reader);
    free(before);
}

Test(index, without_a_write_ahead_log_it_says_so_and_is_the_same) {
    mkdir(scratch("out"), 0777);
    put_lines("jobs_a.log", 0, 20);
    char *expected = answers(XL_INDEX_UPDATE), dir[SCRATCH_PATH];
    snprintf(dir, sizeof dir, "%s", scratch("out"));
    const struct xl_index_params params = {.output_dir = dir, .is_rollback = true};
    struct xl_index *index = NULL;
    cr_assert_eq(xl_index_open(&params, XL_INDEX_REBUILD, &index, NULL), XL_OK);
    cr_expect_not_null(report_of(index).network);
    xl_index_close(index);
    put_lines("jobs_a.log", 20, 1);
    cr_assert_eq(xl_index_open(&params, XL_INDEX_UPDATE, &index, NULL), XL_OK);
    cr_expect_eq(report_of(index).n_pictures, 42);
    xl_index_close(index);
    free(expected);
}

/* --- Asking ----------------------------------------------------------------------------------- */

Test(index, pages_follow_each_other) {
    mkdir(scratch("out"), 0777);
    put_lines("jobs_a.log", 0, 40);
    struct xl_index *index = open_how(XL_INDEX_UPDATE);
    for (int sort = XL_NEWEST_FIRST; sort <= XL_OLDEST_FIRST; sort++) {
        const struct xl_picture_filter filter = {.sort = (enum xl_picture_sort)sort};
        char after[100] = "", last[300] = "";
        int n = 0;
        do {
            json_t *page = NULL, *picture;
            size_t i;
            cr_assert_eq(xl_pictures_page(index, &filter, 7, after[0] ? after : NULL, &page, NULL),
                         XL_OK);
            json_array_foreach(json_object_get(page, "pictures"), i, picture) {
                const char *made = json_string_value(json_object_get(picture, "made_at"));
                int order = last[0] ? strcmp(made, last) : 0;
                cr_expect(sort == XL_NEWEST_FIRST ? order <= 0 : order >= 0);
                snprintf(last, sizeof last, "%s", made);
                n++;
            }
            const char *next = json_string_value(json_object_get(page, "next"));
            snprintf(after, sizeof after, "%s", next ? next : "");
            json_decref(page);
        } while (after[0]);
        cr_expect_eq(n, 80);
    }
    json_t *page = NULL;
    const struct xl_picture_filter all = {.n_where = 0};
    cr_expect_eq(xl_pictures_page(index, &all, 7, "1; DROP TABLE pictures", &page, NULL),
                 XL_EINVAL);
    xl_index_close(index);
}

Test(index, words_are_found_in_prompts) {
    mkdir(scratch("out"), 0777);
    put_lines("jobs_a.log", 0, 70);
    struct xl_index *index = open_how(XL_INDEX_UPDATE);
    static const struct {
        const char *text;
        size_t n;
    } rows[] = {{"castle", 140},  {"cast", 140}, {"castle 3", 20},   {"FOG castle", 140},
                {"\"fog\"", 140}, {"grim", 0},   {"' OR 1=1 --", 0}, {"*", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct xl_picture_filter filter = {.text = rows[i].text};
        json_t *page = NULL;
        struct xl_err err = {.text = ""};
        cr_assert_eq(xl_pictures_page(index, &filter, 1000, NULL, &page, &err), XL_OK, "%s: %s",
                     rows[i].text, err.text);
        cr_expect_eq(json_array_size(json_object_get(page, "pictures")), rows[i].n, "%s",
                     rows[i].text);
        json_decref(page);
    }
    xl_index_close(index);
}

Test(index, statistics_get_the_pictures_as_rows) {
    mkdir(scratch("out"), 0777);
    put_lines("jobs_a.log", 0, 60);
    struct xl_index *index = open_how(XL_INDEX_UPDATE);
    struct xl_observations *all = NULL;
    const struct xl_picture_filter filter = {.n_where = 0};
    cr_assert_eq(xl_observe(index, &filter, &all, NULL), XL_OK);
    cr_expect_eq(all->row_count, 120);
    cr_expect_str_eq(all->factors[0].name, "model");
    cr_expect_eq(all->factors[0].level_count, 4);
    cr_expect_str_eq(all->factors[2].name, "resolution");
    cr_expect_str_eq(all->factors[2].levels[all->level[2][0]], "512x768");
    cr_expect_str_eq(all->factors[4].levels[all->level[4][0]], "0.5");
    cr_expect_str_eq(all->factors[7].name, "lora");
    cr_expect_str_eq(all->factors[7].levels[all->level[7][0]], "glass:0.8");
    cr_expect_str_eq(all->factors[7].levels[all->level[7][2]], "none");
    cr_expect_eq(all->word_count, 2, "castle, fog; numbers and joints are no words");
    cr_expect_eq(all->word_start[all->prompt_count], 2 * all->prompt_count);
    for (size_t i = 0; i < all->row_count; i++) {
        cr_expect_lt(all->prompt[i], all->prompt_count);
        if (i) cr_expect(all->made_at[i - 1] <= all->made_at[i], "rows are in their order");
    }
    cr_expect_eq(all->made_at[0], xl_moment_of("2026-11-24T00:00:00Z"));
    for (size_t i = 0; i < all->row_count; i++) cr_expect(!all->loved[i] && !all->rating[i]);
    xl_observe_free(all);
    xl_index_close(index);
}

Test(index, statistics_tell_zero_from_nothing) {
    mkdir(scratch("out"), 0777);
    const char *path = scratch("out/jobs_a.log");
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 3; i++)
        fprintf(
            file,
            "{\"timestamp\": \"20261124_00000%d\", \"seeds\": [%d], \"paths\": [\"%d.png\"]%s}\n",
            i, i, i, i == 1 ? ", \"guidance_scale\": 0.0" : "");
    fclose(file);
    struct xl_index *index = open_how(XL_INDEX_UPDATE);
    struct xl_observations *all = NULL;
    const struct xl_picture_filter filter = {.n_where = 0};
    cr_assert_eq(xl_observe(index, &filter, &all, NULL), XL_OK);
    cr_assert_eq(all->row_count, 3);
    cr_expect_str_eq(all->factors[4].name, "guidance");
    cr_expect_eq(all->factors[4].level_count, 1);
    cr_expect_eq(all->level[4][0], XL_NO_LEVEL);
    cr_expect_eq(all->level[4][1], 0, "a value that is zero is a value");
    cr_expect_str_eq(all->factors[4].levels[0], "0");
    cr_expect_eq(all->level[4][2], XL_NO_LEVEL);
    xl_observe_free(all);
    xl_index_close(index);
}

Test(index, every_field_of_a_cell_is_a_column) {
    const struct xl_cell_field *field;
    for (int i = 0; (field = xl_cell_field_at(i)); i++)
        cr_expect_eq(xl_column_find(field->key) >= 0, !(field->bits & XL_CELL_PLACE), "%s",
                     field->key);
}

Test(index, points_in_time_are_read) {
    int64_t moment;
    cr_expect_eq(xl_moment_of("1970-01-02T00:00:00Z"), 0, "years begin in 1971");
    cr_expect_eq(xl_moment_of("2000-03-01T00:00:01Z"), 951868801);
    cr_expect_eq(xl_moment_of("20000301-000001"), 951868801);
    cr_expect_eq(xl_moment_of("2000-02-30"), 0);
    cr_expect_eq(xl_moment_parse("--until", "2000-02-29", true, &moment, NULL), XL_OK);
    cr_expect_eq(moment, 951868799);
    cr_expect_eq(xl_moment_parse("--since", "soon", false, &moment, NULL), XL_EINVAL);
}

Test(index, words_of_prompts) {
    struct xl_words words = {.n = 0};
    struct xl_word_list found;
    cr_assert_eq(xl_words_of(&words, "A well-lit (castle:1.2), \xC3\x84pfel, castle's -- x 50mm",
                             &found, NULL),
                 XL_OK);
    static const char *const expected[] = {"well-lit", "castle", "\xC3\xA4pfel", "castle's",
                                           "50mm"};
    cr_assert_eq(found.n, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < found.n; i++)
        cr_expect_str_eq(xl_intern_text(&words.table, found.ids[i] + 1), expected[i]);
    xl_words_deinit(&words);
}

Test(index, a_folder_that_is_not_there_is_one_sentence) {
    const struct xl_index_params params = {.output_dir = "/nowhere"};
    struct xl_index *index = NULL;
    struct xl_err err = {.text = ""};
    cr_expect_eq(xl_index_open(&params, XL_INDEX_UPDATE, &index, &err), XL_EINPUT);
    cr_expect_not_null(strstr(err.text, "--output-dir"));
    mkdir(scratch("out"), 0777);
    index = open_how(XL_INDEX_UPDATE); /* an empty one is an index of nothing */
    cr_expect_eq(report_of(index).n_pictures, 0);
    xl_index_close(index);
}
