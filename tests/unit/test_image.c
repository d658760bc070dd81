/* test_image.c - picture files: every kind against Pillow, damage at every byte, bombs, texts. The
 * data is written by tools/reference/topics/images.py. */
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "image/decode.h"
#include "image/image.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

#define DATA XL_SOURCE_DIR "/tests/data/images/"
#define ok(call) cr_assert_eq((call), XL_OK, "%s", err.text)

struct bytes {
    uint8_t *data;
    size_t n;
};

static struct bytes read_data(const char *name) {
    char path[512];
    snprintf(path, sizeof path, DATA "%s", name);
    struct xl_err err = {0};
    struct bytes bytes;
    ok(xl_file_read(path, (struct xl_read_rule){1 << 20, XL_EINPUT, XL_EINPUT},
                    (char **)&bytes.data, &bytes.n, &err));
    return bytes;
}

static json_t *load(const char *name) {
    char path[512];
    snprintf(path, sizeof path, DATA "%s", name);
    struct xl_err err = {0};
    json_t *root = NULL;
    ok(xl_json_load(path, &root, &err));
    return root;
}

static int integer(const json_t *object, const char *key) {
    return (int)json_integer_value(json_object_get(object, key));
}

static const char *string(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

static struct xl_image noise(int width, int height) {
    struct xl_err err = {0};
    struct xl_image image;
    ok(xl_image_new(width, height, &image, &err));
    uint32_t state = 1;
    for (int i = 0; i < width * height * 3; i++) {
        state = state * 1664525u + 1013904223u;
        image.pixels[i] = (uint8_t)(state >> 24);
    }
    return image;
}

/* ---- Against Pillow ---- */

static void check_pixels(const json_t *expected, const char *name, const struct xl_image *image) {
    const char *hex = string(expected, "rgb");
    cr_assert_eq(image->width, integer(expected, "width"), "%s", name);
    cr_assert_eq(image->height, integer(expected, "height"), "%s", name);
    size_t n = (size_t)image->width * (size_t)image->height * 3;
    cr_assert_eq(strlen(hex), 2 * n, "%s", name);
    int worst = 0;
    for (size_t i = 0; i < n; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], 0};
        int difference = abs((int)strtol(digits, NULL, 16) - image->pixels[i]);
        if (difference > worst) worst = difference;
    }
    cr_expect_leq(worst, integer(expected, "tolerance"), "%s: off by %d", name, worst);
}

static void check_picture(const json_t *expected) {
    const char *name = string(expected, "file");
    char path[512];
    snprintf(path, sizeof path, DATA "%s", name);
    struct xl_image image = {0};
    struct xl_err err = {0};
    ok(xl_image_load(path, &image, &err));
    check_pixels(expected, name, &image);
    xl_image_free(&image);
}

Test(image, every_kind_decodes_as_in_pillow) {
    json_t *root = load("decode.json"), *picture;
    size_t i;
    json_array_foreach(json_object_get(root, "pictures"), i, picture) check_picture(picture);
    cr_assert_geq(i, 50);
    json_decref(root);
}

/* ---- Upright ---- */

static struct bytes bytes_of_hex(const char *hex) {
    struct bytes bytes = {malloc(strlen(hex) / 2 + 1), strlen(hex) / 2};
    cr_assert_not_null(bytes.data);
    for (size_t i = 0; i < bytes.n; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], 0};
        bytes.data[i] = (uint8_t)strtol(digits, NULL, 16);
    }
    return bytes;
}

Test(image, exif_turns_as_in_pillow) {
    json_t *root = load("orientations.json"), *c;
    size_t i;
    json_array_foreach(json_object_get(root, "cases"), i, c) {
        struct bytes file = bytes_of_hex(string(c, "file"));
        struct xl_image image = {0};
        struct xl_err err = {0};
        ok(xl_image_decode(string(c, "name"), file.data, file.n, &image, &err));
        check_pixels(c, string(c, "name"), &image);
        xl_image_free(&image);
        free(file.data);
    }
    cr_assert_eq(i, 4 * (16 + 6));
    json_decref(root);
}

/* Every length of EXIF data, and every byte of it changed: an orientation or none, nothing read
 * beyond the end (malloc'd to the byte, for the sanitizer). */
Test(image, damaged_exif_is_ignored) {
    static const uint8_t whole[] = {'E', 'x', 'i', 'f', 0, 0, 'I', 'I', 42, 0, 8, 0, 0, 0,    2,
                                    0,   0xF, 1,   4,   0, 1, 0,   0,   0,  9, 9, 9, 9, 0x12, 1,
                                    3,   0,   1,   0,   0, 0, 6,   0,   0,  0, 0, 0, 0, 0};
    cr_assert_eq(xl_exif_orientation(whole, sizeof whole), 6);
    for (size_t n = 0; n <= sizeof whole; n++) {
        uint8_t *cut = malloc(n + !n);
        memcpy(cut, whole, n);
        cr_expect_eq(xl_exif_orientation(cut, n), n < 40 ? 0 : 6, "%zu bytes", n);
        cr_expect_eq(xl_xmp_orientation(cut, n), 0);
        for (size_t at = 0; at < n; at++)
            for (int value = 0; value < 256; value += 5) {
                cut[at] = (uint8_t)value;
                int found = xl_exif_orientation(cut, n);
                cr_expect(found >= 0 && found <= 8);
                cut[at] = whole[at];
            }
        free(cut);
    }
}

Test(image, xmp_says_it_where_exif_does_not) {
    static const struct {
        const char *xmp;
        int orientation;
    } cases[] = {{"<rdf tiff:Orientation=\"6\"/>", 6},
                 {"<tiff:Orientation>8</tiff:Orientation>", 8},
                 {"tiff:Orientation=\"9\"", 1},
                 {"tiff:Orientation=\"", 0},
                 {"tiff:Orientation", 0},
                 {"tiff:Orientation='6'", 0},
                 {"tiff:Orientation tiff:Orientation>3", 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(xl_xmp_orientation((const uint8_t *)cases[i].xmp, strlen(cases[i].xmp)),
                     cases[i].orientation, "%s", cases[i].xmp);
}

/* ---- Damage ---- */

/* However a file is cut or changed, there is a picture or a sentence, and never a leak or a read
 * beyond the end (the sanitizers' part). A cut file is never a picture. */
static void check_damage(const char *name) {
    struct bytes whole = read_data(name);
    for (size_t n = 0; n < whole.n; n++) {
        uint8_t *cut = malloc(n + 1);
        memcpy(cut, whole.data, n);
        struct xl_image image = {0};
        struct xl_err err = {0};
        enum xl_status status = xl_image_decode(name, cut, n, &image, &err);
        bool is_tail_of_png = strstr(name, ".png") && n >= whole.n - 12; /* the IEND chunk */
        if (!is_tail_of_png) {
            cr_assert_eq(status, XL_EINPUT, "%s cut to %zu of %zu", name, n, whole.n);
            cr_assert(!strncmp(err.text, name, strlen(name)), "%s", err.text);
            cr_assert_null(image.pixels);
        }
        xl_image_free(&image);
        free(cut);
    }
    for (size_t i = 0; i < whole.n; i++) {
        whole.data[i] ^= 0x55;
        struct xl_image image = {0};
        struct xl_err err = {0};
        enum xl_status status = xl_image_decode(name, whole.data, whole.n, &image, &err);
        cr_assert_eq(status != XL_OK, err.text[0] != 0);
        xl_image_free(&image);
        whole.data[i] ^= 0x55;
    }
    free(whole.data);
}

Test(image, damaged_files_are_refused) {
    check_damage("rgba-16-interlaced.png");
    check_damage("palette-4.png");
    check_damage("ycbcr-420.jpg");
    check_damage("ycbcr-444-progressive.jpg");
    check_damage("cmyk.jpg");
    check_damage("restarts.jpg");
    check_damage("one-pixel.jpg");
    check_damage("lossy-alpha.webp");
    check_damage("lossless.webp");
    check_damage("animation-small-frame.webp");
}

static void expect_refusal(const char *bytes, size_t n, const char *words) {
    struct xl_image image = {0};
    struct xl_err err = {0};
    cr_expect_eq(xl_image_decode("in.bin", bytes, n, &image, &err), XL_EINPUT);
    cr_expect(strstr(err.text, "in.bin: ") == err.text && strstr(err.text, words), "%s", err.text);
}

Test(image, other_kinds_are_named) {
    expect_refusal("", 0, "empty");
    expect_refusal("GIF89a", 6, "GIF");
    expect_refusal("\0\0\0\x1c"
                   "ftypavif",
                   12, "AVIF");
    expect_refusal("PK\3\4", 4, "begins with 50 4b 03 04");
    expect_refusal("x", 1, "begins with 78)");
    expect_refusal("\xFF\xD8\xFF", 3, "JPEG");
    expect_refusal("\x89PNG\r\n\x1a\n", 8, "PNG");
    expect_refusal("RIFF\4\0\0\0WEBP", 12, "WebP");
}

Test(image, files_that_are_no_files_are_named) {
    struct xl_image image = {0};
    struct xl_err err = {0};
    cr_expect_eq(xl_image_load(DATA "absent.png", &image, &err), XL_EINPUT);
    cr_expect(strstr(err.text, "absent.png"), "%s", err.text);
    cr_expect_eq(xl_image_load(DATA, &image, &err), XL_EINPUT);
    cr_expect(strstr(err.text, "regular file"), "%s", err.text);
    cr_expect_null(image.pixels);
}

/* Damage that the libraries only warn about must not reach the terminal. */
Test(image, the_libraries_print_nothing) {
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    check_damage("ycbcr-444.jpg");
    check_damage("palette-8-interlaced.png");
    check_damage("lossy.webp");
    dup2(saved, STDERR_FILENO);
    cr_assert_eq(lseek(fileno(file), 0, SEEK_END), 0);
    fclose(file);
}

/* ---- Bombs ---- */

static void put_u32(uint8_t *at, uint32_t value) {
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* `file` with a chunk of this content after its header. */
static struct bytes with_chunk(struct bytes file, const char *type, const void *content, size_t n) {
    enum { HEAD = 8 + 25 };
    struct bytes out = {malloc(file.n + n + 12), file.n + n + 12};
    uint8_t *at = out.data + HEAD;
    memcpy(out.data, file.data, HEAD);
    put_u32(at, (uint32_t)n);
    memcpy(at + 4, type, 4);
    memcpy(at + 8, content, n);
    put_u32(at + 8 + n, (uint32_t)crc32(0, at + 4, (uInt)n + 4));
    memcpy(at + 12 + n, file.data + HEAD, file.n - HEAD);
    return out;
}

/* `prefix`, then n_mib MiB of zeros as a zlib stream. */
static struct bytes bomb(const char *prefix, size_t n_prefix, int n_mib) {
    static uint8_t zeros[1 << 20];
    size_t room = n_prefix + (size_t)(n_mib + 1) * 8192;
    struct bytes out = {malloc(room), n_prefix};
    memcpy(out.data, prefix, n_prefix);
    z_stream z = {.next_out = out.data + n_prefix, .avail_out = (uInt)(room - n_prefix)};
    cr_assert_eq(deflateInit(&z, 1), Z_OK);
    for (int i = 0; i < n_mib; i++) {
        z.next_in = zeros;
        z.avail_in = sizeof zeros;
        cr_assert_eq(deflate(&z, i == n_mib - 1 ? Z_FINISH : Z_NO_FLUSH), i == n_mib - 1);
    }
    out.n += z.total_out;
    deflateEnd(&z);
    return out;
}

static long peak_mib(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
}

Test(image, dimensions_are_judged_before_decoding) {
    struct bytes png = read_data("rgb-8.png");
    static const uint32_t sizes[][2] = {
        {8001, 8000}, {0x7FFFFFFF, 1}, {1, 0x7FFFFFFF}, {0x7FFFFFFF, 0x7FFFFFFF}, {65535, 65535}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char words[64];
        put_u32(png.data + 16, sizes[i][0]);
        put_u32(png.data + 20, sizes[i][1]);
        put_u32(png.data + 29, (uint32_t)crc32(0, png.data + 12, 17));
        snprintf(words, sizeof words, "claims %u x %u pixels", sizes[i][0], sizes[i][1]);
        expect_refusal((char *)png.data, png.n, words);
    }
    put_u32(png.data + 16, 0);
    put_u32(png.data + 29, (uint32_t)crc32(0, png.data + 12, 17));
    expect_refusal((char *)png.data, png.n, "PNG");
    free(png.data);

    struct bytes jpeg = read_data("ycbcr-420.jpg");
    uint8_t *sof = memmem(jpeg.data, jpeg.n, "\xFF\xC0", 2);
    put_u32(sof + 5, 65500u << 16 | 65500u); /* the most that libjpeg itself takes */
    expect_refusal((char *)jpeg.data, jpeg.n, "claims 65500 x 65500 pixels");
    free(jpeg.data);

    struct bytes webp = read_data("animation-small-frame.webp");
    memset(webp.data + 24, 0xFF, 1);
    memset(webp.data + 25, 0x3F, 1);
    memset(webp.data + 27, 0xFF, 1);
    memset(webp.data + 28, 0x3F, 1);
    expect_refusal((char *)webp.data, webp.n, "claims 16384 x 16384 pixels");
    free(webp.data);
}

enum { BOMB_MIB = 512, PEAK_MIB = 256 }; /* the sanitizers keep freed memory for a while */

static void try_texts(const char *type, const char *prefix, size_t n_prefix, int n_mib) {
    struct bytes png = read_data("rgb-8.png");
    struct bytes zeros = bomb(prefix, n_prefix, n_mib);
    struct bytes file = with_chunk(png, type, zeros.data, zeros.n);
    struct xl_png_text *texts = NULL;
    int n_texts = -1;
    struct xl_err err = {0};
    enum xl_status status = xl_png_texts("bomb.png", file.data, file.n, &texts, &n_texts, &err);
    bool is_too_large = n_mib > XL_PNG_MAX_TEXT_BYTES >> 20;
    cr_expect_eq(status, is_too_large ? XL_EINPUT : XL_OK);
    cr_expect_eq(n_texts, is_too_large ? -1 : 1);
    if (is_too_large) cr_expect(strstr(err.text, "bomb.png: the texts"), "%s", err.text);
    free(texts);
    free(file.data);
    free(zeros.data);
    free(png.data);
}

Test(image, texts_that_inflate_without_end_are_refused) {
    static const int sizes[] = {8, 17, BOMB_MIB};
    long before = peak_mib();
    for (int i = 0; i < 3; i++) {
        try_texts("zTXt", "k\0\0", 3, sizes[i]);
        try_texts("iTXt", "k\0\1\0\0\0", 6, sizes[i]);
    }
    cr_expect_lt(peak_mib() - before, PEAK_MIB);
}

/* The decoder does not even inflate what it does not need. */
Test(image, bombs_beside_the_picture_do_not_go_off) {
    struct bytes png = read_data("rgb-8.png");
    static const char *const types[] = {"iCCP", "zTXt"};
    long before = peak_mib();
    for (int i = 0; i < 2; i++) {
        struct bytes zeros = bomb("k\0\0", 3, BOMB_MIB);
        struct bytes file = with_chunk(png, types[i], zeros.data, zeros.n);
        struct xl_image plain = {0}, image = {0};
        struct xl_err err = {0};
        ok(xl_image_decode("plain.png", png.data, png.n, &plain, &err));
        ok(xl_image_decode("bomb.png", file.data, file.n, &image, &err));
        cr_expect(isinf(xl_image_psnr(&plain, &image)));
        xl_image_free(&plain);
        xl_image_free(&image);
        free(file.data);
        free(zeros.data);
    }
    free(png.data);
    cr_expect_lt(peak_mib() - before, PEAK_MIB);
}

/* The last scan of a progressive picture, over and over. */
Test(image, scans_without_end_are_refused) {
    struct bytes jpeg = read_data("grey-progressive.jpg");
    uint8_t *scan = jpeg.data;
    for (uint8_t *next;
         (next = memmem(scan + 1, jpeg.n - (size_t)(scan + 1 - jpeg.data), "\xFF\xDA", 2));)
        scan = next;
    size_t n_head = (size_t)(scan - jpeg.data), n_scan = jpeg.n - 2 - n_head;
    static const int repeats[] = {20, 1000};
    for (int r = 0; r < 2; r++) {
        struct xl_str file = {0};
        xl_str_append(&file, (char *)jpeg.data, n_head);
        for (int i = 0; i < repeats[r]; i++) xl_str_append(&file, (char *)scan, n_scan);
        xl_str_append(&file, "\xFF\xD9", 2);
        struct xl_image image = {0};
        struct xl_err err = {0};
        if (r == 0)
            ok(xl_image_decode("scans.jpg", file.text, file.len, &image, &err));
        else
            expect_refusal(file.text, file.len, "too many scans");
        xl_image_free(&image);
        xl_str_deinit(&file);
    }
    free(jpeg.data);
}

Test(image, more_texts_than_anyone_writes_are_refused) {
    struct bytes file = read_data("rgb-8.png");
    struct xl_png_text *texts = NULL;
    int n_texts = 0;
    struct xl_err err = {0};
    for (int i = 0; i <= XL_PNG_MAX_TEXTS; i++) {
        struct bytes longer = with_chunk(file, "tEXt", "k\0v", 3);
        free(file.data);
        file = longer;
    }
    cr_expect_eq(xl_png_texts("f", file.data, file.n, &texts, &n_texts, &err), XL_EINPUT);
    cr_expect(strstr(err.text, "at most 1000"), "%s", err.text);
    free(file.data);
}

/* ---- Texts ---- */

Test(image, texts_of_every_kind_read_as_in_pillow) {
    struct bytes file = read_data("texts.png");
    json_t *root = load("texts.json"), *expected = json_object_get(root, "texts");
    struct xl_png_text *texts = NULL;
    int n = 0;
    struct xl_err err = {0};
    ok(xl_png_texts("texts.png", file.data, file.n, &texts, &n, &err));
    cr_assert_eq(n, (int)json_array_size(expected));
    for (int i = 0; i < n; i++) {
        const json_t *pair = json_array_get(expected, (size_t)i);
        cr_expect_str_eq(texts[i].keyword, json_string_value(json_array_get(pair, 0)));
        cr_expect_str_eq(texts[i].text, json_string_value(json_array_get(pair, 1)));
    }
    free(texts);
    uint8_t *text = memmem(file.data, file.n, "a cat", 5);
    /* Damage to one leaves the others readable. */
    text[0] = 'A';
    ok(xl_png_texts("f", file.data, file.n, &texts, &n, &err));
    cr_assert_eq(n, (int)json_array_size(expected));
    cr_expect_str_eq(texts[0].damage, "has a wrong checksum");
    cr_expect_str_eq(texts[0].text, "");
    for (int i = 1; i < n; i++) cr_expect_null(texts[i].damage);
    cr_expect_str_eq(texts[1].text,
                     json_string_value(json_array_get(json_array_get(expected, 1), 1)));
    free(texts);
    text[0] = 'a';
    for (size_t cut = 0; cut < file.n; cut++) {
        struct bytes copy = {malloc(cut + 1), cut};
        memcpy(copy.data, file.data, cut);
        cr_assert_eq(xl_png_texts("cut.png", copy.data, copy.n, &texts, &n, &err), XL_EINPUT);
        free(copy.data);
    }
    json_decref(root);
    free(file.data);
}

Test(image, malformed_text_chunks_are_told_from_good_ones) {
    static const struct {
        const char *type;
        size_t n;
        const char *content, *words;
    } cases[] = {
        {"tEXt", 0, "", NULL},
        {"tEXt", 4, "Note", NULL},
        {"tEXt", 2, "\0x", NULL},
        {"zTXt", 2, "k\0", "malformed"},
        {"zTXt", 4, "k\0\1x", "malformed"},
        {"zTXt", 7, "k\0\0junk", "does not inflate"},
        {"zTXt", 5, "k\0\0\x78\x9C", "does not inflate"},
        {"iTXt", 3, "k\0\0", "malformed"},
        {"iTXt", 7, "k\0\2\0\0\0x", "malformed"},
        {"iTXt", 7, "k\0\0\1\0\0x", "malformed"},
        {"iTXt", 6, "k\0\0\0en", "malformed"},
        {"iTXt", 7, "k\0\0\0en\0", "malformed"},
        {"iTXt", 7, "k\0\0\0\0\0\xFF", "UTF-8"},
        {"iTXt", 6, "k\0\1\0\0\0", "does not inflate"},
    };
    struct bytes png = read_data("rgb-8.png");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes file = with_chunk(png, cases[i].type, cases[i].content, cases[i].n);
        struct bytes both = with_chunk(file, "tEXt", "k\0good", 6);
        struct xl_png_text *texts = NULL;
        int n = -1;
        struct xl_err err = {0};
        ok(xl_png_texts("in.png", both.data, both.n, &texts, &n, &err));
        int n_damaged = 0, n_good = 0;
        for (int t = 0; t < n; t++) {
            bool is_good = !texts[t].damage && !strcmp(texts[t].text, "good");
            bool is_damaged = texts[t].damage && cases[i].words && !texts[t].text[0] &&
                              strstr(texts[t].damage, cases[i].words);
            n_good += is_good;
            n_damaged += is_damaged;
        }
        cr_expect(n_good == 1 && n_damaged == (cases[i].words != NULL) && n == n_good + n_damaged,
                  "case %zu: %d texts", i, n);
        free(texts);
        free(both.data);
        free(file.data);
    }
    free(png.data);
}

static bool holds(const void *data, size_t n, const char *bytes, size_t n_bytes) {
    return memmem(data, n, bytes, n_bytes) != NULL;
}

Test(image, an_encoded_picture_comes_back_with_its_texts) {
    static const int sizes[][2] = {{1, 1}, {1, 70}, {70, 1}, {333, 257}};
    static const struct xl_png_text texts[] = {
        {"parameters", "a cat\nSteps: 3", NULL},
        {"Latin", "caf\xC3\xA9 \xC2\x80\xC3\xBF", NULL},
        {"Wide", "\xC4\x80 \xE6\xBC\xA2 \xF0\x9F\x98\x80", NULL},
        {"Empty", "", NULL},
        {"First beyond Latin-1", "\xC4\x80", NULL},
    };
    enum { N_TEXTS = sizeof texts / sizeof *texts };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct xl_image image = noise(sizes[i][0], sizes[i][1]), back = {0};
        struct xl_err err = {0};
        void *data, *again;
        size_t n, n_again;
        ok(xl_png_encode(&image, texts, N_TEXTS, &data, &n, &err));
        ok(xl_png_encode(&image, texts, N_TEXTS, &again, &n_again, &err));
        cr_assert_eq(n, n_again);
        cr_assert_arr_eq(data, again, n);
        ok(xl_image_decode("back.png", data, n, &back, &err));
        cr_assert(isinf(xl_image_psnr(&image, &back)));

        struct xl_png_text *read = NULL;
        int n_read = 0;
        ok(xl_png_texts("back.png", data, n, &read, &n_read, &err));
        cr_assert_eq(n_read, N_TEXTS);
        for (int t = 0; t < N_TEXTS; t++) {
            cr_expect_str_eq(read[t].keyword, texts[t].keyword);
            cr_expect_str_eq(read[t].text, texts[t].text);
        }
        cr_expect(holds(data, n, "tEXtparameters\0a cat", 20));
        cr_expect(holds(data, n, "tEXtLatin\0caf\xE9 \x80\xFF", 17));
        cr_expect(holds(data, n, "iTXtWide\0\0\0\0\0\xC4\x80", 15));
        free(read);
        free(data);
        free(again);
        xl_image_free(&image);
        xl_image_free(&back);
    }
}

Test(image, a_text_that_is_not_utf8_is_refused) {
    static const char *const bad[] = {"\xFF", "\xC3", "\xC3(", "\xE6\xBC", "a\x80"};
    struct xl_image image = noise(2, 2);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct xl_png_text text = {"Note", bad[i], NULL};
        struct xl_err err = {0};
        void *data = NULL;
        size_t n = 7;
        cr_expect_eq(xl_png_encode(&image, &text, 1, &data, &n, &err), XL_EINVAL);
        cr_expect(strstr(err.text, "Note"), "%s", err.text);
        cr_expect(!data && n == 7);
    }
    xl_image_free(&image);
}

/* ---- Comparing ---- */

Test(image, psnr) {
    struct xl_image a = noise(10, 10), b = noise(10, 10), c = noise(10, 9);
    cr_expect(isinf(xl_image_psnr(&a, &b)));
    cr_expect_eq(xl_image_psnr(&a, &c), -1);
    for (int i = 0; i < 300; i++) b.pixels[i] = (uint8_t)(a.pixels[i] ^ 1);
    cr_expect_float_eq(xl_image_psnr(&a, &b), 48.1308, 1e-3); /* 20 log10(255) */
    xl_image_free(&a);
    xl_image_free(&b);
    xl_image_free(&c);
    xl_image_free(&c);
    xl_image_free(NULL);
}
