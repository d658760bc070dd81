/* page_writer.c - begin|update|end DIR: calls xl_run_page_* with JSON from standard input, so that
 * the browser's test can play a run. begin takes {"run": {...}, "cells": [...]} and adds the
 * fields of cells. */
#include "lab/cell/cell_text.h"
#include "lab/run/run_page.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    json_t *input = argc == 3 ? json_loadf(stdin, JSON_ALLOW_NUL, NULL) : NULL;
    if (!input) return 2;
    struct xl_err err = {0};
    enum xl_status status = XL_EINVAL;
    json_t *run = json_object_get(input, "run");
    if (run && json_object_set_new(run, "fields", xl_cell_describe_columns())) return 2;
    if (!strcmp(argv[1], "begin"))
        status = xl_run_page_begin(argv[2], run, json_object_get(input, "cells"), &err);
    else if (!strcmp(argv[1], "update"))
        status = xl_run_page_update(argv[2], input, &err);
    else if (!strcmp(argv[1], "end"))
        status = xl_run_page_end(argv[2], input, &err);
    if (status) fprintf(stderr, "%s\n", err.text);
    json_decref(input);
    return status != XL_OK;
}
