/* painter.c - the end of a group. */
#include "lab/run/painter.h"

#include <stdlib.h>

void xl_drawn_free(struct xl_drawn *drawn) {
    if (!drawn) return;
    xl_result_free(&drawn->result);
    json_decref(drawn->drawn_by);
    json_decref(drawn->scheduler_config);
    free(drawn);
}
