/* page.c - escaping and line breaks of troff and of Markdown. */
#include "cli/page.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- troff ---- */

/* Lines of the source stay short, and a sentence begins a line: man pages are written like that. */
enum { TROFF_WIDTH = 76 };

struct troff {
    int column;
    bool is_code;
};

static void put_troff_char(const struct troff *troff, const char *at, bool is_word_begin) {
    switch (*at) {
    case '\\':
        fputs("\\e", stdout);
        return;
    case '-': /* a hyphen within words, the minus of a flag elsewhere */
        fputs(troff->is_code || is_word_begin || at[1] == '-' ? "\\-" : "-", stdout);
        return;
    case '\'':
        fputs("\\(aq", stdout);
        return;
    case '"':
        fputs("\\(dq", stdout);
        return;
    case '^':
        fputs("\\(ha", stdout);
        return;
    case '~':
        fputs("\\(ti", stdout);
        return;
    default:
        putchar(*at);
    }
}

/* A word of n bytes; backquotes in it switch between text and code. */
static void put_troff_word(struct troff *troff, const char *word, int n) {
    if (*word == '.') fputs("\\&", stdout); /* a dot that begins a line is a macro */
    for (int i = 0; i < n; i++) {
        bool begins = !i || !isalnum((unsigned char)word[i - 1]);
        if (word[i] != '`') {
            put_troff_char(troff, word + i, begins);
            continue;
        }
        troff->is_code = !troff->is_code;
        fputs(troff->is_code ? "\\fB" : "\\fR", stdout);
    }
}

static bool ends_sentence(const char *word, int n) {
    while (n > 1 && (word[n - 1] == ')' || word[n - 1] == '`')) n--;
    return n > 1 && word[n - 1] == '.';
}

static void put_troff(struct troff *troff, const char *text) {
    while (*text) {
        int n = (int)strcspn(text, " ");
        bool is_long = troff->column + n + 1 > TROFF_WIDTH;
        if (troff->column) putchar(is_long && !troff->is_code ? '\n' : ' ');
        troff->column = is_long && !troff->is_code ? n : troff->column + 1 + n;
        put_troff_word(troff, text, n);
        bool is_end = ends_sentence(text, n) && !troff->is_code;
        text += n + strspn(text + n, " ");
        if (is_end && *text) putchar('\n'), troff->column = 0;
    }
}

static void put_troff_text(const char *text) {
    struct troff troff = {0};
    put_troff(&troff, text);
    putchar('\n');
}

/* ---- Markdown ---- */

static void put_markdown(const char *text, bool is_in_table) {
    bool is_code = false;
    for (; *text; text++) {
        if (*text == '`') is_code = !is_code;
        bool is_special = !is_code && strchr("*_<>[]\\#", *text);
        if (is_special || (*text == '|' && is_in_table)) putchar('\\');
        putchar(*text);
    }
}

/* ---- Both ---- */

void xl_page_heading(struct xl_page *page, int level, const char *text) {
    page->is_begin = true;
    if (page->is_markdown) {
        printf("\n%s ", level == 1 ? "##" : "###");
        put_markdown(text, false);
        printf("\n");
        return;
    }
    printf(level == 1 ? ".SH " : ".SS ");
    for (const char *c = text; *c; c++) putchar(level == 1 ? toupper((unsigned char)*c) : *c);
    printf("\n");
}

/* A heading begins a paragraph by itself. */
static void begin_paragraph(struct xl_page *page) {
    if (page->is_markdown)
        printf("\n");
    else if (!page->is_begin)
        printf(".PP\n");
    page->is_begin = false;
}

void xl_page_text(struct xl_page *page, const char *text) {
    while (*text) {
        char part[2048];
        size_t n = strcspn(text, "\n");
        snprintf(part, sizeof part, "%.*s", (int)n, text);
        begin_paragraph(page);
        if (page->is_markdown) {
            put_markdown(part, false);
            printf("\n");
        } else {
            put_troff_text(part);
        }
        text += n + (text[n] == '\n');
    }
}

void xl_page_item(struct xl_page *page, const char *term, const char *text) {
    if (page->is_markdown) {
        printf("\n- `%s`: ", term);
        put_markdown(text, false);
        return;
    }
    struct troff troff = {.is_code = true};
    printf(".TP\n\\fB");
    put_troff_word(&troff, term, (int)strlen(term));
    printf("\\fR\n");
    put_troff_text(text);
}

void xl_page_code(struct xl_page *page, const char *lines) {
    if (page->is_markdown) {
        page->is_begin = false;
        printf("\n```\n%s\n```\n", lines);
        return;
    }
    const struct troff troff = {.is_code = true};
    begin_paragraph(page);
    printf(".RS 4\n.nf\n");
    for (const char *c = lines; *c; c++) {
        bool begins_line = c == lines || c[-1] == '\n';
        if (begins_line && *c == '.') fputs("\\&", stdout);
        put_troff_char(&troff, c, false);
    }
    printf("\n.fi\n.RE\n");
}

void xl_page_table(struct xl_page *page, const char *const *headings, int n) {
    if (!page->is_markdown) return;
    printf("\n|");
    for (int i = 0; i < n; i++) printf(" %.*s |", (int)strcspn(headings[i], ":"), headings[i]);
    printf("\n|");
    for (int i = 0; i < n; i++) printf("---|");
}

void xl_page_row(struct xl_page *page, const char *const *headings, const char *const *cells,
                 int n) {
    if (page->is_markdown) {
        printf("\n|");
        for (int i = 0; i < n; i++) {
            putchar(' ');
            put_markdown(cells[i], true);
            printf(cells[i][0] ? " |" : "|");
        }
        return;
    }
    struct troff troff = {0};
    printf(".TP\n");
    put_troff_word(&troff, cells[0], (int)strlen(cells[0]));
    printf("\n");
    for (int i = 1; i < n; i++) {
        if (!cells[i][0]) continue;
        if (troff.column) printf("\n"), troff.column = 0;
        bool has_heading = strchr(headings[i], ':');
        if (has_heading) put_troff(&troff, headings[i]);
        put_troff(&troff, cells[i]);
        printf(".");
    }
    printf("\n");
}

void xl_page_end(struct xl_page *page) {
    if (page->is_markdown) printf("\n");
}
