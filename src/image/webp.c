/* webp.c - WebP by libwebp: lossy, lossless, with or without alpha; of an animation, the first
 * frame on black, as PIL gives it. */
#include "image/decode.h"

#include <stdlib.h>

#include <webp/decode.h>
#include <webp/demux.h>

/* Decode a still picture so that its top left corner is at (x, y) of `canvas`. */
static VP8StatusCode decode_onto(const uint8_t *data, size_t n, int x, int y,
                                 struct xl_image *canvas) {
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config)) return VP8_STATUS_INVALID_PARAM;
    size_t stride = (size_t)canvas->width * 3;
    size_t corner = (size_t)y * stride + (size_t)x * 3;
    config.output.colorspace = MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA = (WebPRGBABuffer){.rgba = canvas->pixels + corner,
                                            .stride = (int)stride,
                                            .size = stride * (size_t)canvas->height - corner};
    return WebPDecode(data, n, &config);
}

static VP8StatusCode decode_first_frame(struct xl_image_file file, struct xl_image *canvas) {
    WebPData data = {file.data, file.n};
    WebPDemuxer *demuxer = WebPDemux(&data);
    if (!demuxer) return VP8_STATUS_BITSTREAM_ERROR;
    WebPIterator frame;
    bool found = WebPDemuxGetFrame(demuxer, 1, &frame);
    bool fits = found && frame.x_offset + frame.width <= canvas->width &&
                frame.y_offset + frame.height <= canvas->height;
    VP8StatusCode result = VP8_STATUS_BITSTREAM_ERROR;
    if (fits)
        result = decode_onto(frame.fragment.bytes, frame.fragment.size, frame.x_offset,
                             frame.y_offset, canvas);
    if (found) WebPDemuxReleaseIterator(&frame);
    WebPDemuxDelete(demuxer);
    return result;
}

/* From the EXIF chunk, else from the XMP chunk. */
static int orientation_of(struct xl_image_file file) {
    WebPData data = {file.data, file.n};
    WebPDemuxer *demuxer = WebPDemux(&data);
    if (!demuxer) return 0;
    WebPChunkIterator chunk;
    int orientation = 0;
    if (WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk)) {
        orientation = xl_exif_orientation(chunk.chunk.bytes, chunk.chunk.size);
        WebPDemuxReleaseChunkIterator(&chunk);
    }
    if (!orientation && WebPDemuxGetChunk(demuxer, "XMP ", 1, &chunk)) {
        orientation = xl_xmp_orientation(chunk.chunk.bytes, chunk.chunk.size);
        WebPDemuxReleaseChunkIterator(&chunk);
    }
    WebPDemuxDelete(demuxer);
    return orientation;
}

/* libwebp 1.5 says that memory is short where it cannot make sense of a lossless picture's codes:
 * that is told from a real shortage by asking for as much as decoding needs. */
static bool is_memory_short(const struct xl_image *image) {
    size_t n = (size_t)image->width * (size_t)image->height;
    void *volatile as_much = malloc(n * 8 + (16 << 20)); /* volatile: it is really asked for */
    bool is_short = !as_much;
    free(as_much);
    return is_short;
}

enum xl_status xl_webp_decode(struct xl_image_file file, struct xl_image *out, struct xl_err *err) {
    WebPBitstreamFeatures features;
    struct xl_image image = {0};
    VP8StatusCode result = WebPGetFeatures(file.data, file.n, &features);
    if (result == VP8_STATUS_OK) {
        enum xl_status status = xl_image_new_claimed(file.name, (uint64_t)features.width,
                                                     (uint64_t)features.height, &image, err);
        if (status) return status;
        result = features.has_animation ? decode_first_frame(file, &image)
                                        : decode_onto(file.data, file.n, 0, 0, &image);
    }
    if (result == VP8_STATUS_OK) {
        enum xl_status status = xl_image_turn(&image, orientation_of(file), err);
        if (status)
            xl_image_free(&image);
        else
            *out = image;
        return status;
    }
    bool is_short = result == VP8_STATUS_OUT_OF_MEMORY && is_memory_short(&image);
    xl_image_free(&image);
    if (is_short) return xl_fail_nomem(err, file.name, 0);
    return xl_fail(err, XL_EINPUT,
                   "%s: this WebP file is damaged or cut short; expected a whole picture",
                   file.name);
}
