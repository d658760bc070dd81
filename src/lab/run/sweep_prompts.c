/* sweep_prompts.c - prompts that are templates (--prompt-generator dynamic): what the seed of a
 * cell makes of them. For planning alone.
 */
#include "lab/run/sweep_plan.h"

#include "base/file.h"
#include "lab/data/data.h"
#include "prompts/dynamic.h"

#include <string.h>

bool xl_sweep_prompts_vary(const struct xl_settings *settings) {
    return settings->prompt_generator == XL_PROMPTS_DYNAMIC;
}

/* The folders that were said, else a person's own, which there need not be. */
static enum xl_status open_wildcards(struct xl_sweep_plan *plan, struct xl_err *err) {
    const struct xl_list *said = &plan->settings->wildcards;
    const char *config = said->n ? NULL : xl_config_dir(&plan->sweep->arena);
    const char *own = config ? xl_arena_printf(&plan->sweep->arena, "%s/wildcards", config) : NULL;
    int n_own = own && xl_dir_exists(own);
    if (plan->wildcards) return XL_OK;
    return xl_wildcards_open(said->n ? said->item : &own, said->n ? said->n : n_own,
                             &plan->sweep->notices, &plan->wildcards, err);
}

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
    if (status)
        return xl_fail_context(err, status, "--%s \"%.40s%s\"", of->option, said,
                               strlen(said) > 40 ? "..." : "");
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
    if (!xl_sweep_prompts_vary(plan->settings)) return XL_OK;
    enum xl_status status = open_wildcards(plan, err);
    for (size_t i = 0; !status && i < sizeof texts / sizeof *texts; i++)
        status = make(plan, cell->seed, &texts[i], err);
    return status;
}
