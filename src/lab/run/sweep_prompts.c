/* sweep_prompts.c - prompts that are templates (--prompt-generator dynamic): what the seed of a
 * cell makes of them. For planning alone.
 */
#include "lab/run/sweep_plan.h"

#include "base/file.h"
#include "lab/data/data.h"
#include "prompts/dynamic.h"

#include <string.h>

enum xl_status xl_settings_wildcards(const struct xl_settings *settings, struct xl_arena *arena,
                                     struct xl_str *notices, struct xl_wildcards **out,
                                     struct xl_err *err) {
    const struct xl_list *said = &settings->wildcards;
    const char *config = said->n ? NULL : xl_config_dir(arena);
    const char *own = config ? xl_arena_printf(arena, "%s/wildcards", config) : NULL;
    int n_own = own && xl_dir_exists(own);
    return xl_wildcards_open(said->n ? said->item : &own, said->n ? said->n : n_own, notices, out,
                             err);
}

static enum xl_status open_wildcards(struct xl_sweep_plan *plan, struct xl_err *err) {
    if (plan->wildcards) return XL_OK;
    return xl_settings_wildcards(plan->settings, &plan->sweep->arena, &plan->sweep->notices,
                                 &plan->wildcards, err);
}

static enum xl_status in_template(const char *option, const char *text, enum xl_status status,
                                  struct xl_err *err) {
    return xl_fail_context(err, status, "--%s \"%.40s%s\"", option, text,
                           strlen(text) > 40 ? "..." : "");
}

/* --- All texts -------------------------------------------------------------------------------- */

static enum xl_status list_texts(struct xl_sweep_plan *plan, struct xl_sweep_texts *texts,
                                 struct xl_err *err) {
    const struct xl_settings *settings = plan->settings;
    const struct xl_dynamic dynamic = {plan->wildcards, settings->seed, 0, &plan->sweep->notices};
    int most = settings->yes ? XL_MAX_CELLS : XL_MANY_CELLS;
    bool is_all = true;
    enum xl_status status = xl_dynamic_all(&dynamic, texts->from, most, &plan->sweep->arena,
                                           &texts->text, &texts->n, &is_all, err);
    if (!status && !is_all)
        status = xl_fail(err, XL_EINVAL, "it makes more than %d prompts%s", most,
                         settings->yes ? "; --prompt-generator dynamic chooses some"
                                       : "; if that is meant, say --yes");
    return status ? in_template("prompt", texts->from, status, err) : XL_OK;
}

enum xl_status xl_sweep_prompts_all(struct xl_sweep_plan *plan, const char *from,
                                    const struct xl_sweep_texts **out, struct xl_err *err) {
    for (*out = plan->texts; *out; *out = (*out)->next)
        if (!strcmp((*out)->from, from)) return XL_OK;
    struct xl_sweep_texts *texts = xl_arena_alloc(&plan->sweep->arena, sizeof *texts);
    const char **one = xl_arena_alloc(&plan->sweep->arena, sizeof *one);
    if (!texts || !one) return xl_fail_nomem(err, "prompts", 0);
    *one = from;
    *texts = (struct xl_sweep_texts){from, one, 1, plan->texts};
    enum xl_status status = open_wildcards(plan, err);
    if (!status && from[0]) status = list_texts(plan, texts, err);
    if (!status) *out = plan->texts = texts;
    return status;
}

/* --- One text --------------------------------------------------------------------------------- */

/* The texts of a cell that may be templates, each with choices of its own. */
struct text {
    const char *option;
    uint64_t stream;
    const char **text, **from; /* *from: the template, where it is one */
};

static enum xl_status make(struct xl_sweep_plan *plan, uint64_t seed, const struct text *of,
                           struct xl_err *err) {
    const struct xl_dynamic dynamic = {plan->wildcards, seed, of->stream, &plan->sweep->notices};
    const char *said = *of->text, *made = NULL;
    if (!said || !said[0]) return XL_OK;
    enum xl_status status = xl_dynamic_draw(&dynamic, said, &plan->sweep->arena, &made, err);
    if (status) return in_template(of->option, said, status, err);
    if (strcmp(made, said) != 0) *of->from = said;
    *of->text = made;
    return XL_OK;
}

enum xl_status xl_sweep_prompts_make(struct xl_sweep_plan *plan, struct xl_cell *cell,
                                     struct xl_err *err) {
    const struct text texts[] = {
        {"prompt", 0, &cell->prompt, &cell->prompt_template},
        {"negative", 1, &cell->negative, &cell->negative_template},
    };
    if (plan->settings->prompt_generator == XL_PROMPTS_AS_THEY_STAND) {
        cell->prompt_template = plan->prompt_template;
        return XL_OK;
    }
    enum xl_status status = open_wildcards(plan, err);
    bool is_made = plan->settings->prompt_generator == XL_PROMPTS_COMBINATIONS;
    if (is_made) cell->prompt_template = plan->prompt_template;
    for (size_t i = is_made; !status && i < sizeof texts / sizeof *texts; i++)
        status = make(plan, cell->seed, &texts[i], err);
    return status;
}
