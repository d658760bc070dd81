/* rows.c - texts to ids, and one prepared statement. What is looked up most is looked up by the
 * bytes of the line as they are; a text is taken out of its JSON once.
 */
#include "insight/index/rows.h"
#include "base/moment.h"
#include "base/str.h"
#include "insight/index/folders_of_paths.h"
#include "insight/index/hash.h"
#include "insight/index/intern.h"

#include <stdio.h>
#include <stdlib.h>

/* In the table meta: the highest id that a picture ever had. One that was used is never used again,
 * for marks hold ids. (SQLite's AUTOINCREMENT does that, too, by a row of a table of its own that
 * it reads and writes with each insert.) */
#define NEWEST "newest_picture"

/* Long texts that came lately: by hash and length alone, 2^20 of them at most. */
enum { TEXTS = 1 << 20 };
struct known_text {
    uint64_t hash;
    int64_t id;
    size_t n;
};

/* What a place of the insert is bound to: lines that follow each other have most in common. */
struct bound {
    enum { BOUND_NOTHING, BOUND_NULL, BOUND_INT, BOUND_REAL, BOUND_BYTES } kind;
    int64_t bits;
};

struct xl_row_writer {
    struct xl_database *database;
    const char *output_dir;
    bool is_new;
    int64_t newest; /* the highest id that a picture ever had */
    int seed_column;
    struct bound bound[XL_COLUMNS_MAX + 16];
    unsigned char cell[16];
    sqlite3_stmt *add_picture, *add_name, *add_text, *find_text;
    struct xl_intern raw_names, names; /* as in lines, and as they are */
    struct xl_intern folders;          /* what stands before the file in a path: a name's id */
    struct known_text *texts;          /* [TEXTS] */
    struct xl_arena arena;             /* of a line */
    int64_t log;
    struct xl_rows_counts counts;
};

/* The columns of the insert before and after those of xl_columns. */
enum { BIND_ID = 1, BIND_MADE, BIND_PATH_KEY, BIND_CELL_KEY, BIND_FIRST };
enum { AFTER_LOG, AFTER_LINE, AFTER_FOLDER, AFTER_CELL, AFTER_FILE, AFTER_COUNT };

int64_t xl_path_key(const char *folder, const char *file, size_t n_file) {
    return (int64_t)xl_hash64(file, n_file, xl_hash64(folder, strlen(folder), 2));
}

static int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool xl_cell_key(const char *id, size_t n, int64_t *key, unsigned char bytes[16]) {
    if (n != XL_CELL_ID_DIGITS) return false;
    for (int i = 0; i < 16; i++) {
        int high = digit_of(id[2 * i]), low = digit_of(id[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        bytes[i] = (unsigned char)(high << 4 | low);
    }
    memcpy(key, bytes, sizeof *key);
    return true;
}

/* --- Texts ------------------------------------------------------------------------------------ */

static enum xl_status name_of_text(struct xl_row_writer *rows, const char *text, size_t n,
                                   int64_t *id, struct xl_err *err) {
    uint64_t hash = xl_hash64(text, n, 0);
    *id = xl_intern_find(&rows->names, text, n, hash);
    if (*id) return XL_OK;
    sqlite3_bind_text(rows->add_name, 1, text, (int)n, SQLITE_STATIC);
    enum xl_status status = xl_database_step(rows->database, rows->add_name, err);
    if (status) return status;
    *id = sqlite3_last_insert_rowid(rows->database->sql);
    return xl_intern_add(&rows->names, text, n, hash, *id, err);
}

static enum xl_status name_of(struct xl_row_writer *rows, const struct xl_log_line_value *value,
                              int64_t *id, struct xl_err *err) {
    const char *raw = value->text.at + 1;
    size_t n_raw = value->text.n - 2, n;
    *id = xl_intern_find(&rows->raw_names, raw, n_raw, value->is.hash);
    if (*id) return XL_OK;
    const char *text = xl_log_line_text(value->text, &rows->arena, &n);
    if (!text) return xl_fail_nomem(err, "a text of the index", n_raw);
    enum xl_status status = name_of_text(rows, text, n, id, err);
    if (status) return status;
    return xl_intern_add(&rows->raw_names, raw, n_raw, value->is.hash, *id, err);
}

/* The id of a text that an index has from before. */
static enum xl_status find_text(struct xl_row_writer *rows, const char *text, size_t n,
                                int64_t hash, int64_t *id, struct xl_err *err) {
    enum xl_status status = XL_OK;
    *id = 0;
    if (rows->is_new) return XL_OK;
    sqlite3_bind_int64(rows->find_text, 1, hash);
    sqlite3_bind_text(rows->find_text, 2, text, (int)n, SQLITE_STATIC);
    if (xl_database_row(rows->database, rows->find_text, &status, err))
        *id = sqlite3_column_int64(rows->find_text, 0);
    sqlite3_reset(rows->find_text);
    return status;
}

static enum xl_status text_of(struct xl_row_writer *rows, const struct xl_log_line_value *value,
                              int64_t *id, struct xl_err *err) {
    struct known_text *known = &rows->texts[value->is.hash % TEXTS];
    if (known->id && known->hash == value->is.hash && known->n == value->text.n) {
        *id = known->id;
        return XL_OK;
    }
    size_t n;
    const char *text = xl_log_line_text(value->text, &rows->arena, &n);
    if (!text) return xl_fail_nomem(err, "a text of the index", value->text.n);
    int64_t hash = (int64_t)xl_hash64(text, n, 0);
    enum xl_status status = find_text(rows, text, n, hash, id, err);
    if (status) return status;
    if (!*id) {
        sqlite3_bind_int64(rows->add_text, 1, hash);
        sqlite3_bind_text(rows->add_text, 2, text, (int)n, SQLITE_STATIC);
        status = xl_database_step(rows->database, rows->add_text, err);
        *id = sqlite3_last_insert_rowid(rows->database->sql);
    }
    *known = (struct known_text){value->is.hash, *id, value->text.n};
    return status;
}

/* --- Columns ---------------------------------------------------------------------------------- */

/* Whether a place has another value now. */
static bool rebind(struct xl_row_writer *rows, int at, struct bound to) {
    struct bound *bound = &rows->bound[at];
    if (bound->kind == to.kind && bound->bits == to.bits) return false;
    *bound = to;
    return true;
}

static void bind_null(struct xl_row_writer *rows, int at) {
    if (rebind(rows, at, (struct bound){BOUND_NULL, 0})) sqlite3_bind_null(rows->add_picture, at);
}

static void bind_int(struct xl_row_writer *rows, int at, int64_t value) {
    if (rebind(rows, at, (struct bound){BOUND_INT, value}))
        sqlite3_bind_int64(rows->add_picture, at, value);
}

static void bind_real(struct xl_row_writer *rows, int at, double value) {
    struct bound to = {BOUND_REAL, 0};
    memcpy(&to.bits, &value, sizeof value);
    if (rebind(rows, at, to)) sqlite3_bind_double(rows->add_picture, at, value);
}

static enum xl_status bind_column(struct xl_row_writer *rows, int at, enum xl_column_type type,
                                  const struct xl_log_line_value *value, struct xl_err *err) {
    enum xl_status status = XL_OK;
    int64_t id = 0;
    if (!value->text.n) {
        bind_null(rows, at);
        return XL_OK;
    }
    switch (type) {
    case XL_COLUMN_NAME:
        status = name_of(rows, value, &id, err);
        bind_int(rows, at, id);
        break;
    case XL_COLUMN_TEXT:
        status = text_of(rows, value, &id, err);
        bind_int(rows, at, id);
        break;
    case XL_COLUMN_INT:
        bind_int(rows, at, value->is.integer);
        break;
    case XL_COLUMN_REAL:
        bind_real(rows, at, value->is.real);
        break;
    case XL_COLUMN_SEED:
        bind_int(rows, at, (int64_t)value->is.seed);
        break;
    }
    return status;
}

static enum xl_status bind_columns(struct xl_row_writer *rows, const struct xl_log_line *line,
                                   struct xl_err *err) {
    const struct xl_columns *columns = xl_columns();
    enum xl_status status = XL_OK;
    for (int i = 0; i < columns->n && !status; i++)
        status = bind_column(rows, BIND_FIRST + i, columns->at[i].type, &line->value[i], err);
    return status;
}

static int after(int which) {
    return BIND_FIRST + xl_columns()->n + which;
}

static void bind_cell(struct xl_row_writer *rows, const char *id, size_t n) {
    int64_t key;
    if (!id || !xl_cell_key(id, n, &key, rows->cell)) {
        bind_null(rows, BIND_CELL_KEY);
        bind_null(rows, after(AFTER_CELL));
        return;
    }
    bind_int(rows, BIND_CELL_KEY, key);
    if (rebind(rows, after(AFTER_CELL), (struct bound){BOUND_BYTES, 0})) /* always these */
        sqlite3_bind_blob(rows->add_picture, after(AFTER_CELL), rows->cell, sizeof rows->cell,
                          SQLITE_STATIC);
}

/* The id of a folder's name, and the name. */
static enum xl_status folder_of(struct xl_row_writer *rows, const char *named, size_t n,
                                int64_t *id, const char **folder, struct xl_err *err) {
    uint64_t hash = xl_hash64(named, n, 0);
    *id = xl_intern_find(&rows->folders, named, n, hash);
    if (!*id) {
        char *text = xl_arena_strndup(&rows->arena, named, n);
        const char *found = text ? xl_folder_of_path(text, rows->output_dir, &rows->arena) : NULL;
        if (!found) return xl_fail_nomem(err, "a path of the index", n);
        enum xl_status status = name_of_text(rows, found, strlen(found), id, err);
        if (!status) status = xl_intern_add(&rows->folders, named, n, hash, *id, err);
        if (status) return status;
    }
    *folder = xl_intern_text(&rows->names, *id);
    return XL_OK;
}

/* The text stays the caller's until the row is in. */
static void bind_place(struct xl_row_writer *rows, int64_t id, const char *folder, const char *file,
                       size_t n_file) {
    bind_int(rows, after(AFTER_FOLDER), id);
    sqlite3_bind_text(rows->add_picture, after(AFTER_FILE), file, (int)n_file, SQLITE_STATIC);
    bind_int(rows, BIND_PATH_KEY, xl_path_key(folder, file, n_file));
}

/* Put in the row as it is bound. */
static enum xl_status add_row(struct xl_row_writer *rows, struct xl_err *err) {
    bind_int(rows, BIND_ID, ++rows->newest);
    return xl_database_step(rows->database, rows->add_picture, err);
}

static enum xl_status bind_path(struct xl_row_writer *rows, const char *path, size_t n,
                                struct xl_err *err) {
    const char *slash = memrchr(path, '/', n), *file = slash ? slash + 1 : path, *folder = "";
    size_t n_file = n - (size_t)(file - path);
    int64_t id;
    size_t n_named = slash ? (size_t)(slash - path) + (slash == path) : 0;
    enum xl_status status = folder_of(rows, path, n_named, &id, &folder, err);
    if (status) return status;
    bind_place(rows, id, folder, file, n_file);
    return XL_OK;
}

/* --- Lines ------------------------------------------------------------------------------------ */

static size_t count_elements(struct xl_span array) {
    struct xl_span element;
    size_t n = 0;
    while (xl_log_line_element(&array, &element)) n++;
    return n;
}

/* Where the name of a picture says its seed: "..._seed7_01.png". */
static bool seed_in_name(const char *path, size_t n, uint64_t *seed) {
    static const char word[] = "_seed";
    for (const char *at = path + n; n >= sizeof word && at-- > path;) {
        if (strncmp(at, word, sizeof word - 1) != 0) continue;
        at += sizeof word - 1;
        struct xl_span digits = {at, strspn(at, "0123456789")};
        return xl_log_line_seed(digits, seed);
    }
    return false;
}

/* The three arrays of a line. Seeds are of all pictures, paths and cells of those that were
 * written.
 */
struct pictures {
    struct xl_span seeds, paths, cells;
    bool is_aligned; /* as many seeds as paths */
};

static enum xl_status add_picture(struct xl_row_writer *rows, struct pictures *pictures,
                                  struct xl_span path_json, struct xl_err *err) {
    struct xl_span seed_json = {0}, cell = {0};
    uint64_t seed = 0;
    size_t n;
    const char *path = xl_log_line_text(path_json, &rows->arena, &n);
    if (!path) return xl_fail_nomem(err, "a path of the index", path_json.n);
    bool has_seed = xl_log_line_element(&pictures->seeds, &seed_json) && pictures->is_aligned &&
                    xl_log_line_seed(seed_json, &seed);
    if (!has_seed) has_seed = seed_in_name(path, n, &seed);
    bool has_cell = xl_log_line_element(&pictures->cells, &cell) && cell.n > 2;
    bind_cell(rows, has_cell ? cell.at + 1 : NULL, has_cell ? cell.n - 2 : 0);
    if (has_seed) bind_int(rows, BIND_FIRST + rows->seed_column, (int64_t)seed);
    enum xl_status status = bind_path(rows, path, n, err);
    if (!status) status = add_row(rows, err);
    rows->counts.n_pictures += !status;
    return status;
}

static int64_t made_at(struct xl_row_writer *rows, const struct xl_log_line *line) {
    static const enum xl_log_line_key keys[] = {XL_LINE_LOGGED_AT, XL_LINE_TIMESTAMP};
    for (int i = 0; i < 2; i++) {
        struct xl_span json = xl_log_line_other(line, keys[i])->text;
        size_t n;
        const char *text = json.n ? xl_log_line_text(json, &rows->arena, &n) : NULL;
        int64_t moment = text ? xl_moment_of(text) : 0;
        if (moment) return moment;
    }
    return 0;
}

static void bind_made(struct xl_row_writer *rows, int64_t moment) {
    bind_int(rows, BIND_MADE, moment); /* 0: not known */
}

static enum xl_status add_pictures(struct xl_row_writer *rows, const struct xl_log_line *line,
                                   struct xl_err *err) {
    struct pictures pictures = {xl_log_line_other(line, XL_LINE_SEEDS)->text,
                                xl_log_line_other(line, XL_LINE_PATHS)->text,
                                xl_log_line_other(line, XL_LINE_CELLS)->text, false};
    struct xl_span path = {0};
    size_t n_paths = count_elements(pictures.paths);
    pictures.is_aligned = count_elements(pictures.seeds) == n_paths;
    if (count_elements(pictures.cells) != n_paths) pictures.cells.n = 0;
    if (!n_paths) return XL_OK;
    bind_made(rows, made_at(rows, line));
    bind_int(rows, after(AFTER_LOG), rows->log);
    bind_int(rows, after(AFTER_LINE), line->offset);
    enum xl_status status = bind_columns(rows, line, err);
    while (!status && xl_log_line_element(&pictures.paths, &path))
        if (path.n > 2) status = add_picture(rows, &pictures, path, err);
    return status;
}

enum xl_status xl_rows_add_line(struct xl_row_writer *rows, const struct xl_log_line *line,
                                struct xl_err *err) {
    rows->counts.n_lines++;
    if (line->state == XL_LINE_BLANK) return XL_OK;
    if (line->state == XL_LINE_DAMAGED) {
        if (!rows->counts.n_damaged++) rows->counts.first_damaged = rows->counts.n_lines;
        return XL_OK;
    }
    rows->counts.n_entries++;
    rows->counts.n_failed += xl_log_line_other(line, XL_LINE_ERROR)->text.n > 2;
    enum xl_status status = add_pictures(rows, line, err);
    xl_arena_deinit(&rows->arena);
    return status;
}

enum xl_status xl_rows_add_record(struct xl_row_writer *rows, const struct xl_log_line *line,
                                  const char *folder, const char *file, const char *cell,
                                  int64_t moment, int64_t *picture, struct xl_err *err) {
    int64_t id;
    size_t n_file = strlen(file);
    enum xl_status status = name_of_text(rows, folder, strlen(folder), &id, err);
    if (!status) status = bind_columns(rows, line, err);
    if (status) return status;
    bind_made(rows, moment);
    bind_cell(rows, cell, cell ? strlen(cell) : 0);
    bind_null(rows, after(AFTER_LOG));
    bind_null(rows, after(AFTER_LINE));
    bind_place(rows, id, folder, file, n_file);
    status = add_row(rows, err);
    *picture = rows->newest;
    xl_arena_deinit(&rows->arena);
    return status;
}

/* --- Beginning and end ------------------------------------------------------------------------ */

static enum xl_status load_names(struct xl_row_writer *rows, struct xl_err *err) {
    sqlite3_stmt *all = NULL;
    enum xl_status status =
        xl_database_prepare(rows->database, "SELECT id, text FROM names", &all, err);
    while (xl_database_row(rows->database, all, &status, err)) {
        const char *text = (const char *)sqlite3_column_text(all, 1);
        size_t n = (size_t)sqlite3_column_bytes(all, 1);
        status = xl_intern_add(&rows->names, text, n, xl_hash64(text, n, 0),
                               sqlite3_column_int64(all, 0), err);
    }
    sqlite3_finalize(all);
    return status;
}

static enum xl_status prepare_insert(struct xl_row_writer *rows, struct xl_err *err) {
    struct xl_str text = {0};
    xl_str_puts(&text, "INSERT INTO pictures VALUES(?");
    for (int i = BIND_ID + 1; i < after(AFTER_COUNT); i++) xl_str_puts(&text, ", ?");
    xl_str_puts(&text, ")");
    enum xl_status status =
        text.failed ? xl_fail_nomem(err, "the index", 0)
                    : xl_database_prepare(rows->database, text.text, &rows->add_picture, err);
    xl_str_deinit(&text);
    return status;
}

enum xl_status xl_rows_new(struct xl_database *database, const char *output_dir, bool is_new,
                           struct xl_row_writer **out, struct xl_err *err) {
    struct xl_row_writer *rows = calloc(1, sizeof *rows);
    struct known_text *texts = calloc(TEXTS, sizeof *texts);
    enum xl_status status = XL_OK;
    if (!rows || !texts) {
        free(rows);
        free(texts);
        return xl_fail_nomem(err, "the index", TEXTS * sizeof *texts);
    }
    *rows = (struct xl_row_writer){
        .database = database, .output_dir = output_dir, .is_new = is_new, .texts = texts};
    rows->seed_column = xl_column_find("seed");
    status = xl_database_number(database, "SELECT value FROM meta WHERE key = '" NEWEST "'", 0,
                                &rows->newest, err);
    if (!status) status = prepare_insert(rows, err);
    if (!status)
        status = xl_database_prepare(database, "INSERT INTO names(text) VALUES(?)", &rows->add_name,
                                     err);
    if (!status)
        status = xl_database_prepare(database, "INSERT INTO texts(hash, text) VALUES(?, ?)",
                                     &rows->add_text, err);
    if (!status)
        status = xl_database_prepare(database, "SELECT id FROM texts WHERE hash = ? AND text = ?",
                                     &rows->find_text, err);
    if (!status) status = load_names(rows, err);
    if (status)
        xl_rows_free(rows);
    else
        *out = rows;
    return status;
}

void xl_rows_free(struct xl_row_writer *rows) {
    if (!rows) return;
    sqlite3_finalize(rows->add_picture);
    sqlite3_finalize(rows->add_name);
    sqlite3_finalize(rows->add_text);
    sqlite3_finalize(rows->find_text);
    xl_intern_deinit(&rows->raw_names);
    xl_intern_deinit(&rows->names);
    xl_intern_deinit(&rows->folders);
    xl_arena_deinit(&rows->arena);
    free(rows->texts);
    free(rows);
}

enum xl_status xl_rows_finish(struct xl_row_writer *rows, struct xl_err *err) {
    char text[96];
    snprintf(text, sizeof text, "INSERT OR REPLACE INTO meta VALUES('" NEWEST "', %lld)",
             (long long)rows->newest);
    return xl_database_run(rows->database, text, err);
}

void xl_rows_begin_log(struct xl_row_writer *rows, int64_t log, struct xl_rows_counts counts) {
    rows->log = log;
    rows->counts = counts;
}

struct xl_rows_counts xl_rows_counted(const struct xl_row_writer *rows) {
    return rows->counts;
}

enum xl_status xl_rows_drop_doubles(struct xl_database *database, int64_t newest,
                                    struct xl_err *err) {
    sqlite3_stmt *drop = NULL;
    enum xl_status status = xl_database_prepare(
        database,
        "DELETE FROM pictures WHERE id IN (SELECT old.id FROM pictures new JOIN pictures old ON"
        " old.path_key = new.path_key AND old.id < new.id WHERE new.id > ?)",
        &drop, err);
    if (status) return status;
    sqlite3_bind_int64(drop, 1, newest);
    status = xl_database_step(database, drop, err);
    sqlite3_finalize(drop);
    return status;
}
