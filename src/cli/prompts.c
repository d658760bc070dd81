/* prompts.c - sdxl-lab prompts generate: the prompts of a grammar, a line each or as JSON. */
#include "cli/prompts.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/favorites_open.h"
#include "cli/table.h"
#include "insight/report/learned.h"
#include "lab/data/themes.h"
#include "lab/settings/decided.h"
#include "prompts/learned.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static uint64_t random_seed(void) {
    uint32_t seed; /* short enough to be typed */
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed) seed = (uint32_t)time(NULL);
    return seed;
}

/* One warning a line of the notices. */
static void warn_of(const struct xl_grammar *grammar) {
    const char *line = grammar->notices.text;
    while (line && *line) {
        int n = (int)strcspn(line, "\n");
        xl_warn("%.*s", n, line);
        line += n + (line[n] != 0);
    }
}

/* What the marks of --output-dir say of the entries of a theme. */
static enum xl_status learn_from_favorites(const struct xl_settings *settings, const char *theme,
                                           struct xl_learned **out, struct xl_err *err) {
    struct xl_settings all = *settings; /* the seed is that of the prompts and no filter */
    struct xl_favorites favorites = {0};
    json_t *learned = NULL;
    all.given = 0;
    all.n_arguments = 0;
    enum xl_status status = xl_favorites_open(&all, &favorites, err);
    if (!status) status = xl_favourites_learn(&favorites.rows, &theme, 1, &learned, err);
    if (!status) status = xl_learned_new(XL_LEARNED_FAVOURITES, learned, out, err);
    xl_favorites_close(&favorites);
    return status;
}

enum xl_status xl_prompts_open(const struct xl_settings *settings, const char *name,
                               struct xl_prompts_source *out, struct xl_err *err) {
    *out = (struct xl_prompts_source){.seed = settings->has_seed ? settings->seed : random_seed()};
    enum xl_status status = XL_OK;
    if (settings->learn_from && !xl_learned_is_favourites(settings->learn_from))
        status = xl_learned_load(settings->learn_from, &out->learned, err);
    else if (settings->learn_from)
        status = learn_from_favorites(settings, name, &out->learned, err);
    if (!status) status = xl_theme_load(name, out->learned, &out->grammar, err);
    if (!status) status = xl_decided_check(out->grammar, err);
    if (!status) status = xl_sequence_new(out->grammar, out->seed, &out->sequence, err);
    if (!status) warn_of(out->grammar);
    return status;
}

void xl_prompts_close(struct xl_prompts_source *source) {
    xl_sequence_free(source->sequence);
    xl_grammar_free(source->grammar);
    xl_learned_free(source->learned);
}

char *xl_prompts_count_text(struct xl_ways_count count, char out[XL_PROMPTS_COUNT_MAX]) {
    char number[XL_COUNT_TEXT];
    snprintf(out, XL_PROMPTS_COUNT_MAX, "%s%s different %s", count.is_exact ? "" : "at most ",
             xl_count_text(count.n, number), count.n == 1 ? "prompt" : "prompts");
    return out;
}

/* --- Lines ------------------------------------------------------------------------------------ */

static void print_line(const struct xl_prompt_text *text, bool is_terminal) {
    if (is_terminal)
        xl_print_text(text->text.text, XL_COLOR_NONE);
    else
        fwrite(text->text.text, 1, text->text.len, stdout);
    putchar('\n');
}

/* {"subject": ["harbour city"]}: what the lists that have names gave. */
static json_t *parts_of(const struct xl_prompt_text *text) {
    json_t *parts = json_object();
    bool ok = parts != NULL;
    for (int i = 1; ok && i < text->n_parts; i++) {
        const char *name = text->parts[i].list->name;
        if (!name) continue;
        json_t *list = json_object_get(parts, name);
        if (!list) xl_json_put(parts, name, list = json_array(), &ok);
        ok = ok && !json_array_append_new(list, xl_json_text(text->parts[i].entry->name));
    }
    return xl_json_finish(parts, ok);
}

static enum xl_status print_object(const struct xl_prompts_source *source,
                                   const struct xl_prompt_text *text, bool is_last,
                                   struct xl_err *err) {
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "prompt", xl_json_text(text->text.text), &ok);
    xl_json_put(object, "template", xl_json_text(text->parts[0].entry->name), &ok);
    xl_json_put(object, "parts", parts_of(text), &ok);
    xl_json_put(object, "job", xl_decided_job(source->grammar, source->sequence, text), &ok);
    object = xl_json_finish(object, ok);
    char *line = object ? xl_json_dump(object, JSON_COMPACT) : NULL;
    json_decref(object);
    if (!line) return xl_fail_nomem(err, "a prompt", 0);
    printf("  %s%s\n", line, is_last ? "" : ",");
    free(line);
    return XL_OK;
}

/* The beginning of the document, up to its prompts, which follow a line each as they are made. */
static enum xl_status print_head(const struct xl_prompts_source *source, const char *name,
                                 struct xl_err *err) {
    struct xl_ways_count count;
    char number[XL_COUNT_TEXT], digits[XL_COUNT_TEXT], *to = digits;
    enum xl_status status = xl_sequence_possible(source->sequence, &count, err);
    json_t *shown = xl_json_text(name);
    char *quoted = shown ? xl_json_dump(shown, JSON_ENCODE_ANY) : NULL;
    json_decref(shown);
    if (!status && !quoted) status = xl_fail_nomem(err, "a prompt", 0);
    if (!status) {
        xl_count_text(count.n, number);
        for (const char *c = number; *c; c++)
            if (*c != ',') *to++ = *c;
        *to = 0;
        printf("{\n\"theme\": %s,\n\"seed\": \"%llu\",\n\"possible\": \"%s\",\n"
               "\"possible_is_exact\": %s,\n\"prompts\": [\n",
               quoted, (unsigned long long)source->seed, digits, count.is_exact ? "true" : "false");
    }
    free(quoted);
    return status;
}

/* --- generate --------------------------------------------------------------------------------- */

enum { MAX_COUNT = 20000000 };

/* A line each, or objects of the document. */
static enum xl_status print_all(const struct xl_settings *settings, int n,
                                const struct xl_prompts_source *source, struct xl_err *err) {
    bool is_terminal = isatty(STDOUT_FILENO);
    enum xl_status status = XL_OK;
    int64_t round = 0;
    for (int i = 0; !status && i < n && !ferror(stdout); i++) {
        const struct xl_prompt_text *text;
        if (xl_interrupted()) return xl_fail(err, XL_ECANCELLED, "interrupted");
        status = xl_sequence_next(source->sequence, &text, err);
        if (status) return status;
        if (xl_sequence_round(source->sequence) > round && !round++)
            xl_warn("there are only %d different prompts; from here on they come again", i);
        if (settings->json)
            status = print_object(source, text, i == n - 1, err);
        else
            print_line(text, is_terminal);
    }
    return status;
}

enum xl_status xl_prompts_print_json(const struct xl_settings *settings,
                                     const struct xl_prompts_source *source, int n,
                                     struct xl_err *err) {
    enum xl_status status = print_head(source, settings->arguments[0], err);
    if (!status) status = print_all(settings, n, source, err);
    if (!status) printf("]\n}\n");
    return status;
}

static enum xl_status generate(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_prompts_source source;
    const char *name = settings->arguments[0];
    if (settings->count > MAX_COUNT)
        return xl_fail(err, XL_EINVAL, "--count %d: at most %d prompts at a time", settings->count,
                       MAX_COUNT);
    enum xl_status status = xl_prompts_open(settings, name, &source, err);
    if (!status && settings->json)
        status = xl_prompts_print_json(settings, &source, settings->count, err);
    else if (!status)
        status = print_all(settings, settings->count, &source, err);
    if (!status && !settings->json && !settings->has_seed)
        xl_note("the same list again: --seed %llu", (unsigned long long)source.seed);
    xl_prompts_close(&source);
    return status;
}

const struct xl_command xl_command_prompts_generate = {
    .name = "prompts generate",
    .link = "prompt_generator",
    .link_is_group = true,
    .summary = "prompts that a theme or a grammar of your own makes, a line each",
    .usage = "[OPTIONS]",
    .positional = "FILE|THEME",
    .words = XL_COMPLETE_THEME,
    .commands = XL_FOR_PROMPTS,
    .epilogue =
        "The same seed makes the same list on every machine, and no prompt twice until there is no "
        "other. With --json also what else was decided; \"job\" of each is a job file.\n"
        "sdxl-lab prompts check names the themes; docs/GENERATOR.md says how to write one.",
    .run = generate,
};
