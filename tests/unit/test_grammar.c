/* test_grammar.c - grammars of prompts: read, counted, drawn without repeats, the same everywhere.
 */
#include "base/sha256.h"
#include "prompts/distinct.h"
#include "prompts/hashes.h"
#include "prompts/learned.h"
#include "prompts/sequence.h"
#include "unit/scratch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct xl_grammar *parse(const char *text) {
    struct xl_grammar *grammar = NULL;
    struct xl_err err = {0};
    enum xl_status status = xl_grammar_parse("g.yaml", text, strlen(text), NULL, &grammar, &err);
    cr_assert_eq(status, XL_OK, "%s", err.text);
    return grammar;
}

/* --- Sentences -------------------------------------------------------------------------------- */

struct wrong {
    const char *text, *sentence;
};

Test(grammar, what_is_wrong_is_said_with_its_place) {
    static const struct wrong cases[] = {
        {"templates: [\"A {sbject}\"]\nlists: {subject: [fox]}\n",
         "g.yaml:1:17: there is no list \"sbject\"; did you mean subject?"},
        {"templates:\n  - a {a}\nlists:\n  a:\n    - x {b}\n  b:\n    - 'y {a}'\n",
         "g.yaml:7:11: endless: a leads back to itself (a > b > a)"},
        {"templates: ['{a|b|}']\n", "an empty alternative; what may be left out is written"},
        {"templates: ['{a||b}']\n", "g.yaml:1:16: an empty alternative"},
        {"templates: ['{a']\n", "g.yaml:1:14: {a: expected {LIST}"},
        {"templates: ['{a|b']\n", "g.yaml:1:14: a { that is not closed"},
        {"templates: ['a}']\n", "g.yaml:1:15: a } without a {"},
        {"templates: ['${x=1}']\n", "g.yaml:1:14: a grammar has no variables"},
        {"templates: ['{at night}']\n", "g.yaml:1:14: {at night}: expected {LIST}"},
        {"templates: ['{0-1$$big}']\n",
         "g.yaml:1:20: there is no list \"big\"; a word that may be left out has a blank"},
        {"templates: []\n", "templates: expected a list with something in it"},
        {"templates: [\"\"]\n", "g.yaml:1:13: templates: an empty entry; leave it out"},
        {"lists: {}\n", "g.yaml:1:1: templates are missing"},
        {"[1]\n", "g.yaml:1:1: expected a map with templates and lists"},
        {"templates: [x]\nsubjects: [a]\n",
         "g.yaml:2:1: unknown field \"subjects\"; lists of words stand under lists"},
        {"templates: [x]\nlists:\n  a: []\n", "g.yaml:3:3: a: expected a list with something"},
        {"templates: [x]\nlists:\n  a b: [c]\n", "g.yaml:3:3: \"a b\" is no name of a list"},
        {"templates: [x]\nlists: [a]\n", "g.yaml:2:8: lists: expected a map"},
        {"templates:\n  - {text: x, wieght: 2}\n", "g.yaml:2:15: unknown field \"wieght\""},
        {"templates:\n  - {text: x, weight: -1}\n", "g.yaml:2:23: weight: expected a number"},
        {"templates:\n  - {weight: 1}\n", "g.yaml:2:5: an entry without a text"},
        {"templates:\n  - {text: x, article: some}\n", "article: expected a, an, the, none"},
        {"templates: ['2000::x']\n", "a weight is from 0 to 1000"},
        {"templates: ['0::x']\n", "templates: nothing is left, every entry is blocked or weighs"},
        {"templates: [a nude]\n", "nothing is left, every entry is blocked"},
        {"templates: ['{a}']\nlists: {a: [x, y]}\nnever_together:\n  - [x, z]\n",
         "g.yaml:4:9: \"z\" is no entry and no tag"},
        {"templates: ['{a}']\nlists: {a: [x, y]}\nnever_together: [[x]]\n",
         "g.yaml:3:18: never_together: expected groups of 2"},
        {"templates: ['{a}']\nlists: {a: [night]}\nonly_with: {nigth: night}\n",
         "g.yaml:3:13: \"nigth\" is no entry and no tag; did you mean \"night\"?"},
        {"templates: [x]\nblocked: word\n", "g.yaml:2:10: blocked: expected a list"},
        {"templates: [x]\nsafe: perhaps\n", "g.yaml:2:7: safe: expected true or false"},
        {"templates: [x]\nsettings: [a]\n", "g.yaml:2:11: settings: expected a map"},
        {"templates: [x]\nsettings:\n  steps: {20: many}\n",
         "g.yaml:3:15: expected a weight from 0 to 1000"},
        {"templates: [x]\nsettings:\n  steps: []\n", "steps: no value that weighs something"},
        {"templates: [x]\nseed: sometimes\n", "g.yaml:2:7: seed: expected random"},
        {"templates: [x]\nseed: {form: 1}\n", "g.yaml:2:8: seed: expected random"},
        {"templates: ['{999$$a|{999$$b|c}}{64$$x}']\nlists: {x: [y]}\ntemplates: [z]\n",
         "g.yaml:3:1: "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct xl_grammar *grammar = NULL;
        struct xl_err err = {0};
        enum xl_status status =
            xl_grammar_parse("g.yaml", cases[i].text, strlen(cases[i].text), NULL, &grammar, &err);
        cr_expect_eq(status, XL_EINPUT, "%s", cases[i].text);
        cr_expect_not_null(strstr(err.text, cases[i].sentence), "%s\ngives: %s\nnot: %s",
                           cases[i].text, err.text, cases[i].sentence);
        xl_grammar_free(grammar);
    }
}

Test(grammar, constraints_that_leave_nothing_are_refused) {
    struct xl_grammar *grammar = parse("templates: ['{a} {b}']\nlists: {a: [x], b: [y]}\n"
                                       "never_together: [[x, y]]\n");
    struct xl_sequence *sequence = NULL;
    struct xl_err err = {0};
    cr_assert_eq(xl_sequence_new(grammar, 1, &sequence, &err), XL_EINPUT);
    cr_expect_not_null(strstr(err.text, "leave no prompt at all"), "%s", err.text);
    xl_grammar_free(grammar);
}

/* --- Counting, and none twice ----------------------------------------------------------------- */

struct counted {
    const char *text;
    unsigned n_ways, n_texts;
};

static const struct counted counted[] = {
    {"templates: ['{a} {b}']\nlists: {a: [1, 2, 3], b: [x, y]}\n", 6, 6},
    {"templates: ['{2$$a}']\nlists: {a: [1, 2, 3, 4]}\n", 6, 6},
    {"templates: ['{1-3$$ and $$a}']\nlists: {a: [1, 2, 3, 4]}\n", 14, 14},
    {"templates: ['{0-1$$ x}y']\n", 2, 2},
    {"templates: ['{9$$a}']\nlists: {a: [1, 2]}\n", 1, 1},
    {"templates: ['{2$$a}']\nlists: {a: ['{b}', 3], b: [1, 2]}\n", 2, 2},
    {"templates: ['{2$$a} {b}']\nlists: {a: ['{b}', 3, '{b}4'], b: [1, 2]}\n", 16, 16},
    /* two ways to one text */
    {"templates: ['{a}{b}']\nlists: {a: [1, 12], b: [23, 3]}\n", 4, 3},
    {"templates: ['{a} {b}']\nlists: {a: [1, 2, 3], b: [x, y]}\nnever_together: [[1, x], [2, y]]\n",
     4, 4},
    {"templates: ['{a} {b} {c}']\n"
     "lists: {a: [1, {text: 2, tags: t}, {text: 3, tags: t}], b: [x, y], c: [p, q]}\n"
     "never_together: [[t, x]]\nonly_with: {p: [x, 3]}\n",
     6, 6},
    {"templates: ['{2$$a}']\nlists: {a: [1, 2, 3, 4]}\nnever_together: [[1, 2, 3]]\n", 3, 3},
    {"templates: ['{n} {n}']\nlists: {n: ['{m}x', z], m: [1, 2]}\nnever_together: [[1, 2]]\n", 7,
     7},
    {"templates: ['{a}', 'b {a}', c]\nlists: {a: ['{x|y}', w]}\n", 7, 7},
    {"templates: [\"{a}\"]\nlists: {a: [bad word, word, a bad, fine]}\nblocked: [bad word]\n", 3,
     3},
    /* where two parts meet */
    {"templates: [\"{a} {b}\"]\nlists: {a: [bad, good], b: [word, deed]}\nblocked: [bad word]\n", 4,
     3},
};

Test(grammar, the_count_is_what_comes_and_each_comes_once) {
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++) {
        struct xl_grammar *grammar = parse(counted[i].text);
        struct xl_sequence *sequence = NULL;
        struct xl_ways_count possible;
        cr_assert_eq(xl_sequence_new(grammar, 7, &sequence, NULL), XL_OK);
        struct xl_ways_count ways = xl_ways_count(xl_sequence_ways(sequence));
        cr_expect_eq((unsigned)ways.n, counted[i].n_ways, "%s has %u ways, not %u", counted[i].text,
                     (unsigned)ways.n, counted[i].n_ways);
        cr_assert_eq(xl_sequence_possible(sequence, &possible, NULL), XL_OK);
        cr_expect_eq((unsigned)possible.n, counted[i].n_texts, "%s has %u texts", counted[i].text,
                     (unsigned)possible.n);
        cr_expect(possible.is_exact && ways.is_exact);
        for (int round = 0; round < 3; round++) {
            struct xl_hashes seen = {0};
            for (unsigned k = 0; k < counted[i].n_texts; k++) {
                const struct xl_prompt_text *text;
                bool is_new;
                cr_assert_eq(xl_sequence_next(sequence, &text, NULL), XL_OK);
                cr_expect_eq(xl_sequence_round(sequence), round, "%s", counted[i].text);
                cr_assert_eq(xl_hashes_add(&seen, xl_text_hash(text->text.text, text->text.len),
                                           &is_new, NULL),
                             XL_OK);
                cr_expect(is_new, "%s: \"%s\" again", counted[i].text, text->text.text);
            }
            xl_hashes_deinit(&seen);
        }
        xl_sequence_free(sequence);
        xl_grammar_free(grammar);
    }
}

/* Whether as many ways are as many texts. */
static bool is_distinct(const char *text) {
    struct xl_grammar *grammar = parse(text);
    bool out = false;
    cr_assert_eq(xl_grammar_is_distinct(grammar, &out, NULL), XL_OK);
    out = out && !xl_grammar_may_be_blocked(grammar);
    xl_grammar_free(grammar);
    return out;
}

Test(grammar, what_is_called_distinct_is) {
    static const char *const distinct[] = {
        "templates: ['{a} {b}']\nlists: {a: [x, y, x y], b: [p, q]}\n",
        "templates: ['{2-3$$a}']\nlists: {a: [x, y z, '{b} w'], b: [p, q]}\n",
        "templates: ['a {a} in {b}{0-1$$ at {c}}, {1-2$$c}', 'two {a:plural}']\n"
        "lists: {a: [fox, {text: owl, plural: owlets}], b: [wood, {text: sea, article: the}], c: "
        "[x, "
        "y]}\n",
    };
    static const char *const not_distinct[] = {
        "templates: ['{a} {b}']\nlists: {a: [x, x y], b: [y z, z]}\n",
        "templates: ['{a}{b}']\nlists: {a: [1, 12], b: [23, 3]}\n",
        "templates: ['{a} {a}', x y]\nlists: {a: [x, y]}\n",
        "templates: ['{a}', '{b}']\nlists: {a: [x, y], b: [y, z]}\n",
        "templates: ['a {a}']\nlists: {a: [x, a x]}\n", /* the article goes */
        "templates: ['{1-2$$a}']\nlists: {a: [x, y, x, 'x, y']}\n",
        "templates: ['{a} {b}']\nlists: {a: [bad, good], b: [word, deed]}\nblocked: [bad word]\n",
        "templates: ['{0-1$$ x} {0-1$$ y}']\n", /* one is empty */
        "templates: ['{a:plural}']\nlists: {a: [fox, pig]}\nblocked: [foxes]\n",
    };
    for (size_t i = 0; i < sizeof distinct / sizeof *distinct; i++)
        cr_expect(is_distinct(distinct[i]), "%s", distinct[i]);
    for (size_t i = 0; i < sizeof not_distinct / sizeof *not_distinct; i++)
        cr_expect(!is_distinct(not_distinct[i]), "%s", not_distinct[i]);
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++)
        cr_expect(!is_distinct(counted[i].text) || counted[i].n_ways == counted[i].n_texts, "%s",
                  counted[i].text);
}

Test(grammar, ways_by_number_are_those_that_are_allowed) {
    struct xl_grammar *grammar =
        parse("templates: ['{a} {2$$b} {c}', '{b} {a}']\n"
              "lists:\n  a: [1, {text: 2, tags: t}, '{c}']\n  b: [x, {text: y, tags: u}, z]\n"
              "  c: [p, {text: q, tags: [t, u]}]\n"
              "never_together: [[t, u]]\nonly_with: {x: [y, 1]}\n");
    struct xl_ways *ways = NULL;
    struct xl_hashes seen = {0};
    cr_assert_eq(xl_ways_new(grammar, &ways, NULL), XL_OK);
    struct xl_ways_count count = xl_ways_count(ways);
    cr_assert_gt((unsigned)count.n, 5);
    for (unsigned i = 0; i < (unsigned)count.n; i++) {
        uint32_t decisions[XL_GRAMMAR_MAX_DECISIONS];
        int n;
        bool is_new;
        xl_ways_decide(ways, i, decisions, &n);
        cr_assert_gt(n, 2);
        cr_assert_eq(
            xl_hashes_add(&seen, xl_text_hash((char *)decisions, (size_t)n * 4), &is_new, NULL),
            XL_OK);
        cr_expect(is_new, "way %u is another's", i);
    }
    /* As many as a long run of chance finds. */
    struct xl_dice dice = xl_dice_begin(3, 0);
    struct xl_hashes drawn = {0};
    for (int i = 0; i < 20000; i++) {
        uint32_t decisions[XL_GRAMMAR_MAX_DECISIONS];
        int n;
        bool is_new;
        uint64_t marks = xl_grammar_decide(grammar, &dice, decisions, &n);
        if (!xl_grammar_allows(grammar, marks)) continue;
        cr_assert_eq(
            xl_hashes_add(&drawn, xl_text_hash((char *)decisions, (size_t)n * 4), &is_new, NULL),
            XL_OK);
    }
    cr_expect_eq(drawn.n, (size_t)count.n, "%zu and %u", drawn.n, (unsigned)count.n);
    xl_hashes_deinit(&seen);
    xl_hashes_deinit(&drawn);
    xl_ways_free(ways);
    xl_grammar_free(grammar);
}

Test(grammar, numbers_are_shuffled_each_once) {
    static const unsigned sizes[] = {1, 2, 3, 7, 64, 1000, 4097};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        unsigned n = sizes[s];
        char *was = calloc(n, 1);
        for (unsigned i = 0; i < n; i++) {
            unsigned __int128 to = xl_shuffled(i, n, 5);
            cr_assert_lt((unsigned)to, n);
            cr_expect(!was[(unsigned)to], "%u of %u twice", (unsigned)to, n);
            was[(unsigned)to] = 1;
        }
        free(was);
    }
}

/* --- The same everywhere ---------------------------------------------------------------------- */

static const char rich[] =
    "templates:\n"
    "  - 2::a {adjective} {subject} in a {place}{0-1$$ at {3::night|dawn}}, {2-3$$style}\n"
    "  - '{2$$ beside $$subject:plural} __place__'\n"
    "lists:\n"
    "  adjective: [old, '0.5::unusual', red, hourglass-shaped]\n"
    "  subject: [fox, owl, {text: ruin, weight: 3}, '{adjective} heron']\n"
    "  place: [{text: ruins, article: none}, orchard, unicorn stable, {text: far north, article: "
    "the}]\n"
    "  style: [oil, ink, gouache, pastel, tempera]\n"
    "never_together: [[ruin, orchard], [oil, gouache]]\n";

Test(grammar, a_seed_makes_the_same_list_on_every_machine) {
    struct xl_grammar *grammar = parse(rich);
    struct xl_sequence *sequence = NULL;
    struct xl_str all = {0};
    char digest[XL_SHA256_HEX];
    cr_assert_eq(xl_sequence_new(grammar, 42, &sequence, NULL), XL_OK);
    for (int i = 0; i < 1000; i++) {
        const struct xl_prompt_text *text;
        cr_assert_eq(xl_sequence_next(sequence, &text, NULL), XL_OK);
        xl_str_printf(&all, "%s\n", text->text.text);
    }
    cr_assert_eq(xl_sha256(all.text, all.len, digest, NULL), XL_OK);
    cr_expect_str_eq(digest, "6b74067efd9039de2f3cf1c9042d29dfe1e04b9607e26eac61fd3358cce7a383",
                     "%s, and the list begins:\n%.400s", digest, all.text);
    xl_str_deinit(&all);
    xl_sequence_free(sequence);
    xl_grammar_free(grammar);
}

/* The first prompts of a text with one template. */
static void expect_all(const char *text, const char *const *expected, int n) {
    struct xl_grammar *grammar = parse(text);
    struct xl_sequence *sequence = NULL;
    cr_assert_eq(xl_sequence_new(grammar, 1, &sequence, NULL), XL_OK);
    for (int i = 0; i < n; i++) {
        const struct xl_prompt_text *made;
        bool is_found = false;
        cr_assert_eq(xl_sequence_next(sequence, &made, NULL), XL_OK);
        for (int k = 0; k < n; k++) is_found |= !strcmp(made->text.text, expected[k]);
        cr_expect(is_found, "%s makes \"%s\"", text, made->text.text);
    }
    cr_expect_eq(xl_sequence_round(sequence), 0, "%s makes too few", text);
    xl_sequence_free(sequence);
    xl_grammar_free(grammar);
}
#define EXPECT(text, ...)                                                                          \
    expect_all(text, (const char *const[]){__VA_ARGS__},                                           \
               (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)))

Test(grammar, articles_plurals_blanks_and_commas_are_put_right) {
    EXPECT("templates: ['A {a} in an {b}']\nlists: {a: [owl, fox], b: [garden]}\n",
           "An owl in a garden", "A fox in a garden");
    EXPECT("templates: ['a {a} {b}']\nlists: {a: [old], b: [{text: ruins, article: none}, hut]}\n",
           "old ruins", "an old hut");
    EXPECT("templates: ['A {a}']\nlists: {a: [{text: ruins, article: none}, {text: sea, article: "
           "the}, {text: one-off, article: an}]}\n",
           "Ruins", "The sea", "An one-off");
    EXPECT("templates: ['two {a:plural}']\nlists: {a: [fox, tower on a hill, {text: roof, plural: "
           "rooves}]}\n",
           "two foxes", "two towers on a hill", "two rooves");
    EXPECT("templates: ['{a:plural}']\nlists: {a: ['barge with a {b}', {text: '{b} a {b}', plural: "
           "many}], b: [owl, harp]}\n",
           "barges with an owl", "barges with a harp", "many");
    EXPECT("templates: ['{a:plural} of a {b}']\nlists: {a: ['{c}'], b: [axe], c: [man]}\n",
           "men of an axe");
    EXPECT("templates: ['a {0-1$$ big} {0-1$$ x}, {0-1$$ y}, z']\n", "a, z", "a big, z", "a x, z",
           "a big x, z", "a, y, z", "a big, y, z", "a x, y, z", "a big x, y, z");
    EXPECT("templates: ['a \\{{a|b}\\} \\__c\\__']\n", "a {a} __c__", "a {b} __c__");
    EXPECT("templates: ['vitamin a {a}']\nlists: {a: [orange]}\n", "vitamin an orange");
    EXPECT("templates: ['an {a}']\nlists: {a: ['{b} cup'], b: [tin, old]}\n", "a tin cup",
           "an old cup");
}

Test(grammar, weights_decide_how_often) {
    struct xl_grammar *grammar = parse("templates: ['{3::a|b} {n}']\nlists: {n: [1, '9::2']}\n");
    struct xl_dice dice = xl_dice_begin(1, 0);
    int a = 0, two = 0, n;
    enum { N = 40000 };
    for (int i = 0; i < N; i++) {
        uint32_t decisions[XL_GRAMMAR_MAX_DECISIONS];
        xl_grammar_decide(grammar, &dice, decisions, &n);
        cr_assert_eq(n, 5);
        a += decisions[2] == 0;
        two += decisions[4] == 1;
    }
    /* Six standard deviations: 0.013 and 0.009. */
    cr_expect_float_eq((double)a / N, 0.75, 0.013);
    cr_expect_float_eq((double)two / N, 0.9, 0.009);
    xl_grammar_free(grammar);
}

Test(grammar, other_settings_change_no_prompt) {
    static const char words[] =
        "templates: ['{a} {b}']\nlists: {a: [1, 2, 3, 4, 5], b: [x, y, z]}\n";
    char with[400];
    snprintf(with, sizeof with,
             "%ssettings: {steps: [20, 30], guidance: {5: 3, 6: 1}, model: '2::A'}\n"
             "seed: {from: 10, step: 5}\n",
             words);
    struct xl_grammar *one = parse(words), *other = parse(with);
    struct xl_sequence *a = NULL, *b = NULL;
    cr_assert_eq(xl_sequence_new(one, 9, &a, NULL), XL_OK);
    cr_assert_eq(xl_sequence_new(other, 9, &b, NULL), XL_OK);
    bool has_30 = false, has_20 = false;
    for (int i = 0; i < 15; i++) {
        const struct xl_prompt_text *x, *y;
        cr_assert_eq(xl_sequence_next(a, &x, NULL), XL_OK);
        cr_assert_eq(xl_sequence_next(b, &y, NULL), XL_OK);
        cr_expect_str_eq(x->text.text, y->text.text);
        cr_expect_eq(xl_sequence_seed(b), 10 + 5 * (uint64_t)i);
        cr_expect_eq(xl_sequence_setting(b, 0), xl_sequence_setting(b, 0));
        (xl_sequence_setting(b, 0) ? &has_30 : &has_20)[0] = true;
        cr_expect_leq(xl_sequence_seed(a), UINT32_MAX);
    }
    cr_expect(has_30 && has_20);
    cr_expect_str_eq(other->settings[2].values[0], "A");
    xl_sequence_free(a);
    xl_sequence_free(b);
    xl_grammar_free(one);
    xl_grammar_free(other);
}

Test(grammar, learned_factors_multiply_weights_and_zero_leaves_out, .init = scratch_open,
     .fini = scratch_close) {
    static const char text[] = "templates: ['{a}', '{a}!']\nlists: {a: [x, '2::y', z]}\n";
    static const char factors[] = "{\"format\": 1, \"weights\": {\"a\": {\"x\": 0, \"y\": 2.5, "
                                  "\"gone\": 3}, \"templates\": {\"{a}!\": 0.5}, \"b\": {}}}";
    struct xl_learned *learned = NULL;
    struct xl_grammar *grammar = NULL;
    const char *path = scratch("w.json");
    scratch_puts(path, factors);
    cr_assert_eq(xl_learned_load(path, &learned, NULL), XL_OK);
    cr_assert_eq(xl_grammar_parse("g", text, strlen(text), learned, &grammar, NULL), XL_OK);
    const struct xl_grammar_list *list = grammar->lists[1];
    cr_expect_eq(list->n, 2);
    cr_expect_eq(list->n_left_out, 1);
    cr_expect_str_eq(list->entries[0].name, "y");
    cr_expect_eq(list->entries[0].weight, 5 * (uint64_t)XL_WEIGHT_UNIT);
    cr_expect_eq(list->entries[1].weight, (uint64_t)XL_WEIGHT_UNIT);
    cr_expect_eq(grammar->templates->entries[1].weight, XL_WEIGHT_UNIT / 2);
    xl_grammar_free(grammar);
    xl_learned_free(learned);
    static const char *const wrong[] = {
        "[]", "{\"weights\": {}}", "{\"format\": 1, \"weights\": {\"a\": [1]}}",
        "{\"format\": 1, \"weights\": {\"a\": {\"x\": -1}}}", "{\"format\": 2, \"weights\": {}}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct xl_err err = {0};
        path = scratch("wrong.json");
        scratch_puts(path, wrong[i]);
        cr_expect_eq(xl_learned_load(path, &learned, &err), XL_EINPUT, "%s", wrong[i]);
        cr_expect_not_null(strstr(err.text, "wrong.json:1:"), "%s", err.text);
    }
}
