/* webp.c - WebP by libwebp: lossy, lossless, with or without alpha; of an animation, the first
 * frame on black, as PIL gives it. */
#include "image/decode.h"

#include <webp/decode.h>
#include <webp/demux.h>

static enum xl_status fail_damaged(const char *name, struct xl_err *err) {
    return xl_fail(err, XL_EINPUT,
                   "%s: this WebP file is damaged or cut short; expected a whole picture", name);
}

/* Decode a still picture so that its top left corner is at (x, y) of `canvas`. */
static bool decode_onto(const uint8_t *data, size_t n, int x, int y, struct xl_image *canvas) {
    size_t stride = (size_t)canvas->width * 3;
    size_t corner = (size_t)y * stride + (size_t)x * 3;
    size_t room = stride * (size_t)canvas->height - corner;
    return WebPDecodeRGBInto(data, n, canvas->pixels + corner, room, (int)stride) != NULL;
}

static bool decode_first_frame(struct xl_encoded file, struct xl_image *canvas) {
    WebPData data = {file.data, file.n};
    WebPDemuxer *demuxer = WebPDemux(&data);
    if (!demuxer) return false;
    WebPIterator frame;
    bool found = WebPDemuxGetFrame(demuxer, 1, &frame);
    bool fits = found && frame.x_offset + frame.width <= canvas->width &&
                frame.y_offset + frame.height <= canvas->height;
    bool done = fits && decode_onto(frame.fragment.bytes, frame.fragment.size, frame.x_offset,
                                    frame.y_offset, canvas);
    if (found) WebPDemuxReleaseIterator(&frame);
    WebPDemuxDelete(demuxer);
    return done;
}

enum xl_status xl_webp_decode(struct xl_encoded file, struct xl_image *out, struct xl_err *err) {
    WebPBitstreamFeatures features;
    if (WebPGetFeatures(file.data, file.n, &features) != VP8_STATUS_OK)
        return fail_damaged(file.name, err);
    struct xl_image image = {0};
    enum xl_status status = xl_image_new_claimed(file.name, (uint64_t)features.width,
                                                 (uint64_t)features.height, &image, err);
    if (status) return status;
    bool done = features.has_animation ? decode_first_frame(file, &image)
                                       : decode_onto(file.data, file.n, 0, 0, &image);
    if (!done) {
        xl_image_free(&image);
        return fail_damaged(file.name, err);
    }
    *out = image;
    return XL_OK;
}
