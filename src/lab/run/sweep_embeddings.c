/* sweep_embeddings.c - which textual inversions stand in the texts of a cell: those that were said,
 * files of the folders whose name is a word there, and what "embedding:NAME" names.
 */
#include "lab/run/sweep_plan.h"

#include "base/log.h"
#include "hub/classify.h"
#include "lab/data/embedding_text.h"
#include "text/chunks.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A word that stands for a file. */
struct word {
    const char *text;
    const struct xl_lora_place *file;  /* NULL: not looked at yet */
    const struct xl_named_file *named; /* of a folder; NULL: it was said */
    bool is_used, is_refused;
};

struct xl_sweep_words {
    struct xl_loras *files;
    struct word *list; /* said ones first */
    int n, n_said, capacity;
    const char *prompt, *negative; /* that were looked at last, and what that gave */
    struct xl_cell last;
};

void xl_sweep_words_free(struct xl_sweep_words *words) {
    if (!words) return;
    xl_loras_free(words->files);
    free(words->list);
    free(words);
}

static enum xl_status nomem(struct xl_err *err) {
    return xl_fail_nomem(err, "embeddings", 0);
}

static struct word *find(const struct xl_sweep_words *words, const char *text) {
    for (int i = 0; i < words->n; i++)
        if (!strcasecmp(words->list[i].text, text)) return &words->list[i];
    return NULL;
}

static enum xl_status append(struct xl_sweep_words *words, struct word word, struct xl_err *err) {
    if (words->n == words->capacity) {
        int capacity = words->capacity ? 2 * words->capacity : 32;
        struct word *grown = realloc(words->list, (size_t)capacity * sizeof *grown);
        if (!grown) return nomem(err);
        words->list = grown;
        words->capacity = capacity;
    }
    words->list[words->n++] = word;
    return XL_OK;
}

/* --- What there is ---------------------------------------------------------------------------- */

static enum xl_status add_said(struct xl_sweep_plan *plan, struct xl_sweep_words *words,
                               const char *text, struct xl_err *err) {
    struct xl_embedding_said said;
    struct word word = {.text = NULL};
    enum xl_status status = xl_embedding_text_read(text, &plan->sweep->arena, &said, err);
    if (!status && !said.word && !strcmp(said.name, "none")) return XL_OK;
    if (!status) status = xl_loras_find(words->files, said.name, &word.file, err);
    if (status) return status;
    word.text = said.word ? said.word : word.file->name;
    if (!xl_is_embedding_word(word.text))
        return xl_fail(
            err, XL_EINVAL,
            "the name of %s is no word: it has a blank or a comma; say which word stands "
            "for it, like %.100s:WORD",
            word.file->path, text);
    const struct word *other = find(words, word.text);
    if (other)
        return xl_fail(err, XL_EINVAL,
                       "the word \"%s\" stands for two embeddings, %s and %s; give one of them "
                       "another word, like %.100s:WORD",
                       word.text, other->file->path, word.file->path, text);
    return append(words, word, err);
}

/* Names of files, in the order of folders: the first of a name counts. */
static enum xl_status add_named(struct xl_sweep_plan *plan, struct xl_sweep_words *words,
                                struct xl_err *err) {
    struct xl_named_files files;
    enum xl_status status =
        xl_named_files_list(XL_NAMED_EMBEDDINGS, &plan->sweep->arena, &files, err);
    if (!status && files.wrong)
        xl_str_printf(&plan->sweep->notices, "%s; no embedding of its folders is known by name\n",
                      files.wrong);
    for (int i = 0; !status && i < files.n; i++) {
        const struct xl_named_file *file = &files.list[i];
        const char *const names[] = {file->name, file->below};
        for (int k = 0; !status && k < 2; k++)
            if (xl_is_embedding_word(names[k]) && !find(words, names[k]))
                status = append(words, (struct word){.text = names[k], .named = file}, err);
    }
    return status;
}

static enum xl_status need_words(struct xl_sweep_plan *plan, const struct xl_settings *settings,
                                 struct xl_err *err) {
    if (plan->words) return XL_OK;
    struct xl_sweep_words *words = plan->words = calloc(1, sizeof *words);
    if (!words || !(words->files = xl_embeddings_new())) return nomem(err);
    enum xl_status status = XL_OK;
    char said[XL_SAY_MAX];
    for (int i = 0; !status && i < settings->embeddings.n; i++)
        status = add_said(plan, words, settings->embeddings.item[i], err);
    if (status)
        return xl_fail_context(err, status, "%s", xl_settings_say(settings, "embedding", said));
    words->n_said = words->n;
    return add_named(plan, words, err);
}

/* --- What a cell has -------------------------------------------------------------------------- */

/* What somebody keeps in the folder for other models is told once and drawn as a word. */
static enum xl_status look_at(struct xl_sweep_plan *plan, struct word *word, struct xl_err *err) {
    struct xl_arena arena = {0};
    struct xl_file_class is;
    struct xl_err why = {0};
    if (word->file || word->is_refused) return XL_OK;
    enum xl_status status = xl_hub_classify_file(word->named->path, &arena, &is, &why);
    if (!status && (is.kind != XL_FILE_EMBEDDING || is.need))
        status = xl_hub_refuse_file(word->named->path, &is, "a textual inversion for SDXL", &why);
    xl_arena_deinit(&arena);
    if (!status) return xl_loras_find(plan->words->files, word->named->path, &word->file, err);
    if (status == XL_ENOMEM) return nomem(err);
    word->is_refused = true;
    xl_str_printf(&plan->sweep->notices, "\"%s\" is drawn as the word: %s\n", word->text, why.text);
    return XL_OK;
}

struct chosen {
    struct word *item[XL_EMBEDDINGS_MAX];
    int n;
};

static bool is_in(const struct xl_cell *cell, const char *word) {
    return xl_trigger_is_in(word, cell->styled_prompt) ||
           xl_trigger_is_in(word, cell->effective_negative);
}

static enum xl_status choose(struct chosen *chosen, struct word *word, struct xl_err *err) {
    for (int i = 0; i < chosen->n; i++)
        if (chosen->item[i] == word) return XL_OK;
    if (chosen->n == XL_EMBEDDINGS_MAX)
        return xl_fail(err, XL_EINVAL, "more than %d embeddings for one picture",
                       XL_EMBEDDINGS_MAX);
    if (!word->is_used) xl_info("embedding \"%s\": %s", word->text, word->file->path);
    word->is_used = true;
    chosen->item[chosen->n++] = word;
    return XL_OK;
}

/* "embedding:NAME" names one for certain: it must be there. */
static enum xl_status check_explicit(struct xl_sweep_plan *plan, const char *text,
                                     struct chosen *chosen, struct xl_err *err) {
    static const char PREFIX[] = "embedding:";
    struct xl_arena *arena = &plan->sweep->arena;
    for (const char *at = text; at && (at = strcasestr(at, PREFIX));) {
        const char *name = at += sizeof PREFIX - 1;
        size_t n = xl_embedding_stem(name, strcspn(name, " \t\r\n,()[]|:<>\"+\\"));
        while (n && strchr(".;!?-", name[n - 1])) n--;
        const char *kept = n ? xl_arena_strndup(arena, name, n) : NULL;
        if (n && !kept) return nomem(err);
        struct word *word = kept ? find(plan->words, kept) : NULL;
        if (!kept || (word && (word->file || word->is_refused))) continue;
        struct word found = {.text = kept};
        enum xl_status status = xl_loras_find(plan->words->files, kept, &found.file, err);
        if (!status) status = append(plan->words, found, err);
        if (!status) status = choose(chosen, &plan->words->list[plan->words->n - 1], err);
        if (status) return status;
    }
    return XL_OK;
}

static int by_word(const void *a, const void *b) {
    return strcmp((*(struct word *const *)a)->text, (*(struct word *const *)b)->text);
}

/* The texts that the cell has of them. */
static enum xl_status put(struct xl_sweep_plan *plan, struct chosen *chosen, struct xl_cell *cell,
                          struct xl_err *err) {
    struct xl_arena *arena = &plan->sweep->arena;
    struct xl_str words = {0}, digests = {0}, files = {0};
    qsort(chosen->item, (size_t)chosen->n, sizeof chosen->item[0], by_word);
    for (int i = 0; i < chosen->n; i++) {
        const struct word *word = chosen->item[i];
        xl_str_printf(&words, "%s%s", i ? ", " : "", word->text);
        xl_str_printf(&digests, "%s%s", i ? ", " : "", word->file->digest);
        xl_str_printf(&files, "%s%s", i ? "\n" : "", word->file->path);
    }
    bool failed = words.failed || digests.failed || files.failed;
    if (chosen->n && !failed) {
        cell->embedding = xl_arena_strdup(arena, words.text);
        cell->embedding_digests = xl_arena_strdup(arena, digests.text);
        cell->embedding_files = xl_arena_strdup(arena, files.text);
        failed = !cell->embedding || !cell->embedding_digests || !cell->embedding_files;
    }
    xl_str_deinit(&words);
    xl_str_deinit(&digests);
    xl_str_deinit(&files);
    return failed ? nomem(err) : xl_cell_settle_embeddings(cell, "a cell", arena, err);
}

static bool is_equal(const char *a, const char *b) {
    return a == b || (a && b && !strcmp(a, b));
}

enum xl_status xl_sweep_embeddings_choose(struct xl_sweep_plan *plan,
                                          const struct xl_settings *settings, struct xl_cell *cell,
                                          struct xl_err *err) {
    struct chosen chosen = {.n = 0};
    enum xl_status status = need_words(plan, settings, err);
    if (status) return status;
    struct xl_sweep_words *words = plan->words;
    if (!words->prompt || !is_equal(words->prompt, cell->styled_prompt) ||
        !is_equal(words->negative, cell->effective_negative)) {
        for (int i = 0; !status && i < words->n; i++) {
            struct word *word = &words->list[i];
            if (!is_in(cell, word->text)) continue;
            status = look_at(plan, word, err);
            if (!status && !word->is_refused) status = choose(&chosen, word, err);
        }
        if (!status) status = check_explicit(plan, cell->styled_prompt, &chosen, err);
        if (!status) status = check_explicit(plan, cell->effective_negative, &chosen, err);
        words->last = (struct xl_cell){.index = 0};
        if (!status) status = put(plan, &chosen, &words->last, err);
        if (status) return status;
        words->prompt = cell->styled_prompt;
        words->negative = cell->effective_negative;
    }
    cell->embedding = words->last.embedding;
    cell->embedding_digests = words->last.embedding_digests;
    cell->embedding_files = words->last.embedding_files;
    cell->embeddings = words->last.embeddings;
    cell->n_embeddings = words->last.n_embeddings;
    return XL_OK;
}

enum xl_status xl_text_embeddings(const struct xl_settings *settings, const char *text,
                                  struct xl_arena *arena, const struct xl_embedding **out, int *n,
                                  struct xl_err *err) {
    struct xl_sweep sweep = {.arena = *arena};
    struct xl_sweep_plan plan = {.sweep = &sweep};
    struct xl_cell cell = {.styled_prompt = text};
    enum xl_status status = xl_sweep_embeddings_choose(&plan, settings, &cell, err);
    *arena = sweep.arena;
    for (const char *line = sweep.notices.text; line && *line;) {
        size_t length = strcspn(line, "\n");
        xl_warn("%.*s", (int)length, line);
        line += length + (line[length] == '\n');
    }
    xl_sweep_words_free(plan.words);
    xl_str_deinit(&sweep.notices);
    if (status) return status;
    *out = cell.embeddings;
    *n = cell.n_embeddings;
    return XL_OK;
}

void xl_sweep_embeddings_note(const struct xl_sweep_plan *plan) {
    for (int i = 0; plan->words && i < plan->words->n_said; i++)
        if (!plan->words->list[i].is_used)
            xl_str_printf(&plan->sweep->notices,
                          "the embedding %s is not used: no prompt has the word \"%s\"\n",
                          plan->words->list[i].file->path, plan->words->list[i].text);
}

enum xl_status xl_sweep_embeddings_check(const struct xl_cell *cells, int n, struct xl_err *err) {
    const char *seen = NULL;
    for (int c = 0; c < n; c++) {
        if (!cells[c].embedding_files || is_equal(seen, cells[c].embedding_files)) continue;
        seen = cells[c].embedding_files;
        for (int i = 0; i < cells[c].n_embeddings; i++) {
            const struct xl_embedding *embedding = &cells[c].embeddings[i];
            char digest[XL_SHA256_HEX];
            if (!xl_sha256_file(embedding->file, digest, NULL) &&
                !strcmp(digest, embedding->digest))
                continue;
            return xl_fail(err, XL_EINPUT,
                           "the embedding %s is another file than the run was planned with, so its "
                           "pictures would not belong together; put that file back, or start a new "
                           "run",
                           embedding->file);
        }
    }
    return XL_OK;
}
