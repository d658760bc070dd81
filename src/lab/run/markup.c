/* markup.c - weights, schedules, LoRAs and wildcards of other tools' prompts, where the syntax that
 * prompts are read with does not know them. Who pastes such a prompt is told so instead of looking
 * for the reason in the picture. */
#include "lab/run/markup.h"

#include <stdio.h>
#include <string.h>

/* Each looks at a form that begins at `at`, where `first` stands, and gives its end; NULL: none. */
typedef const char *form_fn(const char *text, const char *at);

static bool is_word_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

static bool is_escaped(const char *text, const char *at) {
    return at > text && at[-1] == '\\';
}

/* The end of a bracket that opens at `at`, or NULL. */
static const char *close_of(const char *at, char open, char close) {
    int depth = 0;
    for (; *at; at++) {
        if (*at == '\\' && at[1]) {
            at++;
            continue;
        }
        depth += (*at == open) - (*at == close);
        if (!depth) return at;
    }
    return NULL;
}

/* ":1.2" before `end`: a colon, perhaps blanks, a number. begin: the bracket. "3:2" is a ratio and
 * "10:30" a time. */
static bool ends_in_number(const char *begin, const char *end) {
    const char *at = end;
    while (at > begin && strchr("0123456789. ", at[-1])) at--;
    const char *digits = at + strspn(at, " ");
    if (at > begin && (at[-1] == '-' || at[-1] == '+')) at--;
    if (at <= begin + 1 || at[-1] != ':' || digits >= end) return false;
    bool is_ratio = at[-2] >= '0' && at[-2] <= '9' && !memchr(at, '.', (size_t)(end - at));
    return !is_ratio;
}

static const char *weight(const char *text, const char *at) {
    const char *end = is_escaped(text, at) ? NULL : close_of(at, '(', ')');
    return end && ends_in_number(at, end) ? end + 1 : NULL;
}

static const char *doubled(const char *text, const char *at) {
    const char *end = is_escaped(text, at) || at[1] != '(' ? NULL : close_of(at, '(', ')');
    return end && end - at > 4 && end[-1] == ')' ? end + 1 : NULL;
}

static const char *schedule(const char *text, const char *at) {
    const char *end = is_escaped(text, at) ? NULL : close_of(at, '[', ']');
    if (!end) return NULL;
    return memchr(at, '|', (size_t)(end - at)) || ends_in_number(at, end) ? end + 1 : NULL;
}

static const char *choice(const char *text, const char *at) {
    const char *end = is_escaped(text, at) ? NULL : close_of(at, '{', '}');
    return end && memchr(at, '|', (size_t)(end - at)) ? end + 1 : NULL;
}

static const char *network(const char *text, const char *at) {
    static const char *const kinds[] = {"<lora:", "<lyco:", "<hypernet:"};
    (void)text;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strncmp(at, kinds[i], strlen(kinds[i]))) {
            const char *end = strchr(at, '>');
            return end ? end + 1 : NULL;
        }
    return NULL;
}

static bool is_apart(const char *text, const char *at, size_t n) {
    return (at == text || !is_word_char(at[-1])) && !is_word_char(at[n]);
}

static const char *section(const char *text, const char *at) {
    static const char word[] = "BREAK";
    size_t n = sizeof word - 1;
    return !strncmp(at, word, n) && is_apart(text, at, n) ? at + n : NULL;
}

static const char *wildcard(const char *text, const char *at) {
    if (at[1] != '_' || (at > text && is_word_char(at[-1]))) return NULL;
    const char *end = strstr(at + 2, "__");
    if (!end || end == at + 2 || memchr(at, ' ', (size_t)(end - at)) ||
        memchr(at, '\n', (size_t)(end - at)))
        return NULL;
    return end + 2;
}

static const char *embedding(const char *text, const char *at) {
    static const char word[] = "embedding:";
    size_t n = sizeof word - 1;
    if (strncmp(at, word, n) || (at > text && is_word_char(at[-1])) || !is_word_char(at[n]))
        return NULL;
    at += n;
    while (is_word_char(*at) || *at == '-' || *at == '.') at++;
    return at;
}

/* "(x)1.2", "(x)++", "(...).blend(" */
static const char *compel(const char *text, const char *at) {
    static const char *const operators[] = {".blend(", ".and(", ".swap("};
    const char *end = is_escaped(text, at) ? NULL : close_of(at, '(', ')');
    if (!end) return NULL;
    size_t n = strspn(end + 1, "0123456789."), n_signs = strspn(end + 1, "+-");
    bool is_number = n > 0 && end[1] != '.' && !is_word_char(end[1 + n]) && end[n] != '.';
    if (is_number || n_signs > 1) return end + 1 + (is_number ? n : n_signs);
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (!strncmp(end + 1, operators[i], strlen(operators[i]))) return end + 1;
    return NULL;
}

/* Of which syntaxes a form is: nobody is told of it there. */
static const struct {
    char first;
    form_fn *find;
    bool is_read[3]; /* by enum xl_prompt_syntax */
    bool is_chosen;  /* by --prompt-generator dynamic */
} forms[XL_N_MARKUPS] = {
    {'(', weight, {[XL_PROMPT_A1111] = true}, false},
    {'(', doubled, {[XL_PROMPT_A1111] = true}, false},
    {'[', schedule, {[XL_PROMPT_A1111] = true}, false},
    {'{', choice, {false}, true},
    {'<', network, {false}, false},
    {'B', section, {[XL_PROMPT_A1111] = true}, false},
    {'_', wildcard, {false}, true},
    {'e', embedding, {false}, false},
    {'(', compel, {[XL_PROMPT_COMPEL] = true}, false},
};

bool xl_markup_find(const char *text, int kind, char example[XL_MARKUP_MAX]) {
    if (!text) return false;
    for (const char *at = text; (at = strchr(at, forms[kind].first)); at++) {
        const char *end = forms[kind].find(text, at);
        if (!end) continue;
        int n = (int)(end - at), most = XL_MARKUP_MAX - 4;
        if (n > most) /* not within a character of UTF-8 */
            for (n = most; n > 0 && ((unsigned char)at[n] & 0xC0) == 0x80;) n--;
        snprintf(example, XL_MARKUP_MAX, "%.*s%s", n, at, at + n < end ? "..." : "");
        for (char *c = example; *c; c++)
            if (*c == '\n' || *c == '\t' || *c == '\r') *c = ' ';
        return true;
    }
    return false;
}

/* What would read some of the forms. */
static void put_advice(struct xl_str *notices, bool is_syntax, bool is_chosen) {
    if (is_syntax) xl_str_puts(notices, "; --prompt-syntax a1111 or compel reads weights");
    if (is_chosen)
        xl_str_puts(notices, "; --prompt-generator dynamic chooses from {a|b} and __name__");
    if (!is_syntax && !is_chosen)
        xl_str_puts(notices, ", for this version gives such forms no meaning");
}

void xl_markup_note(struct xl_sweep *sweep) {
    char examples[XL_N_MARKUPS][XL_MARKUP_MAX] = {{0}};
    const char *last[2] = {NULL, NULL}; /* cells share their texts */
    enum xl_prompt_syntax last_syntax = XL_PROMPT_PLAIN;
    int n = 0, n_said = 0;
    bool is_syntax = false; /* another one would read some of it */
    bool is_chosen = false, is_made = false;
    for (int i = 0; i < sweep->n_cells; i++) {
        const struct xl_cell *cell = &sweep->cells[i];
        const char *texts[2] = {cell->styled_prompt, cell->effective_negative};
        enum xl_prompt_syntax syntax = cell->prompt_syntax;
        is_made |= cell->prompt_template || cell->negative_template;
        for (int t = 0; t < 2; t++) {
            if (texts[t] == last[t] && syntax == last_syntax) continue;
            last[t] = texts[t];
            for (int kind = 0; kind < XL_N_MARKUPS; kind++)
                if (!examples[kind][0] && !forms[kind].is_read[syntax])
                    n += xl_markup_find(texts[t], kind, examples[kind]);
        }
        last_syntax = syntax;
    }
    if (!n) return;
    for (int kind = 0; kind < XL_N_MARKUPS; kind++) {
        if (!examples[kind][0]) continue;
        is_syntax |= forms[kind].is_read[XL_PROMPT_A1111] || forms[kind].is_read[XL_PROMPT_COMPEL];
        is_chosen |= forms[kind].is_chosen && !is_made;
        const char *glue = !n_said ? "" : n_said == n - 1 ? " and " : ", ";
        xl_str_printf(&sweep->notices, "%s\"%s\"", glue, examples[kind]);
        n_said++;
    }
    xl_str_puts(&sweep->notices, " in prompts: drawn as plain words");
    put_advice(&sweep->notices, is_syntax, is_chosen);
    xl_str_puts(&sweep->notices, "\n");
}
