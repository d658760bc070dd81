/* test_embedding_text.c - what --embedding says: names, words, and which colon is between them; and
 * the embeddings of a cell from its texts. */
#include "lab/cell/cell.h"
#include "lab/data/embedding_text.h"

#include <criterion/criterion.h>
#include <string.h>

static struct xl_arena arena;
static struct xl_err err;

static void tear_down(void) {
    xl_arena_deinit(&arena);
}
TestSuite(embedding_text, .fini = tear_down);

static void expect_parts(const char *text, const char *name, const char *word) {
    struct xl_embedding_said said;
    cr_assert_eq(xl_embedding_text_read(text, &arena, &said, &err), XL_OK, "%s", err.text);
    cr_expect_str_eq(said.name, name, "%s: %s", text, said.name);
    if (word)
        cr_expect(said.word && !strcmp(said.word, word), "%s: %s", text, said.word);
    else
        cr_expect_null(said.word, "%s: %s", text, said.word);
}

Test(embedding_text, a_word_stands_behind_the_last_colon) {
    expect_parts("glow", "glow", NULL);
    expect_parts("glow:bright", "glow", "bright");
    expect_parts("~/a/glow.safetensors", "~/a/glow.safetensors", NULL);
    expect_parts("~/a/glow.safetensors:<bright>", "~/a/glow.safetensors", "<bright>");
    expect_parts("me/glow", "me/glow", NULL);
    expect_parts("me/glow:bright", "me/glow", "bright");
    expect_parts("me/glow:b.SafeTensors", "me/glow:b.SafeTensors", NULL);
    expect_parts("me/glow:b.safetensors:bright", "me/glow:b.safetensors", "bright");
    expect_parts("/a:b/glow", "/a:b/glow", NULL);
    expect_parts("old.pt", "old.pt", NULL);
}

Test(embedding_text, what_is_no_word_is_refused) {
    static const char *const wrong[] = {"", " ", ":", ":x", "glow:", "glow:a b", "glow:a,b"};
    struct xl_embedding_said said;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cr_expect_eq(xl_embedding_text_read(wrong[i], &arena, &said, &err), XL_EINVAL, "\"%s\"",
                     wrong[i]);
        cr_expect_not_null(strstr(err.text, "expected"), "%s", err.text);
    }
}

static enum xl_status upper(void *user, const char *name, const char **to, struct xl_err *why) {
    (void)why;
    if (strcmp(name, "glow") != 0) return XL_OK;
    *to = user;
    return XL_OK;
}

Test(embedding_text, a_name_changes_and_its_word_stays) {
    static char path[] = "/a/glow.safetensors";
    static const char *const cases[][2] = {{"glow:x", "/a/glow.safetensors:x"},
                                           {"glow", "/a/glow.safetensors"},
                                           {"other:x", "other:x"}};
    for (int i = 0; i < 3; i++) {
        const char *out = NULL;
        cr_assert_eq(xl_embedding_text_rename(cases[i][0], upper, path, &arena, &out, &err), XL_OK,
                     "%s", err.text);
        cr_expect_str_eq(out, cases[i][1]);
    }
}

Test(embedding_text, a_cell_has_a_list_of_its_texts) {
    struct xl_cell cell = {
        .embedding = "a, b", .embedding_digests = "01, 02", .embedding_files = "/x/a, 1\n/y/b"};
    cr_assert_eq(xl_cell_settle_embeddings(&cell, "run.json", &arena, &err), XL_OK, "%s", err.text);
    cr_assert_eq(cell.n_embeddings, 2);
    cr_expect_str_eq(cell.embeddings[0].file, "/x/a, 1");
    cr_expect_str_eq(cell.embeddings[1].word, "b");
    cr_expect_str_eq(cell.embeddings[1].digest, "02");
    cell.embedding_digests = "01";
    cr_expect_eq(xl_cell_settle_embeddings(&cell, "run.json", &arena, &err), XL_EINPUT);
    cr_expect_not_null(strstr(err.text, "run.json: "), "%s", err.text);
    cell.embedding_files = NULL; /* not known */
    cr_expect_eq(xl_cell_settle_embeddings(&cell, "run.json", &arena, &err), XL_OK);
    cr_expect_eq(cell.n_embeddings, 0);
}
