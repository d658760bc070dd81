/* options.c - the option table and how its values are read from text. */
#include "lab/options.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const rngs[] = {"torch-cpu", "torch-cuda", NULL};
static const char *const devices[] = {"auto", "cpu", "reference", NULL};
static const char *const precisions[] = {"auto", "f32", "bf16", NULL};

#define AT(field) offsetof(struct xl_settings, field)
#define READS_MODEL (XL_FOR_GENERATE | XL_FOR_MODEL | XL_FOR_TOKENS | XL_FOR_SCHEDULE)

static const struct xl_option options[] = {
    {"model", "ID|DIR", XL_OPTION_STRING, AT(model), 0, 0, NULL, READS_MODEL, "Model",
     "repository in the Hugging Face cache (org/name), or a diffusers folder", ""},
    {"revision", "NAME", XL_OPTION_STRING, AT(revision), 0, 0, NULL, READS_MODEL, "Model",
     "branch, tag or commit of the repository", "main"},
    {"prompt", "TEXT", XL_OPTION_STRING, AT(prompt), 0, 0, NULL, XL_FOR_GENERATE | XL_FOR_TOKENS,
     "Picture", "what to draw", ""},
    {"negative", "TEXT", XL_OPTION_STRING, AT(negative), 0, 0, NULL, XL_FOR_GENERATE, "Picture",
     "what to keep away from; omitted and empty differ as in diffusers", "omitted"},
    {"width", "PIXELS", XL_OPTION_INT, AT(width), 0, 16384, NULL, XL_FOR_GENERATE, "Picture",
     "width, a multiple of 8; 0 takes the model's own, or the init image's", "0"},
    {"height", "PIXELS", XL_OPTION_INT, AT(height), 0, 16384, NULL, XL_FOR_GENERATE, "Picture",
     "height, likewise", "0"},
    {"batch", "N", XL_OPTION_INT, AT(batch), 1, 64, NULL, XL_FOR_GENERATE, "Picture",
     "pictures, drawn together; picture i has seed + i", "1"},
    {"seed", "N", XL_OPTION_SEED, AT(seed), 0, 0, NULL, XL_FOR_GENERATE | XL_FOR_NOISE, "Picture",
     "seed of the noise; -1 draws one at random", "-1"},
    {"rng", "NAME", XL_OPTION_CHOICE, AT(rng), 0, 0, rngs, XL_FOR_GENERATE | XL_FOR_NOISE,
     "Picture", "whose random numbers a seed means", "torch-cpu"},
    {"steps", "N", XL_OPTION_INT, AT(steps), 1, 1000, NULL, XL_FOR_GENERATE | XL_FOR_SCHEDULE,
     "Sampling", "denoising steps", "30"},
    {"guidance", "X", XL_OPTION_REAL, AT(guidance), 0, 1000, NULL, XL_FOR_GENERATE, "Sampling",
     "classifier-free guidance scale; 1 and below turn it off", "5"},
    {"guidance-rescale", "X", XL_OPTION_REAL, AT(guidance_rescale), 0, 1, NULL, XL_FOR_GENERATE,
     "Sampling", "rescale the guided output towards its unguided contrast", "0"},
    {"scheduler", "NAME", XL_OPTION_STRING, AT(scheduler), 0, 0, NULL,
     XL_FOR_GENERATE | XL_FOR_SCHEDULE, "Sampling", "sampler, see the list below", "default"},
    {"init-image", "FILE", XL_OPTION_STRING, AT(init_image), 0, 0, NULL, XL_FOR_GENERATE,
     "Image to image", "PNG, JPEG or WebP to start from", ""},
    {"strength", "X", XL_OPTION_REAL, AT(strength), 0, 1, NULL, XL_FOR_GENERATE, "Image to image",
     "how far to go from the init image: 0 little, 1 all the way", "0.3"},
    {"device", "NAME", XL_OPTION_CHOICE, AT(device), 0, 0, devices, XL_FOR_GENERATE, "Computing",
     "where to compute; reference is the slow plain-C oracle", "auto"},
    {"dtype", "NAME", XL_OPTION_CHOICE, AT(precision), 0, 0, precisions, XL_FOR_GENERATE,
     "Computing", "arithmetic; auto takes bf16 where the CPU has instructions for it", "auto"},
    {"threads", "N", XL_OPTION_INT, AT(threads), 0, 1024, NULL, XL_FOR_GENERATE, "Computing",
     "threads; 0 takes every core; the picture does not depend on it", "0"},
    {"vae-tile", "PIXELS", XL_OPTION_INT, AT(vae_tile), 0, 16384, NULL, XL_FOR_GENERATE,
     "Computing", "decode in overlapping tiles of this size to save memory; 0: whole", "0"},
    {"output-dir", "DIR", XL_OPTION_STRING, AT(output_dir), 0, 0, NULL, XL_FOR_GENERATE, "Output",
     "where pictures go", "output_images"},
    {"count", "N", XL_OPTION_INT, AT(count), 1, 1 << 28, NULL, XL_FOR_NOISE, "Output",
     "how many random numbers", "16"},
    {"json", NULL, XL_OPTION_SWITCH, AT(json), 0, 0, NULL, XL_FOR_ALL, "Output",
     "one JSON document on standard output and nothing else there", ""},
    {"quiet", NULL, XL_OPTION_SWITCH, AT(quiet), 0, 0, NULL, XL_FOR_ALL, "Output",
     "no progress, no warnings", ""},
    {"verbose", NULL, XL_OPTION_SWITCH, AT(verbose), 0, 0, NULL, XL_FOR_ALL, "Output",
     "say what is loaded from where, and timings", ""},
};

enum { N_OPTIONS = sizeof options / sizeof *options };

const struct xl_option *xl_option_at(int i) {
    return i >= 0 && i < N_OPTIONS ? &options[i] : NULL;
}

const struct xl_option *xl_option_find(const char *name) {
    for (int i = 0; i < N_OPTIONS; i++)
        if (!strcmp(options[i].name, name)) return &options[i];
    return NULL;
}

/* Levenshtein distance of short names. */
static int edit_distance(const char *a, const char *b) {
    enum { MAX = 40 };
    size_t n = strlen(a), m = strlen(b);
    if (n >= MAX || m >= MAX) return MAX;
    int row[MAX + 1];
    for (size_t j = 0; j <= m; j++) row[j] = (int)j;
    for (size_t i = 1; i <= n; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= m; j++) {
            int above = row[j], best = diagonal + (a[i - 1] != b[j - 1]);
            if (above + 1 < best) best = above + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            row[j] = best;
            diagonal = above;
        }
    }
    return row[m];
}

const struct xl_option *xl_option_nearest(const char *name, unsigned commands) {
    const struct xl_option *nearest = NULL;
    size_t n = strlen(name);
    int best = n < 4 ? 2 : 4; /* farther than this is not a slip of the fingers */
    for (int i = 0; i < N_OPTIONS; i++) {
        if (!(options[i].commands & commands)) continue;
        bool begins = n >= 3 && !strncmp(name, options[i].name, n < 5 ? n : 5);
        int distance = begins ? 1 : edit_distance(name, options[i].name);
        if (distance < best) best = distance, nearest = &options[i];
    }
    return nearest;
}

void xl_settings_default(struct xl_settings *settings) {
    *settings = (struct xl_settings){
        .steps = 30,
        .guidance = 5.0,
        .batch = 1,
        .scheduler = "default",
        .strength = 0.3,
        .output_dir = "output_images",
        .count = 16,
    };
}

static enum xl_status set_int(int *field, const struct xl_option *option, const char *origin,
                              const char *text, struct xl_err *err) {
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (end == text || *end || errno || (double)value < option->min || (double)value > option->max)
        return xl_fail(err, XL_EINVAL, "%s: \"%.40s\" is not a whole number from %.0f to %.0f",
                       origin, text, option->min, option->max);
    *field = (int)value;
    return XL_OK;
}

static enum xl_status set_real(double *field, const struct xl_option *option, const char *origin,
                               const char *text, struct xl_err *err) {
    char *end;
    double value = strtod(text, &end);
    /* The comparison is written so that NaN fails it. */
    if (end == text || *end || !(value >= option->min && value <= option->max))
        return xl_fail(err, XL_EINVAL, "%s: \"%.40s\" is not a number from %g to %g", origin, text,
                       option->min, option->max);
    *field = value;
    return XL_OK;
}

static enum xl_status set_seed(struct xl_settings *settings, const char *origin, const char *text,
                               struct xl_err *err) {
    if (!strcmp(text, "-1")) {
        settings->has_seed = false;
        return XL_OK;
    }
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno)
        return xl_fail(
            err, XL_EINVAL,
            "%s: \"%.40s\" is not a seed: a whole number from 0 to 2^64 - 1, or -1 for a "
            "random one",
            origin, text);
    settings->seed = value;
    settings->has_seed = true;
    return XL_OK;
}

static enum xl_status set_choice(int *field, const struct xl_option *option, const char *origin,
                                 const char *text, struct xl_err *err) {
    char known[128] = "";
    for (int i = 0; option->choices[i]; i++) {
        if (!strcmp(option->choices[i], text)) {
            *field = i;
            return XL_OK;
        }
        if (i) strncat(known, ", ", sizeof known - strlen(known) - 1);
        strncat(known, option->choices[i], sizeof known - strlen(known) - 1);
    }
    return xl_fail(err, XL_EINVAL, "%s: \"%.40s\" is not one of: %s", origin, text, known);
}

enum xl_status xl_settings_set(struct xl_settings *settings, const struct xl_option *option,
                               const char *origin, const char *text, struct xl_err *err) {
    void *field = (char *)settings + option->offset;
    switch (option->type) {
    case XL_OPTION_SWITCH:
        *(bool *)field = true;
        return XL_OK;
    case XL_OPTION_INT:
        return set_int(field, option, origin, text, err);
    case XL_OPTION_REAL:
        return set_real(field, option, origin, text, err);
    case XL_OPTION_SEED:
        return set_seed(settings, origin, text, err);
    case XL_OPTION_CHOICE:
        return set_choice(field, option, origin, text, err);
    case XL_OPTION_STRING:
        break;
    }
    *(const char **)field = text;
    return XL_OK;
}
