/* shell_line.c - quotes and backslashes of a bash command line. Expansions ($x, globs) stay as they
 * are typed. */
#include "cli/shell_line.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n';
}

/* The text of a word so far goes into the list. */
static bool end_word(struct xl_shell_line *out, struct xl_str *word) {
    size_t n = word->len;
    char *text = xl_str_take(word);
    const char *copy = text ? xl_arena_strndup(&out->arena, text, n) : NULL;
    free(text);
    if (!copy || out->n == XL_SHELL_WORDS_MAX) return false;
    out->words[out->n++] = copy;
    return true;
}

/* One character of a word, and its place in what bash replaces. Returns the bytes it took. */
static size_t read_char(const char *at, const char *breaks, struct xl_shell_line *out,
                        struct xl_str *word) {
    static const char escaped_in_quotes[] = "$`\"\\\n";
    bool is_escape = at[0] == '\\' && at[1] && out->quote != '\'' &&
                     (!out->quote || strchr(escaped_in_quotes, at[1]));
    if (is_escape) {
        xl_str_append(word, at + 1, 1);
        return 2;
    }
    bool is_quote = out->quote ? *at == out->quote : *at == '"' || *at == '\'';
    if (is_quote)
        out->quote = out->quote ? 0 : *at;
    else
        xl_str_append(word, at, 1);
    if (is_quote || (!out->quote && strchr(breaks, *at))) out->fixed = word->len;
    return 1;
}

bool xl_shell_line_read(const char *line, const char *breaks, struct xl_shell_line *out) {
    struct xl_str word = {0};
    bool ok = true, is_in_word = false;
    while (ok && *line) {
        if (!out->quote && is_blank(*line)) {
            if (is_in_word) ok = end_word(out, &word);
            is_in_word = false;
            line++;
            continue;
        }
        if (!is_in_word) out->fixed = 0;
        is_in_word = true;
        line += read_char(line, breaks, out, &word);
    }
    if (!is_in_word) out->fixed = 0;
    ok = ok && end_word(out, &word);
    xl_str_deinit(&word);
    if (!ok) xl_shell_line_deinit(out);
    return ok;
}

static void put_quoted(struct xl_str *out, char quote, char c) {
    if (quote == '\'' && c == '\'') {
        xl_str_puts(out, "'\\''");
        return;
    }
    const char *specials = quote == '"' ? "$`\"\\" : quote ? "" : " \t\"'\\$`&|;<>()[]{}*?!#~";
    if (strchr(specials, c)) xl_str_puts(out, "\\");
    xl_str_append(out, &c, 1);
}

const char *xl_shell_line_insert(struct xl_shell_line *line, const char *word) {
    struct xl_str quoted = {0};
    if (strncmp(word, line->words[line->n - 1], line->fixed)) return NULL;
    for (const char *c = word + line->fixed; *c; c++) put_quoted(&quoted, line->quote, *c);
    char *text = xl_str_take(&quoted);
    const char *copy = text ? xl_arena_strdup(&line->arena, text) : NULL;
    free(text);
    return copy;
}

void xl_shell_line_deinit(struct xl_shell_line *line) {
    xl_arena_deinit(&line->arena);
    line->n = 0;
}
