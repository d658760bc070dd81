/* complete.c - completing a command line by the command table and the option table. */
#include "cli/complete.h"

#include "cli/cli.h"
#include "cli/shell_line.h"
#include "cli/table.h"
#include "lab/data/names.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- Candidates ---- */

/* Whether `text` begins like `typed` but for case, blanks, accents and punctuation. */
static bool begins_like(const char *text, const char *typed) {
    char part[XL_NAME_MAX + 1];
    size_t n = strlen(text);
    bool has_letter = false;
    for (const char *c = typed; *c; c++) has_letter |= isalnum((unsigned char)*c) || *c & 0x80;
    for (size_t k = 1; has_letter && k <= n && k < sizeof part; k++) {
        snprintf(part, k + 1, "%s", text);
        if (xl_name_matches(part, typed)) return true;
    }
    return false;
}

/* One line, whatever a user's file holds. */
static char *one_line(struct xl_arena *arena, const char *text) {
    char *copy = xl_arena_strdup(arena, text ? text : "");
    for (char *c = copy; c && *c; c++)
        if ((unsigned char)*c < 32 || *c == 127) *c = ' ';
    return copy;
}

void xl_candidate_add(struct xl_candidates *out, const char *prefix, const char *text,
                      const char *about, bool is_loose) {
    size_t n = strlen(prefix);
    char *whole = xl_arena_printf(&out->arena, "%s%s", prefix, text);
    if (!whole) return;
    bool is_exact = !strncmp(whole, out->typed, strlen(out->typed));
    bool fits = is_exact ||
                (is_loose && !strncmp(prefix, out->typed, n) && begins_like(text, out->typed + n));
    struct xl_candidate *candidate = fits ? xl_arena_alloc(&out->arena, sizeof *candidate) : NULL;
    if (!candidate) return;
    *candidate = (struct xl_candidate){
        .text = whole, .about = one_line(&out->arena, about), .is_exact = is_exact};
    if (out->last)
        out->last->next = candidate;
    else
        out->first = candidate;
    out->last = candidate;
    out->has_exact |= is_exact;
}

/* ---- The command ---- */

/* A group of two-word commands tells what it has: "list, show, import". */
static const char *about_group(const char *group, struct xl_arena *arena) {
    const struct xl_command *command;
    const char *second, *about = NULL;
    for (int i = 0; (command = xl_command_at(i)); i++)
        if (xl_command_has_word(command, group, &second) && second)
            about = xl_arena_printf(arena, "%s%s%s", about ? about : "", about ? ", " : "", second);
    return about;
}

static void complete_first_word(struct xl_candidates *out) {
    const struct xl_command *command;
    const char *last = "";
    for (int i = 0; (command = xl_command_at(i)); i++) {
        size_t n = strcspn(command->name, " ");
        char *word = xl_arena_strndup(&out->arena, command->name, n);
        if (command->is_hidden || !word || !strcmp(word, last)) continue;
        bool is_group = command->name[n];
        xl_candidate_add(out, "", word,
                         is_group ? about_group(word, &out->arena) : command->summary, false);
        last = word;
    }
    xl_candidate_add(out, "", "--help", "what there is", false);
    xl_candidate_add(out, "", "--version", "the version of the program", false);
}

static void complete_second_word(const char *group, struct xl_candidates *out) {
    const struct xl_command *command;
    const char *second;
    for (int i = 0; (command = xl_command_at(i)); i++)
        if (!command->is_hidden && xl_command_has_word(command, group, &second) && second)
            xl_candidate_add(out, "", second, command->summary, false);
}

/* The command of words[0..n), the last of which is still being typed; *n_words: how many are its
 * name. NULL: none, or not yet. */
static const struct xl_command *find_command(const char *const *words, int n, int *n_words) {
    const struct xl_command *command;
    const char *second;
    *n_words = 0;
    if (words[0][0] == '-') return &xl_command_generate; /* flags alone */
    for (int i = 0; (command = xl_command_at(i)); i++) {
        if (!xl_command_has_word(command, words[0], &second)) continue;
        *n_words = second ? 2 : 1;
        if (n > *n_words && (!second || !strcmp(words[1], second))) return command;
    }
    return NULL;
}

/* ---- Its options ---- */

/* What a line says before the cursor. */
struct line {
    const struct xl_command *command;
    const struct xl_option *open; /* an option whose value is at the cursor */
    xl_option_set given;
    int n_words; /* that are no options */
    bool only_words;
    struct {
        const char *item[16];
        int n;
    } profile_files, model_files;
};

static void note_value(struct line *line, const struct xl_option *option, const char *value) {
    bool is_profiles = !strcmp(option->name, "profiles-file");
    if (is_profiles && line->profile_files.n < 16)
        line->profile_files.item[line->profile_files.n++] = value;
    if (!strcmp(option->name, "models-file") && line->model_files.n < 16)
        line->model_files.item[line->model_files.n++] = value;
}

static const struct xl_option *find_option(const struct line *line, const char *word) {
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    const struct xl_option *option = xl_option_find(name);
    return option && option->commands & line->command->commands ? option : NULL;
}

static void read_word(struct line *line, const char *word) {
    if (line->open) {
        note_value(line, line->open, word);
        line->open = NULL;
        return;
    }
    if (line->only_words || strncmp(word, "--", 2)) {
        line->n_words++;
        return;
    }
    line->only_words = !word[2];
    const struct xl_option *option = word[2] ? find_option(line, word) : NULL;
    const char *equals = strchr(word, '=');
    if (!option) return;
    line->given |= xl_option_bit(option);
    if (equals)
        note_value(line, option, equals + 1);
    else if (option->type != XL_OPTION_SWITCH)
        line->open = option;
}

static void complete_options(const struct line *line, struct xl_candidates *out) {
    const struct xl_option *option;
    for (int i = 0; (option = xl_option_at(i)); i++) {
        bool is_given = line->given >> i & 1 && option->type != XL_OPTION_LIST;
        if (is_given || !(option->commands & line->command->commands)) continue;
        xl_candidate_add(out, "--", option->name, option->help, false);
    }
    xl_candidate_add(out, "--", "help", "what the options are", false);
}

/* ---- Values ---- */

static void complete_kind(const struct line *line, enum xl_completion kind, const char *prefix,
                          struct xl_candidates *out) {
    const struct xl_value_place place = {.kind = kind,
                                         .prefix = prefix,
                                         .profile_files = line->profile_files.item,
                                         .n_profile_files = line->profile_files.n,
                                         .model_files = line->model_files.item,
                                         .n_model_files = line->model_files.n};
    xl_complete_values(&place, out);
}

static void complete_value(const struct line *line, const struct xl_option *option,
                           const char *prefix, struct xl_candidates *out);

/* --sweep: a key, then values of that option between commas. */
static void complete_axis(const struct line *line, const char *prefix, struct xl_candidates *out) {
    const char *typed = out->typed + strlen(prefix), *equals = strchr(typed, '=');
    const struct xl_option *option;
    if (!equals) {
        for (int i = 0; (option = xl_option_at(i)); i++) {
            const char *key = xl_arena_printf(&out->arena, "%s=", option->name);
            if (option->is_axis && key) xl_candidate_add(out, prefix, key, option->help, false);
        }
        out->is_open = true;
        return;
    }
    const char *key = xl_arena_strndup(&out->arena, typed, (size_t)(equals - typed));
    const char *comma = strrchr(equals, ','), *begin = comma ? comma + 1 : equals + 1;
    prefix = xl_arena_strndup(&out->arena, out->typed, (size_t)(begin - out->typed));
    option = key ? xl_option_find(key) : NULL;
    if (!option || !option->is_axis || !prefix) return;
    complete_value(line, option, prefix, out);
    if (!comma && (!strcmp(option->name, "model") || !strcmp(option->name, "profile")))
        xl_candidate_add(out, prefix, "all", "every one that there is", false);
    /* Names of files are completed by the shell, which knows nothing of KEY=. */
    out->wants_files = out->wants_dirs = false;
}

static void complete_value(const struct line *line, const struct xl_option *option,
                           const char *prefix, struct xl_candidates *out) {
    const char *comma = strrchr(out->typed + strlen(prefix), ',');
    if (comma && xl_takes_values(line->command, option))
        prefix = xl_arena_strndup(&out->arena, out->typed, (size_t)(comma + 1 - out->typed));
    if (!prefix) return;
    for (int i = 0; option->choices && option->choices[i]; i++)
        xl_candidate_add(out, prefix, option->choices[i], NULL, false);
    if (option->completion == XL_COMPLETE_AXIS)
        complete_axis(line, prefix, out);
    else
        complete_kind(line, option->completion, prefix, out);
}

/* Words that are no options: "bash|zsh|fish" is one of these, "PNG..." any number. */
static bool complete_word(const struct line *line, struct xl_candidates *out) {
    const char *wanted = line->command->positional;
    if (!wanted || (line->n_words && !strstr(wanted, "..."))) return false;
    for (const char *at = strchr(wanted, '|') ? wanted : ""; *at;) {
        size_t n = strcspn(at, "|");
        const char *choice = xl_arena_strndup(&out->arena, at, n);
        if (choice) xl_candidate_add(out, "", choice, NULL, false);
        at += n + (at[n] == '|');
    }
    complete_kind(line, line->command->words, "", out);
    return true;
}

void xl_complete(const char *const *words, int n, struct xl_candidates *out) {
    struct line line = {.command = NULL};
    int n_name;
    out->typed = words[n - 1];
    line.command = find_command(words, n, &n_name);
    if (n == 1 && !line.command) {
        complete_first_word(out);
        return;
    }
    if (!line.command) {
        if (n == 2) complete_second_word(words[0], out);
        return;
    }
    if (n == 2) complete_second_word(words[0], out); /* of a command that is a group, too */
    for (int i = n_name; i < n - 1; i++) read_word(&line, words[i]);
    const char *typed = out->typed, *equals = strchr(typed, '=');
    bool is_option = typed[0] == '-' && !line.only_words && !line.open;
    if (line.open) {
        complete_value(&line, line.open, "", out);
    } else if (is_option && equals && !strncmp(typed, "--", 2)) {
        const struct xl_option *option = find_option(&line, typed);
        const char *prefix = xl_arena_strndup(&out->arena, typed, (size_t)(equals + 1 - typed));
        if (option && option->type != XL_OPTION_SWITCH && prefix)
            complete_value(&line, option, prefix, out);
    } else if (is_option || !complete_word(&line, out)) {
        if (!line.only_words) complete_options(&line, out);
        if (n == 1) xl_candidate_add(out, "--", "version", "the version of the program", false);
    }
}

void xl_complete_line(const char *const *words, int n, struct xl_candidates *out) {
    const struct xl_command *linked = xl_command_of_link(words[0]);
    if (!linked) {
        xl_complete(words + 1, n - 1, out);
        return;
    }
    const char **meant = xl_arena_alloc(&out->arena, ((size_t)n + 1) * sizeof *meant);
    const char *blank = strchr(linked->name, ' ');
    size_t n_group = strcspn(linked->name, " ");
    const char *group = xl_arena_strndup(&out->arena, linked->name, n_group);
    bool is_sibling = n > 2 && xl_command_of_group(linked, words[1]);
    int n_meant = 0;
    if (!meant || !group) return;
    meant[n_meant++] = group;
    if (blank && !is_sibling) meant[n_meant++] = blank + 1;
    for (int i = 1; i < n; i++) meant[n_meant++] = words[i];
    out->typed = words[n - 1];
    if (n == 2 && blank && linked->link_is_group) complete_second_word(group, out);
    xl_complete(meant, n_meant, out);
}

/* ---- The commands that shells call ---- */

static void print_wishes(const struct xl_candidates *found) {
    if (found->wants_files) printf("\tfiles\n");
    if (found->wants_dirs) printf("\tdirs\n");
    if (found->is_open) printf("\topen\n");
}

/* Where something begins just as it is typed, what only resembles it is left out. */
static bool is_offered(const struct xl_candidates *found, const struct xl_candidate *candidate) {
    return candidate->is_exact || !found->has_exact;
}

static enum xl_status complete_words(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_candidates found = {.first = NULL};
    (void)err;
    if (settings->n_arguments > 1)
        xl_complete_line(settings->arguments, settings->n_arguments, &found);
    for (const struct xl_candidate *c = found.first; c; c = c->next)
        if (is_offered(&found, c)) printf("%s\t%s\n", c->text, c->about ? c->about : "");
    print_wishes(&found);
    xl_arena_deinit(&found.arena);
    return XL_OK;
}

const struct xl_command xl_command_complete_words = {
    .name = "complete words",
    .summary = "what may stand at the end of these words: for zsh and fish",
    .usage = "",
    .positional = "WORD...",
    .commands = XL_FOR_COMPLETION,
    .is_hidden = true,
    .run = complete_words,
};

static enum xl_status complete_line(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_candidates found = {.first = NULL};
    struct xl_shell_line line = {.n = 0};
    if (settings->n_arguments != 2)
        return xl_fail(err, XL_EINVAL, "complete line: expected COMP_WORDBREAKS and the line");
    if (!xl_shell_line_read(settings->arguments[1], settings->arguments[0], &line))
        return xl_fail_nomem(err, "the command line", 0);
    if (line.n > 1) xl_complete_line(line.words, line.n, &found);
    for (const struct xl_candidate *c = found.first; c; c = c->next) {
        const char *text = is_offered(&found, c) ? xl_shell_line_insert(&line, c->text) : NULL;
        if (text) printf("%s\n", text);
    }
    print_wishes(&found);
    xl_shell_line_deinit(&line);
    xl_arena_deinit(&found.arena);
    return XL_OK;
}

const struct xl_command xl_command_complete_line = {
    .name = "complete line",
    .summary = "what may stand at the end of this line: for bash",
    .usage = "",
    .positional = "BREAKS LINE...",
    .commands = XL_FOR_COMPLETION,
    .is_hidden = true,
    .run = complete_line,
};
