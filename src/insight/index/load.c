/* load.c - two blocks: one is taken apart in pieces while the other's lines go into the tables. A
 * block belongs to one step at a time; the pool's loop is what separates the steps.
 */
#include "insight/index/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BLOCK = 4 << 20,
    MAX_LINE = 16 << 20, /* as the log's reader has it: a longer one is damaged */
    PIECES = 8,
};

/* Lines of a part of a block. */
struct piece {
    const char *text, *end;
    int64_t offset; /* of the text in the file */
    struct xl_log_line *lines;
    int n, capacity;
    struct xl_arena arena;
    struct xl_log_line_order order;
    enum xl_status status;
    struct xl_err err;
};

struct block {
    char *text;
    size_t n, capacity; /* n: of whole lines */
    int64_t offset;
    bool is_too_long; /* it is the end of a line that is too long */
    struct piece pieces[PIECES];
    int n_pieces;
};

struct load {
    const char *path;
    int fd;
    struct xl_row_writer *rows;
    struct block blocks[2], *reading, *adding; /* adding NULL: nothing to add */
    enum xl_status status;                     /* of adding */
    struct xl_err err;
};

/* --- A piece ---------------------------------------------------------------------------------- */

static enum xl_status room_for_line(struct piece *piece, struct xl_err *err) {
    if (piece->n < piece->capacity) return XL_OK;
    int capacity = piece->capacity ? 2 * piece->capacity : 64;
    struct xl_log_line *larger = realloc(piece->lines, (size_t)capacity * sizeof *larger);
    if (!larger) return xl_fail_nomem(err, "lines of a log", (size_t)capacity * sizeof *larger);
    piece->lines = larger;
    piece->capacity = capacity;
    return XL_OK;
}

static void read_piece(struct piece *piece) {
    const char *at = piece->text;
    while (at < piece->end && !piece->status) {
        const char *newline = memchr(at, '\n', (size_t)(piece->end - at));
        size_t n = (size_t)((newline ? newline : piece->end) - at);
        piece->status = room_for_line(piece, &piece->err);
        if (piece->status) return;
        struct xl_log_line *line = &piece->lines[piece->n++];
        piece->status = xl_log_line_read(at, n, &piece->order, &piece->arena, line, &piece->err);
        line->offset = piece->offset + (at - piece->text);
        at += n + 1;
    }
}

static void add_block(struct load *load) {
    struct block *block = load->adding;
    for (int i = 0; i < block->n_pieces; i++) {
        struct piece *piece = &block->pieces[i];
        if (!load->status && piece->status) {
            load->status = piece->status;
            load->err = piece->err;
        }
        for (int k = 0; k < piece->n && !load->status; k++)
            load->status = xl_rows_add_line(load->rows, &piece->lines[k], &load->err);
        xl_arena_deinit(&piece->arena);
    }
}

static void do_task(void *user, int64_t task, int worker) {
    struct load *load = user;
    (void)worker;
    if (load->adding && task-- == 0)
        add_block(load);
    else
        read_piece(&load->reading->pieces[task]);
}

/* --- Blocks ----------------------------------------------------------------------------------- */

/* Cut a block into pieces of whole lines, about as long as each other. */
static void cut(struct block *block) {
    const char *at = block->text, *end = at + block->n;
    size_t step = block->n / PIECES + 1;
    block->n_pieces = 0;
    while (at < end) {
        const char *to = (size_t)(end - at) > step ? at + step : end;
        if (to < end) to = memchr(to, '\n', (size_t)(end - to));
        to = to && to < end && block->n_pieces < PIECES - 1 ? to + 1 : end;
        struct piece *piece = &block->pieces[block->n_pieces++];
        piece->text = at;
        piece->end = to;
        piece->offset = block->offset + (at - block->text);
        piece->n = 0;
        piece->status = XL_OK;
        at = to;
    }
}

static enum xl_status grow(struct block *block, size_t capacity, struct xl_err *err) {
    if (capacity <= block->capacity) return XL_OK;
    char *larger = realloc(block->text, capacity);
    if (!larger) return xl_fail_nomem(err, "a part of a log", capacity);
    block->text = larger;
    block->capacity = capacity;
    return XL_OK;
}

/* Read up to the block's capacity; *n: bytes that are there then. */
static enum xl_status fill(struct load *load, struct block *block, size_t *n, bool *is_end,
                           struct xl_err *err) {
    while (*n < block->capacity) {
        ssize_t got =
            pread(load->fd, block->text + *n, block->capacity - *n, block->offset + (int64_t)*n);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0)
            return xl_fail(err, XL_EINPUT, "%s: cannot read: %s", load->path, strerror(errno));
        *is_end = got == 0;
        if (*is_end) break;
        *n += (size_t)got;
    }
    return XL_OK;
}

/* Whether the last line, which has no newline, is whole all the same. */
static bool is_whole(const char *text, size_t n) {
    struct xl_log_line_order order = {.at = {{0}}};
    struct xl_arena arena = {0};
    struct xl_log_line *line = malloc(sizeof *line);
    bool is = line && !xl_log_line_read(text, n, &order, &arena, line, NULL) &&
              line->state == XL_LINE_ENTRY;
    free(line);
    xl_arena_deinit(&arena);
    return is;
}

/* Step over a line that is too long: the block becomes its last part, which is no object. */
static enum xl_status skip_long(struct load *load, struct block *block, size_t *n, bool *is_end,
                                struct xl_err *err) {
    const char *newline = NULL;
    enum xl_status status = XL_OK;
    while (!status && !*is_end && !(newline = memchr(block->text, '\n', *n))) {
        block->offset += (int64_t)*n;
        *n = 0;
        status = fill(load, block, n, is_end, err);
    }
    if (status || !newline) {
        block->n = 0; /* it goes on */
        return status;
    }
    block->text[0] = '?';
    block->n = (size_t)(newline - block->text) + 1;
    return XL_OK;
}

/* The next block of whole lines from its offset on; n is 0 at the end. */
static enum xl_status read_block(struct load *load, struct block *block, struct xl_err *err) {
    size_t n = 0;
    bool is_end = false;
    enum xl_status status = grow(block, BLOCK, err);
    block->n = 0;
    while (!status) {
        status = fill(load, block, &n, &is_end, err);
        const char *newline = status ? NULL : memrchr(block->text, '\n', n);
        if (newline) {
            block->n = (size_t)(newline - block->text) + 1;
            if (is_end && n > block->n && is_whole(block->text + block->n, n - block->n))
                block->n = n;
            return XL_OK;
        }
        if (!status && is_end) {
            if (n && n <= MAX_LINE && is_whole(block->text, n)) block->n = n;
            return XL_OK;
        }
        if (!status && block->capacity >= MAX_LINE) return skip_long(load, block, &n, &is_end, err);
        if (!status) status = grow(block, 2 * block->capacity, err);
    }
    return status;
}

static void deinit(struct load *load) {
    for (int i = 0; i < 2; i++) {
        free(load->blocks[i].text);
        for (int k = 0; k < PIECES; k++) {
            free(load->blocks[i].pieces[k].lines);
            xl_arena_deinit(&load->blocks[i].pieces[k].arena);
        }
    }
    free(load);
}

enum xl_status xl_load_log(const char *path, int fd, int64_t offset, struct xl_pool *pool,
                           struct xl_row_writer *rows, int64_t *end, struct xl_err *err) {
    struct load *load = calloc(1, sizeof *load);
    if (!load) return xl_fail_nomem(err, "a log", sizeof *load);
    load->path = path;
    load->fd = fd;
    load->rows = rows;
    enum xl_status status = XL_OK;
    for (int turn = 0; !status; turn ^= 1) {
        load->reading = &load->blocks[turn];
        load->reading->offset = offset;
        status = read_block(load, load->reading, err);
        if (status) break;
        cut(load->reading);
        if (!load->adding && !load->reading->n_pieces) break;
        xl_pool_run(pool, load->reading->n_pieces + (load->adding != NULL), do_task, load);
        offset = load->reading->offset + (int64_t)load->reading->n;
        load->adding = load->reading->n_pieces ? load->reading : NULL;
        status = load->status;
        if (status && err) *err = load->err;
    }
    if (!status) *end = offset;
    deinit(load);
    return status;
}
