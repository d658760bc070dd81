/* job_parse.h - lines of a job log as JSON; for job_read.c. Keeps no state. */
#ifndef XL_LAB_JOB_PARSE_H
#define XL_LAB_JOB_PARSE_H

#include "base/threads.h"

#include <jansson.h>

/* A line, without its newline. */
struct xl_job_text {
    const char *text;
    size_t n;       /* 0 after parsing: it was blank */
    json_t *object; /* NULL: damaged, or blank */
    bool no_memory; /* damaged for want of memory only */
};

/* Parse n lines whose object is NULL. pool NULL: on this thread. */
void xl_job_parse(struct xl_job_text *lines, int n, struct xl_pool *pool);

/* Let go of the objects. */
void xl_job_parse_free(struct xl_job_text *lines, int n, struct xl_pool *pool);

#endif
