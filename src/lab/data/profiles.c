/* profiles.c - the set of profiles: reading it, finding in it. profiles_apply.c uses them. */
#include "lab/data/profiles.h"
#include "lab/data/data.h"

#include <stdlib.h>
#include <string.h>

struct xl_profiles {
    struct xl_data data; /* holds every text */
    struct xl_profile *items;
    struct xl_named *named; /* the same, for looking up */
    int n;
};

static const char *const raw_aliases[] = {"None", "Raw"};
static const struct xl_profile raw = {
    .name = XL_PROFILE_RAW,
    .aliases = raw_aliases,
    .n_aliases = 2,
    .group = "Core",
    .about = "The prompt as it is, nothing added",
    .prompt = "",
    .negative = "",
    .guidance = NAN,
    .origin = XL_DATA_BUILT_IN,
};

bool xl_profile_is_reserved(const char *name) {
    bool is_alias = false;
    for (int i = 0; i < raw.n_aliases; i++) is_alias |= xl_name_matches(raw_aliases[i], name);
    return is_alias || xl_name_matches(XL_PROFILE_RAW, name);
}

#define AT(field) offsetof(struct xl_profile, field)
/* The scheduler's choices are filled in when they are known. */
static const struct xl_data_field profile_fields[] = {
    {"aliases", XL_DATA_NAMES, AT(aliases), 0, 0, NULL},
    {"group", XL_DATA_TEXT, AT(group), 0, 0, NULL},
    {"about", XL_DATA_TEXT, AT(about), 0, 0, NULL},
    {"prompt", XL_DATA_TEXT, AT(prompt), 0, 0, NULL},
    {"negative", XL_DATA_TEXT, AT(negative), 0, 0, NULL},
    {"steps", XL_DATA_INT, AT(steps), 1, 1000, NULL},
    {"guidance", XL_DATA_REAL, AT(guidance), 0, 1000, NULL},
    {"scheduler", XL_DATA_CHOSEN, AT(scheduler), 0, 0, NULL},
    {0},
};
enum { N_FIELDS = sizeof profile_fields / sizeof *profile_fields };

static enum xl_status read_profile(const struct xl_data_entry *entry,
                                   const struct xl_data_field *fields, struct xl_arena *arena,
                                   struct xl_profile *out, struct xl_err *err) {
    struct xl_profile profile = {
        .name = entry->name,
        .group = "Own",
        .about = "",
        .prompt = "",
        .negative = "",
        .guidance = XL_NO_GUIDANCE,
        .origin = entry->origin,
    };
    if (xl_profile_is_reserved(entry->name))
        return xl_data_fail(entry, NULL, err, "the profile that changes nothing keeps its name");
    enum xl_status status = xl_data_read(entry, fields, arena, &profile, err);
    if (!status) *out = profile;
    return status;
}

static enum xl_status read_all(struct xl_profiles *profiles, struct xl_err *err) {
    struct xl_arena *arena = &profiles->data.arena;
    struct xl_data_field fields[N_FIELDS];
    int n = profiles->data.n + 1;
    profiles->items = xl_arena_alloc(arena, (size_t)n * sizeof *profiles->items);
    profiles->named = xl_arena_alloc(arena, (size_t)n * sizeof *profiles->named);
    const char *const *schedulers = xl_data_schedulers(arena);
    if (!profiles->items || !profiles->named || !schedulers)
        return xl_fail_nomem(err, "profiles", 0);
    memcpy(fields, profile_fields, sizeof fields);
    for (struct xl_data_field *field = fields; field->name; field++)
        if (field->type == XL_DATA_CHOSEN) field->choices = schedulers;
    profiles->items[0] = raw;
    for (int i = 1; i < n; i++) {
        enum xl_status status =
            read_profile(&profiles->data.entries[i - 1], fields, arena, &profiles->items[i], err);
        if (status) return status;
    }
    profiles->n = n;
    for (int i = 0; i < n; i++) {
        const struct xl_profile *item = &profiles->items[i];
        profiles->named[i] = (struct xl_named){item->name, item->aliases, item->n_aliases};
    }
    return XL_OK;
}

enum xl_status xl_profiles_load(const char *const *extra_files, int n_extra,
                                struct xl_profiles **out, struct xl_err *err) {
    struct xl_data_source source = {"profiles", xl_data_profiles, xl_data_profiles_size,
                                    extra_files, n_extra};
    struct xl_profiles *profiles = calloc(1, sizeof *profiles);
    if (!profiles) return xl_fail_nomem(err, "profiles", 0);
    enum xl_status status = xl_data_load(&source, &profiles->data, err);
    if (!status) status = read_all(profiles, err);
    if (status)
        xl_profiles_free(profiles);
    else
        *out = profiles;
    return status;
}

void xl_profiles_free(struct xl_profiles *profiles) {
    if (!profiles) return;
    xl_data_deinit(&profiles->data);
    free(profiles);
}

int xl_profiles_count(const struct xl_profiles *profiles) {
    return profiles->n;
}

const struct xl_profile *xl_profiles_at(const struct xl_profiles *profiles, int i) {
    return i >= 0 && i < profiles->n ? &profiles->items[i] : NULL;
}

enum xl_status xl_profiles_find(const struct xl_profiles *profiles, const char *name,
                                const struct xl_profile **out, struct xl_err *err) {
    int i = name[0] ? xl_named_find(profiles->named, profiles->n, name) : 0;
    if (i >= 0) {
        *out = &profiles->items[i];
        return XL_OK;
    }
    char near[400];
    xl_named_nearest(profiles->named, profiles->n, name, near, sizeof near);
    if (near[0])
        return xl_fail(err, XL_EINVAL,
                       "profile \"%.100s\": there is none of this name; did you "
                       "mean %s?",
                       name, near);
    return xl_fail(err, XL_EINVAL,
                   "profile \"%.100s\": there is none of this name; sdxl-lab profiles list shows "
                   "the %d there are",
                   name, profiles->n);
}

/* ---- Stacks ---- */

static const char glue[] = " + ";

/* The profile whose name is exactly the first n bytes of text. */
static const struct xl_profile *find_exact(const struct xl_profiles *profiles, const char *text,
                                           size_t n) {
    for (int i = 0; i < profiles->n; i++)
        if (!strncmp(profiles->items[i].name, text, n) && !profiles->items[i].name[n])
            return &profiles->items[i];
    return NULL;
}

/* How long the first name of a stack is: the longest that is exactly a profile's and ends where a
 * " + " or the text does, else up to the first " + ". */
static size_t first_name(const struct xl_profiles *profiles, const char *text) {
    const char *end = strstr(text, glue);
    size_t n = end ? (size_t)(end - text) : strlen(text);
    for (size_t longer = n; text[longer];) {
        const char *next = strstr(text + longer + sizeof glue - 1, glue);
        longer = next ? (size_t)(next - text) : strlen(text);
        if (find_exact(profiles, text, longer)) n = longer;
    }
    return n;
}

static enum xl_status find_part(const struct xl_profiles *profiles, const char *text, size_t n,
                                const struct xl_profile **out, struct xl_err *err) {
    while (n && text[0] == ' ') text++, n--;
    while (n && text[n - 1] == ' ') n--;
    char *name = strndup(text, n);
    if (!name) return xl_fail_nomem(err, "a name", n);
    enum xl_status status =
        name[0] ? xl_profiles_find(profiles, name, out, err)
                : xl_fail(err, XL_EINVAL, "profile: a name is missing beside a \" + \"");
    free(name);
    return status;
}

enum xl_status xl_profiles_parse_stack(const struct xl_profiles *profiles, const char *text,
                                       const struct xl_profile **stack, int max, int *n,
                                       struct xl_err *err) {
    int count = 0;
    if (!text[strspn(text, " ")]) {
        stack[0] = &profiles->items[0];
        *n = 1;
        return XL_OK;
    }
    for (const char *rest = text;;) {
        size_t length = first_name(profiles, rest);
        const struct xl_profile *profile = NULL;
        enum xl_status status = find_part(profiles, rest, length, &profile, err);
        if (status || !profile) return status;
        for (int i = 0; i < count; i++)
            if (stack[i] == profile)
                return xl_fail(err, XL_EINVAL, "profile \"%.200s\": \"%s\" is there twice", text,
                               profile->name);
        if (count == max)
            return xl_fail(err, XL_EINVAL, "profile \"%.200s\": more than %d profiles", text, max);
        stack[count++] = profile;
        rest += length;
        if (!*rest) break;
        rest += sizeof glue - 1;
    }
    *n = count;
    return XL_OK;
}
