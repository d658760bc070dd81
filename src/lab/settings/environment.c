/* environment.c - settings from environment variables: how containers ask for a run. */
#include "lab/settings/settings.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Containers pass on variables that nobody filled in: empty is absent. */
static const char *value_of(const char *name) {
    const char *text = getenv(name);
    return text && text[0] ? text : NULL;
}

bool xl_environment_is_headless(void) {
    static const char *const yes[] = {"1", "true", "yes", "on"};
    const char *headless = value_of("HEADLESS");
    for (size_t i = 0; headless && i < sizeof yes / sizeof *yes; i++)
        if (!strcasecmp(headless, yes[i])) return true;
    return value_of("PROMPT") != NULL;
}

/* "7.5" and "7.50" say the same. */
static bool says_the_same(const char *a, const char *b) {
    char *end_a, *end_b;
    double x = strtod(a, &end_a), y = strtod(b, &end_b);
    bool are_numbers = end_a != a && end_b != b && !*end_a && !*end_b;
    return are_numbers ? x == y : !strcmp(a, b);
}

static enum xl_status read_one(struct xl_settings *settings, const struct xl_option *option,
                               struct xl_err *err) {
    char name[XL_ENVIRONMENT_NAME_MAX], used_name[XL_ENVIRONMENT_NAME_MAX] = "";
    const char *used = NULL;
    for (int i = 0; xl_option_environment(option, i, name); i++) {
        const char *text = value_of(name);
        if (!text) continue;
        if (used && !says_the_same(used, text))
            return xl_fail(err, XL_EINVAL,
                           "%s is \"%.60s\" and %s is \"%.60s\": both mean --%s; set one of them",
                           used_name, used, name, text, option->name);
        if (used) continue;
        used = text;
        strcpy(used_name, name);
    }
    return used ? xl_settings_set(settings, option, used_name, used, err) : XL_OK;
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
