/* png_text.c - the text chunks of a PNG, read without libpng: the chunks are walked, everything
 * else is skipped, and what is compressed inflates within a limit.
 * Source: PNG specification, second edition, sections 5.3 and 11.3.4. */
#include "image/image.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

enum { SIGNATURE_BYTES = 8, LENGTH_BYTES = 4, TYPE_BYTES = 4, CRC_BYTES = 4, KEYWORD_MAX = 79 };

struct chunk {
    const uint8_t *data;
    size_t n;
    char type[TYPE_BYTES + 1];
};

/* Where the strings of a text begin in reader.strings. */
struct place {
    size_t keyword, text;
    const char *damage;
};

struct reader {
    const char *name; /* of the file */
    const uint8_t *data;
    size_t n, at;
    struct xl_str strings; /* each ends with a NUL */
    struct place places[XL_PNG_MAX_TEXTS];
    int n_texts;
    struct xl_err *err;
};

static uint32_t big_endian(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static enum xl_status fail_damaged(const struct reader *reader, const char *type, const char *why) {
    return xl_fail(reader->err, XL_EINPUT, "%s: damaged PNG file: chunk %s at byte %zu %s",
                   reader->name, type, reader->at, why);
}

static enum xl_status fail_too_large(const struct reader *reader) {
    return xl_fail(reader->err, XL_EINPUT,
                   "%s: the texts in this PNG file are too large; expected at most %d of them and "
                   "%d MiB in all",
                   reader->name, XL_PNG_MAX_TEXTS, XL_PNG_MAX_TEXT_BYTES >> 20);
}

/* The chunk at reader->at. */
static enum xl_status read_chunk(const struct reader *reader, struct chunk *chunk) {
    size_t left = reader->n - reader->at;
    if (left < LENGTH_BYTES + TYPE_BYTES + CRC_BYTES)
        return fail_damaged(reader, "IEND", "is missing, the file ends early");
    const uint8_t *start = reader->data + reader->at;
    for (int i = 0; i < TYPE_BYTES; i++) {
        uint8_t c = start[LENGTH_BYTES + i];
        bool is_letter = (c | 32) >= 'a' && (c | 32) <= 'z';
        chunk->type[i] = is_letter ? (char)c : '?';
    }
    chunk->type[TYPE_BYTES] = 0;
    chunk->n = big_endian(start);
    chunk->data = start + LENGTH_BYTES + TYPE_BYTES;
    if (chunk->n > left - (LENGTH_BYTES + TYPE_BYTES + CRC_BYTES))
        return fail_damaged(reader, chunk->type, "is longer than the rest of the file");
    return XL_OK;
}

static bool crc_holds(const struct chunk *chunk) {
    uLong crc = crc32_z(0, chunk->data - TYPE_BYTES, chunk->n + TYPE_BYTES);
    return crc == big_endian(chunk->data + chunk->n);
}

/* ---- Strings ---- */

static void append_latin1(struct xl_str *out, const uint8_t *text, size_t n) {
    for (size_t i = 0; i < n; i++) {
        char utf8[2] = {(char)(0xC0 | text[i] >> 6), (char)(0x80 | (text[i] & 0x3F))};
        if (text[i] < 0x80)
            xl_str_append(out, (const char *)&text[i], 1);
        else
            xl_str_append(out, utf8, 2);
    }
}

/* ---- The three kinds ---- */

/* What a text chunk holds after its keyword. */
struct body {
    const uint8_t *data;
    size_t n;
    bool is_compressed, is_utf8;
};

/* Skip a string that ends with a NUL; false when there is no NUL. */
static bool skip_string(struct body *body) {
    const uint8_t *end = memchr(body->data, 0, body->n);
    if (!end) return false;
    size_t n = (size_t)(end + 1 - body->data);
    body->data += n;
    body->n -= n;
    return true;
}

/* From after the keyword to the text; false when the chunk is malformed. */
static bool find_text(const char *type, struct body *body) {
    body->is_utf8 = !strcmp(type, "iTXt");
    if (!strcmp(type, "tEXt")) return true;
    int n_flags = body->is_utf8 ? 2 : 1; /* iTXt: is compressed, method; zTXt: method */
    if (body->n < (size_t)n_flags) return false;
    body->is_compressed = !body->is_utf8 || body->data[0] == 1;
    bool is_known = body->data[0] <= body->is_utf8 && body->data[n_flags - 1] == 0;
    body->data += n_flags;
    body->n -= (size_t)n_flags;
    /* iTXt goes on with a language and the keyword in it. */
    return is_known && (!body->is_utf8 || (skip_string(body) && skip_string(body)));
}

/* Inflate the zlib stream that is the body, to not much more than `room` bytes. false: it is none,
 * or not within the room, or memory is out. */
static bool inflate_body(struct body body, size_t room, struct xl_str *out) {
    z_stream z = {.next_in = (Bytef *)body.data, .avail_in = (uInt)body.n};
    if (inflateInit(&z) != Z_OK) return out->failed = true, false;
    uint8_t block[16384];
    int result = Z_OK;
    while (result == Z_OK && out->len <= room && !out->failed) {
        z.next_out = block;
        z.avail_out = sizeof block;
        result = inflate(&z, Z_NO_FLUSH);
        xl_str_append(out, (const char *)block, sizeof block - z.avail_out);
    }
    inflateEnd(&z);
    return result == Z_STREAM_END && out->len <= room;
}

/* Append the text to reader->strings. *damage: why it cannot be, or left alone. */
static enum xl_status append_text(struct reader *reader, struct body body, const char **damage) {
    size_t used = reader->strings.len;
    size_t room = used < XL_PNG_MAX_TEXT_BYTES ? XL_PNG_MAX_TEXT_BYTES - used : 0;
    struct xl_str inflated = {0};
    bool is_whole = !body.is_compressed || inflate_body(body, room, &inflated);
    if (body.is_compressed) {
        body.data = (const uint8_t *)inflated.text;
        body.n = inflated.len;
    }
    enum xl_status status = XL_OK;
    if (inflated.failed)
        status = xl_fail_nomem(reader->err, "text chunks", 0);
    else if (body.n > room)
        status = fail_too_large(reader);
    else if (!is_whole)
        *damage = "does not inflate";
    else if (!body.is_utf8)
        append_latin1(&reader->strings, body.data, body.n);
    else if (xl_utf8_valid((const char *)body.data, body.n))
        xl_str_append(&reader->strings, (const char *)body.data, body.n);
    else
        *damage = "is not UTF-8";
    xl_str_deinit(&inflated);
    return status;
}

static enum xl_status read_text(struct reader *reader, const struct chunk *chunk) {
    struct body body = {.data = chunk->data, .n = chunk->n};
    if (!skip_string(&body) || body.data - chunk->data < 2 ||
        body.data - chunk->data > KEYWORD_MAX + 1)
        return XL_OK; /* nobody can ask for it */
    if (reader->n_texts == XL_PNG_MAX_TEXTS) return fail_too_large(reader);
    struct place *place = &reader->places[reader->n_texts++];
    *place = (struct place){.keyword = reader->strings.len};
    append_latin1(&reader->strings, chunk->data, (size_t)(body.data - chunk->data));
    place->text = reader->strings.len;
    enum xl_status status = XL_OK;
    if (!crc_holds(chunk))
        place->damage = "has a wrong checksum";
    else if (!find_text(chunk->type, &body))
        place->damage = "is malformed";
    else
        status = append_text(reader, body, &place->damage);
    xl_str_append(&reader->strings, "", 1);
    if (!status && reader->strings.failed) status = xl_fail_nomem(reader->err, "text chunks", 0);
    return status;
}

/* ---- The file ---- */

bool xl_is_png(const void *data, size_t n) {
    static const char signature[] = "\x89PNG\r\n\x1a\n";
    return n >= SIGNATURE_BYTES && !memcmp(data, signature, SIGNATURE_BYTES);
}

static enum xl_status read_file(struct reader *reader) {
    if (!xl_is_png(reader->data, reader->n))
        return xl_fail(reader->err, XL_EINPUT, "%s: not a PNG file", reader->name);
    struct chunk chunk = {0};
    for (reader->at = SIGNATURE_BYTES; strcmp(chunk.type, "IEND");
         reader->at = (size_t)(chunk.data - reader->data) + chunk.n + CRC_BYTES) {
        enum xl_status status = read_chunk(reader, &chunk);
        bool is_text = !strcmp(chunk.type, "tEXt") || !strcmp(chunk.type, "zTXt") ||
                       !strcmp(chunk.type, "iTXt");
        if (!status && is_text) status = read_text(reader, &chunk);
        if (status) return status;
    }
    return XL_OK;
}

/* One block: the table, then the strings that it points to. */
static enum xl_status make_block(const struct reader *reader, struct xl_png_text **out) {
    if (!reader->n_texts) {
        *out = NULL;
        return XL_OK;
    }
    size_t table_bytes = (size_t)reader->n_texts * sizeof **out;
    struct xl_png_text *table = malloc(table_bytes + reader->strings.len);
    if (!table) return xl_fail_nomem(reader->err, "text chunks", table_bytes);
    char *strings = (char *)table + table_bytes;
    memcpy(strings, reader->strings.text, reader->strings.len);
    for (int i = 0; i < reader->n_texts; i++)
        table[i] = (struct xl_png_text){strings + reader->places[i].keyword,
                                        strings + reader->places[i].text, reader->places[i].damage};
    *out = table;
    return XL_OK;
}

enum xl_status xl_png_texts_until(const char *name, const void *data, size_t n,
                                  struct xl_png_text **texts, int *n_texts, struct xl_err *err) {
    struct reader reader = {.name = name, .data = data, .n = n, .err = err};
    enum xl_status status = read_file(&reader), made = XL_ENOMEM;
    if (status != XL_ENOMEM) made = make_block(&reader, texts);
    if (!made) *n_texts = reader.n_texts;
    xl_str_deinit(&reader.strings);
    return made ? made : status;
}

enum xl_status xl_png_texts(const char *name, const void *data, size_t n,
                            struct xl_png_text **texts, int *n_texts, struct xl_err *err) {
    struct xl_png_text *read = NULL;
    int n_read = 0;
    enum xl_status status = xl_png_texts_until(name, data, n, &read, &n_read, err);
    if (status) {
        free(read);
        return status;
    }
    *texts = read;
    *n_texts = n_read;
    return XL_OK;
}
