/* test_tokenizer.c - token ids against transformers' CLIPTokenizer
 * (tools/reference/topics/tokens.py), and what damaged or unusual vocabulary files do. */
#include "base/json.h"
#include "scratch.h"
#include "text/tokenizer.h"

#define DATA XL_SOURCE_DIR "/tests/data/tokens/"

enum { LENGTH = 77 };

static const char *const folders[] = {"tokenizer", "tokenizer_2", "unified", "partial"};

static struct xl_tokenizer *open_folder(const char *dir) {
    struct xl_err err = {0};
    struct xl_tokenizer *tokenizer = NULL;
    cr_assert_eq(xl_tokenizer_open(dir, &tokenizer, &err), XL_OK, "%s", err.text);
    return tokenizer;
}

static json_t *open_reference(void) {
    struct xl_err err = {0};
    json_t *root = NULL;
    cr_assert_eq(xl_json_load(DATA "tokens.json", &root, &err), XL_OK, "%s", err.text);
    return root;
}

static int number(const json_t *object, const char *key) {
    return (int)json_integer_value(json_object_get(object, key));
}

/* ---- Equal to transformers ------------------------------------------------------------------- */

/* expected: {"ids": the 77 ids without the padding at their end, "n": tokens of the whole text} */
static void expect_case(const struct xl_tokenizer *tokenizer, const char *folder, const char *text,
                        const json_t *expected) {
    struct xl_err err = {0};
    int32_t padded[LENGTH], *whole;
    int n_dropped = -1, n = -1, wanted_n = number(expected, "n");
    cr_assert_eq(xl_tokenize_padded(tokenizer, text, LENGTH, padded, &n_dropped, &err), XL_OK);
    cr_assert_eq(xl_tokenize(tokenizer, text, &whole, &n, &err), XL_OK);
    cr_expect_eq(n, wanted_n, "%s: %d tokens, expected %d: %s", folder, n, wanted_n, text);
    cr_expect_eq(n_dropped, n > LENGTH - 2 ? n - (LENGTH - 2) : 0, "%s: %s", folder, text);
    const json_t *ids = json_object_get(expected, "ids");
    for (size_t i = 0; i < LENGTH; i++) {
        int wanted = i < json_array_size(ids) ? (int)json_integer_value(json_array_get(ids, i))
                                              : xl_tokenizer_pad(tokenizer);
        if (padded[i] != wanted)
            cr_assert_fail("%s: id %zu is %d, expected %d: %s", folder, i, padded[i], wanted, text);
        if (i > 0 && (int)i <= n && i < LENGTH - 1) cr_assert_eq(padded[i], whole[i - 1]);
    }
    free(whole);
}

Test(tokenizer, equals_transformers) {
    json_t *root = open_reference(), *c;
    for (int f = 0; f < 4; f++) {
        char dir[512];
        snprintf(dir, sizeof dir, DATA "%s", folders[f]);
        struct xl_tokenizer *tokenizer = open_folder(dir);
        const json_t *special = json_object_get(json_object_get(root, "special"), folders[f]);
        cr_expect_eq(xl_tokenizer_bos(tokenizer), number(special, "bos"));
        cr_expect_eq(xl_tokenizer_eos(tokenizer), number(special, "eos"));
        cr_expect_eq(xl_tokenizer_pad(tokenizer), number(special, "pad"));
        cr_expect_eq(xl_tokenizer_max_length(tokenizer), LENGTH);
        size_t i;
        json_array_foreach(json_object_get(root, "cases"), i, c) {
            expect_case(tokenizer, folders[f], json_string_value(json_object_get(c, "text")),
                        json_object_get(c, folders[f]));
        }
        cr_assert_gt(i, 250);
        xl_tokenizer_close(tokenizer);
    }
    json_decref(root);
}

static size_t from_hex(const char *hex, char *out) {
    size_t n = strlen(hex) / 2;
    for (size_t i = 0; i < n; i++) {
        unsigned byte = 0;
        cr_assert_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
        out[i] = (char)byte;
    }
    out[n] = 0;
    return n;
}

Test(tokenizer, replaces_what_is_not_utf8_as_python_does) {
    json_t *root = open_reference(), *c;
    struct xl_tokenizer *tokenizer = open_folder(DATA "tokenizer");
    size_t i;
    json_array_foreach(json_object_get(root, "bytes"), i, c) {
        const char *hex = json_string_value(json_object_get(c, "hex"));
        char bytes[64];
        from_hex(hex, bytes);
        int32_t found[LENGTH], wanted[LENGTH];
        const char *text = json_string_value(json_object_get(c, "text"));
        cr_assert_eq(xl_tokenize_padded(tokenizer, bytes, LENGTH, found, NULL, NULL), XL_OK);
        cr_assert_eq(xl_tokenize_padded(tokenizer, text, LENGTH, wanted, NULL, NULL), XL_OK);
        cr_expect_arr_eq(found, wanted, sizeof found, "%s", hex);
    }
    cr_assert_gt(i, 20);
    xl_tokenizer_close(tokenizer);
    json_decref(root);
}

Test(tokenizer, the_highest_id_decides_the_vocabulary_size) {
    struct xl_tokenizer *tokenizer = open_folder(DATA "tokenizer");
    cr_expect_eq(xl_tokenizer_vocab_size(tokenizer), xl_tokenizer_eos(tokenizer) + 1);
    xl_tokenizer_close(tokenizer);
    tokenizer = open_folder(DATA "unified"); /* four tokens are added behind the end token */
    cr_expect_eq(xl_tokenizer_vocab_size(tokenizer), xl_tokenizer_eos(tokenizer) + 5);
    xl_tokenizer_close(tokenizer);
}

Test(tokenizer, cuts_to_any_length) {
    struct xl_tokenizer *tokenizer = open_folder(DATA "tokenizer");
    int32_t ids[5] = {-1, -1, -1, -1, -1};
    int n_dropped = -1;
    cr_assert_eq(xl_tokenize_padded(tokenizer, "a cat a cat", 4, ids, &n_dropped, NULL), XL_OK);
    cr_expect_eq(n_dropped, 2);
    cr_expect_eq(ids[0], xl_tokenizer_bos(tokenizer));
    cr_expect_eq(ids[3], xl_tokenizer_eos(tokenizer));
    cr_expect_eq(ids[4], -1);
    cr_assert_eq(xl_tokenize_padded(tokenizer, "a cat", 2, ids, &n_dropped, NULL), XL_OK);
    cr_expect_eq(n_dropped, 2);
    cr_expect_eq(ids[1], xl_tokenizer_eos(tokenizer));
    xl_tokenizer_close(tokenizer);
}

/* One word, and one run of combining marks in wrong order, of a size at which anything quadratic
 * would not come to an end while somebody waits. */
Test(tokenizer, takes_long_words, .timeout = 60) {
    enum { N = 2000000 };
    struct xl_tokenizer *tokenizer = open_folder(DATA "tokenizer");
    static char text[2 * N + 1];
    static const char *const units[] = {"re", "\xCC\xA3\xCC\x81"};
    for (int u = 0; u < 2; u++) {
        size_t width = strlen(units[u]);
        int32_t *ids, n = 0;
        for (size_t i = 0; i + width < sizeof text; i += width) memcpy(text + i, units[u], width);
        cr_assert_eq(xl_tokenize(tokenizer, text, &ids, &n, NULL), XL_OK);
        cr_expect_gt(n, N / 20);
        cr_expect_leq(n, 2 * N);
        free(ids);
    }
    xl_tokenizer_close(tokenizer);
}

Test(tokenizer, refuses_what_is_too_long_for_a_prompt) {
    struct xl_tokenizer *tokenizer = open_folder(DATA "tokenizer");
    const size_t n = (16 << 20) + 1;
    char *text = malloc(n + 1);
    memset(text, 'a', n);
    text[n] = 0;
    struct xl_err err = {0};
    int32_t ids[LENGTH];
    cr_expect_eq(xl_tokenize_padded(tokenizer, text, LENGTH, ids, NULL, &err), XL_EINVAL);
    cr_expect(strstr(err.text, "16777217"), "%s", err.text);
    free(text);
    xl_tokenizer_close(tokenizer);
}

/* ---- Files ----------------------------------------------------------------------------------- */

/* A vocabulary of two letters that can be written into a test. */
static const char vocab[] = "{'a':0,'b':1,'a</w>':2,'b</w>':3,'ab</w>':4,'ba':5,'bab</w>':6,"
                            "'<|startoftext|>':7,'<|endoftext|>':8}";
static const char merges[] = "#version: 0.2\na b</w>\nb ab</w>\nb a\n";

static void put(const char *name, const char *text) {
    char *json = scratch_quotes(text);
    scratch_puts(scratch("%s", name), json);
    free(json);
}

static void expect_ids(const struct xl_tokenizer *tokenizer, const char *text, int n_wanted,
                       const int32_t *wanted) {
    int32_t *ids;
    int n;
    cr_assert_eq(xl_tokenize(tokenizer, text, &ids, &n, NULL), XL_OK);
    cr_assert_eq(n, n_wanted, "%s: %d tokens", text, n);
    cr_expect_arr_eq(ids, wanted, (size_t)n * sizeof *ids, "%s", text);
    free(ids);
}

static void put_two_files(void) {
    put("vocab.json", vocab);
    put("merges.txt", merges);
}

Test(tokenizer_files, need_no_configuration, .init = scratch_open, .fini = scratch_close) {
    put_two_files();
    struct xl_tokenizer *tokenizer = open_folder(scratch_dir);
    expect_ids(tokenizer, "AB bab", 2, (int32_t[]){4, 6});
    expect_ids(tokenizer, "abab b", 3, (int32_t[]){0, 6, 3});
    expect_ids(tokenizer, "c", 1, (int32_t[]){8}); /* unknown */
    cr_expect_eq(xl_tokenizer_bos(tokenizer), 7);
    cr_expect_eq(xl_tokenizer_eos(tokenizer), 8);
    cr_expect_eq(xl_tokenizer_pad(tokenizer), 8);
    cr_expect_eq(xl_tokenizer_max_length(tokenizer), LENGTH);
    xl_tokenizer_close(tokenizer);
}

Test(tokenizer_files, merges_may_have_dos_line_ends, .init = scratch_open, .fini = scratch_close) {
    put("vocab.json", vocab);
    put("merges.txt", "#version: 0.2\r\na b</w>\r\nb ab</w>\r\n\r\n");
    struct xl_tokenizer *tokenizer = open_folder(scratch_dir);
    expect_ids(tokenizer, "bab", 1, (int32_t[]){6});
    xl_tokenizer_close(tokenizer);
}

/* Merges as both generations of the library write them, and before the vocabulary. */
Test(tokenizer_files, tokenizer_json_has_many_forms, .init = scratch_open, .fini = scratch_close) {
    static const char with_added_token[] =
        "{'added_tokens':[{'id':9,'content':'<s\\u00E9>'}],"
        "'model':{'vocab':%s,'merges':[['\\u0061','b<\\/w>'],['b','ab</w>']]}}";
    static const char *const forms[] = {
        "{'version':'1.0','model':{'type':'BPE','vocab':%s,'merges':['a b</w>','b ab</w>']}}",
        "{'model':{'vocab':%s,'merges':[['a','b</w>'],[ 'b' , 'ab</w>' ]],'x':[1e-2,null]}}",
        "{'model':{'merges':[['a','b</w>'],['b','ab</w>']],'type':'BPE','vocab':%s}}",
        with_added_token,
    };
    put("vocab.json", "not read where there is a tokenizer.json");
    for (int f = 0; f < 4; f++) {
        char text[1024];
        snprintf(text, sizeof text, forms[f], vocab);
        put("tokenizer.json", text);
        struct xl_tokenizer *tokenizer = open_folder(scratch_dir);
        expect_ids(tokenizer, "abab b", 3, (int32_t[]){0, 6, 3});
        if (f == 3) expect_ids(tokenizer, "a<S\xC3\xA9>b", 3, (int32_t[]){2, 9, 3});
        xl_tokenizer_close(tokenizer);
    }
}

Test(tokenizer_files, a_length_that_nobody_set_is_77, .init = scratch_open, .fini = scratch_close) {
    put_two_files();
    put("tokenizer_config.json", "{'model_max_length':1000000000000000019884624838656}");
    struct xl_tokenizer *tokenizer = open_folder(scratch_dir);
    cr_expect_eq(xl_tokenizer_max_length(tokenizer), 77);
    xl_tokenizer_close(tokenizer);
}

Test(tokenizer_files, padding_may_be_an_added_token, .init = scratch_open, .fini = scratch_close) {
    put_two_files();
    put("tokenizer_config.json",
        "{'pad_token':'[PAD]','model_max_length':5,"
        "'added_tokens_decoder':{'9':{'content':'[PAD]','special':true}}}");
    struct xl_tokenizer *tokenizer = open_folder(scratch_dir);
    cr_expect_eq(xl_tokenizer_pad(tokenizer), 9);
    cr_expect_eq(xl_tokenizer_vocab_size(tokenizer), 10);
    cr_expect_eq(xl_tokenizer_max_length(tokenizer), 5);
    expect_ids(tokenizer, "a[PAD]b", 3, (int32_t[]){2, 9, 3});
    xl_tokenizer_close(tokenizer);
}

struct damage {
    const char *file, *text; /* NULL: the file is removed */
    enum xl_status status;
    const char *says; /* part of the sentence */
};

static const struct damage damages[] = {
    {"vocab.json", NULL, XL_EMODEL, "vocab.json"},
    {"vocab.json", "", XL_EFORMAT, "vocab.json:1"},
    {"vocab.json", "[1]", XL_EFORMAT, "expected an object"},
    {"vocab.json", "{}", XL_EFORMAT, "empty"},
    {"vocab.json", "{'a':0,\n'b'", XL_EFORMAT, "vocab.json:2: expected a colon, found its end"},
    {"vocab.json", "{'a':0,}", XL_EFORMAT, "expected a string"},
    {"vocab.json", "{'a' 0}", XL_EFORMAT, "expected a colon, found '0'"},
    {"vocab.json", "{'a':0 'b':1}", XL_EFORMAT,
     "expected a comma or the end of the vocabulary, found '\"'"},
    {"vocab.json", "{'a':0}\n{", XL_EFORMAT, "vocab.json:2"},
    {"vocab.json", "{'a':-1}", XL_EFORMAT, "expected a token's id, a whole number, found '-'"},
    {"vocab.json", "{'a':1.5}", XL_EFORMAT, "is not a whole number"},
    {"vocab.json", "{'a':01}", XL_EFORMAT, "leading zero"},
    {"vocab.json", "{'a':99999999999999999999}", XL_EFORMAT, "beyond 2^63"},
    {"vocab.json", "{'a':16777217}", XL_EFORMAT, "whole number from 0 to 16777216"},
    {"vocab.json", "{'a':'0'}", XL_EFORMAT, "expected a token's id, a whole number"},
    {"vocab.json", "{'a':0,'b':1,'a':5}", XL_EFORMAT, "id 5"},
    {"vocab.json", "{'a\n':0}", XL_EFORMAT, "a bare control character 0x0A"},
    {"vocab.json", "{'a\\x':0}", XL_EFORMAT, "escape"},
    {"vocab.json", "{'\\ud800':0}", XL_EFORMAT, "escape"},
    {"vocab.json", "{'\\udc00':0}", XL_EFORMAT, "escape"},
    {"vocab.json", "{'\\u12g4':0}", XL_EFORMAT, "escape"},
    {"vocab.json", "{'\xFF':0}", XL_EFORMAT, "not UTF-8"},
    {"vocab.json", "{'a':0,'b':1}", XL_EFORMAT, "merges.txt:2"},
    {"merges.txt", NULL, XL_EMODEL, "merges.txt"},
    {"merges.txt", "", XL_EFORMAT, "the file is empty"},
    {"merges.txt", "a b</w>\na\n", XL_EFORMAT, "merges.txt:2: expected a merge"},
    {"merges.txt", "a b</w>\na b \n", XL_EFORMAT, "merges.txt:2: expected a merge"},
    {"merges.txt", "a  b</w>", XL_EFORMAT, "merges.txt:1: expected a merge"},
    {"merges.txt", " b</w>", XL_EFORMAT, "merges.txt:1: expected a merge"},
    {"merges.txt", "c b</w>", XL_EFORMAT, "left part"},
    {"merges.txt", "a c", XL_EFORMAT, "right part"},
    {"merges.txt", "b b</w>", XL_EFORMAT, "merged token"},
    {"tokenizer.json", "{}", XL_EFORMAT, "no \"vocab\""},
    {"tokenizer.json", "{'model':{'vocab':{'a':0}}}", XL_EFORMAT, "no \"merges\""},
    {"tokenizer.json", "{'model':{'merges':[]}}", XL_EFORMAT, "no \"vocab\""},
    {"tokenizer.json", "{'model':{'type':'Unigram'}}", XL_EFORMAT, "BPE"},
    {"tokenizer.json", "{'model':{'vocab':{'a':0},'merges':[['a']]}}", XL_EFORMAT, "fewer"},
    {"tokenizer.json", "{'model':{'vocab':{'a':0},'merges':[['a','a','a']]}}", XL_EFORMAT, "more"},
    {"tokenizer.json", "{'model':{'vocab':{'a':0},\n'merges':['a']}}", XL_EFORMAT, "json:2"},
    {"tokenizer.json", "{'added_tokens':[[]]}", XL_EFORMAT, "object"},
    {"tokenizer.json", "{'x':[1,tru]}", XL_EFORMAT, "expected a value"},
    {"tokenizer.json", "{'x':1.}", XL_EFORMAT, "behind the point"},
    {"tokenizer.json", "{'x':1e}", XL_EFORMAT, "exponent"},
    {"tokenizer_config.json", "{", XL_EFORMAT, "tokenizer_config.json"},
    {"tokenizer_config.json", "{'model_max_length':'x'}", XL_EFORMAT, "model_max_length"},
    {"tokenizer_config.json", "{'model_max_length':1}", XL_EFORMAT, "model_max_length"},
    {"tokenizer_config.json", "{'padding_side':'left'}", XL_EFORMAT, "padding_side"},
    {"tokenizer_config.json", "{'bos_token':5}", XL_EFORMAT, "\"bos_token\" is not a token"},
    {"tokenizer_config.json", "{'eos_token':{'content':5}}", XL_EFORMAT, "content"},
    {"tokenizer_config.json", "{'eos_token':{'x':'y'}}", XL_EFORMAT, "\"eos_token\""},
    {"tokenizer_config.json", "{'eos_token':{'content':'a','single_word':1}}", XL_EFORMAT,
     "single"},
    {"tokenizer_config.json", "{'pad_token':'[PAD]'}", XL_EFORMAT, "\"pad_token\""},
    {"tokenizer_config.json", "{'added_tokens_decoder':[]}", XL_EFORMAT, "added_tokens_decoder"},
    {"tokenizer_config.json", "{'added_tokens_decoder':{'x':'a'}}", XL_EFORMAT, "not a token id"},
    {"tokenizer_config.json", "{'added_tokens_decoder':{'9':7}}", XL_EFORMAT, "not a token"},
    {"tokenizer_config.json", "{'extra_special_tokens':[7]}", XL_EFORMAT, "extra_special_tokens"},
    {"special_tokens_map.json", "[]", XL_EFORMAT, "special_tokens_map.json"},
    {"added_tokens.json", "{'<x>':'9'}", XL_EFORMAT, "<x>"},
};

Test(tokenizer_files, damage_is_named, .init = scratch_open, .fini = scratch_close) {
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        const struct damage *damage = &damages[i];
        put_two_files();
        if (damage->text)
            put(damage->file, damage->text);
        else
            remove(scratch("%s", damage->file));
        struct xl_err err = {0};
        struct xl_tokenizer *tokenizer = NULL;
        enum xl_status status = xl_tokenizer_open(scratch_dir, &tokenizer, &err);
        const char *text = damage->text ? damage->text : "(removed)";
        cr_expect_eq(status, damage->status, "%s %s: status %d", damage->file, text, status);
        cr_expect(strstr(err.text, damage->says), "%s %s: %s", damage->file, text, err.text);
        cr_expect(strstr(err.text, scratch_dir), "%s %s: %s", damage->file, text, err.text);
        cr_expect_null(tokenizer);
        remove(scratch("%s", damage->file));
    }
}

Test(tokenizer_files, bound_the_added_tokens, .init = scratch_open, .fini = scratch_close) {
    put_two_files();
    FILE *file = fopen(scratch("tokenizer_config.json"), "w");
    cr_assert_not_null(file);
    fputs("{\"extra_special_tokens\":[\"<0>\"", file);
    for (int i = 1; i < 10000; i++) fprintf(file, ",\"<%d>\"", i);
    fputs("]}", file);
    fclose(file);
    struct xl_err err = {0};
    struct xl_tokenizer *tokenizer = NULL;
    cr_expect_eq(xl_tokenizer_open(scratch_dir, &tokenizer, &err), XL_EFORMAT);
    cr_expect(strstr(err.text, "more than 10000 added tokens"), "%s", err.text);
}

/* What a program ships has no folder: texts under names of its own, gone once the tokenizer is
 * made.
 */
Test(tokenizer, from_texts_in_memory) {
    struct xl_tokenizer_data data, lacking;
    struct xl_tokenizer *from_folder = NULL, *from_texts = NULL, *none = NULL;
    struct xl_err err = {0};
    static const char dir[] = XL_SOURCE_DIR "/tests/data/tokens/tokenizer";
    static const char prompt[] = "A photo of a lighthouse, <|endoftext|> 42";
    int32_t expected[77], ids[77];
    cr_assert_eq(xl_tokenizer_open(dir, &from_folder, &err), XL_OK, "%s", err.text);
    cr_assert_eq(xl_tokenizer_data_read(dir, &data, &err), XL_OK, "%s", err.text);
    cr_assert_eq(xl_tokenizer_new(&data, &from_texts, &err), XL_OK, "%s", err.text);
    lacking = data;
    lacking.file[XL_TOKENIZER_MERGES] = (struct xl_tokenizer_text){.name = "built in: merges"};
    cr_expect_eq(xl_tokenizer_new(&lacking, &none, &err), XL_EMODEL);
    cr_expect_not_null(strstr(err.text, "built in: merges: cannot open"), "%s", err.text);
    xl_tokenizer_data_deinit(&data);
    cr_assert_eq(xl_tokenize_padded(from_folder, prompt, 77, expected, NULL, &err), XL_OK);
    cr_assert_eq(xl_tokenize_padded(from_texts, prompt, 77, ids, NULL, &err), XL_OK);
    cr_expect_eq(memcmp(ids, expected, sizeof ids), 0);
    xl_tokenizer_close(from_folder);
    xl_tokenizer_close(from_texts);
}
