/* columns.c - the columns of the index, made of the table of a cell's fields on first use. */
#include "insight/index/columns.h"
#include "insight/index/hash.h"

#include <pthread.h>

static struct xl_columns columns;

/* Texts that come again and again are names; sentences, paths and digests are not. */
static enum xl_column_type type_of(const struct xl_cell_field *field) {
    switch (field->type) {
    case XL_CELL_TEXT:
        return field->caption && !(field->bits & (XL_CELL_LONG | XL_CELL_PATH)) ? XL_COLUMN_NAME
                                                                                : XL_COLUMN_TEXT;
    case XL_CELL_INT:
        return XL_COLUMN_INT;
    case XL_CELL_REAL:
        return XL_COLUMN_REAL;
    case XL_CELL_SEED:
        return XL_COLUMN_SEED;
    case XL_CELL_CHOICE:
        break;
    }
    return XL_COLUMN_NAME;
}

static void make(void) {
    static const char *const others[] = {"mode",    "model_id", "weights", "instance_id",
                                         "run_dir", "fallback", "version"};
    const struct xl_cell_field *field;
    for (int i = 0; (field = xl_cell_field_at(i)); i++) {
        if (field->bits & XL_CELL_PLACE) continue;
        /* As it was drawn, where memory may have changed what was asked for. */
        const char *key = field->log ? field->log : field->key;
        columns.at[columns.n++] = (struct xl_column){field->key, key, type_of(field), field};
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        columns.at[columns.n++] = (struct xl_column){others[i], others[i], XL_COLUMN_NAME, NULL};
}

const struct xl_columns *xl_columns(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make);
    return &columns;
}

int xl_column_find(const char *name) {
    const struct xl_columns *all = xl_columns();
    for (int i = 0; i < all->n; i++)
        if (!strcmp(all->at[i].name, name)) return i;
    return -1;
}

const char *xl_log_line_key_at(int i) {
    static const char *const keys[XL_LINE_KEYS] = {
        [XL_LINE_SEEDS] = "seeds",         [XL_LINE_PATHS] = "paths",
        [XL_LINE_CELLS] = "cells",         [XL_LINE_TIMESTAMP] = "timestamp",
        [XL_LINE_LOGGED_AT] = "logged_at", [XL_LINE_STATUS] = "status",
        [XL_LINE_ERROR] = "error",
    };
    const struct xl_columns *all = xl_columns();
    if (i < all->n) return all->at[i].key;
    return i - all->n < XL_LINE_KEYS ? keys[i - all->n] : NULL;
}

uint64_t xl_columns_fingerprint(void) {
    const struct xl_columns *all = xl_columns();
    uint64_t hash = 0;
    for (int i = 0; i < all->n; i++) {
        const struct xl_column *column = &all->at[i];
        hash = xl_hash64(column->name, strlen(column->name), hash + (uint64_t)column->type);
        hash = xl_hash64(column->key, strlen(column->key), hash);
    }
    return hash;
}
