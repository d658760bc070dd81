/* container.c - one line a word of each engine's command line. Keeps no state. */
#include "jobs/container.h"

#include <string.h>
#include <unistd.h>

enum { MAX_WORDS = 4096 };

struct line {
    struct xl_arena *arena;
    const char **words;
    int n;
    bool failed;
};

static void put(struct line *line, const char *word) {
    if (!word || line->n == MAX_WORDS) line->failed = true;
    if (!line->failed) line->words[line->n++] = word;
}

static void put_pair(struct line *line, const char *flag, const char *word) {
    put(line, flag);
    put(line, word);
}

/* Files of the cache are read and pictures written as who runs this. Signals go to the first
 * process of the container, which is sdxl-lab and heeds them. */
static void put_docker(struct line *line, const struct xl_container_job *job) {
    struct xl_arena *arena = line->arena;
    bool is_podman = job->engine == XL_CONTAINER_PODMAN;
    put(line, is_podman ? "podman" : "docker");
    put(line, "run");
    put(line, "--rm");
    put_pair(line, "--name", job->name);
    if (is_podman)
        put_pair(line, "--device", xl_arena_printf(arena, "nvidia.com/gpu=%s", job->uuid));
    else
        put_pair(line, "--gpus", xl_arena_printf(arena, "device=%s", job->uuid));
    if (is_podman)
        put(line, "--userns=keep-id");
    else
        put_pair(line, "--user", xl_arena_printf(arena, "%d:%d", (int)getuid(), (int)getgid()));
    if (job->cache)
        put_pair(line, "--volume",
                 xl_arena_printf(arena, "%s:%s:ro", job->cache, XL_CONTAINER_CACHE));
    put_pair(line, "--volume", xl_arena_printf(arena, "%s:%s", job->output, XL_CONTAINER_OUTPUT));
    put_pair(line, "--workdir", XL_CONTAINER_OUTPUT);
    put_pair(line, "--env", "HF_HOME=" XL_CONTAINER_CACHE);
    put_pair(line, "--env", "OUTPUT_DIR=" XL_CONTAINER_OUTPUT);
    put_pair(line, "--env", "HOME=" XL_CONTAINER_OUTPUT);
    put_pair(line, "--env", xl_arena_printf(arena, "INSTANCE_ID=%s", job->instance));
    for (const char *const *name = job->variables; *name; name++) put_pair(line, "--env", *name);
    put(line, job->image);
}

/* enroot takes the GPU from NVIDIA_VISIBLE_DEVICES, by its hook for NVIDIA's container library. */
static void put_enroot(struct line *line, const struct xl_container_job *job) {
    struct xl_arena *arena = line->arena;
    put(line, "enroot");
    put(line, "start");
    if (job->cache)
        put_pair(line, "--mount", xl_arena_printf(arena, "%s:%s", job->cache, XL_CONTAINER_CACHE));
    put_pair(line, "--mount", xl_arena_printf(arena, "%s:%s", job->output, XL_CONTAINER_OUTPUT));
    put_pair(line, "--env", xl_arena_printf(arena, "NVIDIA_VISIBLE_DEVICES=%s", job->uuid));
    put_pair(line, "--env", "NVIDIA_DRIVER_CAPABILITIES=compute,utility");
    put_pair(line, "--env", "HF_HOME=" XL_CONTAINER_CACHE);
    put_pair(line, "--env", "OUTPUT_DIR=" XL_CONTAINER_OUTPUT);
    put_pair(line, "--env", xl_arena_printf(arena, "INSTANCE_ID=%s", job->instance));
    for (const char *const *name = job->variables; *name; name++) put_pair(line, "--env", *name);
    put(line, job->image);
}

const char *const *xl_container_command(const struct xl_container_job *job,
                                        struct xl_arena *arena) {
    struct line line = {.arena = arena};
    line.words = xl_arena_alloc(arena, (MAX_WORDS + 1) * sizeof *line.words);
    if (!line.words) return NULL;
    if (job->engine == XL_CONTAINER_ENROOT)
        put_enroot(&line, job);
    else
        put_docker(&line, job);
    for (const char *const *word = job->words; *word; word++) put(&line, *word);
    return line.failed ? NULL : line.words;
}
