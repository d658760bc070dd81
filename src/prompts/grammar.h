/* grammar.h - a grammar: lists of words, templates that take from them, and what must not meet.
 *
 * docs/GENERATOR.md has the format of the files. A loaded grammar is read-only: any thread may use
 * it. What it makes is drawn by sequence.h and counted by ways.h; both go by decisions: for each
 * item that takes from a list, in the order of the text, how many entries and which, each followed
 * by its own.
 */
#ifndef XL_PROMPTS_GRAMMAR_H
#define XL_PROMPTS_GRAMMAR_H

#include "base/arena.h"
#include "base/str.h"
#include "base/yaml.h"
#include "prompts/blocked.h"
#include "prompts/bounds.h"

struct xl_grammar_list;

/* A piece of a text: words as they stand, or entries of a list. */
struct xl_grammar_item {
    const char *text; /* words; NULL: entries */
    size_t n;
    const struct xl_grammar_list *list;
    const char *list_name; /* as it was written; NULL: alternatives in place */
    bool is_plural;
    int least, most;     /* how many entries, none twice, in the order of the list; as many as
                            it has at most */
    const char *between; /* several */
    struct xl_yaml_place place;
};

/* What an entry does to an article before it. */
enum xl_grammar_article {
    XL_ARTICLE_AUTO, /* a or an, by the sound */
    XL_ARTICLE_A,
    XL_ARTICLE_AN,
    XL_ARTICLE_THE,
    XL_ARTICLE_NONE, /* a plural, or what is not counted: "ruins", "fog" */
};

struct xl_grammar_entry {
    const char *name; /* as it was written, without its weight */
    const struct xl_grammar_item *items;
    int n_items;
    uint64_t weight; /* in millionths; never 0: what has no weight is no entry */
    uint64_t upto;   /* sum of the weights of this entry and those before it */
    uint64_t marks;  /* which words of the constraints it bears */
    enum xl_grammar_article article;
    const char *plural;      /* NULL: by rule */
    const char *const *tags; /* [n_tags] */
    int n_tags;
    struct xl_yaml_place place;
};

struct xl_grammar_list {
    const char *name; /* "templates", "subject"; NULL: alternatives in place */
    int index;        /* among all lists */
    struct xl_grammar_entry *entries;
    int n;
    int n_left_out;  /* entries that are blocked, or weigh nothing */
    uint64_t weight; /* of all entries */
    int color;       /* 0, 1, ... for whoever shows parts in colours */
    struct xl_yaml_place place;
};

/* No entry with a mark of the one together with an entry with a mark of the other. */
struct xl_grammar_never {
    uint64_t one, other;
};
/* An entry with this mark only together with one of those. */
struct xl_grammar_only {
    uint64_t mark, with;
};

/* A setting that the grammar decides: one value of several. */
struct xl_grammar_setting {
    const char *name; /* "model", "steps", as it was written */
    const char *const *values;
    const uint64_t *upto; /* sums of the weights */
    const struct xl_yaml_place *places;
    int n;
    struct xl_yaml_place place;
};

enum xl_grammar_seeds { XL_SEEDS_RANDOM, XL_SEEDS_COUNT, XL_SEEDS_OF_LIST };

struct xl_grammar {
    const char *name; /* of the file */
    const char *about;
    const char *negative; /* NULL: none */
    const struct xl_grammar_list *templates;
    struct xl_grammar_list **lists; /* [n_lists] all, the templates first */
    int n_lists;
    const struct xl_grammar_never *never;
    int n_never;
    const struct xl_grammar_only *only;
    int n_only;
    struct xl_blocked blocked;
    bool is_safe; /* the program's own list of blocked words is among them */
    const struct xl_grammar_setting *settings;
    int n_settings;
    enum xl_grammar_seeds seeds;
    uint64_t first_seed, seed_step; /* XL_SEEDS_COUNT: first, first + step, ... */
    const uint64_t *seed_list;      /* XL_SEEDS_OF_LIST: [n_seeds], again and again */
    int n_seeds;
    struct xl_str notices; /* what stops nothing and somebody may not have meant, one a line */
    struct xl_arena arena;
};

enum {
    XL_GRAMMAR_MAX_DECISIONS = 512, /* of one prompt */
    XL_GRAMMAR_MAX_SEVERAL = 64,    /* entries that one item takes */
    XL_GRAMMAR_MAX_BYTES = 16384,   /* of one text of a file */
};

/* Read a grammar: n bytes of YAML or JSON; name opens the sentences, each "NAME:LINE:COLUMN: ...".
 * learned: weights as learned.h reads them, or NULL. Caller: xl_grammar_free.
 * Errors: XL_EINPUT, XL_ENOMEM */
struct xl_learned;
enum xl_status xl_grammar_parse(const char *name, const char *text, size_t n,
                                const struct xl_learned *learned, struct xl_grammar **out,
                                struct xl_err *err) XL_CHECKED;
void xl_grammar_free(struct xl_grammar *grammar);

/* Whether entries with these marks may stand in one prompt. */
bool xl_grammar_allows(const struct xl_grammar *grammar, uint64_t marks);

#endif
