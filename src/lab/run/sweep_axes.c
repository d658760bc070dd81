/* sweep_axes.c - the axes of a sweep: read, contradictions told, every value checked before
 * anything is drawn. For planning alone.
 */
#include "lab/run/sweep_plan.h"

#include "base/clock.h"
#include "base/str.h"
#include "sampler/sampler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static bool is_named(const struct xl_axis *axis, const char *name) {
    return !strcmp(axis->option->name, name);
}

const struct xl_axis *xl_sweep_axis_of(const struct xl_sweep_plan *plan, const char *name) {
    for (int i = 0; i < plan->n_axes; i++)
        if (is_named(&plan->axes[i], name)) return &plan->axes[i];
    return NULL;
}

/* --- Reading ---------------------------------------------------------------------------------- */

static enum xl_status add_axis(struct xl_sweep_plan *plan, const char *text,
                               const struct xl_axis_places *places, struct xl_err *err) {
    struct xl_axis axis;
    enum xl_status status = xl_axis_parse(text, places, &plan->sweep->arena, &axis, err);
    if (status) return status;
    if (plan->n_axes == XL_MAX_AXES)
        return xl_fail(err, XL_EINVAL, "--sweep: more than %d axes", XL_MAX_AXES);
    if (xl_sweep_axis_of(plan, axis.option->name))
        return xl_fail(err, XL_EINVAL,
                       "--sweep: there are two axes of %s; put all its values into one",
                       axis.option->name);
    plan->axes[plan->n_axes++] = axis;
    return XL_OK;
}

enum xl_status xl_sweep_axis_fill(struct xl_sweep_plan *plan, struct xl_axis *axis,
                                  struct xl_err *err) {
    int n = xl_profiles_count(plan->sweep->profiles);
    size_t bytes = (size_t)n * sizeof(const char *);
    const char **names = xl_arena_alloc(&plan->sweep->arena, bytes);
    const char **places = xl_arena_alloc(&plan->sweep->arena, bytes);
    if (!names || !places) return xl_fail_nomem(err, "profiles", bytes);
    for (int i = 0; i < n; i++) names[i] = xl_profiles_at(plan->sweep->profiles, i)->name;
    axis->values = names;
    axis->places = places;
    axis->n = n;
    return XL_OK;
}

enum xl_status xl_sweep_axes_collect(struct xl_sweep_plan *plan, struct xl_err *err) {
    const struct xl_settings *settings = plan->settings;
    char first[XL_SAY_MAX], second[XL_SAY_MAX];
    if (settings->all_profiles && settings->all_models)
        return xl_fail(
            err, XL_EINVAL,
            "%s and %s exclude each other: all models are drawn with all profiles anyway; "
            "set one of them",
            xl_settings_say(settings, "all-profiles", first),
            xl_settings_say(settings, "all-models", second));
    enum xl_status status = XL_OK;
    plan->sweep->kind = settings->compares ? XL_KIND_COMPARE : "sweep";
    if (settings->all_profiles) plan->sweep->kind = "multi_profiles";
    if (settings->all_models) {
        plan->sweep->kind = "all_models_profiles";
        status = add_axis(plan, "model=all", NULL, err);
    }
    if (!status && (settings->all_models || settings->all_profiles))
        status = add_axis(plan, "profile=all", NULL, err);
    for (int i = 0; !status && i < settings->sweep.n; i++)
        status = add_axis(plan, settings->sweep.item[i], settings->sweep_places[i], err);
    plan->sweep->is_grid = plan->n_axes > 0;
    return status;
}

/* --- Contradictions --------------------------------------------------------------------------- */

/* The profile that changes nothing contradicts no other: containers pass it on. */
static bool says_nothing(const struct xl_sweep_plan *plan, const struct xl_option *option) {
    const struct xl_profile *profile = NULL;
    if (strcmp(option->name, "profile") != 0) return false;
    return !xl_profiles_find(plan->sweep->profiles, plan->settings->profile, &profile, NULL) &&
           xl_profile_is_raw(profile);
}

/* Who asks for all of something. */
static const char *who_asks(const struct xl_sweep_plan *plan, const struct xl_axis *axis,
                            char out[XL_SAY_MAX]) {
    if (plan->settings->all_models) return xl_settings_say(plan->settings, "all-models", out);
    if (is_named(axis, "model")) return "--sweep model=all";
    return plan->settings->all_profiles ? xl_settings_say(plan->settings, "all-profiles", out)
                                        : "--sweep profile=all";
}

/* An option beside an axis of its own: what is swept counts, and a line says so. A single choice
 * beside "all" is refused: it may stand for hours of pictures that nobody wants. */
static enum xl_status settle(struct xl_sweep_plan *plan, const struct xl_axis *axis,
                             const char *name, struct xl_err *err) {
    const struct xl_option *option = xl_option_find(name);
    char said[XL_SAY_MAX], all[XL_SAY_MAX];
    if (!xl_settings_is_given(plan->settings, name) || says_nothing(plan, option)) return XL_OK;
    xl_settings_say(plan->settings, name, said);
    if (axis->is_all)
        return xl_fail(err, XL_EINVAL, "%s draws every %s, and %s names one: leave one of them out",
                       who_asks(plan, axis, all), name, said);
    xl_str_printf(&plan->sweep->notices, "--sweep %s counts, and %s does not\n", axis->option->name,
                  said);
    return XL_OK;
}

/* Values of --size that --width and --height would come before. */
static enum xl_status settle_size(struct xl_sweep_plan *plan, const struct xl_axis *axis,
                                  struct xl_err *err) {
    static const char *const sides[] = {"width", "height"};
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < 2; i++) {
        if (xl_sweep_axis_of(plan, sides[i]))
            return xl_fail(err, XL_EINVAL,
                           "--sweep size and --sweep %s exclude each other: a size has both sides",
                           sides[i]);
        if (i ? plan->settings->height : plan->settings->width)
            status = settle(plan, axis, sides[i], err);
    }
    return status;
}

enum xl_status xl_sweep_axis_check_init(const struct xl_sweep_plan *plan,
                                        const struct xl_axis *axis, struct xl_err *err) {
    const struct xl_settings *settings = plan->settings;
    char said[XL_SAY_MAX];
    if (!is_named(axis, "strength") && !is_named(axis, "init-image")) return XL_OK;
    if (settings->mode == XL_MODE_TXT2IMG)
        return xl_fail(err, XL_EINVAL,
                       "--sweep %s changes nothing with %s txt2img, which starts from no picture; "
                       "leave one of them out",
                       axis->option->name, xl_settings_say(settings, "mode", said));
    bool has_init = settings->init_image && settings->init_image[0];
    if (has_init || xl_sweep_axis_of(plan, "init-image")) return XL_OK;
    return xl_fail(err, XL_EINVAL, "--sweep %s changes nothing without %s, a picture to start from",
                   axis->option->name, xl_settings_say(settings, "init-image", said));
}

static enum xl_status check_contradictions(struct xl_sweep_plan *plan, struct xl_err *err) {
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < plan->n_axes; i++) {
        const struct xl_axis *axis = &plan->axes[i];
        status = settle(plan, axis, axis->option->name, err);
        if (!status && is_named(axis, "size")) status = settle_size(plan, axis, err);
        if (!status) status = xl_sweep_axis_check_init(plan, axis, err);
    }
    return status;
}

/* --- Random seeds ----------------------------------------------------------------------------- */

static uint64_t random_seed(void) {
    uint32_t seed; /* 32 bits: what other tools can enter as a seed */
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed) seed = (uint32_t)(xl_now_s() * 1e6);
    return seed;
}

/* Each seed's pictures are others than those of the ones before. */
static uint64_t fresh_seed(const struct xl_sweep_plan *plan) {
    const struct xl_sweep *sweep = plan->sweep;
    uint64_t batch = (uint64_t)plan->settings->batch, seed = 0;
    for (bool is_taken = true; is_taken;) {
        seed = random_seed();
        is_taken = false;
        for (int i = 0; i < sweep->n_random; i++)
            is_taken |= seed - sweep->random[i] < batch || sweep->random[i] - seed < batch;
    }
    return seed;
}

enum xl_status xl_sweep_axis_draw_seeds(struct xl_sweep_plan *plan, struct xl_axis *axis,
                                        struct xl_err *err) {
    struct xl_sweep *sweep = plan->sweep;
    const char **values = xl_arena_alloc(&sweep->arena, (size_t)axis->n * sizeof *values + 1);
    int n = 0;
    for (int i = 0; i < axis->n; i++) n += axis->values[i] && !strcmp(axis->values[i], "-1");
    sweep->random = xl_arena_alloc(&sweep->arena, (size_t)(n + 1) * sizeof *sweep->random);
    if (!sweep->random || !values) return xl_fail_nomem(err, "seeds", 0);
    for (int i = 0; i < axis->n; i++) {
        values[i] = axis->values[i];
        if (!values[i] || strcmp(values[i], "-1") != 0) continue;
        uint64_t seed = fresh_seed(plan);
        values[i] = xl_arena_printf(&sweep->arena, "%llu", (unsigned long long)seed);
        if (!values[i]) return xl_fail_nomem(err, "seeds", 0);
        sweep->random[sweep->n_random++] = seed;
    }
    axis->values = values;
    return XL_OK;
}

/* Seeds that nobody chose are drawn here, once; the request says them from then on, so that who
 * extends the run finds them. */
static enum xl_status choose_seeds(struct xl_sweep_plan *plan, struct xl_err *err) {
    struct xl_settings *settings = plan->settings;
    struct xl_axis none = {.n = 0}, *axis = (struct xl_axis *)xl_sweep_axis_of(plan, "seed");
    bool is_wanted = !axis; /* beside the axis */
    for (int i = 0; axis && i < axis->n; i++) is_wanted |= !axis->values[i];
    enum xl_status status = xl_sweep_axis_draw_seeds(plan, axis ? axis : &none, err);
    if (status || settings->has_seed || !is_wanted) return status;
    settings->seed = fresh_seed(plan);
    settings->has_seed = true;
    plan->sweep->random[plan->sweep->n_random++] = settings->seed;
    settings->given |= xl_option_bit(xl_option_find("seed"));
    return XL_OK;
}

/* The request says what was read from files and drawn at random: files may be gone later. */
static enum xl_status settle_request(struct xl_sweep_plan *plan, struct xl_err *err) {
    struct xl_settings *settings = plan->settings;
    for (int i = 0; i < settings->sweep.n; i++) {
        const struct xl_axis *axis = &plan->axes[plan->n_axes - settings->sweep.n + i];
        const char *values = strchr(settings->sweep.item[i], '=') + 1;
        bool is_file = values[0] == '@', is_seed = is_named(axis, "seed") && strstr(values, "-1");
        if (!is_file && !is_seed) continue;
        settings->sweep.item[i] = xl_axis_text(axis, &plan->sweep->arena);
        if (!settings->sweep.item[i]) return xl_fail_nomem(err, "an axis", 0);
    }
    return XL_OK;
}

enum xl_status xl_sweep_axes_read(struct xl_sweep_plan *plan, struct xl_err *err) {
    enum xl_status status = xl_sweep_axes_collect(plan, err);
    if (!status) status = check_contradictions(plan, err);
    plan->model_axis = xl_sweep_axis_of(plan, "model");
    for (int i = 0; !status && i < plan->n_axes; i++)
        if (plan->axes[i].is_all && &plan->axes[i] != plan->model_axis)
            status = xl_sweep_axis_fill(plan, &plan->axes[i], err);
    if (!status) status = choose_seeds(plan, err);
    return status ? status : settle_request(plan, err);
}

/* --- Values ----------------------------------------------------------------------------------- */

enum xl_status xl_sweep_init_find(struct xl_sweep_plan *plan, const char *path,
                                  const struct xl_sweep_init **out, struct xl_err *err) {
    for (int i = 0; i < plan->n_inits; i++)
        if (!strcmp(plan->inits[i].path, path)) return *out = &plan->inits[i], XL_OK;
    struct xl_image image = {0};
    const char *kept = NULL;
    enum xl_status status = xl_init_read(path, &image, &kept, &plan->sweep->arena, err);
    if (status) return status;
    struct xl_sweep_init *grown =
        realloc(plan->inits, (size_t)(plan->n_inits + 1) * sizeof *plan->inits);
    int width = image.width, height = image.height;
    xl_image_free(&image);
    if (!grown) return xl_fail_nomem(err, "init images", 0);
    plan->inits = grown;
    grown[plan->n_inits] = (struct xl_sweep_init){path, kept, width, height};
    *out = &grown[plan->n_inits++];
    return XL_OK;
}

static enum xl_status check_profile(struct xl_sweep_plan *plan, const char *text,
                                    struct xl_err *err) {
    const struct xl_profile *stack[XL_MAX_STACK];
    int n;
    return xl_profiles_parse_stack(plan->sweep->profiles, text, stack, XL_MAX_STACK, &n, err);
}

/* Sides suit every model that is drawn. */
static enum xl_status check_sides(const struct xl_sweep_plan *plan, int width, int height,
                                  struct xl_err *err) {
    for (int m = 0; m < plan->sweep->n_models; m++) {
        const struct xl_sweep_model *model = &plan->sweep->models[m];
        if (model->skipped || !model->unit) continue;
        int wrong = width % model->unit ? width : height % model->unit ? height : 0;
        if (wrong)
            return xl_fail(err, XL_EINVAL, "a side of %d; expected a multiple of %d", wrong,
                           model->unit);
    }
    return XL_OK;
}

static enum xl_status check_size(struct xl_sweep_plan *plan, const char *text, struct xl_err *err) {
    int width, height;
    enum xl_status status = xl_presets_find(plan->presets, text, &width, &height, err);
    return status ? status : check_sides(plan, width, height, err);
}

static enum xl_status check_side(struct xl_sweep_plan *plan, const char *text, struct xl_err *err) {
    return check_sides(plan, atoi(text), 0, err);
}

static enum xl_status check_scheduler(struct xl_sweep_plan *plan, const char *text,
                                      struct xl_err *err) {
    (void)plan;
    return xl_scheduler_check_name(text, err);
}

static enum xl_status check_picture(struct xl_sweep_plan *plan, const char *text,
                                    struct xl_err *err) {
    const struct xl_sweep_init *init;
    if (!text[0]) return XL_OK; /* without a picture */
    return xl_sweep_init_find(plan, text, &init, err);
}

enum xl_status xl_sweep_axes_check(struct xl_sweep_plan *plan, struct xl_err *err) {
    static const struct {
        const char *name; /* of the options whose values the option itself cannot judge */
        enum xl_status (*check)(struct xl_sweep_plan *plan, const char *text, struct xl_err *err);
    } checks[] = {
        {"profile", check_profile},
        {"size", check_size},
        {"width", check_side},
        {"height", check_side},
        {"scheduler", check_scheduler},
        {"init-image", check_picture},
        {"lora", xl_sweep_variant_check_lora},
        {"vae", xl_sweep_variant_check_vae},
    };
    for (int a = 0; a < plan->n_axes; a++)
        for (size_t k = 0; k < sizeof checks / sizeof *checks; k++)
            for (int i = plan->n_old[a];
                 is_named(&plan->axes[a], checks[k].name) && i < plan->axes[a].n; i++) {
                const char *value = plan->axes[a].values[i];
                enum xl_status status = value ? checks[k].check(plan, value, err) : XL_OK;
                if (status) return xl_axis_fail(&plan->axes[a], i, status, err);
            }
    return XL_OK;
}
