/* decided.c - checking and telling what a grammar decides. Keeps no state. */
#include "lab/settings/decided.h"
#include "base/json.h"
#include "lab/data/presets.h"
#include "lab/data/profiles.h"
#include "sampler/sampler.h"

#include <stdlib.h>
#include <string.h>

/* What values are looked up in. */
struct known {
    struct xl_profiles *profiles;
    struct xl_presets *presets;
};

static enum xl_status check_name(const struct known *known, const char *option, const char *value,
                                 struct xl_err *err) {
    enum { MAX_STACK = 8 };
    const struct xl_profile *stack[MAX_STACK];
    int n, width, height;
    if (!strcmp(option, "profile"))
        return xl_profiles_parse_stack(known->profiles, value, stack, MAX_STACK, &n, err);
    if (!strcmp(option, "size"))
        return xl_presets_find(known->presets, value, &width, &height, err);
    if (!strcmp(option, "scheduler")) return xl_scheduler_check_name(value, err);
    return XL_OK;
}

static enum xl_status fail_at(const struct xl_grammar *grammar, struct xl_yaml_place place,
                              const char *why, struct xl_err *err) {
    return xl_fail(err, XL_EINPUT, "%s:%d:%d: %s", grammar->name, place.line, place.column, why);
}

static enum xl_status check_value(const struct xl_grammar *grammar,
                                  const struct xl_grammar_setting *setting, int i,
                                  const struct known *known, struct xl_err *err) {
    const struct xl_option *option = xl_option_find(setting->name);
    struct xl_settings trial;
    struct xl_err why = {0};
    xl_settings_default(&trial);
    enum xl_status status =
        xl_settings_set(&trial, option, setting->name, setting->values[i], &why);
    if (!status) status = check_name(known, option->name, setting->values[i], &why);
    if (!status) return XL_OK;
    if (status == XL_ENOMEM) return xl_fail(err, status, "%s", why.text);
    return fail_at(grammar, setting->places[i], why.text, err);
}

static enum xl_status check_setting(const struct xl_grammar *grammar,
                                    const struct xl_grammar_setting *setting,
                                    const struct known *known, struct xl_err *err) {
    const struct xl_option *option = xl_option_find(setting->name);
    struct xl_err why;
    bool is_own = option && (!strcmp(option->name, "prompt") || !strcmp(option->name, "seed"));
    if (!option || !option->is_axis || is_own) {
        const struct xl_option *near = xl_option_nearest(setting->name, XL_FOR_GENERATE);
        xl_fail(&why, XL_EINPUT, "\"%.60s\" is no setting that a grammar decides%s%s%s",
                setting->name,
                is_own                  ? "; templates make the prompt, and seed stands beside "
                                          "settings"
                : near && near->is_axis ? "; did you mean "
                                        : "",
                !is_own && near && near->is_axis ? near->name : "",
                !is_own && near && near->is_axis ? "?" : "");
        return fail_at(grammar, setting->place, why.text, err);
    }
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < setting->n; i++)
        status = check_value(grammar, setting, i, known, err);
    return status;
}

enum xl_status xl_decided_check(const struct xl_grammar *grammar, struct xl_err *err) {
    struct known known = {NULL, NULL};
    enum xl_status status = xl_profiles_load(NULL, 0, &known.profiles, err);
    if (!status) status = xl_presets_load(&known.presets, err);
    for (int i = 0; !status && i < grammar->n_settings; i++)
        status = check_setting(grammar, &grammar->settings[i], &known, err);
    xl_profiles_free(known.profiles);
    xl_presets_free(known.presets);
    return status;
}

/* As the option's type writes it. */
static json_t *value_of(const struct xl_option *option, const char *text) {
    if (option && option->type == XL_OPTION_INT) return json_integer(strtol(text, NULL, 10));
    if (option && option->type == XL_OPTION_REAL) return json_real(strtod(text, NULL));
    return xl_json_text(text);
}

json_t *xl_decided_job(const struct xl_grammar *grammar, const struct xl_sequence *sequence,
                       const struct xl_prompt_text *text) {
    json_t *job = json_object();
    bool ok = job != NULL;
    xl_json_put(job, "prompt", xl_json_text(text->text.text), &ok);
    if (grammar->negative) xl_json_put(job, "negative", xl_json_text(grammar->negative), &ok);
    for (int i = 0; i < grammar->n_settings; i++) {
        const struct xl_grammar_setting *setting = &grammar->settings[i];
        const char *value = setting->values[xl_sequence_setting(sequence, i)];
        xl_json_put(job, setting->name, value_of(xl_option_find(setting->name), value), &ok);
    }
    xl_json_put(job, "seed", xl_json_seed(xl_sequence_seed(sequence)), &ok);
    return xl_json_finish(job, ok);
}
