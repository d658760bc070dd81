/* render.c - the text of decisions: entries put in, then one pass that puts articles, blanks and
 * commas right. Keeps no state.
 */
#include "prompts/draw.h"
#include "prompts/words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ARTICLES = 64 };

/* An article before an entry: where it stands in the raw text, and what entries up to the next
 * words ask for. */
struct article {
    size_t at;
    enum xl_grammar_article kind;
    bool is_first; /* no entry behind it was seen yet */
};

struct render {
    const uint32_t *decisions;
    int n, next;
    struct xl_prompt_text *out;
    struct article articles[MAX_ARTICLES];
    int n_articles;
    bool is_open; /* only entries and blanks since the last article */
};

static uint32_t decision(struct render *render) {
    return render->next < render->n ? render->decisions[render->next++] : 0;
}

/* Whether a text ends with the word "a" or "an" and a blank. */
static bool ends_with_article(const struct xl_str *raw, size_t *at) {
    size_t n = raw->len;
    if (n < 2 || raw->text[n - 1] != ' ') return false;
    n--;
    if (n >= 2 && tolower((unsigned char)raw->text[n - 1]) == 'n') n--;
    if (tolower((unsigned char)raw->text[n - 1]) != 'a') return false;
    bool is_word = n == 1 || (!isalnum((unsigned char)raw->text[n - 2]) &&
                              (unsigned char)raw->text[n - 2] < 0x80 && raw->text[n - 2] != '\'');
    *at = n - 1;
    return is_word;
}

static void put_words(struct render *render, const char *text, size_t n) {
    for (size_t i = 0; i < n && render->is_open; i++) render->is_open = text[i] == ' ';
    xl_str_append(&render->out->raw, text, n);
}

/* What an entry says of the article before it. */
static void heed(struct render *render, enum xl_grammar_article kind) {
    if (!render->is_open || !render->n_articles) return;
    struct article *article = &render->articles[render->n_articles - 1];
    bool is_far_reaching = kind == XL_ARTICLE_NONE || kind == XL_ARTICLE_THE;
    if (kind && (article->is_first || is_far_reaching) && article->kind != XL_ARTICLE_NONE)
        article->kind = kind;
    article->is_first = false;
}

static void put_entry(struct render *render, const struct xl_grammar_item *item,
                      const struct xl_grammar_list *list);

static void put_item(struct render *render, const struct xl_grammar_item *item) {
    int count = (int)decision(render);
    for (int i = 0; i < count; i++) {
        if (i) put_words(render, item->between, strlen(item->between));
        put_entry(render, item, item->list);
    }
}

/* Pieces and articles behind a place that grew by some bytes. */
static void move(struct render *render, size_t place, int by) {
    struct xl_prompt_text *out = render->out;
    for (int i = 0; i < out->n_parts; i++) {
        if (out->parts[i].begin > (int)place) out->parts[i].begin += by;
        if (out->parts[i].end > (int)place) out->parts[i].end += by;
    }
    for (int i = 0; i < render->n_articles; i++)
        if (render->articles[i].at > place) render->articles[i].at += (size_t)by;
}

/* What was put in from `begin` on, by piece `part`, becomes its plural. */
static void make_plural(struct render *render, int part, size_t begin, const char *said) {
    struct xl_str *raw = &render->out->raw;
    struct xl_str plural = {0};
    size_t n = raw->len - begin;
    if (said) { /* what stood in it is gone */
        xl_str_puts(&plural, said);
        render->out->n_parts = part + 1;
        while (render->n_articles && render->articles[render->n_articles - 1].at >= begin)
            render->n_articles--;
    } else if (n) {
        size_t same = 0;
        xl_put_plural(&plural, raw->text + begin, n);
        while (same < n && same < plural.len && plural.text[same] == raw->text[begin + same])
            same++;
        move(render, begin + same - (same == n), (int)plural.len - (int)n);
    }
    raw->len = begin;
    if (plural.len) xl_str_append(raw, plural.text, plural.len);
    raw->failed |= plural.failed;
    xl_str_deinit(&plural);
}

static void put_entry(struct render *render, const struct xl_grammar_item *item,
                      const struct xl_grammar_list *list) {
    struct xl_prompt_text *out = render->out;
    uint32_t e = decision(render);
    size_t begin = out->raw.len, at;
    const struct xl_grammar_entry *entry = &list->entries[e < (uint32_t)list->n ? e : 0];
    int part = out->n_parts < XL_PROMPT_MAX_PARTS ? out->n_parts++ : XL_PROMPT_MAX_PARTS - 1;
    out->parts[part] = (struct xl_prompt_piece){list, entry, (int)begin, 0};
    if (begin && ends_with_article(&out->raw, &at) && render->n_articles < MAX_ARTICLES &&
        !(render->n_articles && render->articles[render->n_articles - 1].at == at)) {
        render->articles[render->n_articles++] = (struct article){at, XL_ARTICLE_AUTO, true};
        render->is_open = true;
    }
    if (item) heed(render, item->is_plural ? XL_ARTICLE_NONE : entry->article);
    for (int i = 0; i < entry->n_items; i++) {
        if (entry->items[i].list)
            put_item(render, &entry->items[i]);
        else if (item) { /* words of an entry do not end what an article stands before */
            bool was_open = render->is_open;
            put_words(render, entry->items[i].text, entry->items[i].n);
            render->is_open = was_open;
        } else
            put_words(render, entry->items[i].text, entry->items[i].n);
    }
    if (item && item->is_plural) make_plural(render, part, begin, entry->plural);
    out->parts[part].end = (int)out->raw.len;
}

/* --- Putting right ---------------------------------------------------------------------------- */

/* From raw to the text: a cursor over both. */
struct pass {
    const char *raw;
    size_t n, at;
    struct xl_str *text;
    bool wants_capital; /* an article at the beginning was left out */
};

static bool ends_phrase(char c) {
    return c == ',' || c == ';' || c == '.' || c == ':' || c == '!' || c == '?' || c == ')';
}

static void put_article(struct pass *pass, const struct article *article) {
    bool is_capital = pass->raw[pass->at] == 'A';
    size_t end = pass->at + 1;
    if (end < pass->n && pass->raw[end] == 'n') end++;
    size_t word = end;
    while (word < pass->n && pass->raw[word] == ' ') word++;
    bool is_an = article->kind == XL_ARTICLE_AN || (article->kind == XL_ARTICLE_AUTO &&
                                                    xl_takes_an(pass->raw + word, pass->n - word));
    const char *said = article->kind == XL_ARTICLE_THE ? "the" : is_an ? "an" : "a";
    pass->at = end;
    if (article->kind == XL_ARTICLE_NONE) {
        pass->at = word;
        pass->wants_capital = is_capital;
        return;
    }
    char first = is_capital ? (char)toupper((unsigned char)said[0]) : said[0];
    xl_str_append(pass->text, &first, 1);
    xl_str_puts(pass->text, said + 1);
}

/* A character of the text, unless it is a blank or comma too many. */
static void put_character(struct pass *pass) {
    struct xl_str *text = pass->text;
    char c = pass->raw[pass->at++];
    char last = text->len ? text->text[text->len - 1] : 0;
    bool is_bare = !last || last == ' ' || last == '(';
    if (c == ' ' && is_bare) return;
    if (c == ',' && !text->len) return;
    if (ends_phrase(c) && last == ' ') { /* "word ," */
        text->len--;
        last = text->len ? text->text[text->len - 1] : 0;
    }
    if (c == ',' && last == ',') return; /* ", ," where nothing was put between */
    if (pass->wants_capital) c = (char)toupper((unsigned char)c);
    pass->wants_capital = false;
    xl_str_append(text, &c, 1);
}

/* Room for the place in the text of each byte of raw. */
static bool have_map(struct xl_prompt_text *out) {
    if (out->map_capacity > out->raw.len) return true;
    size_t capacity = 2 * out->raw.len + 1;
    int *grown = realloc(out->map, capacity * sizeof *grown);
    if (!grown) return false;
    out->map = grown;
    out->map_capacity = capacity;
    return true;
}

static void put_right(struct render *render) {
    struct xl_prompt_text *out = render->out;
    struct pass pass = {out->raw.text, out->raw.len, 0, &out->text, false};
    int next = 0;
    while (pass.at < pass.n) {
        size_t from = pass.at;
        int begin = (int)out->text.len;
        if (next < render->n_articles && render->articles[next].at == from)
            put_article(&pass, &render->articles[next++]);
        else
            put_character(&pass);
        for (size_t i = from; i < pass.at; i++) out->map[i] = begin;
    }
    while (out->text.len && strchr(" ,", out->text.text[out->text.len - 1])) out->text.len--;
    out->map[pass.n] = (int)out->text.len;
    for (int i = 0; i < out->n_parts; i++) {
        struct xl_prompt_piece *part = &out->parts[i];
        int most = (int)out->text.len;
        part->begin = out->map[part->begin] < most ? out->map[part->begin] : most;
        part->end = out->map[part->end] < most ? out->map[part->end] : most;
        if (part->begin > part->end) part->begin = part->end; /* a comma too many was all of it */
    }
    if (out->text.text) out->text.text[out->text.len] = 0;
}

enum xl_status xl_grammar_render(const struct xl_grammar *grammar, const uint32_t *decisions, int n,
                                 struct xl_prompt_text *out, struct xl_err *err) {
    struct render render = {.decisions = decisions, .n = n, .out = out};
    out->raw.len = out->text.len = 0;
    out->n_parts = 0;
    put_entry(&render, NULL, grammar->templates);
    if (out->raw.failed || !have_map(out)) return xl_fail_nomem(err, "a prompt", 0);
    if (out->raw.text) put_right(&render);
    if (!out->raw.failed && !out->text.failed) return XL_OK;
    return xl_fail_nomem(err, "a prompt", 0);
}

void xl_prompt_text_deinit(struct xl_prompt_text *text) {
    xl_str_deinit(&text->text);
    xl_str_deinit(&text->raw);
    free(text->map);
    *text = (struct xl_prompt_text){.n_parts = 0};
}
