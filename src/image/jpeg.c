/* jpeg.c - JPEG by libjpeg: baseline, progressive and arithmetic; grey, YCbCr, RGB, CMYK and YCCK.
 *
 * libjpeg reports errors through a callback that must not return. The state that is alive across
 * the longjmp is in struct decoder, never in locals of the function that called setjmp. */
#include "image/decode.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

/* An ordinary progressive picture has about ten scans. Each costs a pass over all coefficients,
 * and a hostile file can hold thousands of empty ones: 60 ms each at 64 megapixels. */
enum { MAX_SCANS = 32 };

struct decoder {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf failed;
    struct xl_image_file file;
    struct xl_image image;
    int orientation;
    uint8_t *cmyk; /* one row, where the file is CMYK */
    enum xl_status status;
    struct xl_err *err;
};

static _Noreturn void fail(struct decoder *decoder, enum xl_status status) {
    decoder->status = status;
    longjmp(decoder->failed, 1);
}

static _Noreturn void fail_damaged(struct decoder *decoder, const char *why) {
    fail(decoder, xl_fail(decoder->err, XL_EINPUT, "%s: this JPEG file cannot be read: %s",
                          decoder->file.name, why));
}

static _Noreturn void on_error(j_common_ptr common) {
    struct decoder *decoder = common->client_data;
    if (common->err->msg_code == JERR_OUT_OF_MEMORY)
        fail(decoder, xl_fail_nomem(decoder->err, decoder->file.name, 0));
    char message[JMSG_LENGTH_MAX];
    common->err->format_message(common, message);
    fail_damaged(decoder, message);
}

/* Warnings are about damage that libjpeg can paint over, as PIL lets it; not the end of the file,
 * after which there would be grey instead of a picture. */
static void on_message(j_common_ptr common, int level) {
    if (level < 0 && common->err->msg_code == JWRN_JPEG_EOF)
        fail_damaged(common->client_data, "it ends before the picture does");
}

static void on_progress(j_common_ptr common) {
    struct decoder *decoder = common->client_data;
    if (decoder->jpeg.input_scan_number > MAX_SCANS) fail_damaged(decoder, "it has too many scans");
}

/* Adobe's programs, and everyone since, store CMYK inverted. No colour profile is applied: this is
 * PIL's formula, including its rounded division by 255. */
static void rgb_of_inverted_cmyk(const uint8_t *cmyk, int width, uint8_t *rgb) {
    for (int x = 0; x < width; x++)
        for (int c = 0; c < 3; c++) {
            unsigned white = cmyk[4 * x + 3];
            unsigned product = (255u - cmyk[4 * x + c]) * white + 128;
            unsigned ink = ((product >> 8) + product) >> 8;
            rgb[3 * x + c] = (uint8_t)(white - ink);
        }
}

static void read_rows(struct decoder *decoder) {
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    while (jpeg->output_scanline < jpeg->output_height) {
        uint8_t *rgb = decoder->image.pixels +
                       (size_t)jpeg->output_scanline * (size_t)decoder->image.width * 3;
        JSAMPROW row = decoder->cmyk ? decoder->cmyk : rgb;
        jpeg_read_scanlines(jpeg, &row, 1);
        if (decoder->cmyk) rgb_of_inverted_cmyk(row, decoder->image.width, rgb);
    }
}

/* The first EXIF segment says which way up the picture is; else an XMP segment. */
static int orientation_of(const struct jpeg_decompress_struct *jpeg) {
    static const char exif[] = "Exif\0", xmp[] = "http://ns.adobe.com/xap/1.0/";
    int from_exif = 0, from_xmp = 0;
    bool has_exif = false;
    for (jpeg_saved_marker_ptr m = jpeg->marker_list; m; m = m->next) {
        bool is_exif = m->data_length >= sizeof exif && !memcmp(m->data, exif, sizeof exif);
        bool is_xmp = m->data_length >= sizeof xmp && !memcmp(m->data, xmp, sizeof xmp);
        if (is_exif && !has_exif) from_exif = xl_exif_orientation(m->data, m->data_length);
        has_exif |= is_exif;
        if (is_xmp && !from_xmp) from_xmp = xl_xmp_orientation(m->data, m->data_length);
    }
    return from_exif ? from_exif : from_xmp;
}

static void decode(struct decoder *decoder) {
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    if (setjmp(decoder->failed)) return;
    jpeg_create_decompress(jpeg);
    jpeg->progress = &decoder->progress;
    jpeg_mem_src(jpeg, decoder->file.data, (unsigned long)decoder->file.n);
    jpeg_save_markers(jpeg, JPEG_APP0 + 1, 0xFFFF);
    jpeg_read_header(jpeg, TRUE);
    decoder->orientation = orientation_of(jpeg);
    enum xl_status status = xl_image_new_claimed(decoder->file.name, jpeg->image_width,
                                                 jpeg->image_height, &decoder->image, decoder->err);
    if (status) fail(decoder, status);
    jpeg->out_color_space = jpeg->num_components == 4 ? JCS_CMYK : JCS_RGB;
    if (jpeg->num_components == 4) {
        decoder->cmyk = malloc((size_t)jpeg->image_width * 4);
        if (!decoder->cmyk) fail(decoder, xl_fail_nomem(decoder->err, "a row of CMYK", 0));
    }
    jpeg_start_decompress(jpeg);
    read_rows(decoder);
}

enum xl_status xl_jpeg_decode(struct xl_image_file file, struct xl_image *out, struct xl_err *err) {
    struct decoder decoder = {.file = file, .err = err};
    decoder.jpeg.err = jpeg_std_error(&decoder.errors);
    decoder.jpeg.client_data = &decoder;
    decoder.errors.error_exit = on_error;
    decoder.errors.emit_message = on_message;
    decoder.progress.progress_monitor = on_progress;
    decode(&decoder);
    jpeg_destroy_decompress(&decoder.jpeg);
    free(decoder.cmyk);
    if (!decoder.status) decoder.status = xl_image_turn(&decoder.image, decoder.orientation, err);
    if (decoder.status) {
        xl_image_free(&decoder.image);
        return decoder.status;
    }
    *out = decoder.image;
    return XL_OK;
}
