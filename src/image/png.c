/* png.c - PNG pictures by libpng: every kind in, 8-bit RGB out. Text chunks are read in png_text.c.
 *
 * libpng reports errors through a callback that must not return. The state that is alive across the
 * longjmp is in a struct, never in locals of the function that called setjmp. */
#include "image/decode.h"

#include "base/arena.h"
#include "base/str.h"

#include <assert.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>
#include <zlib.h>

static void ignore_warning(png_structp png, png_const_charp message) {
    (void)png, (void)message;
}

/* ---- Decoding ---- */

struct decoder {
    png_structp png;
    png_infop info;
    struct xl_image_file file;
    size_t at; /* of file.data */
    struct xl_image image;
    bool out_of_memory; /* an allocation failed, whatever libpng says of it */
    enum xl_status status;
    struct xl_err *err;
};

static void on_decode_error(png_structp png, png_const_charp message) {
    struct decoder *decoder = png_get_error_ptr(png);
    if (decoder->out_of_memory)
        decoder->status = xl_fail_nomem(decoder->err, decoder->file.name, 0);
    else
        decoder->status = xl_fail(decoder->err, XL_EINPUT, "%s: this PNG file cannot be read: %s",
                                  decoder->file.name, message);
    png_longjmp(png, 1);
}

static png_voidp allocate(png_structp png, png_alloc_size_t n) {
    struct decoder *decoder = png_get_mem_ptr(png);
    void *memory = malloc(n);
    if (!memory) decoder->out_of_memory = true;
    return memory;
}

static void deallocate(png_structp png, png_voidp memory) {
    (void)png;
    free(memory);
}

static void read_bytes(png_structp png, png_bytep bytes, size_t n) {
    struct decoder *decoder = png_get_io_ptr(png);
    if (n > decoder->file.n - decoder->at) png_error(png, "it ends before the picture does");
    memcpy(bytes, decoder->file.data + decoder->at, n);
    decoder->at += n;
}

/* Whatever the file holds becomes 8-bit RGB. Gamma and profiles are left alone, as PIL does. */
static void set_transforms(struct decoder *decoder) {
    png_set_strip_16(decoder->png);
    png_set_strip_alpha(decoder->png);
    png_set_packing(decoder->png);
    png_set_palette_to_rgb(decoder->png);
    png_set_expand_gray_1_2_4_to_8(decoder->png);
    png_set_gray_to_rgb(decoder->png);
}

static void decode(struct decoder *decoder) {
    png_structp png = decoder->png;
    if (setjmp(png_jmpbuf(png))) return;
    png_set_read_fn(png, decoder, read_bytes);
    /* The size is judged below, in a sentence of ours. */
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    /* Chunks that do not bear on the pixels are never inflated: no bomb in iCCP or zTXt goes off.
     */
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_read_info(png, decoder->info);
    decoder->status = xl_image_new_claimed(
        decoder->file.name, png_get_image_width(png, decoder->info),
        png_get_image_height(png, decoder->info), &decoder->image, decoder->err);
    if (decoder->status) return;
    set_transforms(decoder);
    int n_passes = png_set_interlace_handling(png);
    png_read_update_info(png, decoder->info);
    size_t stride = (size_t)decoder->image.width * 3;
    assert(png_get_rowbytes(png, decoder->info) == stride);
    for (int pass = 0; pass < n_passes; pass++)
        for (int y = 0; y < decoder->image.height; y++)
            png_read_row(png, decoder->image.pixels + (size_t)y * stride, NULL);
}

static uint32_t big_endian(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* From the eXIf chunk, or XMP in an iTXt chunk, wherever they are: after the pixels, too. A chunk
 * whose checksum is wrong says nothing. */
static int orientation_of(struct xl_image_file file) {
    static const char xmp[] = "XML:com.adobe.xmp";
    enum { FRAME = 12 }; /* length, kind, checksum */
    int from_exif = 0, from_xmp = 0;
    for (size_t at = 8; file.n - at >= FRAME;) {
        const uint8_t *chunk = file.data + at, *data = chunk + 8;
        size_t n = big_endian(chunk);
        if (n > file.n - at - FRAME) break;
        bool is_exif = !memcmp(chunk + 4, "eXIf", 4);
        bool is_xmp = !memcmp(chunk + 4, "iTXt", 4) && n > sizeof xmp &&
                      !memcmp(data, xmp, sizeof xmp);
        bool is_whole = (is_exif || is_xmp) &&
                        crc32(crc32(0, chunk + 4, 4), data, (uInt)n) == big_endian(data + n);
        if (is_exif && is_whole) from_exif = xl_exif_orientation(data, n);
        if (is_xmp && is_whole) from_xmp = xl_xmp_orientation(data, n);
        at += FRAME + n;
    }
    return from_exif ? from_exif : from_xmp;
}

enum xl_status xl_png_decode(struct xl_image_file file, struct xl_image *out, struct xl_err *err) {
    struct decoder decoder = {.file = file, .err = err};
    decoder.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &decoder, on_decode_error,
                                           ignore_warning, &decoder, allocate, deallocate);
    decoder.info = decoder.png ? png_create_info_struct(decoder.png) : NULL;
    if (decoder.info)
        decode(&decoder);
    else if (!decoder.status)
        decoder.status = xl_fail_nomem(err, file.name, 0);
    png_destroy_read_struct(&decoder.png, &decoder.info, NULL);
    if (!decoder.status) decoder.status = xl_image_turn(&decoder.image, orientation_of(file), err);
    if (decoder.status) {
        xl_image_free(&decoder.image);
        return decoder.status;
    }
    *out = decoder.image;
    return XL_OK;
}

/* ---- Encoding ---- */

/* Measured on 1024x1024 photographs and 1/f noise with grain (zlib 1.2.13): deflate that looks for
 * runs only, after libpng's choice of a filter for each row, takes 65 ms. Sizes are those of level
 * 6 (2.04 against 1.99 MB, 1.56 against 1.61 MB), which takes 160 to 290 ms; fixed filters save
 * another 15 to 25 ms and lose up to 20 % on one picture or the other. */
enum { ZLIB_LEVEL = 1, ZLIB_STRATEGY = Z_RLE, IDAT_BYTES = 256 * 1024 };

struct encoder {
    png_structp png;
    png_infop info;
    const struct xl_image *image;
    png_text *texts;
    int n_texts;
    int filters;           /* that libpng may choose from for a row */
    struct xl_arena arena; /* of texts */
    struct xl_str out;
    bool failed;
};

/* What can go wrong is that memory runs out; everything else is our own bug. */
static void on_encode_error(png_structp png, png_const_charp message) {
    (void)message;
    struct encoder *encoder = png_get_error_ptr(png);
    encoder->failed = true;
    png_longjmp(png, 1);
}

static void write_bytes(png_structp png, png_bytep bytes, size_t n) {
    struct encoder *encoder = png_get_io_ptr(png);
    xl_str_append(&encoder->out, (const char *)bytes, n);
    if (encoder->out.failed) png_error(png, "out of memory");
}

static void flush_nothing(png_structp png) {
    (void)png;
}

/* UTF-8 as Latin-1 into `latin1` (as long as the text); false when it holds another character. */
static bool latin1_of_utf8(const char *text, char *latin1) {
    const uint8_t *c = (const uint8_t *)text;
    while (*c) {
        if (*c > 0xC3) return false; /* C3 BF is U+00FF */
        bool is_ascii = *c < 0x80;
        *latin1++ = (char)(is_ascii ? *c : (*c & 3) << 6 | (c[1] & 0x3F));
        c += is_ascii ? 1 : 2;
    }
    *latin1 = 0;
    return true;
}

static enum xl_status copy_texts(struct encoder *encoder, const struct xl_png_text *texts,
                                 int n_texts, struct xl_err *err) {
    encoder->n_texts = n_texts;
    encoder->texts = xl_arena_alloc(&encoder->arena, (size_t)n_texts * sizeof *encoder->texts);
    if (!encoder->texts) return xl_fail_nomem(err, "texts", 0);
    for (int i = 0; i < n_texts; i++) {
        size_t n_keyword = strlen(texts[i].keyword), n = strlen(texts[i].text);
        assert(n_keyword >= 1 && n_keyword <= 79);
        (void)n_keyword;
        if (!xl_utf8_valid(texts[i].text, n))
            return xl_fail(err, XL_EINVAL, "the text '%s' for a PNG is not UTF-8",
                           texts[i].keyword);
        char *latin1 = xl_arena_alloc(&encoder->arena, n + 1);
        if (!latin1) return xl_fail_nomem(err, "texts", n);
        bool is_latin1 = latin1_of_utf8(texts[i].text, latin1);
        encoder->texts[i] = (png_text){
            .compression = is_latin1 ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE,
            .key = (char *)texts[i].keyword,
            .text = is_latin1 ? latin1 : (char *)texts[i].text,
        };
    }
    return XL_OK;
}

/* On failure the encoder's memory is given back. */
static enum xl_status prepare_texts(struct encoder *encoder, const struct xl_png_text *texts,
                                    int n_texts, struct xl_err *err) {
    enum xl_status status = copy_texts(encoder, texts, n_texts, err);
    if (status) xl_arena_deinit(&encoder->arena);
    return status;
}

static void encode(struct encoder *encoder) {
    png_structp png = encoder->png;
    const struct xl_image *image = encoder->image;
    if (setjmp(png_jmpbuf(png))) return;
    png_set_write_fn(png, encoder, write_bytes, flush_nothing);
    png_set_IHDR(png, encoder->info, (png_uint_32)image->width, (png_uint_32)image->height, 8,
                 PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_BASE,
                 PNG_FILTER_TYPE_BASE);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, encoder->filters);
    png_set_compression_level(png, ZLIB_LEVEL);
    png_set_compression_strategy(png, ZLIB_STRATEGY);
    png_set_compression_buffer_size(png, IDAT_BYTES);
    png_set_text(png, encoder->info, encoder->texts, encoder->n_texts);
    png_write_info(png, encoder->info);
    size_t stride = (size_t)image->width * 3;
    for (int y = 0; y < image->height; y++) png_write_row(png, image->pixels + (size_t)y * stride);
    png_write_end(png, NULL);
}

/* Write the file and free the encoder, whose texts are prepared. */
static enum xl_status finish(struct encoder *encoder, void **data, size_t *n, struct xl_err *err) {
    enum xl_status status = XL_OK;
    encoder->png =
        png_create_write_struct(PNG_LIBPNG_VER_STRING, encoder, on_encode_error, ignore_warning);
    encoder->info = encoder->png ? png_create_info_struct(encoder->png) : NULL;
    encoder->failed |= !encoder->info;
    if (!encoder->failed) encode(encoder);
    if (encoder->failed) {
        status = xl_fail_nomem(err, "a PNG file", encoder->out.len);
    } else {
        *n = encoder->out.len;
        *data = xl_str_take(&encoder->out);
    }
    png_destroy_write_struct(&encoder->png, &encoder->info);
    xl_str_deinit(&encoder->out);
    xl_arena_deinit(&encoder->arena);
    return status;
}

enum xl_status xl_png_encode(const struct xl_image *image, const struct xl_png_text *texts,
                             int n_texts, void **data, size_t *n, struct xl_err *err) {
    struct encoder encoder = {.image = image, .filters = PNG_ALL_FILTERS};
    enum xl_status status = prepare_texts(&encoder, texts, n_texts, err);
    return status ? status : finish(&encoder, data, n, err);
}

enum xl_status xl_png_encode_quick(const struct xl_image *image, const struct xl_png_text *texts,
                                   int n_texts, void **data, size_t *n, struct xl_err *err) {
    struct encoder encoder = {.image = image, .filters = PNG_FILTER_SUB};
    enum xl_status status = prepare_texts(&encoder, texts, n_texts, err);
    return status ? status : finish(&encoder, data, n, err);
}
