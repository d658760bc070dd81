/* environment.c - settings from environment variables: how containers ask for a run. */
#include "lab/settings/settings.h"

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Containers pass on variables that nobody filled in: empty is absent. */
static const char *value_of(const char *name) {
    const char *text = getenv(name);
    return text && text[0] ? text : NULL;
}

/* docker --env-file and systemd's older versions pass on what stands behind the '=' as it is. */
static bool is_quoted(const char *text) {
    size_t n = strlen(text);
    return n > 1 && (text[0] == '"' || text[0] == '\'') && text[n - 1] == text[0];
}

/* What a value brought along from the file that it came from. */
static enum xl_status check(const char *name, const char *text, bool is_prose, struct xl_err *err) {
    size_t n = strlen(text);
    if (text[n - 1] == '\r')
        return xl_fail(err, XL_EINVAL,
                       "%s: \"%.*s\" has a carriage return at its end: the file that it came from "
                       "has the line ends of Windows; save it with those of Unix",
                       name, n < 40 ? (int)n - 1 : 40, text);
    if (is_quoted(text) && !is_prose)
        return xl_fail(err, XL_EINVAL,
                       "%s: the quotes are part of the value, %.60s: leave them out (docker "
                       "--env-file takes what stands behind the '=' as it is)",
                       name, text);
    return XL_OK;
}

enum xl_status xl_environment_is_headless(bool *out, struct xl_err *err) {
    const char *text = value_of("HEADLESS");
    bool is_headless = false;
    enum xl_status status = text ? check("HEADLESS", text, false, err) : XL_OK;
    if (!status && text) status = xl_read_switch(text, "HEADLESS", &is_headless, err);
    if (!status) *out = is_headless || value_of("PROMPT");
    return status;
}

/* "7.5" and "7.50" say the same. */
static bool says_the_same(const char *a, const char *b) {
    char *end_a, *end_b;
    double x = strtod(a, &end_a), y = strtod(b, &end_b);
    bool are_numbers = end_a != a && end_b != b && !*end_a && !*end_b;
    return are_numbers ? x == y : !strcmp(a, b);
}

/* A list has its items on lines, or between semicolons. */
static enum xl_status set_items(struct xl_settings *settings, const struct xl_option *option,
                                const char *name, const char *text, struct xl_err *err) {
    enum xl_status status = XL_OK;
    while (!status && *text) {
        size_t n = strcspn(text, ";\n"), skip = strspn(text, " \t");
        const char *item = n > skip ? xl_arena_strndup(settings->arena, text, n) : "";
        if (!item) return xl_fail_nomem(err, name, n);
        if (n > skip) status = xl_settings_set(settings, option, name, item + skip, err);
        text += n + (text[n] != 0);
    }
    return status;
}

static enum xl_status read_one(struct xl_settings *settings, const struct xl_option *option,
                               struct xl_err *err) {
    char name[XL_ENVIRONMENT_NAME_MAX], used_name[XL_ENVIRONMENT_NAME_MAX] = "";
    const char *used = NULL;
    enum xl_status status = XL_OK;
    for (int i = 0; xl_option_environment(option, i, name); i++) {
        const char *text = value_of(name);
        if (!text) continue;
        status = check(name, text, option->is_prose, err);
        if (status) return status;
        if (used && !says_the_same(used, text))
            return xl_fail(err, XL_EINVAL,
                           "%s is \"%.60s\" and %s is \"%.60s\": both mean --%s; set one of them",
                           used_name, used, name, text, option->name);
        if (used) continue;
        used = text;
        strcpy(used_name, name);
    }
    if (!used) return XL_OK;
    status = option->type == XL_OPTION_LIST && settings->arena
                 ? set_items(settings, option, used_name, used, err)
                 : xl_settings_set(settings, option, used_name, used, err);
    if (!status) settings->from_environment |= xl_option_bit(option);
    return status;
}

enum xl_status xl_settings_read_environment(struct xl_settings *settings, bool only_places,
                                            struct xl_err *err) {
    const struct xl_option *option;
    for (int i = 0; (option = xl_option_at(i)); i++) {
        if (only_places && !option->is_place) continue;
        enum xl_status status = read_one(settings, option, err);
        if (status) return status;
    }
    return XL_OK;
}

const char *xl_settings_say(const struct xl_settings *settings, const char *name,
                            char out[XL_SAY_MAX]) {
    char variable[XL_ENVIRONMENT_NAME_MAX];
    snprintf(out, XL_SAY_MAX, "--%s", name);
    if (settings->reads_environment && xl_option_environment(xl_option_find(name), 0, variable))
        snprintf(out, XL_SAY_MAX, "--%.40s (%s)", name, variable);
    return out;
}

void xl_environment_warn(const struct xl_settings *settings) {
    const struct xl_option *option;
    char name[XL_ENVIRONMENT_NAME_MAX];
    for (int i = 0; (option = xl_option_at(i)); i++) {
        const char *text = xl_settings_text(settings, option);
        bool is_suspect = settings->from_environment >> i & 1 && option->is_prose;
        if (!is_suspect || !text || !is_quoted(text) || !xl_option_environment(option, 0, name))
            continue;
        xl_warn("%s: the quotes are part of the text, %.60s, and are drawn with it; leave them out "
                "if they are not meant (docker --env-file takes what stands behind the '=' as it "
                "is)",
                name, text);
    }
}
