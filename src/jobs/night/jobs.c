/* jobs.c - deciding jobs, and planning them. */
#include "jobs/night/jobs.h"

#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "jobs/night/lots.h"
#include "lab/data/names.h"
#include "lab/data/themes.h"
#include "lab/settings/decided.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

struct theme {
    struct xl_grammar *grammar;
    struct xl_sequence *sequence;
};

struct xl_night_source {
    const struct xl_night_config *config;
    uint64_t seed;
    int64_t next; /* number of the next job */
    struct xl_learned *learned;
    struct xl_night_urn *urn;
    struct theme *themes; /* [n_themes] */
    int n_themes;
};

void xl_night_job_deinit(struct xl_night_job *job) {
    json_decref(job->settings);
    free(job->prompt_template);
    *job = (struct xl_night_job){.number = 0};
}

struct xl_settings xl_night_defaults(const struct xl_night_config *config) {
    struct xl_settings settings = config->settings;
    settings.has_seed = false;
    settings.given &= ~xl_option_bit(xl_option_find("seed"));
    return settings;
}

/* --- What is allowed -------------------------------------------------------------------------- */

static bool is_allowed(const struct xl_night_texts *texts, const char *value) {
    for (int i = 0; i < texts->n; i++)
        if (xl_name_matches(texts->item[i], value)) return true;
    return !texts->n;
}

/* What a grammar decides is allowed. */
static enum xl_status check_grammar(const struct xl_night_config *config, int i,
                                    const struct xl_grammar *grammar, struct xl_err *err) {
    for (int s = 0; s < grammar->n_settings; s++)
        for (int lot = 0; lot < XL_NIGHT_LOTS; lot++) {
            const struct xl_grammar_setting *setting = &grammar->settings[s];
            if (strcmp(setting->name, xl_night_lots[lot].option) != 0) continue;
            for (int v = 0; v < setting->n; v++) {
                struct xl_err why;
                if (is_allowed(xl_night_allowed(config, lot), setting->values[v])) continue;
                xl_fail(&why, XL_EINPUT,
                        "%.60s decides the %s \"%.80s\", which is not among %s; add it there, or "
                        "take it out of the grammar",
                        config->prompts.item[i], xl_night_lots[lot].option, setting->values[v],
                        xl_night_lots[lot].key);
                return xl_night_config_fail_at(config, "prompts", config->prompts.place[i],
                                               why.text, err);
            }
        }
    return XL_OK;
}

static enum xl_status check_jobs(const struct xl_night_config *config, struct xl_err *err) {
    for (size_t i = 0; i < json_array_size(config->jobs); i++)
        for (int lot = 0; lot < XL_NIGHT_LOTS; lot++) {
            const json_t *job = json_array_get(config->jobs, i);
            const char *value = json_string_value(json_object_get(job, xl_night_lots[lot].option));
            struct xl_err why;
            if (!value || is_allowed(xl_night_allowed(config, lot), value)) continue;
            xl_fail(&why, XL_EINPUT, "\"%.80s\" is not among %s; add it there, or take another",
                    value, xl_night_lots[lot].key);
            return xl_night_config_fail_at(
                config, xl_night_lots[lot].option,
                xl_yaml_value_place(&config->places, job, xl_night_lots[lot].option, 0), why.text,
                err);
        }
    return XL_OK;
}

/* --- Opening ---------------------------------------------------------------------------------- */

static enum xl_status open_theme(struct xl_night_source *source, int i, struct xl_err *err) {
    const struct xl_night_config *config = source->config;
    struct theme *theme = &source->themes[i];
    struct xl_err why = {0};
    enum xl_status status =
        xl_theme_load(config->prompts.item[i], source->learned, &theme->grammar, &why);
    if (status == XL_EINPUT && !strstr(why.text, ".yaml:") && !strstr(why.text, ".json:"))
        return xl_night_config_fail_at(config, "prompts", config->prompts.place[i], why.text, err);
    if (status) return xl_fail(err, status, "%s", why.text);
    source->n_themes = i + 1;
    status = xl_decided_check(theme->grammar, err);
    if (!status) status = check_grammar(config, i, theme->grammar, err);
    if (!status)
        status = xl_sequence_new(theme->grammar, source->seed + (uint64_t)i, &theme->sequence, err);
    return status;
}

/* What favourites taught has no file: whoever knows them lays it into the configuration. */
static enum xl_status open_learned(struct xl_night_source *source, struct xl_err *err) {
    const struct xl_night_config *config = source->config;
    if (!config->learn_from) return XL_OK;
    if (config->learned)
        return xl_learned_new(XL_LEARNED_FAVOURITES, json_incref(config->learned), &source->learned,
                              err);
    if (!xl_learned_is_favourites(config->learn_from))
        return xl_learned_load(config->learn_from, &source->learned, err);
    return xl_fail(err, XL_EINTERNAL, "%s: favourites were not looked at", config->path);
}

enum xl_status xl_night_source_open(const struct xl_night_config *config, uint64_t seed,
                                    struct xl_night_source **out, struct xl_err *err) {
    struct xl_night_source *source = calloc(1, sizeof *source);
    if (!source) return xl_fail_nomem(err, "a list of jobs", sizeof *source);
    source->config = config;
    source->seed = seed;
    source->themes = calloc((size_t)config->prompts.n + 1, sizeof *source->themes);
    enum xl_status status = source->themes ? XL_OK : xl_fail_nomem(err, "a list of jobs", 0);
    if (!status) status = check_jobs(config, err);
    if (!status) status = open_learned(source, err);
    if (!status) status = xl_night_urn_new(config, seed, source->learned, &source->urn, err);
    for (int i = 0; !status && i < config->prompts.n; i++) status = open_theme(source, i, err);
    if (status)
        xl_night_source_close(source);
    else
        *out = source;
    return status;
}

void xl_night_source_close(struct xl_night_source *source) {
    if (!source) return;
    for (int i = 0; i < source->n_themes; i++) {
        xl_sequence_free(source->themes[i].sequence);
        xl_grammar_free(source->themes[i].grammar);
    }
    free(source->themes);
    xl_night_urn_free(source->urn);
    xl_learned_free(source->learned);
    free(source);
}

uint64_t xl_night_seed(const struct xl_night_config *config) {
    uint32_t seed; /* short enough to be typed */
    if (config->settings.has_seed) return config->settings.seed;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed) seed = (uint32_t)time(NULL);
    return seed;
}

/* --- One job ---------------------------------------------------------------------------------- */

/* Job k of those that grammars make. */
static enum xl_status make_job(struct xl_night_source *source, int64_t k, struct xl_night_job *out,
                               struct xl_err *err) {
    struct theme *theme = &source->themes[k % source->n_themes];
    const struct xl_prompt_text *text;
    enum xl_status status = xl_sequence_next(theme->sequence, &text, err);
    if (status) return status;
    out->settings = xl_decided_job(theme->grammar, theme->sequence, text);
    out->prompt_template = strdup(text->parts[0].entry->name);
    if (!out->settings || !out->prompt_template) return xl_fail_nomem(err, "a job", 0);
    return XL_OK;
}

enum xl_status xl_night_source_next(struct xl_night_source *source, struct xl_night_job *out,
                                    bool *is_there, struct xl_err *err) {
    const struct xl_night_config *config = source->config;
    int64_t n_own = (int64_t)json_array_size(config->jobs), number = source->next;
    bool is_prompt = !config->prompts.n && xl_settings_is_given(&config->settings, "prompt");
    enum xl_status status = XL_OK;
    bool ok = true;
    *out = (struct xl_night_job){.number = number};
    *is_there = number < n_own || source->n_themes || is_prompt;
    if (!*is_there) return XL_OK;
    xl_json_watch();
    if (number < n_own)
        out->settings = json_copy(json_array_get(config->jobs, (size_t)number));
    else if (source->n_themes)
        status = make_job(source, number - n_own, out, err);
    else
        out->settings = json_object();
    if (!status && out->settings) xl_night_urn_draw(source->urn, number, out->settings, &ok);
    if (!status && (!out->settings || !ok || xl_json_ran_out()))
        status = xl_fail_nomem(err, "a job", 0);
    if (status)
        xl_night_job_deinit(out);
    else
        source->next++;
    return status;
}

enum xl_status xl_night_source_skip(struct xl_night_source *source, int64_t n, struct xl_err *err) {
    int64_t n_own = (int64_t)json_array_size(source->config->jobs);
    const struct xl_prompt_text *text;
    for (int64_t end = source->next + n; source->next < end; source->next++) {
        int64_t k = source->next - n_own;
        if (k < 0 || !source->n_themes) continue;
        enum xl_status status =
            xl_sequence_next(source->themes[k % source->n_themes].sequence, &text, err);
        if (status) return status;
    }
    return XL_OK;
}

json_t *xl_night_source_shares(struct xl_night_source *source) {
    json_t *all = json_object();
    bool ok = all != NULL;
    for (int lot = 0; ok && lot < XL_NIGHT_LOTS; lot++) {
        const struct xl_night_texts *texts = xl_night_allowed(source->config, lot);
        double share[XL_NIGHT_TEXTS_MAX];
        if (texts->n < 2 || !xl_night_urn_shares(source->urn, lot, share)) continue;
        json_t *shares = json_object();
        for (int i = 0; i < texts->n; i++)
            xl_json_put(shares, texts->item[i], json_real(round(share[i] * 1000) / 1000), &ok);
        xl_json_put(all, xl_night_lots[lot].option, shares, &ok);
    }
    return xl_json_finish(all, ok);
}

char *xl_night_source_possible(struct xl_night_source *source) {
    struct xl_str text = {0};
    for (int i = 0; i < source->n_themes; i++) {
        struct xl_ways_count count;
        char number[XL_COUNT_TEXT];
        if (xl_sequence_possible(source->themes[i].sequence, &count, NULL)) continue;
        xl_str_printf(&text, "%s%s makes %s%s different %s", text.len ? "; " : "",
                      source->themes[i].grammar->name, count.is_exact ? "" : "at most ",
                      xl_count_text(count.n, number), count.n == 1 ? "prompt" : "prompts");
    }
    return xl_str_take(&text);
}

/* --- Planning --------------------------------------------------------------------------------- */

struct refusing {
    const struct xl_night_plan *plan;
    const struct xl_sweep_job *jobs;
};

static void refuse(void *user, int job, const struct xl_err *why) {
    const struct refusing *refusing = user;
    refusing->plan->refused(refusing->plan->user, refusing->jobs[job].name, why);
}

enum xl_status xl_night_plan_jobs(const struct xl_night_plan *plan, const struct xl_night_job *jobs,
                                  int n, struct xl_sweep *sweep, int *n_added, struct xl_err *err) {
    struct xl_sweep_job *list = malloc(((size_t)n + 1) * sizeof *list);
    struct refusing refusing = {plan, list};
    const struct xl_sweep_jobs all = {.job = list,
                                      .n = n,
                                      .kind = "night",
                                      .refused = plan->refused ? refuse : NULL,
                                      .user = &refusing};
    enum xl_status status = list ? XL_OK : xl_fail_nomem(err, "jobs", 0);
    for (int i = 0; !status && i < n; i++) {
        const char *name =
            xl_arena_printf(&sweep->arena, "job %lld", (long long)jobs[i].number + 1);
        const char *from = jobs[i].prompt_template;
        if (from) from = xl_arena_strdup(&sweep->arena, from);
        if (!name || (jobs[i].prompt_template && !from)) status = xl_fail_nomem(err, "jobs", 0);
        list[i] = (struct xl_sweep_job){jobs[i].settings, name, from};
    }
    if (!status) status = xl_sweep_plan_jobs(plan->defaults, &all, sweep, n_added, err);
    free(list);
    return status;
}

enum xl_status xl_night_plan(const struct xl_night_plan *plan, struct xl_sweep *sweep,
                             struct xl_night_planned *out, struct xl_err *err) {
    struct xl_night_job *jobs = calloc((size_t)plan->n + 1, sizeof *jobs);
    enum xl_status status = jobs ? XL_OK : xl_fail_nomem(err, "jobs", 0);
    bool is_there = true;
    *out = (struct xl_night_planned){0};
    while (!status && is_there && out->n_taken < plan->n) {
        status = xl_night_source_next(plan->source, &jobs[out->n_taken], &is_there, err);
        if (!status && is_there) out->n_taken++;
    }
    if (!status) status = xl_night_plan_jobs(plan, jobs, out->n_taken, sweep, &out->n_added, err);
    for (int i = 0; jobs && i < out->n_taken; i++) xl_night_job_deinit(&jobs[i]);
    free(jobs);
    return status;
}
