/* test_json_scan.c - the lexer: what it steps over, and that it does not matter in which pieces a
 * text comes. */
#include "base/json_scan.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static enum xl_status scan_whole(const char *text, struct xl_span *value) {
    struct xl_scan scan = xl_scan_text("x", text, strlen(text));
    enum xl_status status = xl_scan_value(&scan, value, NULL);
    if (!status) status = xl_scan_end(&scan, NULL);
    xl_scan_deinit(&scan);
    return status;
}

Test(json_scan, steps_over_values_and_nothing_else) {
    static const char *const good[] = {"0",
                                       "-0",
                                       "10",
                                       "1.5e+3",
                                       " [ ] ",
                                       "{}",
                                       "[1,[2,{\"a\":[]}]]",
                                       "true",
                                       "null",
                                       "\"\\u00e9\\n\"",
                                       "{\"a\":1 , \"a\":2}"};
    static const char *const bad[] = {"",     "01",    "-",       "+1",    ".5",  "[1,]",
                                      "[,1]", "[1 2]", "{\"a\"}", "{a:1}", "'a'", "nul",
                                      "\"a",  "\"\\",  "[1}",     "]",     "1 2", "NaN"};
    struct xl_span value;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        cr_expect_eq(scan_whole(good[i], &value), XL_OK, "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_eq(scan_whole(bad[i], &value), XL_EFORMAT, "%s", bad[i]);
}

Test(json_scan, bounds_the_depth) {
    char text[131] = {0};
    struct xl_span value;
    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    cr_expect_eq(scan_whole(text, &value), XL_OK);
    cr_expect_eq(value.n, 128);
    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    cr_expect_eq(scan_whole(text, &value), XL_EFORMAT);
}

Test(json_scan, decodes_escapes) {
    static const char text[] =
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC\\ud83d\\ude00\\u0000.\"";
    static const char wanted[] = "\"\\/\b\f\n\r\tA\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\0.";
    struct xl_scan scan = xl_scan_text("x", text, sizeof text - 1);
    struct xl_span string;
    cr_assert_eq(xl_scan_string(&scan, "a string", sizeof wanted - 1, &string, NULL), XL_OK);
    cr_expect_eq(string.n, sizeof wanted - 1);
    cr_expect_arr_eq(string.at, wanted, sizeof wanted - 1);
    xl_scan_deinit(&scan);

    struct xl_err err;
    scan = xl_scan_text("x", text, sizeof text - 1);
    cr_assert_eq(xl_scan_string(&scan, "a string", sizeof wanted - 2, &string, &err), XL_EFORMAT);
    cr_expect_str_eq(err.text, "x:1: a string is longer than 19 bytes");
    xl_scan_deinit(&scan);
}

/* ---- Pieces ---------------------------------------------------------------------------------- */

struct pieces {
    const char *text, *end;
    size_t at_most; /* bytes a piece */
    bool fails;     /* at the end */
};

static ssize_t next_piece(void *user, char *to, size_t n) {
    struct pieces *pieces = user;
    size_t left = (size_t)(pieces->end - pieces->text);
    if (n > pieces->at_most) n = pieces->at_most;
    if (n > left) n = left;
    if (!left && pieces->fails) return errno = EIO, -1;
    memcpy(to, pieces->text, n);
    pieces->text += n;
    return (ssize_t)n;
}

static struct xl_scan scan_pieces(struct pieces *pieces, char *buffer, size_t capacity) {
    return (struct xl_scan){.name = "f",
                            .part = "header",
                            .before = 8,
                            .refill = next_piece,
                            .user = pieces,
                            .buffer = buffer,
                            .capacity = capacity};
}

/* {"key": 12, "long": "...", ...}: what the strings and numbers are, in `out`. */
static enum xl_status read_pieces(struct xl_scan *scan, char *out, struct xl_err *err) {
    bool more;
    int64_t number = 0;
    enum xl_status status = xl_scan_enter(scan, '{', "an object", err);
    while (!status && !(status = xl_scan_more(scan, '}', "it", &more, err)) && more) {
        struct xl_span key;
        status = xl_scan_string(scan, "a key", 8, &key, err);
        if (!status) out += sprintf(out, "%.*s,", (int)key.n, key.at);
        if (!status) status = xl_scan_take(scan, ':', "a colon", err);
        bool is_string = xl_scan_peek(scan) == '"';
        if (!status && is_string) status = xl_scan_string(scan, "a text", 0, NULL, err);
        if (!status && !is_string) status = xl_scan_int(scan, "a number", &number, err);
        if (!status) out += sprintf(out, "%lld;", is_string ? -1LL : (long long)number);
    }
    return status;
}

static const char in_pieces[] =
    " {\"a\": 12345, \"\\u00e9\\ud83d\\ude00\" :\"a text that is longer than the buffer is, with "
    "\\ud83d\\ude00, \xF0\x9F\x98\x80 and \\\" in it; none of it is kept\",\n\"\xC3\xA9\":0 } ";

Test(json_scan, pieces_of_any_size_make_the_same_text) {
    enum { CAPACITY = 64 };
    for (size_t capacity = 32; capacity <= CAPACITY; capacity++)
        for (size_t piece = 1; piece <= capacity; piece++) {
            char buffer[CAPACITY], out[80] = "";
            struct pieces pieces = {in_pieces, in_pieces + sizeof in_pieces - 1, piece, false};
            struct xl_scan scan = scan_pieces(&pieces, buffer, capacity);
            struct xl_err err = {0};
            cr_assert_eq(read_pieces(&scan, out, &err), XL_OK, "%zu %zu: %s", capacity, piece,
                         err.text);
            cr_expect_str_eq(out, "a,12345;\xC3\xA9\xF0\x9F\x98\x80,-1;\xC3\xA9,0;");
            cr_expect_eq(xl_scan_peek(&scan), -1);
            xl_scan_deinit(&scan);
        }
}

/* A text cut anywhere is refused, and the sentence tells the same byte however it is read. */
Test(json_scan, pieces_end_anywhere) {
    for (size_t n = 0; n < sizeof in_pieces - 3; n++) {
        struct xl_err whole = {0}, cut = {0}, failed = {0};
        char buffer[512], out[80];
        struct pieces pieces = {in_pieces, in_pieces + n, 512, false};
        struct xl_scan scan = scan_pieces(&pieces, buffer, 512);
        cr_expect_eq(read_pieces(&scan, out, &whole), XL_EFORMAT, "%zu", n);
        xl_scan_deinit(&scan);
        cr_expect_eq(strncmp(whole.text, "f: damaged header at byte ", 26), 0, "%s", whole.text);
        pieces = (struct pieces){in_pieces, in_pieces + n, 3, false};
        scan = scan_pieces(&pieces, buffer, 32);
        cr_expect_eq(read_pieces(&scan, out, &cut), XL_EFORMAT, "%zu", n);
        xl_scan_deinit(&scan);
        cr_expect_str_eq(cut.text, whole.text);
        pieces = (struct pieces){in_pieces, in_pieces + n, 5, true};
        scan = scan_pieces(&pieces, buffer, 32);
        cr_expect_eq(read_pieces(&scan, out, &failed), XL_EFORMAT, "%zu", n);
        xl_scan_deinit(&scan);
        cr_expect_str_eq(failed.text, "f: cannot read: Input/output error");
    }
}

/* ---- Texts that may be no JSON --------------------------------------------------------------- */

Test(json_scan, cuts_any_text_into_tokens) {
    static const char text[] = " {\"a\\\"]\":[-1.5e3x,NaN\0y\"b\"]:}\t\"open\\";
    static const char *const tokens[] = {"{",   "\"a\\\"]\"", ":", "[", "-1.5e3x", ",",
                                         "NaN", "\"b\"",      "]", ":", "}",       "\"open\\"};
    struct xl_scan scan = xl_scan_text("x", text, sizeof text - 1);
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        struct xl_span token = xl_scan_token(&scan);
        if (i == 6)
            cr_expect(token.n == 5 && !memcmp(token.at, "NaN\0y", 5));
        else
            cr_expect(xl_span_is(token, tokens[i]), "%zu: %.*s", i, (int)token.n, token.at);
    }
    cr_expect_eq(xl_scan_token(&scan).n, 0);
    cr_expect_eq(xl_scan_peek(&scan), -1);
}

Test(json_scan, knows_the_words_of_python) {
    static const struct {
        const char *word;
        enum xl_json_word what;
    } cases[] = {
        {"NaN", XL_WORD_NAN},
        {"Infinity", XL_WORD_INFINITE},
        {"-Infinity", XL_WORD_INFINITE},
        {"Infinityx", XL_WORD_PLAIN},
        {"123456789012345678", XL_WORD_PLAIN},
        {"-123456789012345678", XL_WORD_PLAIN},
        {"9223372036854775807", XL_WORD_PLAIN},
        {"9223372036854775808", XL_WORD_LARGE},
        {"-9223372036854775808", XL_WORD_PLAIN},
        {"-9223372036854775809", XL_WORD_LARGE},
        {"0000000000000000000001", XL_WORD_PLAIN},
        {"1234567890123456789.5", XL_WORD_PLAIN},
        {"-", XL_WORD_PLAIN},
        {"", XL_WORD_PLAIN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct xl_span word = {cases[i].word, strlen(cases[i].word)};
        cr_expect_eq(xl_json_word(word), cases[i].what, "%s", cases[i].word);
    }
}

Test(json_scan, tells_why_something_is_no_character) {
    static const struct {
        const char *text;
        size_t n;
        int32_t code;
    } cases[] = {
        {"a", 1, 'a'},
        {"\xC3\xA9", 2, 0xE9},
        {"\\n", 2, '\n'},
        {"\\u00e9", 6, 0xE9},
        {"\\u0000", 6, 0},
        {"\\uD83D\\uDE00", 12, 0x1F600},
        {"\\ud83d\\u0041", 6, XL_JSON_HALF_PAIR},
        {"\\ude00\\ud83d", 6, XL_JSON_HALF_PAIR},
        {"\\u12g4", 2, XL_JSON_NO_HEX},
        {"\\u12", 2, XL_JSON_NO_HEX},
        {"\\x41", 2, XL_JSON_NO_ESCAPE},
        {"\\", 1, XL_JSON_NO_ESCAPE},
        {"\xFF", 1, XL_JSON_NO_UTF8},
        {"\xE2\x82z", 2, XL_JSON_NO_UTF8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int32_t code = 7;
        cr_expect_eq(xl_json_char(cases[i].text, strlen(cases[i].text), &code), cases[i].n, "%zu",
                     i);
        cr_expect_eq(code, cases[i].code, "%zu: %d", i, (int)code);
    }
}
