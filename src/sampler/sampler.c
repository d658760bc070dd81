/* sampler.c - the list of samplers and their names. */
#include "sampler/draft.h"

#include "base/str.h"

#include <string.h>

/* The names of a sampler with every sigma spacing, one without, and one with Lu's too. */
#define SPACED(name)                                                                               \
    {                                                                                              \
        [XL_SIGMA_PLAIN] = name, [XL_SIGMA_KARRAS] = name "-karras",                               \
        [XL_SIGMA_EXPONENTIAL] = name "-exponential", [XL_SIGMA_BETA] = name "-beta"               \
    }
#define SPACED_LU(name)                                                                            \
    {                                                                                              \
        [XL_SIGMA_PLAIN] = name, [XL_SIGMA_KARRAS] = name "-karras",                               \
        [XL_SIGMA_EXPONENTIAL] = name "-exponential", [XL_SIGMA_BETA] = name "-beta",              \
        [XL_SIGMA_LU] = name "-lu"                                                                 \
    }

static const struct xl_sampler samplers[] = {
    {SPACED("euler"), NULL, "Euler", &xl_class_euler, false},
    {{"euler-a"}, "euler-ancestral", "Euler a", &xl_class_euler_ancestral, false},
    {SPACED("heun"), NULL, "Heun", &xl_class_heun, false},
    {SPACED_LU("dpmpp-2m"), NULL, "DPM++ 2M", &xl_class_dpmpp, false},
    {SPACED_LU("dpmpp-2m-sde"), NULL, "DPM++ 2M SDE", &xl_class_dpmpp, true},
    {SPACED("unipc"), "uni-pc", "UniPC", &xl_class_unipc, false},
    {SPACED("deis"), NULL, "DEIS", &xl_class_deis, false},
    {{"ddim"}, NULL, "DDIM", &xl_class_ddim, false},
    {{"ddpm"}, NULL, "DDPM", &xl_class_ddpm, false},
    {{"pndm"}, "plms", "PLMS", &xl_class_pndm, false},
    {{"lcm"}, NULL, "LCM", &xl_class_lcm, false},
};
enum { N_SAMPLERS = sizeof samplers / sizeof *samplers };

/* The same methods for EDM models; their sigmas are always spaced. */
#define SPACED_EDM(name)                                                                           \
    {                                                                                              \
        [XL_SIGMA_PLAIN] = name, [XL_SIGMA_KARRAS] = name "-karras",                               \
        [XL_SIGMA_EXPONENTIAL] = name "-exponential"                                               \
    }
static const struct xl_sampler edm_samplers[] = {
    {SPACED_EDM("euler"), NULL, "Euler", &xl_class_edm_euler, false},
    {SPACED_EDM("dpmpp-2m"), NULL, "DPM++ 2M", &xl_class_edm_dpmpp, false},
    {SPACED_EDM("dpmpp-2m-sde"), NULL, "DPM++ 2M SDE", &xl_class_edm_dpmpp, true},
};
enum { N_EDM_SAMPLERS = sizeof edm_samplers / sizeof *edm_samplers };

/* How names end that say a spacing; what A1111 calls Karras's in its old aliases ("k_dpmpp_2m_ka").
 */
static const struct {
    const char *suffix, *short_suffix;
} spacings[XL_N_SIGMA_SPACINGS] = {
    [XL_SIGMA_PLAIN] = {"", ""},
    [XL_SIGMA_KARRAS] = {"-karras", "-ka"},
    [XL_SIGMA_EXPONENTIAL] = {"-exponential", "-exp"},
    [XL_SIGMA_BETA] = {"-beta", "-beta"},
    [XL_SIGMA_LU] = {"-lu", "-lu"},
};

enum { MAX_NAME = 48 };

/* "DPM++ 2M Karras" and "k_dpmpp_2m_ka" in our spelling. False: too long to be a name. */
static bool normalise(const char *name, char out[MAX_NAME]) {
    size_t n = 0;
    if (!strncmp(name, "k_", 2)) name += 2;
    for (; *name; name++) {
        if (n + 1 >= MAX_NAME) return false;
        char c = *name;
        if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
        if (c == ' ' || c == '_') c = '-';
        if (c == '+') c = 'p';
        out[n++] = c;
    }
    out[n] = 0;
    return true;
}

/* The spacing whose suffix `rest` is, or XL_N_SIGMA_SPACINGS. */
static enum xl_sigma_spacing spacing_of_suffix(const char *rest) {
    int i = 0;
    while (i < XL_N_SIGMA_SPACINGS && strcmp(rest, spacings[i].suffix) &&
           strcmp(rest, spacings[i].short_suffix))
        i++;
    return (enum xl_sigma_spacing)i;
}

static enum xl_sigma_spacing match(const char *name, const char *stem) {
    size_t n = stem ? strlen(stem) : 0;
    return stem && !strncmp(name, stem, n) ? spacing_of_suffix(name + n) : XL_N_SIGMA_SPACINGS;
}

/* The name in the list that is a slip of the fingers away; NULL: none. */
static const char *nearest_name(const char *name) {
    const char *nearest = NULL, *known;
    int best = strlen(name) < 4 ? 2 : 3; /* farther than this is another word */
    for (int i = 0; (known = xl_scheduler_list(i)); i++) {
        int distance = xl_edit_distance(name, known, best - 1);
        if (distance < best) best = distance, nearest = known;
    }
    return nearest;
}

static enum xl_status unknown_name(const char *name, struct xl_err *err) {
    const char *near = nearest_name(name);
    if (near)
        return xl_fail(err, XL_EINVAL, "scheduler \"%.64s\" is unknown; did you mean \"%s\"?", name,
                       near);
    char plain[256] = "default", spaced[256] = "";
    for (int i = 0; i < N_SAMPLERS; i++) {
        const char *known = samplers[i].names[XL_SIGMA_PLAIN];
        strcat(strcat(plain, ", "), known);
        if (samplers[i].names[XL_SIGMA_KARRAS]) strcat(strcat(spaced, *spaced ? ", " : ""), known);
    }
    return xl_fail(
        err, XL_EINVAL,
        "scheduler \"%.64s\" is unknown; choose %s (%s also with -karras, -exponential or "
        "-beta behind the name) or the name of a diffusers class",
        name, plain, spaced);
}

/* The first row of a table that has this name; choice->sampler stays NULL where none has. */
static enum xl_status find_in(const struct xl_sampler *table, int n, const char *name,
                              struct xl_sampler_choice *choice, struct xl_err *err) {
    char wanted[MAX_NAME];
    if (!normalise(name, wanted)) return XL_OK;
    for (int i = 0; i < n; i++) {
        enum xl_sigma_spacing found = match(wanted, table[i].names[XL_SIGMA_PLAIN]);
        if (found == XL_N_SIGMA_SPACINGS) found = match(wanted, table[i].alias);
        if (found == XL_N_SIGMA_SPACINGS) continue;
        if (!table[i].names[found])
            return xl_fail(
                err, XL_EINVAL, "scheduler \"%s\": %s has no such sigmas%s; leave \"%s\" out", name,
                table[i].names[XL_SIGMA_PLAIN], table == edm_samplers ? " for an EDM model" : "",
                spacings[found].suffix);
        *choice = (struct xl_sampler_choice){&table[i], found != XL_SIGMA_PLAIN, found};
        return XL_OK;
    }
    return XL_OK;
}

enum xl_status xl_sampler_find(const char *name, bool is_edm, struct xl_sampler_choice *out,
                               struct xl_err *err) {
    struct xl_sampler_choice choice = {xl_sampler_of_class(name, false), false, XL_SIGMA_PLAIN};
    bool is_class = choice.sampler;
    enum xl_status status = XL_OK;
    if (is_edm && !is_class) status = find_in(edm_samplers, N_EDM_SAMPLERS, name, &choice, err);
    bool has_edm = is_edm && !is_class && choice.sampler;
    if (!status && !is_class && !has_edm)
        status = find_in(samplers, N_SAMPLERS, name, &choice, err);
    if (status) return status;
    if (!choice.sampler) return unknown_name(name, err);
    bool is_found_edm = xl_class_is_edm(choice.sampler->class);
    if (is_found_edm && !is_edm)
        return xl_fail(err, XL_EINVAL,
                       "scheduler \"%s\" is for EDM models (Playground v2.5, CosXL) only; this "
                       "model is none",
                       name);
    if (is_found_edm != is_edm) choice.sampler = NULL;
    *out = choice;
    return XL_OK;
}

enum xl_status xl_scheduler_check_name(const char *name, struct xl_err *err) {
    struct xl_sampler_choice choice;
    if (!strcmp(name, xl_scheduler_list(0))) return XL_OK; /* the model's own */
    if (xl_sampler_of_class(name, false)) return XL_OK;    /* of EDM models, too */
    return xl_sampler_find(name, false, &choice, err);
}

const struct xl_sampler *xl_sampler_of_class(const char *class_name, bool is_sde) {
    for (int i = 0; i < N_SAMPLERS; i++)
        if (!strcmp(samplers[i].class->name, class_name) && samplers[i].is_sde == is_sde)
            return &samplers[i];
    for (int i = 0; i < N_EDM_SAMPLERS; i++)
        if (!strcmp(edm_samplers[i].class->name, class_name) && edm_samplers[i].is_sde == is_sde)
            return &edm_samplers[i];
    return NULL;
}

const char *xl_scheduler_name(const struct xl_scheduler_config *config) {
    return config->sampler->names[config->sigma_spacing];
}

const char *xl_scheduler_class(const struct xl_scheduler_config *config) {
    return config->sampler->class->name;
}

const char *xl_scheduler_a1111_name(const struct xl_scheduler_config *config) {
    return config->sampler->a1111_name;
}

const char *xl_scheduler_list(int i) {
    if (i == 0) return "default";
    int n = 1;
    for (int k = 0; k < N_SAMPLERS; k++)
        for (int s = 0; s < XL_N_SIGMA_SPACINGS; s++)
            if (samplers[k].names[s] && n++ == i) return samplers[k].names[s];
    return NULL;
}
