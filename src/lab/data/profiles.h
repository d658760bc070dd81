/* profiles.h - style profiles: words that go around a prompt, negatives that go with them, and what
 * suits them of steps, sampler and guidance. data/profiles.yaml has those of the program; users'
 * files add to them or override them. A loaded set is read-only: any thread may use it.
 */
#ifndef XL_LAB_PROFILES_H
#define XL_LAB_PROFILES_H

#include "base/arena.h"

#include <math.h>
#include <string.h>

/* The profile that changes nothing; it is always there, and first. */
#define XL_PROFILE_RAW "None (raw)"

/* "Nobody said": an absent guidance is not a number. */
#define XL_NO_GUIDANCE ((double)NAN)
static inline bool xl_has_guidance(double guidance) {
    return !isnan(guidance);
}

struct xl_profile {
    const char *name;
    const char *const *aliases;
    int n_aliases;
    const char *group;     /* "Core", "Artists"; "Own" where a user's file says none */
    const char *about;     /* one line for people, "" when there is none */
    const char *prompt;    /* a suffix, or a template with {prompt}; "" adds nothing */
    const char *negative;  /* "" adds nothing */
    const char *scheduler; /* a name of xl_scheduler_list; NULL: none */
    int steps;             /* 0: none */
    double guidance;       /* XL_NO_GUIDANCE: none */
    const char *origin;    /* the file, or "built-in" */
};

static inline bool xl_profile_is_raw(const struct xl_profile *profile) {
    return !strcmp(profile->name, XL_PROFILE_RAW);
}

/* Whether a name means the raw profile; no other profile may have it. */
bool xl_profile_is_reserved(const char *name);

struct xl_profiles; /* opaque */

/* Load the built-in profiles, then ${XDG_CONFIG_HOME:-~/.config}/sdxl-lab/profiles.yaml and
 * profiles.d/ *.yaml (in the order of their names), then the extra files. An entry replaces an
 * earlier one of its name as a whole, a null removes it; the raw profile stays as it is. Caller:
 * xl_profiles_free. Errors: XL_EINPUT a file or a field in it ("FILE:LINE:COLUMN: ..."), XL_ENOMEM
 */
enum xl_status xl_profiles_load(const char *const *extra_files, int n_extra,
                                struct xl_profiles **out, struct xl_err *err) XL_CHECKED;
void xl_profiles_free(struct xl_profiles *profiles);

int xl_profiles_count(const struct xl_profiles *profiles);
/* i from 0 to count - 1, in the order of the files. Good until xl_profiles_free. */
const struct xl_profile *xl_profiles_at(const struct xl_profiles *profiles, int i);

/* By name; else by name whatever the case, blanks, accents and punctuation; else likewise by alias.
 * "" is the raw profile. Errors: XL_EINVAL unknown (the nearest are named) */
enum xl_status xl_profiles_find(const struct xl_profiles *profiles, const char *name,
                                const struct xl_profile **out, struct xl_err *err) XL_CHECKED;

/* "Watercolor + Tim Burton": the profiles, in this order. A name that itself has " + " in it is
 * taken whole where it is written exactly. stack: [max]; *n: 1 or more.
 * Errors: XL_EINVAL unknown, empty, twice the same, or more than max */
enum xl_status xl_profiles_parse_stack(const struct xl_profiles *profiles, const char *text,
                                       const struct xl_profile **stack, int max, int *n,
                                       struct xl_err *err) XL_CHECKED;

enum { XL_MAX_STACK = 8 }; /* profiles around one prompt */

/* A prompt and what to keep away from (NULL: omitted). */
struct xl_profiles_text {
    const char *prompt, *negative;
};

/* Put profiles around a prompt. Suffixes are joined by ", "; a template wraps what the profiles
 * before it made. Negatives of the profiles join the given one, term by term (commas outside of
 * brackets separate); a term that is there already, whatever its case, is left out. Where no
 * profile has a negative, the given one stays as it is, NULL included; likewise the prompt where
 * none has words. Texts live in the arena or are the given ones.
 * Errors: XL_EINVAL the prompt would become longer than 256 KiB, XL_ENOMEM */
enum xl_status xl_profiles_apply(const struct xl_profile *const *stack, int n,
                                 const struct xl_profiles_text *given, struct xl_arena *arena,
                                 struct xl_profiles_text *out, struct xl_err *err) XL_CHECKED;

#endif
