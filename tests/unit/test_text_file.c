/* test_text_file.c - texts that people write: marks, line ends, and encodings that are refused. */
#include "base/text_file.h"

#include "base/yaml.h"
#include "lab/data/profile_import.h"
#include "lab/settings/axes.h"
#include "lab/settings/settings.h"
#include "unit/scratch.h"

#include <criterion/criterion.h>

static struct xl_arena arena;
static struct xl_err err;

TestSuite(text_file, .init = scratch_open, .fini = scratch_close);

static void put(const char *path, const char *text, size_t n) {
    FILE *file = fopen(path, "wb");
    cr_assert(file && fwrite(text, 1, n, file) == n && !fclose(file));
}

/* What no text file may be, and how the sentence goes on behind the file's name. */
#define BYTES(text) text, sizeof(text) - 1
static const struct {
    const char *text;
    size_t n;
    const char *sentence;
} refused[] = {
    {BYTES("\xFF\xFE"
           "a\0\n\0"),
     ":1:1: the file is UTF-16"},
    {BYTES("\xFE\xFF"
           "\0a\0\n"),
     ":1:1: the file is UTF-16"},
    {BYTES("\xFF\xFE\0\0a\0\0\0"), ":1:1: the file is UTF-32"},
    {BYTES("a\0b\0\n\0"), ":1:2: a NUL byte"},
    {BYTES("x: y\nz: \0"), ":2:4: a NUL byte"},
    {BYTES("# caf\xC3\xA9 caf\xE9\n"), ":1:11: the byte 0xE9 is not UTF-8"},
    {BYTES("a: b\r\nc: \x80\n"), ":2:4: the byte 0x80"},
    {BYTES("a\r\xC3"), ":2:1: the byte 0xC3"},
    {BYTES("\xEF\xBB\xBF\xC0\xAF"), ":1:1: the byte 0xC0"},
};
enum { N_REFUSED = sizeof refused / sizeof *refused };

static void expect_refused(const char *path, int i, enum xl_status status) {
    char sentence[SCRATCH_PATH + 64];
    snprintf(sentence, sizeof sentence, "%s%s", path, refused[i].sentence);
    cr_expect_eq(status, XL_EINPUT, "%s: %s", path, err.text);
    cr_expect(strstr(err.text, sentence), "\"%s\" is not in \"%s\"", sentence, err.text);
    cr_expect(strstr(err.text, "save it as UTF-8"), "%s", err.text);
}

/* Every file that people write goes through the one reader. */
Test(text_file, every_reader_refuses_the_same) {
    const char *path = scratch("file.txt");
    char axis[SCRATCH_PATH + 16];
    for (int i = 0; i < N_REFUSED; i++) {
        char *text;
        size_t n;
        json_t *root;
        struct xl_settings settings;
        struct xl_import import;
        put(path, refused[i].text, refused[i].n);
        expect_refused(path, i, xl_text_file_read(path, 1 << 20, &text, &n, &err));
        expect_refused(path, i, xl_yaml_load(path, NULL, &root, &err));
        xl_settings_default(&settings);
        expect_refused(path, i, xl_settings_read_file(&settings, path, &arena, &err));
        snprintf(axis, sizeof axis, "prompt=@%s", path);
        struct xl_axis parsed;
        expect_refused(path, i, xl_axis_parse(axis, NULL, &arena, &parsed, &err));
        expect_refused(path, i, xl_profiles_import(path, NULL, NULL, false, &import, &err));
    }
}

static void expect_text(const char *bytes, size_t n_bytes, const char *expected) {
    const char *path = scratch("file.txt");
    char *text = NULL;
    size_t n = 0;
    put(path, bytes, n_bytes);
    cr_assert_eq(xl_text_file_read(path, 1 << 20, &text, &n, &err), XL_OK, "%s", err.text);
    cr_expect(n == strlen(expected) && !strcmp(text, expected), "\"%s\"", text);
    free(text);
}

Test(text_file, a_mark_is_no_part_of_the_text) {
    expect_text(BYTES("\xEF\xBB\xBF# x\n"), "# x\n");
    expect_text(BYTES("\xEF\xBB\xBF"), "");
    expect_text(BYTES(""), "");
    expect_text(BYTES("a\xEF\xBB\xBF"), "a\xEF\xBB\xBF");
    expect_text(BYTES("caf\xC3\xA9 \xF0\x9F\x98\x80"), "caf\xC3\xA9 \xF0\x9F\x98\x80");
}

Test(text_file, lines_end_as_any_system_ends_them) {
    static const char *const expected[] = {"a", "b", "", "c", "d"};
    struct xl_text_line line = {.next = "a\r\nb\n\r\nc\rd"};
    int n = 0;
    for (; xl_text_line_next(&line); n++) {
        cr_assert_lt(n, 5);
        cr_expect(line.n == strlen(expected[n]) && !strncmp(line.at, expected[n], line.n));
        cr_expect_eq(line.number, n + 1);
    }
    cr_expect_eq(n, 5);
    line = (struct xl_text_line){.next = ""};
    cr_expect_not(xl_text_line_next(&line));
    line = (struct xl_text_line){.next = "\n"};
    cr_expect(xl_text_line_next(&line) && !line.n);
    cr_expect_not(xl_text_line_next(&line));
}
