/* jpeg_write.c - pictures as JPEG, small enough to be part of a page. Keeps no state. libjpeg
 * reports errors through a callback that must not return.
 */
#include "image/image.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

struct encoder {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    jmp_buf failed;
    unsigned char *data;
    unsigned long n;
};

static _Noreturn void on_error(j_common_ptr common) {
    struct encoder *encoder = common->client_data;
    longjmp(encoder->failed, 1);
}

static void write_all(struct encoder *encoder, const struct xl_image *image, int quality) {
    struct jpeg_compress_struct *jpeg = &encoder->jpeg;
    jpeg_create_compress(jpeg);
    jpeg_mem_dest(jpeg, &encoder->data, &encoder->n);
    jpeg->image_width = (JDIMENSION)image->width;
    jpeg->image_height = (JDIMENSION)image->height;
    jpeg->input_components = 3;
    jpeg->in_color_space = JCS_RGB;
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, quality, TRUE);
    jpeg->optimize_coding = TRUE;
    jpeg_start_compress(jpeg, TRUE);
    while (jpeg->next_scanline < jpeg->image_height) {
        JSAMPROW row = (JSAMPROW)image->pixels +
                       (size_t)jpeg->next_scanline * 3 * (size_t)image->width;
        jpeg_write_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_compress(jpeg);
}

enum xl_status xl_jpeg_encode(const struct xl_image *image, int quality, void **data, size_t *n,
                              struct xl_err *err) {
    struct encoder *encoder = calloc(1, sizeof *encoder);
    if (!encoder) return xl_fail_nomem(err, "a JPEG picture", sizeof *encoder);
    encoder->jpeg.err = jpeg_std_error(&encoder->errors);
    encoder->jpeg.client_data = encoder;
    encoder->errors.error_exit = on_error;
    enum xl_status status = XL_OK;
    if (setjmp(encoder->failed)) /* what there is to go wrong is memory */
        status = xl_fail_nomem(err, "a JPEG picture", 0);
    else
        write_all(encoder, image, quality);
    jpeg_destroy_compress(&encoder->jpeg);
    if (status) {
        free(encoder->data);
    } else {
        *data = encoder->data;
        *n = encoder->n;
    }
    free(encoder);
    return status;
}
