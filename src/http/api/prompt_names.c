/* prompt_names.c - profiles, LoRAs, embeddings and wildcards by name. A folder that cannot be read
 * leaves its names out: nobody can go on typing for an error's sake.
 */
#include "http/api/prompt_parts.h"

#include "base/clock.h"
#include "lab/data/named_list.h"
#include "lab/data/profiles.h"
#include "lab/run/sweep.h"

enum { FRESH_S = 10, NAMES_MAX = 20000 };

const char *xl_prompt_kind_name(enum xl_prompt_kind kind) {
    static const char *const names[] = {[XL_PROMPT_PROFILE] = "profile",
                                        [XL_PROMPT_LORA] = "lora",
                                        [XL_PROMPT_EMBEDDING] = "embedding",
                                        [XL_PROMPT_WILDCARD] = "wildcard"};
    return names[kind];
}

static bool add(struct xl_prompt_names *names, enum xl_prompt_kind kind, const char *name,
                const char *about) {
    struct xl_prompt_name *item = &names->at[names->n];
    if (names->n == NAMES_MAX) return true;
    *item = (struct xl_prompt_name){kind, xl_arena_strdup(&names->arena, name),
                                    xl_arena_strdup(&names->arena, about ? about : "")};
    if (!item->name || !item->about) return false;
    names->n++;
    return true;
}

static bool add_profiles(struct xl_prompt_names *names, const struct xl_settings *settings) {
    struct xl_profiles *profiles = NULL;
    bool ok = true;
    if (xl_profiles_load(settings->profile_files.item, settings->profile_files.n, &profiles, NULL))
        return true;
    for (int i = 0; i < xl_profiles_count(profiles) && ok; i++) {
        const struct xl_profile *profile = xl_profiles_at(profiles, i);
        if (!xl_profile_is_raw(profile))
            ok = add(names, XL_PROMPT_PROFILE, profile->name, profile->prompt);
    }
    xl_profiles_free(profiles);
    return ok;
}

static bool add_files(struct xl_prompt_names *names, enum xl_named_kind kind) {
    struct xl_named_list list = {.n = 0};
    bool ok = true;
    if (!xl_named_list_read(kind, &list, NULL))
        for (int i = 0; i < list.n && ok; i++)
            if (!list.entries[i].why)
                ok = add(names, kind == XL_NAMED_LORAS ? XL_PROMPT_LORA : XL_PROMPT_EMBEDDING,
                         list.entries[i].file->name, list.entries[i].is.what);
    xl_named_list_deinit(&list);
    return ok;
}

static bool add_wildcards(struct xl_prompt_names *names, const struct xl_settings *settings) {
    struct xl_wildcards *wildcards = NULL;
    struct xl_str notices = {0};
    bool ok = true;
    if (!xl_settings_wildcards(settings, &names->arena, &notices, &wildcards, NULL))
        for (int i = 0; i < xl_wildcards_count(wildcards) && ok; i++)
            ok = add(names, XL_PROMPT_WILDCARD, xl_wildcards_name(wildcards, i), NULL);
    xl_wildcards_free(wildcards);
    xl_str_deinit(&notices);
    return ok;
}

enum xl_status xl_prompt_names_refresh(const struct xl_settings *settings,
                                       struct xl_prompt_names *names, struct xl_err *err) {
    double now = xl_now_s();
    if (names->read_at > 0 && now - names->read_at < FRESH_S) return XL_OK;
    xl_arena_deinit(&names->arena);
    *names = (struct xl_prompt_names){.n = 0};
    names->at = xl_arena_alloc(&names->arena, NAMES_MAX * sizeof *names->at);
    bool ok = names->at && add_profiles(names, settings) && add_files(names, XL_NAMED_LORAS) &&
              add_files(names, XL_NAMED_EMBEDDINGS) && add_wildcards(names, settings);
    if (!ok) return xl_fail_nomem(err, "names", 0);
    names->read_at = now;
    return XL_OK;
}
