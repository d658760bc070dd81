/* prompts_preview.c - sdxl-lab prompts preview: a few prompts with their parts in colours, and how
 * many there are.
 */
#include "base/json.h"
#include "base/text_width.h"
#include "cli/prompts.h"
#include "cli/table.h"

#include <stdio.h>
#include <string.h>

enum { FEW = 6, INDENT = 4 };

/* The colour of a byte: that of the innermost part. */
static enum xl_color color_at(const struct xl_prompt_text *text, int at) {
    static const enum xl_color colors[] = {XL_COLOR_GREEN, XL_COLOR_YELLOW, XL_COLOR_CYAN,
                                           XL_COLOR_MAGENTA, XL_COLOR_BLUE};
    enum xl_color color = XL_COLOR_NONE;
    for (int i = 1; i < text->n_parts; i++) {
        const struct xl_prompt_piece *part = &text->parts[i];
        if (part->begin <= at && at < part->end && part->list->name)
            color = colors[part->list->color % (int)(sizeof colors / sizeof *colors)];
    }
    return color;
}

/* Bytes from..to, a run of one colour at a time. */
static void print_word(const struct xl_prompt_text *text, int from, int to) {
    char run[256];
    while (from < to) {
        enum xl_color color = color_at(text, from);
        int n = 0;
        while (from + n < to && n < (int)sizeof run - 1 && color_at(text, from + n) == color) n++;
        memcpy(run, text->text.text + from, (size_t)n);
        run[n] = 0;
        xl_print_text(run, color);
        from += n;
    }
}

static void print_prompt(const struct xl_prompt_text *text, int number) {
    int columns = xl_print_columns(), used = INDENT, n = (int)text->text.len;
    printf("%2d  ", number);
    for (int from = 0; from < n;) {
        int to = from;
        while (to < n && text->text.text[to] != ' ') to++;
        char word[512];
        snprintf(word, sizeof word, "%.*s", to - from, text->text.text + from);
        int width = xl_text_width(word);
        if (columns && used > INDENT && used + 1 + width > columns) {
            printf("\n%*s", INDENT, "");
            used = INDENT;
        } else if (used > INDENT) {
            putchar(' ');
            used++;
        }
        print_word(text, from, to);
        used += width;
        from = to + 1;
    }
    putchar('\n');
}

/* "Cinematic, size portrait, steps 24, seed 17" */
static void print_decided(const struct xl_prompts_source *source) {
    struct xl_str line = {0};
    for (int i = 0; i < source->grammar->n_settings; i++) {
        const struct xl_grammar_setting *setting = &source->grammar->settings[i];
        if (setting->n < 2) continue; /* always the same */
        xl_str_printf(&line, "%s %s, ", setting->name,
                      setting->values[xl_sequence_setting(source->sequence, i)]);
    }
    xl_str_printf(&line, "seed %llu", (unsigned long long)xl_sequence_seed(source->sequence));
    if (line.text) xl_print_lines(INDENT, "", line.text, XL_COLOR_DIM);
    xl_str_deinit(&line);
}

static void print_heading(const char *name, const struct xl_prompts_source *source,
                          struct xl_ways_count count) {
    char text[XL_PROMPTS_COUNT_MAX];
    xl_print_text(name, XL_COLOR_BOLD);
    putchar('\n');
    if (source->grammar->about[0]) xl_print_lines(0, "", source->grammar->about, XL_COLOR_DIM);
    printf("%s; some of --seed %llu:\n", xl_prompts_count_text(count, text),
           (unsigned long long)source->seed);
}

static enum xl_status print_some(const struct xl_settings *settings,
                                 const struct xl_prompts_source *source, int n,
                                 struct xl_err *err) {
    struct xl_ways_count count;
    enum xl_status status = xl_sequence_possible(source->sequence, &count, err);
    if (!status) print_heading(settings->arguments[0], source, count);
    for (int i = 0; !status && i < n; i++) {
        const struct xl_prompt_text *prompt;
        if (xl_interrupted()) return xl_fail(err, XL_ECANCELLED, "interrupted");
        status = xl_sequence_next(source->sequence, &prompt, err);
        if (status || xl_sequence_round(source->sequence)) break;
        print_prompt(prompt, i + 1);
        print_decided(source);
    }
    return status;
}

static enum xl_status preview(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_prompts_source source;
    int n = xl_settings_is_given(settings, "count") ? settings->count : FEW;
    enum xl_status status = xl_prompts_open(settings, settings->arguments[0], &source, err);
    if (!status)
        status = settings->json ? xl_prompts_print_json(settings, &source, n, err)
                                : print_some(settings, &source, n, err);
    xl_prompts_close(&source);
    return status;
}

const struct xl_command xl_command_prompts_preview = {
    .name = "prompts preview",
    .summary = "a few prompts with their parts in colours, and how many there are",
    .usage = "[OPTIONS]",
    .positional = "FILE|THEME",
    .words = XL_COMPLETE_THEME,
    .commands = XL_FOR_PROMPTS,
    .epilogue = "Words that a template has itself are not coloured; each list has its colour.",
    .run = preview,
};
