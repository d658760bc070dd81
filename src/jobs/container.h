/* container.h - a job as a container that sees one GPU: the command line of docker, podman or
 * enroot.
 */
#ifndef XL_JOBS_CONTAINER_H
#define XL_JOBS_CONTAINER_H

#include "base/arena.h"

/* Engines, in the order of the option's choices. */
enum xl_container {
    XL_CONTAINER_NONE,
    XL_CONTAINER_DOCKER,
    XL_CONTAINER_PODMAN,
    XL_CONTAINER_ENROOT
};

struct xl_container_job {
    enum xl_container engine;
    const char *image;
    const char *name;     /* of the container: the instance and the number of the job */
    const char *uuid;     /* of the GPU */
    const char *cache;    /* folder of this host: HF_HOME, to be read; NULL: there is none */
    const char *output;   /* folder of this host: pictures */
    const char *instance; /* INSTANCE_ID */
    const char *const *variables; /* names that are handed on, NULL-terminated */
    const char *const *words;     /* behind the image: a command of sdxl-lab; NULL-terminated */
};

/* Where the folders are inside. */
#define XL_CONTAINER_CACHE "/cache"
#define XL_CONTAINER_OUTPUT "/pictures"

/* The words of the engine's command line, NULL-terminated, in the arena. NULL: out of memory */
const char *const *xl_container_command(const struct xl_container_job *job, struct xl_arena *arena);

#endif
