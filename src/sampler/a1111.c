/* a1111.c - what that program knows of a sampler beside its name. Keeps no state.
 * Source: AUTOMATIC1111 stable-diffusion-webui, modules/sd_samplers_kdiffusion.py,
 * sd_samplers_timesteps.py and sd_schedulers.py. */
#include "sampler/a1111.h"

#include "base/str.h"
#include "sampler/draft.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *ours;
    const char *aliases[XL_A1111_ALIASES];
    enum xl_sigma_spacing automatic;
    double eta;
} rows[] = {
    {"dpmpp-2m", {"k_dpmpp_2m"}, XL_SIGMA_KARRAS, (double)NAN},
    {"dpmpp-2m-sde", {"k_dpmpp_2m_sde"}, XL_SIGMA_EXPONENTIAL, 1},
    {"euler-a", {"k_euler_a", "k_euler_ancestral"}, XL_SIGMA_PLAIN, 1},
    {"euler", {"k_euler"}, XL_SIGMA_PLAIN, (double)NAN},
    {"heun", {"k_heun"}, XL_SIGMA_PLAIN, (double)NAN},
    {"ddim", {"ddim"}, XL_SIGMA_PLAIN, 0},
    {"pndm", {"plms"}, XL_SIGMA_PLAIN, (double)NAN},
    {"unipc", {"unipc"}, XL_SIGMA_PLAIN, (double)NAN},
    {"lcm", {"k_lcm"}, XL_SIGMA_PLAIN, (double)NAN},
    {"deis", {NULL}, XL_SIGMA_PLAIN, (double)NAN}, /* that program has neither this one */
    {"ddpm", {NULL}, XL_SIGMA_PLAIN, (double)NAN}, /* nor this one */
};
enum { N_ROWS = sizeof rows / sizeof *rows };

static const struct {
    struct xl_a1111_schedule is;
    enum xl_sigma_spacing spacing;
} schedules[] = {
    {{"automatic", "Automatic", 0}, XL_N_SIGMA_SPACINGS},
    {{"uniform", "Uniform", 0}, XL_SIGMA_PLAIN},
    {{"normal", "Normal", 0}, XL_SIGMA_PLAIN}, /* the same timesteps there, too */
    {{"karras", "Karras", 7}, XL_SIGMA_KARRAS},
    {{"exponential", "Exponential", 0}, XL_SIGMA_EXPONENTIAL},
    {{"beta", "Beta", 0}, XL_SIGMA_BETA},
};
enum { N_SCHEDULES = sizeof schedules / sizeof *schedules };

static int row_of(const struct xl_sampler *sampler) {
    int i = 0;
    while (i < N_ROWS && strcmp(rows[i].ours, sampler->names[XL_SIGMA_PLAIN]) != 0) i++;
    return i;
}

static void describe(const struct xl_sampler *sampler, int i, struct xl_a1111_sampler *out) {
    *out = (struct xl_a1111_sampler){
        .name = sampler->a1111_name, .automatic = rows[i].automatic, .eta = rows[i].eta};
    memcpy(out->aliases, rows[i].aliases, sizeof out->aliases);
}

bool xl_a1111_sampler_at(int i, struct xl_a1111_sampler *out) {
    struct xl_sampler_choice choice;
    if (i < 0 || i >= N_ROWS || xl_sampler_find(rows[i].ours, false, &choice, NULL)) return false;
    describe(choice.sampler, i, out);
    return true;
}

const struct xl_a1111_schedule *xl_a1111_schedule_at(int i) {
    return i >= 0 && i < N_SCHEDULES ? &schedules[i].is : NULL;
}

static int find_schedule(const char *name) {
    int i = 0;
    if (!name || !name[0]) return 0;
    while (i < N_SCHEDULES && strcmp(schedules[i].is.name, name) != 0 &&
           strcmp(schedules[i].is.label, name) != 0)
        i++;
    return i;
}

static enum xl_status refuse_sampler(const char *name, struct xl_err *err) {
    struct xl_a1111_sampler known;
    struct xl_str list = {0};
    for (int i = 0; xl_a1111_sampler_at(i, &known); i++)
        xl_str_printf(&list, "%s%s", i ? ", " : "", known.name);
    enum xl_status status = xl_fail(err, XL_EINVAL, "Sampler not found: \"%.60s\"; there are %s",
                                    name, list.text ? list.text : "others");
    xl_str_deinit(&list);
    return status;
}

static enum xl_status refuse_schedule(const char *name, const struct xl_sampler *sampler,
                                      struct xl_err *err) {
    struct xl_str list = {0};
    for (int i = 0; i < N_SCHEDULES; i++)
        if (!i || sampler->names[schedules[i].spacing])
            xl_str_printf(&list, "%s%s", i ? ", " : "", schedules[i].is.name);
    enum xl_status status = xl_fail(err, XL_EINVAL,
                                    "Scheduler not found: \"%.60s\"; with %s there are %s", name,
                                    sampler->a1111_name, list.text ? list.text : "others");
    xl_str_deinit(&list);
    return status;
}

const struct xl_a1111_schedule *xl_a1111_schedule_of(enum xl_sigma_spacing spacing) {
    for (int i = 0; i < N_SCHEDULES; i++)
        if (schedules[i].spacing == spacing && spacing != XL_SIGMA_PLAIN) return &schedules[i].is;
    return NULL;
}

/* Where automatic means something else than the plain steps, these are said to be uniform. Lu's
 * sigmas have no name there; an EDM model's are spaced by itself. */
const char *xl_scheduler_a1111_schedule(const struct xl_scheduler_config *config) {
    const struct xl_a1111_schedule *spaced = xl_a1111_schedule_of(config->sigma_spacing);
    int row = row_of(config->sampler);
    bool is_plain = config->sigma_spacing == XL_SIGMA_PLAIN;
    bool is_said = is_plain && row < N_ROWS && rows[row].automatic != XL_SIGMA_PLAIN &&
                   !xl_class_is_edm(config->sampler->class);
    return spaced ? spaced->label : schedules[is_said ? 1 : 0].is.label;
}

enum xl_status xl_a1111_choose(const char *sampler, const char *schedule,
                               struct xl_a1111_choice *out, struct xl_err *err) {
    struct xl_sampler_choice found;
    struct xl_err why = {0};
    enum xl_status status = xl_sampler_find(sampler, false, &found, &why);
    int row = status || !found.sampler ? N_ROWS : row_of(found.sampler);
    out->is_schedule = false;
    if (row == N_ROWS) return refuse_sampler(sampler, err);
    int i = find_schedule(schedule);
    enum xl_sigma_spacing spacing = found.has_spacing ? found.spacing
                                    : i == 0          ? rows[row].automatic
                                    : i < N_SCHEDULES ? schedules[i].spacing
                                                      : XL_N_SIGMA_SPACINGS;
    out->is_schedule = spacing == XL_N_SIGMA_SPACINGS || !found.sampler->names[spacing];
    if (out->is_schedule) return refuse_schedule(schedule, found.sampler, err);
    describe(found.sampler, row, &out->sampler);
    out->name = found.sampler->names[spacing];
    return XL_OK;
}
