/* metadata.c - texts of PNG, JPEG and WebP files. Offsets and lengths come from the file and are
 * checked against it; nothing is read twice, so no file makes this take long.
 * Sources: Exif 2.32 (CIPA DC-008); JPEG (ITU T.81, B.1); WebP container specification.
 */
#include "image/metadata.h"

#include "base/str.h"
#include "image/image.h"
#include "image/tiff.h"

#include <stdlib.h>
#include <string.h>

struct bytes {
    const uint8_t *at;
    size_t n;
};

struct reader {
    struct xl_arena *arena;
    struct xl_metadata *out;
    bool failed; /* out of memory */
};

static void add(struct reader *reader, const char *keyword, const char *text, size_t n) {
    struct xl_metadata *out = reader->out;
    if (out->n == XL_METADATA_MAX) {
        out->is_cut = true;
        return;
    }
    struct xl_str clean = {0};
    const char *nul = memchr(text, 0, n);
    xl_str_append_utf8(&clean, text, nul ? (size_t)(nul - text) : n);
    char *taken = xl_str_take(&clean);
    struct xl_metadata_text *item = &out->texts[out->n];
    item->keyword = xl_arena_strdup(reader->arena, keyword);
    item->text = taken ? xl_arena_strdup(reader->arena, taken) : NULL;
    free(taken);
    if (!item->keyword || !item->text)
        reader->failed = true;
    else if (item->text[0])
        out->n++;
}

/* --- EXIF ------------------------------------------------------------------------------------- */

static void append_utf16(struct xl_str *out, struct bytes text, bool is_little) {
    for (size_t i = 0; i + 1 < text.n; i += 2) {
        int32_t unit = is_little ? text.at[i] | text.at[i + 1] << 8
                                 : text.at[i] << 8 | text.at[i + 1];
        if (unit >= 0xD800 && unit < 0xDC00 && i + 3 < text.n) {
            int32_t low = is_little ? text.at[i + 2] | text.at[i + 3] << 8
                                    : text.at[i + 2] << 8 | text.at[i + 3];
            if (low >= 0xDC00 && low < 0xE000) {
                unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                i += 2;
            }
        }
        if (!unit) break;
        char utf8[4];
        bool is_half = unit >= 0xD800 && unit < 0xE000;
        if (unit != 0xFEFF)
            xl_str_append(out, utf8, (size_t)xl_utf8_put(is_half ? 0xFFFD : unit, utf8));
    }
}

/* UTF-16 without a mark: the order in which more of the high bytes are 0. */
static bool guess_is_little(struct bytes text, bool of_block) {
    size_t n_first = 0, n_second = 0;
    if (text.n >= 2 && text.at[0] == 0xFE && text.at[1] == 0xFF) return false;
    if (text.n >= 2 && text.at[0] == 0xFF && text.at[1] == 0xFE) return true;
    for (size_t i = 0; i + 1 < text.n; i += 2) {
        n_first += !text.at[i];
        n_second += !text.at[i + 1];
    }
    return n_first == n_second ? of_block : n_second > n_first;
}

/* Eight bytes name its encoding: "UNICODE" is UTF-16 in either order, "ASCII" what it says. */
static void add_comment(struct reader *reader, bool is_big, struct bytes value) {
    enum { CODE = 8 };
    if (value.n >= CODE && !memcmp(value.at, "UNICODE\0", CODE)) {
        struct bytes text = {value.at + CODE, value.n - CODE};
        struct xl_str utf8 = {0};
        append_utf16(&utf8, text, guess_is_little(text, !is_big));
        reader->failed |= utf8.failed;
        if (utf8.len) add(reader, "UserComment", utf8.text, utf8.len);
        xl_str_deinit(&utf8);
        return;
    }
    bool has_code = value.n >= CODE && (!memcmp(value.at, "ASCII\0\0\0", CODE) ||
                                        !memcmp(value.at, "\0\0\0\0\0\0\0\0", CODE));
    size_t skipped = has_code ? CODE : 0;
    add(reader, "UserComment", (const char *)value.at + skipped, value.n - skipped);
}

static void read_entry(struct reader *reader, const struct xl_tiff *tiff,
                       const struct xl_tiff_entry *entry) {
    enum { USER_COMMENT = 0x9286 };
    static const struct {
        uint32_t tag;
        const char *keyword;
    } tags[] = {{0x010E, "ImageDescription"}, {0x010F, "Make"},      {0x0110, "Model"},
                {0x0131, "Software"},         {0x927C, "MakerNote"}, {USER_COMMENT, NULL}};
    uint32_t type = entry->type, n = entry->count;
    if (type != XL_TIFF_BYTE && type != XL_TIFF_ASCII && type != XL_TIFF_UNDEFINED) return;
    size_t begin = n <= 4 ? entry->at : xl_tiff_number(tiff, entry->at, 4);
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        if (tags[i].tag != entry->tag) continue;
        if (begin > tiff->n || n > tiff->n - begin) {
            reader->out->n_damaged++;
            continue;
        }
        struct bytes value = {tiff->data + begin, n};
        if (tags[i].tag == USER_COMMENT)
            add_comment(reader, tiff->is_big, value);
        else
            add(reader, tags[i].keyword, (const char *)value.at, n);
    }
}

/* The first directory and the one of EXIF that it names. */
static void read_exif(struct reader *reader, struct bytes bytes) {
    enum { EXIF_IFD = 0x8769, MOST_ENTRIES = 512 };
    struct xl_tiff tiff;
    struct xl_tiff_entry entry;
    size_t directory, exif = 0;
    if (!xl_tiff_open(bytes.at, bytes.n, &tiff, &directory)) return;
    for (int pass = 0; pass < 2 && directory; pass++, directory = exif) {
        exif = 0;
        for (uint32_t i = 0; i < MOST_ENTRIES && xl_tiff_entry(&tiff, directory, i, &entry); i++) {
            if (entry.tag == EXIF_IFD) exif = xl_tiff_number(&tiff, entry.at, 4);
            read_entry(reader, &tiff, &entry);
        }
    }
}

/* --- Files ------------------------------------------------------------------------------------ */

static void read_jpeg(struct reader *reader, struct bytes file) {
    enum { APP1 = 0xE1, SOS = 0xDA };
    size_t at = 2;
    while (at + 4 <= file.n && file.at[at] == 0xFF) {
        uint8_t marker = file.at[at + 1];
        size_t n = (size_t)file.at[at + 2] << 8 | file.at[at + 3];
        if (marker == 0xFF) { /* filling */
            at++;
            continue;
        }
        if (marker == SOS) return;
        if (n < 2 || n > file.n - at - 2) break;
        struct bytes body = {file.at + at + 4, n - 2};
        if (marker == APP1 && body.n > 6 && !memcmp(body.at, "Exif\0\0", 6))
            read_exif(reader, body);
        at += 2 + n;
    }
    reader->out->is_cut = true;
}

static void read_webp(struct reader *reader, struct bytes file) {
    size_t at = 12;
    while (at + 8 <= file.n) {
        const uint8_t *length = file.at + at + 4;
        size_t n = length[0] | (size_t)length[1] << 8 | (size_t)length[2] << 16 |
                   (size_t)length[3] << 24;
        if (n > file.n - at - 8) {
            reader->out->is_cut = true;
            return;
        }
        if (!memcmp(file.at + at, "EXIF", 4))
            read_exif(reader, (struct bytes){file.at + at + 8, n});
        at += 8 + n + (n & 1);
    }
}

static enum xl_status read_png(struct reader *reader, const char *name, struct bytes file,
                               struct xl_err *err) {
    struct xl_png_text *texts = NULL;
    int n_texts = 0;
    enum xl_status status = xl_png_texts_until(name, file.at, file.n, &texts, &n_texts, err);
    if (status == XL_ENOMEM) return status;
    if (status) reader->out->is_cut = true;
    for (int i = 0; i < n_texts; i++) {
        if (texts[i].damage)
            reader->out->n_damaged++;
        else
            add(reader, texts[i].keyword, texts[i].text, strlen(texts[i].text));
    }
    free(texts);
    return XL_OK;
}

enum xl_status xl_metadata_read(const char *name, const void *data, size_t n,
                                struct xl_arena *arena, struct xl_metadata *out,
                                struct xl_err *err) {
    struct reader reader = {.arena = arena, .out = out};
    struct bytes file = {data, n};
    enum xl_status status = XL_OK;
    *out = (struct xl_metadata){.n = 0};
    if (xl_is_png(data, n)) {
        out->kind = "PNG";
        status = read_png(&reader, name, file, err);
    } else if (n > 2 && file.at[0] == 0xFF && file.at[1] == 0xD8) {
        out->kind = "JPEG";
        read_jpeg(&reader, file);
    } else if (n > 12 && !memcmp(data, "RIFF", 4) && !memcmp(file.at + 8, "WEBP", 4)) {
        out->kind = "WebP";
        read_webp(&reader, file);
    }
    return reader.failed ? xl_fail_nomem(err, "the texts of a picture", 0) : status;
}

const char *xl_metadata_find(const struct xl_metadata *metadata, const char *keyword) {
    for (int i = 0; i < metadata->n; i++)
        if (!strcmp(metadata->texts[i].keyword, keyword)) return metadata->texts[i].text;
    return NULL;
}
