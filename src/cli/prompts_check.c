/* prompts_check.c - sdxl-lab prompts check: what is wrong with grammars, and what they hold. */
#include "base/json.h"
#include "cli/prompts.h"
#include "cli/table.h"
#include "lab/data/themes.h"

#include <stdio.h>
#include <string.h>

struct facts {
    const char *name, *about;
    int n_templates, n_lists, n_entries, n_left_out;
    struct xl_ways_count count;
};

static enum xl_status look_at(const struct xl_settings *settings, const char *name,
                              struct xl_prompts_source *source, struct facts *out,
                              struct xl_err *err) {
    enum xl_status status = xl_prompts_open(settings, name, source, err);
    if (!status) status = xl_sequence_possible(source->sequence, &out->count, err);
    if (status) return status;
    const struct xl_grammar *grammar = source->grammar;
    out->name = name;
    out->about = grammar->about;
    out->n_templates = grammar->templates->n;
    for (int i = 0; i < grammar->n_lists; i++) {
        const struct xl_grammar_list *list = grammar->lists[i];
        out->n_left_out += list->n_left_out;
        if (!list->name || !i) continue;
        out->n_lists++;
        out->n_entries += list->n;
    }
    return XL_OK;
}

static void print_facts(const struct facts *facts) {
    char text[XL_PROMPTS_COUNT_MAX], left_out[48] = "";
    xl_print_text(facts->name, XL_COLOR_BOLD);
    if (facts->n_left_out) snprintf(left_out, sizeof left_out, ", %d left out", facts->n_left_out);
    printf(": %d %s, %d %s of %d entries%s; %s\n", facts->n_templates,
           xl_plural(facts->n_templates, "template", "templates"), facts->n_lists,
           xl_plural(facts->n_lists, "list", "lists"), facts->n_entries, left_out,
           xl_prompts_count_text(facts->count, text));
    if (facts->about[0]) xl_print_lines(2, "", facts->about, XL_COLOR_DIM);
}

static json_t *describe(const struct facts *facts) {
    json_t *object = json_object();
    bool ok = object != NULL;
    char number[XL_COUNT_TEXT], digits[XL_COUNT_TEXT], *to = digits;
    xl_count_text(facts->count.n, number);
    for (const char *c = number; *c; c++)
        if (*c != ',') *to++ = *c;
    *to = 0;
    xl_json_put(object, "theme", xl_json_text(facts->name), &ok);
    xl_json_put(object, "about", xl_json_text(facts->about), &ok);
    xl_json_put(object, "templates", json_integer(facts->n_templates), &ok);
    xl_json_put(object, "lists", json_integer(facts->n_lists), &ok);
    xl_json_put(object, "entries", json_integer(facts->n_entries), &ok);
    xl_json_put(object, "left_out", json_integer(facts->n_left_out), &ok);
    xl_json_put(object, "possible", json_string(digits), &ok);
    xl_json_put(object, "possible_is_exact", json_boolean(facts->count.is_exact), &ok);
    return xl_json_finish(object, ok);
}

/* array: NULL: for people */
static enum xl_status check_one(const struct xl_settings *settings, const char *name, json_t *array,
                                struct xl_err *err) {
    struct xl_prompts_source source = {.grammar = NULL};
    struct facts facts = {.name = NULL};
    enum xl_status status = look_at(settings, name, &source, &facts, err);
    if (!status && !array) print_facts(&facts);
    if (!status && array && json_array_append_new(array, describe(&facts)))
        status = xl_fail_nomem(err, "the JSON document", 0);
    xl_prompts_close(&source);
    return status;
}

static enum xl_status check_all(const struct xl_settings *settings, json_t *array,
                                struct xl_err *err) {
    struct xl_arena arena = {0};
    const struct xl_theme *themes;
    int n = 0;
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < settings->n_arguments; i++)
        status = check_one(settings, settings->arguments[i], array, err);
    if (!settings->n_arguments) status = xl_themes_list(&arena, &themes, &n, err);
    for (int i = 0; !status && i < n; i++) status = check_one(settings, themes[i].name, array, err);
    xl_arena_deinit(&arena);
    return status;
}

static enum xl_status check(const struct xl_settings *settings, struct xl_err *err) {
    if (!settings->json) return check_all(settings, NULL, err);
    json_t *document = json_object(), *array = json_array();
    enum xl_status status = document && array ? check_all(settings, array, err)
                                              : xl_fail_nomem(err, "the JSON document", 0);
    if (!status && json_object_set(document, "themes", array))
        status = xl_fail_nomem(err, "the JSON document", 0);
    if (!status) status = xl_print_json(document, err);
    json_decref(array);
    json_decref(document);
    return status;
}

const struct xl_command xl_command_prompts_check = {
    .name = "prompts check",
    .summary = "whether grammars are right, and how many prompts they make; every theme by itself",
    .usage = "[OPTIONS]",
    .positional = "[FILE|THEME...]",
    .words = XL_COMPLETE_THEME,
    .commands = XL_FOR_PROMPTS,
    .epilogue = "What is wrong is said with file, line and column, and the exit code is 2.",
    .run = check,
};
