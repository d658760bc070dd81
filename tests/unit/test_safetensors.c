/* test_safetensors.c - weights: what is read, and that nothing crooked is. */
#include "weights/safetensors.h"
#include "weights/weights.h"

#include "unit/scratch.h"

#include <fcntl.h>
#include <math.h>
#include <sys/resource.h>
#include <sys/wait.h>

TestSuite(safetensors, .init = scratch_open, .fini = scratch_close);

/* 38 bytes of data. ' stands for ". */
static const char mixed[] = "{'__metadata__':{'format':'pt'},"
                            "'conv.weight':{'dtype':'F32','shape':[2,1,1,2],'data_offsets':[0,16]},"
                            "'position_ids':{'dtype':'I64','shape':[1,2],'data_offsets':[16,32]},"
                            "'bias':{'dtype':'F16','shape':[2],'data_offsets':[32,36]},"
                            "'scale':{'dtype':'BF16','shape':[],'data_offsets':[36,38]},"
                            "'none':{'dtype':'F32','shape':[0,3],'data_offsets':[0,0]}}";
enum { MIXED_DATA = 38 };

static enum xl_status open_one(const char *path, struct xl_weights **out, struct xl_err *err) {
    const char *files[] = {path};
    return xl_weights_open("unet", files, 1, out, err);
}

/* Refused with this status and a sentence that holds the path and `says`. */
static void expect_refused(const char *path, enum xl_status status, const char *says) {
    struct xl_weights *weights = NULL;
    struct xl_err err = {0};
    enum xl_status found = open_one(path, &weights, &err);
    cr_expect_eq(found, status, "%s: status %s, expected %s with \"%s\"", path,
                 xl_status_name(found), xl_status_name(status), says);
    cr_expect_null(weights);
    cr_expect(strstr(err.text, path), "\"%s\" does not name %s", err.text, path);
    cr_expect(strstr(err.text, says), "\"%s\" does not say \"%s\"", err.text, says);
    cr_expect_eq(strncmp(err.text, "unet: ", 6), 0, "%s", err.text);
    xl_weights_close(weights);
}

Test(safetensors, reads_names_shapes_dtypes_and_numbers) {
    scratch_safetensors(scratch("a"), mixed, MIXED_DATA);
    struct xl_weights *weights;
    struct xl_err err = {0};
    cr_assert_eq(open_one(scratch("a"), &weights, &err), XL_OK, "%s", err.text);
    cr_expect_eq(xl_weights_count(weights), 4);
    cr_expect_eq(xl_weights_bytes(weights), 22);
    cr_expect_str_eq(xl_weights_label(weights), "unet");
    cr_expect_eq(xl_weights_main_dtype(weights), XL_DTYPE_F32);
    static const char *const names[] = {"bias", "conv.weight", "none", "scale"};
    for (int i = 0; i < 4; i++) cr_expect_str_eq(xl_weights_at(weights, i)->name, names[i]);

    const struct xl_tensor *conv = xl_weights_find(weights, "conv.weight");
    cr_expect_eq(conv->dtype, XL_DTYPE_F32);
    cr_expect(xl_shape_equal(conv->shape, XL_SHAPE(2, 1, 1, 2)));
    cr_expect_eq(memcmp(conv->data, "\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17", 16), 0);
    const struct xl_tensor *scale = xl_weights_find(weights, "scale");
    cr_expect_eq(scale->dtype, XL_DTYPE_BF16);
    cr_expect_eq(scale->shape.rank, 0);
    cr_expect_eq(memcmp(scale->data, "\44\45", 2), 0);
    cr_expect_eq(xl_shape_count(xl_weights_find(weights, "none")->shape), 0);
    cr_expect_eq(xl_weights_find(weights, "bias")->dtype, XL_DTYPE_F16);
    cr_expect_null(xl_weights_find(weights, "position_ids"), "integers are left out");
    cr_expect_null(xl_weights_find(weights, "absent"));
    xl_weights_close(weights);
}

Test(safetensors, accepts_whatever_json_allows) {
    static const char *const headers[] = {
        "{}",
        "{'a':{'data_offsets':[0,4],'shape':[2],'dtype':'F16'}}",
        "{ 'a' : { 'dtype' : 'F16' , 'shape' : [ 1 , 2 ] , 'data_offsets' : [ 0 , 4 ] } } \r\n\t ",
        "{'\\u00e9\\ud83d\\ude00\\/\\\\':{'dtype':'BF16','shape':[2],'data_offsets':[0,4]}}",
        "{'\xc3\xa9\xf0\x9f\x98\x80':{'dtype':'BF16','shape':[2],'data_offsets':[0,4]}}",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]},'__metadata__':{}}",
        "{'a':{'dtype':'F4','shape':[1,1,1,1,8],'data_offsets':[0,4]}}",
        "{'__metadata__':{'k\\n':'\\ud83d\\ude00\\u0000'}}",
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct xl_safetensors file;
        struct xl_err err = {0};
        int fd;
        scratch_safetensors(scratch("%zu", i), headers[i], strchr(headers[i], '[') ? 4 : 0);
        cr_assert_eq(xl_safetensors_open(scratch("%zu", i), &fd, &err), XL_OK);
        cr_expect_eq(xl_safetensors_read("a", fd, &file, &err), XL_OK, "%zu: %s", i, err.text);
        close(fd);
        xl_safetensors_deinit(&file);
    }
}

Test(safetensors, names_are_unescaped) {
    scratch_safetensors(scratch("a"),
                        "{'\\u00e9\\ud83d\\ude00\\/':{'dtype':'BF16','shape':[2],"
                        "'data_offsets':[0,4]}}",
                        4);
    struct xl_weights *weights;
    cr_assert_eq(open_one(scratch("a"), &weights, NULL), XL_OK);
    cr_expect_not_null(xl_weights_find(weights, "\xc3\xa9\xf0\x9f\x98\x80/"));
    xl_weights_close(weights);
}

#define TENSOR_A "'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}"

/* Headers, with n bytes of data after them. */
static const struct {
    const char *header;
    size_t n;
    const char *says;
} bad_headers[] = {
    /* JSON that is none */
    {"{", 0, "expected a tensor's name, found its end"},
    {"{'a", 0, "the safetensors header ends within a tensor's name"},
    {"{" TENSOR_A, 8, "expected a comma or the end of the header"},
    {"{" TENSOR_A ",}", 8, "expected a tensor's name, found '}'"},
    {"{" TENSOR_A "}x", 8, "something follows the closing brace"},
    {"{" TENSOR_A "}{}", 8, "something follows the closing brace"},
    {"{'a' {}}", 0, "expected a colon"},
    {"{a:{}}", 0, "expected a tensor's name, found 'a'"},
    {"{'a':[]}", 0, "expected an object that describes the tensor"},
    {"{'a':{'b':{'c':{'d':{'e':{'f':{'g':{'h':{}}}}}}}}}", 0, "the field \"b\""},
    {"{'a':[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", 0, "expected an object"},
    {"{'\xff':{}}", 0, "not UTF-8"},
    {"{'\xc0\xaf':{}}", 0, "not UTF-8"},
    {"{'\xed\xa0\x80':{}}", 0, "not UTF-8"},
    {"{'\\ud800':{}}", 0, "half a surrogate pair"},
    {"{'\\ud800\\u0041':{}}", 0, "half a surrogate pair"},
    {"{'\\udc00':{}}", 0, "half a surrogate pair"},
    {"{'\\udc00\\udc00':{}}", 0, "half a surrogate pair"},
    {"{'\\u12g4':{}}", 0, "four hex digits"},
    {"{'\\x41':{}}", 0, "an escape that JSON does not have"},
    {"{'\x01':{}}", 0, "a bare control character"},
    {"{'a\\u0000b':{}}", 0, "control character 0x00"},
    {"{'a\\nb':{}}", 0, "control character 0x0A"},
    /* fields */
    {"{'a':{}}", 0, "a field's name"},
    {"{'a':{'dtype':'F32'}}", 0, "dtype, shape and data_offsets"},
    {"{'a':{'shape':[2],'data_offsets':[0,8]}}", 8, "dtype, shape and data_offsets"},
    {"{'a':{'dtype':'F32','dtype':'F32'}}", 8, "\"dtype\" twice"},
    {"{'a':{'dtype':'F32','colour':1}}", 8, "\"colour\", which the format does not know"},
    {"{'a':{'dtype':'F33','shape':[2],'data_offsets':[0,8]}}", 8, "unknown dtype \"F33\""},
    {"{'a':{'dtype':'f32','shape':[2],'data_offsets':[0,8]}}", 8, "unknown dtype \"f32\""},
    {"{'a':{'dtype':32,'shape':[2],'data_offsets':[0,8]}}", 8, "expected the dtype"},
    {"{'a':{'dtype':'aVeryLongNameForADtype','shape':[2],'data_offsets':[0,8]}}", 8,
     "the dtype is longer than 15 bytes"},
    {"{'a':{'dtype':'F32','shape':2,'data_offsets':[0,8]}}", 8, "expected the shape"},
    {"{'a':{'dtype':'F32','shape':[-2],'data_offsets':[0,8]}}", 8, "a dimension, a whole number"},
    {"{'a':{'dtype':'F32','shape':[2.0],'data_offsets':[0,8]}}", 8, "is not a whole number"},
    {"{'a':{'dtype':'F32','shape':[2e0],'data_offsets':[0,8]}}", 8, "is not a whole number"},
    {"{'a':{'dtype':'F32','shape':[02],'data_offsets':[0,8]}}", 8, "leading zero"},
    {"{'a':{'dtype':'F32','shape':['2'],'data_offsets':[0,8]}}", 8, "a dimension, a whole number"},
    {"{'a':{'dtype':'F32','shape':[2,],'data_offsets':[0,8]}}", 8, "a dimension, a whole number"},
    {"{'a':{'dtype':'F32','shape':[[2]],'data_offsets':[0,8]}}", 8, "a dimension, a whole number"},
    {"{'a':{'dtype':'F32','shape':[2],'data_offsets':[0]}}", 8, "an array of two numbers"},
    {"{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8,8]}}", 8, "an array of two numbers"},
    {"{'a':{'dtype':'F32','shape':[2],'data_offsets':null}}", 8, "an array of two numbers"},
    /* sizes */
    {"{'a':{'dtype':'F32','shape':[9223372036854775808],'data_offsets':[0,8]}}", 8, "beyond 2^63"},
    {"{'a':{'dtype':'F32','shape':[99999999999999999999999],'data_offsets':[0,8]}}", 8,
     "beyond 2^63"},
    {"{'a':{'dtype':'F32','shape':[4294967296,4294967296],'data_offsets':[0,0]}}", 0,
     "multiplies beyond 2^63"},
    {"{'a':{'dtype':'F32','shape':[4611686018427387904,4,0],'data_offsets':[0,0]}}", 0,
     "multiplies beyond 2^63"},
    {"{'a':{'dtype':'F32','shape':[4611686018427387904],'data_offsets':[0,0]}}", 0,
     "more than 2^63 bits"},
    {"{'a':{'dtype':'F32','shape':[3],'data_offsets':[0,8]}}", 8, "F32 need 12"},
    {"{'a':{'dtype':'F16','shape':[2],'data_offsets':[0,8]}}", 8, "F16 need 4"},
    {"{'a':{'dtype':'F4','shape':[3],'data_offsets':[0,2]}}", 2, "whole bytes"},
    {"{'a':{'dtype':'F32','shape':[2],'data_offsets':[8,0]}}", 8, "end before they begin"},
    /* the whole of the data */
    {"{'a':{'dtype':'F32','shape':[2],'data_offsets':[8,16]}}", 16, "a hole of 8 bytes"},
    {"{" TENSOR_A ",'b':{'dtype':'F32','shape':[2],'data_offsets':[12,20]}}", 20,
     "a hole of 4 bytes before tensor \"b\""},
    {"{" TENSOR_A ",'b':{'dtype':'F32','shape':[2],'data_offsets':[4,12]}}", 12, "overlap"},
    {"{" TENSOR_A ",'b':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}}", 8, "overlap"},
    {"{" TENSOR_A ",'a':{'dtype':'F32','shape':[2],'data_offsets':[8,16]}}", 16, "comes twice"},
    {"{" TENSOR_A ",'\\u0061':{'dtype':'F32','shape':[2],'data_offsets':[8,16]}}", 16,
     "comes twice"},
    {"{" TENSOR_A "}", 7, "truncated: its header describes 8 bytes"},
    {"{" TENSOR_A "}", 9, "1 byte follows the last tensor"},
    {"{}", 1, "1 byte follows the last tensor"},
    {"{'a':{'dtype':'U8','shape':[9223372036854775800],'data_offsets':[0,9223372036854775800]}}", 8,
     "more than 2^63 bits"},
    {"{'a':{'dtype':'U8','shape':[1152921504606846975],'data_offsets':[0,1152921504606846975]}}", 8,
     "truncated"},
    /* metadata */
    {"{'__metadata__':[]}", 0, "the object of __metadata__"},
    {"{'__metadata__':{'a':1}}", 0, "a text of __metadata__"},
    {"{'__metadata__':{'a':{}}}", 0, "a text of __metadata__"},
    {"{'__metadata__':{'a':'b',}}", 0, "a key of __metadata__"},
    {"{'__metadata__':{'a':'\xff'}}", 0, "not UTF-8"},
    {"{'__metadata__':{},'__metadata__':{}}", 0, "__metadata__ comes twice"},
    /* scales */
    {"{'a.weight':{'dtype':'F8_E4M3','shape':[2,1],'data_offsets':[0,2]},"
     "'a.scale_weight':{'dtype':'U8','shape':[1],'data_offsets':[2,3]},"
     "'a.weight_scale':{'dtype':'F16','shape':[3],'data_offsets':[3,9]}}",
     9, "holds 3 scales, expected 1 or one for each of the 2 rows of \"a.weight\""},
};

Test(safetensors, refuses_every_crooked_header) {
    for (size_t i = 0; i < sizeof bad_headers / sizeof *bad_headers; i++) {
        scratch_safetensors(scratch("header-%zu", i), bad_headers[i].header, bad_headers[i].n);
        expect_refused(scratch("header-%zu", i), XL_EFORMAT, bad_headers[i].says);
    }
}

#define BYTES(text) text, sizeof text - 1

static const struct {
    const char *bytes;
    size_t n;
    const char *says;
} bad_files[] = {
    {BYTES(""), "the file is empty"},
    {BYTES("\2"), "too short"},
    {BYTES("\2\0\0\0\0\0\0"), "too short"},
    {BYTES("\0\0\0\0\0\0\0\0"), "too short"},
    {BYTES("\0\0\0\0\0\0\0\0{}"), "expected an object, found its end"},
    {BYTES("\3\0\0\0\0\0\0\0{}"), "the header is longer than the file"},
    {BYTES("\377\377\377\377\377\377\377\377{}"), "the header is longer than the file"},
    {BYTES("\3\0\0\0\0\0\0\0 {}"), "does not begin with '{'"},
    {BYTES("\2\0\0\0\0\0\0\0[]"), "does not begin with '{'"},
    {BYTES("\3\0\0\0\0\0\0\0{}\0"), "something follows the closing brace"},
    {BYTES("\6\0\0\0\0\0\0\0\xef\xbb\xbf{} "), "does not begin with '{'"},
    {BYTES("\x80\2}q\0X\1\0\0\0aq\1K\1s."), "this is a Python pickle"},
    {BYTES("\x80\3}q\0."), "this is a Python pickle"},
    {BYTES("\x80\4\x95\0\0\0\0\0\0\0\0."), "this is a Python pickle"},
    {BYTES("\x80\5\x95\0\0\0\0\0\0\0\0."), "never read; convert"},
    {BYTES("PK\3\4\0\0\10\10\0\0archive/data.pkl"), "as torch.save writes"},
    {BYTES("GGUF\3\0\0\0\0\0\0\0"), "a GGUF file"},
    {BYTES("version https://git-lfs.github.com/spec/v1\noid sha256:00\n"), "git lfs pull"},
    {BYTES("<!DOCTYPE html><html></html>"), "an HTML page"},
    {BYTES("just a text file, nothing else"), "not a safetensors file"},
};

Test(safetensors, refuses_every_other_file) {
    for (size_t i = 0; i < sizeof bad_files / sizeof *bad_files; i++) {
        scratch_write(scratch("%zu.safetensors", i), bad_files[i].bytes, bad_files[i].n);
        expect_refused(scratch("%zu.safetensors", i), XL_EFORMAT, bad_files[i].says);
    }
    expect_refused(scratch("none.safetensors"), XL_EMODEL, "No such file");
    expect_refused(scratch("."), XL_EFORMAT, "not a regular file");
    cr_assert_eq(mkfifo(scratch("pipe"), 0600), 0);
    expect_refused(scratch("pipe"), XL_EFORMAT, "not a regular file");
}

Test(safetensors, refuses_a_file_cut_anywhere) {
    scratch_safetensors(scratch("whole"), mixed, MIXED_DATA);
    char bytes[1024];
    FILE *file = fopen(scratch("whole"), "rb");
    size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    cr_assert(n > 300 && n < sizeof bytes);
    for (size_t cut = 0; cut < n; cut++) {
        scratch_write(scratch("cut-%zu", cut), bytes, cut);
        expect_refused(scratch("cut-%zu", cut), XL_EFORMAT, "");
    }
    scratch_write(scratch("whole"), bytes, n + 1);
    expect_refused(scratch("whole"), XL_EFORMAT, "1 byte follows");
}

/* A flipped bit is refused, or changes a name or a number and nothing else. */
Test(safetensors, survives_every_flipped_bit) {
    scratch_safetensors(scratch("whole"), mixed, MIXED_DATA);
    char bytes[1024];
    FILE *file = fopen(scratch("whole"), "rb");
    size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    int n_accepted = 0;
    for (size_t bit = 0; bit < (n - MIXED_DATA) * 8; bit++) {
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
        scratch_write(scratch("flipped"), bytes, n);
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
        struct xl_weights *weights = NULL;
        struct xl_err err = {0};
        if (open_one(scratch("flipped"), &weights, &err)) {
            cr_expect(strstr(err.text, "flipped"), "%s", err.text);
            continue;
        }
        n_accepted++;
        cr_expect(xl_weights_bytes(weights) <= MIXED_DATA);
        xl_weights_close(weights);
    }
    cr_expect(n_accepted > 0 && n_accepted < (int)n, "%d accepted", n_accepted);
}

/* A header of n pieces, each after a comma, with a number in the place of %d. */
static void write_bomb(const char *path, const char *begin, const char *format, int n,
                       const char *end) {
    size_t capacity = (size_t)n * (strlen(format) + 12) + 256, len;
    char *text = malloc(capacity);
    cr_assert_not_null(text);
    len = (size_t)snprintf(text, capacity, "%s", begin);
    for (int i = 0; i < n; i++) {
        if (i) text[len++] = ',';
        for (const char *c = format; *c; c++) {
            if (*c == '#')
                len += (size_t)snprintf(text + len, capacity - len, "%d", i);
            else
                text[len++] = *c;
        }
    }
    snprintf(text + len, capacity - len, "%s", end);
    scratch_safetensors(path, text, 0);
    free(text);
}

static long peak_kib(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static void write_bombs(void) {
    static const char empty[] = "{'dtype':'F32','shape':[0],'data_offsets':[0,0]}";
    char entry[128];
    snprintf(entry, sizeof entry, "'#':%s", empty);
    write_bomb(scratch("tensors"), "{", entry, 70000, "}");
    snprintf(entry, sizeof entry, "'a':%s", empty);
    write_bomb(scratch("same"), "{", entry, 60000, "}");
    write_bomb(scratch("metadata"), "{'__metadata__':{", "'#':''", 1000000, "}}");
    write_bomb(scratch("rank"), "{'a':{'shape':[", "1", 1000000, "x");
    write_bomb(scratch("deep"), "{'a':", "[[[[[[[[", 1000000, "}");
    write_bomb(scratch("name"), "{'", "0123456789", 1000000, "':1}");
    write_bomb(scratch("text"), "{'__metadata__':{'a':'", "012345678901234567890123456789", 500000,
               "'}]");
    write_bomb(scratch("long"), "{'__metadata__':{'a':'", "012345678901234567890123456789", 600000,
               "'}}");
    /* A sparse file that claims a header of 100 MB. */
    scratch_write(scratch("claim"), "\0\341\365\5\0\0\0\0{", 9);
    cr_assert_eq(truncate(scratch("claim"), 200000000), 0);
}

Test(safetensors, bombs_cost_no_memory) {
    /* In a process of its own: the memory that writing takes must not hide what reading takes. */
    pid_t child = fork();
    if (child == 0) {
        write_bombs();
        _exit(0);
    }
    cr_assert_eq(waitpid(child, NULL, 0), child);
    long before = peak_kib();
    expect_refused(scratch("text"), XL_EFORMAT, "expected a comma or the end of the header");
    /* Far less than the 15.5 million bytes of this header. */
    cr_expect(peak_kib() - before < 6 * 1024, "%ld KiB more", peak_kib() - before);
    expect_refused(scratch("tensors"), XL_EFORMAT, "more than 65536 tensors");
    expect_refused(scratch("same"), XL_EFORMAT, "comes twice");
    expect_refused(scratch("metadata"), XL_EFORMAT, "more than 65536 entries");
    expect_refused(scratch("rank"), XL_EFORMAT, "expected a comma or the end of the shape");
    expect_refused(scratch("deep"), XL_EFORMAT, "expected an object");
    expect_refused(scratch("name"), XL_EFORMAT, "a tensor's name is longer than 512 bytes");
    expect_refused(scratch("long"), XL_EFORMAT, "expected at most 16777216");
    expect_refused(scratch("claim"), XL_EFORMAT, "header of 100000000 bytes");
    cr_expect(peak_kib() - before < 64 * 1024, "%ld KiB more", peak_kib() - before);
}

Test(safetensors, shards_are_one_component) {
    scratch_safetensors(scratch("1"), "{'b':{'dtype':'F16','shape':[4],'data_offsets':[0,8]}}", 8);
    scratch_safetensors(scratch("2"), "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}}", 4);
    const char *files[] = {scratch("1"), scratch("2")};
    struct xl_weights *weights;
    cr_assert_eq(xl_weights_open("unet", files, 2, &weights, NULL), XL_OK);
    cr_expect_eq(xl_weights_count(weights), 2);
    cr_expect_str_eq(xl_weights_at(weights, 0)->name, "a");
    cr_expect_eq(xl_weights_bytes(weights), 12);
    cr_expect_eq(xl_weights_main_dtype(weights), XL_DTYPE_F16);
    xl_weights_close(weights);

    scratch_safetensors(scratch("3"), "{'b':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}}", 4);
    const char *twice[] = {files[0], files[1], scratch("3")};
    struct xl_err err = {0};
    weights = NULL;
    cr_assert_eq(xl_weights_open("unet", twice, 3, &weights, &err), XL_EFORMAT);
    cr_expect_null(weights);
    cr_expect(strstr(err.text, twice[0]) && strstr(err.text, twice[2]) && strstr(err.text, "\"b\""),
              "%s", err.text);
}

Test(safetensors, a_changed_file_is_noticed) {
    scratch_safetensors(scratch("a"), mixed, MIXED_DATA);
    struct xl_weights *weights;
    struct xl_err err = {0};
    cr_assert_eq(open_one(scratch("a"), &weights, &err), XL_OK);
    cr_expect_eq(xl_weights_verify(weights, &err), XL_OK);
    cr_expect_eq(rename(scratch("a"), scratch("b")), 0);
    cr_expect_eq(xl_weights_verify(weights, &err), XL_OK,
                 "a file keeps its content without a name");
    struct stat before;
    cr_assert_eq(stat(scratch("b"), &before), 0);
    struct timespec as_before[2] = {before.st_atim, before.st_mtim};
    struct timespec later[2] = {before.st_atim,
                                {before.st_mtim.tv_sec + 1, before.st_mtim.tv_nsec}};
    cr_assert_eq(utimensat(AT_FDCWD, scratch("b"), later, 0), 0);
    cr_expect_eq(xl_weights_verify(weights, &err), XL_EFORMAT, "written since");
    cr_assert_eq(utimensat(AT_FDCWD, scratch("b"), as_before, 0), 0);
    cr_expect_eq(xl_weights_verify(weights, &err), XL_OK);
    cr_expect_eq(truncate(scratch("b"), 100), 0);
    cr_assert_eq(utimensat(AT_FDCWD, scratch("b"), as_before, 0), 0);
    cr_expect_eq(xl_weights_verify(weights, &err), XL_EFORMAT, "shorter");
    cr_expect(strstr(err.text, scratch("a")) && strstr(err.text, "changed"), "%s", err.text);
    xl_weights_close(weights);
}

/* Pages of files that are mapped into this process now. */
static long resident_file_pages(void) {
    long total = 0, resident = 0, shared = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    cr_assert_not_null(file);
    cr_assert_eq(fscanf(file, "%ld %ld %ld", &total, &resident, &shared), 3);
    fclose(file);
    return shared;
}

Test(safetensors, dropped_pages_are_released_and_come_back) {
    enum { N = 8 << 20 };
    scratch_safetensors(scratch("a"),
                        "{'a':{'dtype':'F16','shape':[3],'data_offsets':[0,6]},"
                        "'b':{'dtype':'F16','shape':[4194301],'data_offsets':[6,8388608]}}",
                        N);
    struct xl_weights *weights;
    cr_assert_eq(open_one(scratch("a"), &weights, NULL), XL_OK);
    const struct xl_tensor *b = xl_weights_find(weights, "b");
    for (int pass = 0; pass < 2; pass++) {
        const uint8_t *data = b->data;
        int n_wrong = 0;
        for (int i = 6; i < N; i++) n_wrong += data[i - 6] != (i & 255);
        cr_expect_eq(n_wrong, 0);
        long before = resident_file_pages();
        xl_weights_drop(weights, b);
        long released = (before - resident_file_pages()) * sysconf(_SC_PAGESIZE);
        cr_expect(released > N / 2, "%ld bytes released", released);
    }
    cr_expect_eq(*(const uint8_t *)xl_weights_find(weights, "a")->data, 0);
    xl_weights_close(weights);
}

/* ---- Numbers that do not lie as they are taken ---- */

/* A file of these tensors, its header without padding: data begins at any byte. */
static struct xl_weights *open_bytes(const char *header, const void *data, size_t n_data) {
    char *json = scratch_quotes(header);
    size_t n = strlen(json);
    uint8_t *bytes = calloc(1, 8 + n + n_data);
    struct xl_weights *weights = NULL;
    struct xl_err err = {0};
    cr_assert_not_null(bytes);
    bytes[0] = (uint8_t)n, bytes[1] = (uint8_t)(n >> 8);
    memcpy(bytes + 8, json, n);
    memcpy(bytes + 8 + n, data, n_data);
    scratch_write(scratch("bytes"), bytes, 8 + n + n_data);
    cr_assert_eq(open_one(scratch("bytes"), &weights, &err), XL_OK, "%s", err.text);
    free(bytes);
    free(json);
    return weights;
}

static void expect_numbers(const struct xl_weights *weights, const char *name, enum xl_dtype dtype,
                           const float *wanted, int n) {
    const struct xl_tensor *tensor = xl_weights_find(weights, name);
    union {
        float f32[16];
        uint16_t u16[16];
    } read;
    float found[16];
    cr_assert_not_null(tensor, "%s", name);
    cr_assert_eq(tensor->dtype, dtype, "%s", name);
    cr_assert_eq(xl_shape_count(tensor->shape), n);
    for (int first = 0; first < n; first++) { /* from any number on */
        xl_tensor_read(tensor, first, n - first, &read);
        xl_convert(found, XL_DTYPE_F32, &read, dtype, n - first);
        for (int i = first; i < n; i++)
            cr_expect(
                found[i - first] == wanted[i] || (isnan(found[i - first]) && isnan(wanted[i])),
                "%s[%d] is %g, expected %g", name, i, (double)found[i - first], (double)wanted[i]);
    }
}

/* The values are those of torch.float8_e4m3fn, ... (tensor.view(dtype).float()). */
Test(safetensors, f8_is_what_torch_makes_of_it) {
    static const uint8_t bytes[8] = {0x00, 0x80, 0x01, 0x38, 0x7E, 0xFE, 0x7F, 0x7C};
    static const struct {
        const char *dtype;
        float value[8];
    } kinds[] = {
        {"F8_E4M3", {0, -0.0f, 0x1p-9f, 1, 448, -448, NAN, 384}},
        {"F8_E5M2", {0, -0.0f, 0x1p-16f, 0.5f, NAN, NAN, NAN, INFINITY}},
        {"F8_E4M3FNUZ", {0, NAN, 0x1p-10f, 0.5f, 224, -224, 240, 192}},
        {"F8_E5M2FNUZ", {0, NAN, 0x1p-17f, 0.25f, 49152, -49152, 57344, 32768}},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char header[128];
        snprintf(header, sizeof header, "{'a':{'dtype':'%s','shape':[4,2],'data_offsets':[0,8]}}",
                 kinds[i].dtype);
        struct xl_weights *weights = open_bytes(header, bytes, sizeof bytes);
        expect_numbers(weights, "a", XL_DTYPE_F16, kinds[i].value, 8);
        cr_expect_str_eq(xl_weights_main_name(weights), kinds[i].dtype);
        cr_expect_eq(xl_weights_bytes(weights), 8);
        xl_weights_close(weights);
    }
}

/* One number for all, or one for each row; under either name. */
Test(safetensors, f8_is_multiplied_by_its_scales) {
    struct {
        uint8_t a[4], b[4];
        float a_scale[2], b_scale;
    } data = {{0x38, 0x40, 0x38, 0x40}, {0x38, 0xB8, 0x40, 0x48}, {3, 5}, 0.25f};
    struct xl_weights *weights =
        open_bytes("{'a.weight':{'dtype':'F8_E4M3','shape':[2,2],'data_offsets':[0,4]},"
                   "'b.weight':{'dtype':'F8_E4M3','shape':[4],'data_offsets':[4,8]},"
                   "'a.weight_scale':{'dtype':'F32','shape':[2,1],'data_offsets':[8,16]},"
                   "'b.scale_weight':{'dtype':'F32','shape':[],'data_offsets':[16,20]}}",
                   &data, sizeof data);
    expect_numbers(weights, "a.weight", XL_DTYPE_F32, (float[]){3, 6, 5, 10}, 4);
    expect_numbers(weights, "b.weight", XL_DTYPE_F32, (float[]){0.25f, -0.25f, 0.5f, 1}, 4);
    xl_weights_close(weights);
}

Test(safetensors, f64_is_rounded) {
    static const double numbers[] = {1, -0.1, 1e300, 1e-50};
    struct xl_weights *weights = open_bytes(
        "{'a':{'dtype':'F64','shape':[4],'data_offsets':[0,32]}}", numbers, sizeof numbers);
    expect_numbers(weights, "a", XL_DTYPE_F32, (float[]){1, -0.1f, INFINITY, 0}, 4);
    xl_weights_close(weights);
}

/* Whatever byte a tensor begins at. */
Test(safetensors, nothing_need_be_aligned) {
    static const float numbers[] = {1, 2.5f, -3, 0.125f};
    uint8_t data[16 + 8 + 3];
    for (int pad = 0; pad < 8; pad++) {
        char header[256];
        uint16_t halves[4];
        memset(data, 0, sizeof data);
        memcpy(data, numbers, 16);
        for (int i = 0; i < 4; i++) halves[i] = xl_f32_to_f16(numbers[i]);
        memcpy(data + 19, halves, 8);
        snprintf(header, sizeof header,
                 "{'a':{'dtype':'F32','shape':[2,2],'data_offsets':[0,16]},%*s"
                 "'u':{'dtype':'U8','shape':[3],'data_offsets':[16,19]},"
                 "'b':{'dtype':'F16','shape':[4],'data_offsets':[19,27]}}",
                 pad, "");
        struct xl_weights *weights = open_bytes(header, data, sizeof data);
        expect_numbers(weights, "a", XL_DTYPE_F32, numbers, 4);
        expect_numbers(weights, "b", XL_DTYPE_F16, numbers, 4);
        xl_weights_close(weights);
    }
}

/* What no model asks for is nobody's concern; what one asks for is named with its reason. */
Test(safetensors, tensors_that_cannot_be_used_are_left_out) {
    uint8_t data[40] = {0};
    struct xl_weights *weights =
        open_bytes("{'ids':{'dtype':'I64','shape':[1],'data_offsets':[0,8]},"
                   "'c':{'dtype':'C64','shape':[1],'data_offsets':[8,16]},"
                   "'f4':{'dtype':'F4','shape':[8],'data_offsets':[16,20]},"
                   "'five':{'dtype':'F32','shape':[1,1,1,1,1],'data_offsets':[20,24]},"
                   "'a':{'dtype':'F32','shape':[4],'data_offsets':[24,40]}}",
                   data, sizeof data);
    cr_expect_eq(xl_weights_count(weights), 1);
    cr_expect_null(xl_weights_find(weights, "c"));
    cr_expect_null(xl_weights_why_not(weights, "a"));
    cr_expect_null(xl_weights_why_not(weights, "nothing"));
    static const char *const says[][2] = {{"ids", "is of dtype I64, expected F32"},
                                          {"c", "is of dtype C64"},
                                          {"f4", "is of dtype F4"},
                                          {"five", "has 5 dimensions, expected at most 4"}};
    for (int i = 0; i < 4; i++) {
        const char *why = xl_weights_why_not(weights, says[i][0]);
        cr_assert_not_null(why, "%s", says[i][0]);
        cr_expect_not_null(strstr(why, says[i][1]), "%s", why);
        cr_expect_not_null(strstr(why, "bytes"), "the file is named: %s", why);
    }
    xl_weights_close(weights);
}
