/* loras.c - sdxl-lab loras list, loras show, embeddings list: the files that have a name here. */
#include "base/str.h"
#include "cli/cli.h"
#include "cli/file_report.h"
#include "cli/models.h"
#include "cli/table.h"
#include "hub/hub.h"
#include "lab/data/describe_file.h"
#include "lab/data/lora_facts.h"
#include "lab/data/named_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Lists ------------------------------------------------------------------------------------ */

/* What makes the lists of LoRAs and of embeddings differ. */
struct kind {
    const char *key; /* of the JSON document */
    enum xl_named_kind named;
    const char *noun, *measure; /* "LoRA", "RANK" */
};

static const struct kind loras_kind = {"loras", XL_NAMED_LORAS, "LoRA", "RANK"};
static const struct kind embeddings_kind = {"embeddings", XL_NAMED_EMBEDDINGS, "embedding",
                                            "VECTORS"};

struct list {
    const struct kind *kind;
    struct xl_named_list is;
};

static void add_row(struct xl_table *table, const struct xl_named_entry *item) {
    char measure[24] = "", bytes[XL_BYTES_MAX] = "", kinds[128] = "";
    const struct xl_file_class *is = &item->is;
    int n = is->kind == XL_FILE_LORA ? is->lora_rank : is->n_vectors;
    if (!item->why && n) snprintf(measure, sizeof measure, "%d", n);
    if (!item->why) xl_bytes_text(is->bytes, bytes);
    if (!item->why) xl_lora_kinds_text(is->lora_kinds, kinds, sizeof kinds);
    const char *fits = item->why                       ? "cannot be used"
                       : is->base == XL_FAMILY_UNKNOWN ? "not said"
                                                       : xl_family_name(is->base);
    const char *const cells[] = {item->file->below, fits,  kinds,
                                 measure,           bytes, item->file->folder};
    enum xl_color color = item->why ? XL_COLOR_YELLOW : is->need ? XL_COLOR_DIM : XL_COLOR_NONE;
    xl_table_add(table, cells, color);
}

static enum xl_status print_list(const struct list *list, struct xl_err *err) {
    enum { NAME, BASE, KIND, MEASURE, SIZE, FOLDER, N };
    const char *const heading[N] = {"NAME", "FOR", "KIND", list->kind->measure, "SIZE", "FOLDER"};
    struct xl_table table = {.n_columns = N, .spared = {FOLDER, KIND}};
    xl_table_add(&table, heading, XL_COLOR_BOLD);
    for (int i = 0; i < list->is.n; i++) add_row(&table, &list->is.entries[i]);
    enum xl_status status = xl_table_print(&table, 0, err);
    for (int i = 0; !status && i < list->is.n; i++)
        if (list->is.entries[i].why) xl_print_lines(0, "", list->is.entries[i].why, XL_COLOR_DIM);
    return status;
}

/* Where somebody would put the first one. */
static void print_none(const struct list *list) {
    printf("no %ss are here; looked in ", list->kind->noun);
    for (int i = 0; i < list->is.files.n_folders; i++) {
        xl_print_text(list->is.files.folders[i], XL_COLOR_NONE);
        printf(", ");
    }
    printf("and in the Hugging Face cache\n");
}

static enum xl_status print_document(const char *key, json_t *array, bool ok, struct xl_err *err) {
    json_t *document = json_object();
    xl_json_put(document, key, array, &ok);
    document = xl_json_finish(document, ok);
    if (!document) return xl_fail_nomem(err, "the JSON document", 0);
    enum xl_status status = xl_print_json(document, err);
    json_decref(document);
    return status;
}

static enum xl_status print_list_json(struct list *list, struct xl_err *err) {
    json_t *array = xl_named_list_array(&list->is);
    return print_document(list->kind->key, array, array != NULL, err);
}

static enum xl_status list_kind(const struct kind *kind, const struct xl_settings *settings,
                                struct xl_err *err) {
    struct list list = {.kind = kind};
    enum xl_status status = xl_named_list_read(kind->named, &list.is, err);
    if (!status && settings->json)
        status = print_list_json(&list, err);
    else if (!status && list.is.n)
        status = print_list(&list, err);
    else if (!status)
        print_none(&list);
    xl_named_list_deinit(&list.is);
    return status;
}

static enum xl_status list_loras(const struct xl_settings *settings, struct xl_err *err) {
    return list_kind(&loras_kind, settings, err);
}

static enum xl_status list_embeddings(const struct xl_settings *settings, struct xl_err *err) {
    return list_kind(&embeddings_kind, settings, err);
}

/* --- One LoRA --------------------------------------------------------------------------------- */

static const struct {
    const char *name, *key; /* for people, for programs */
} parts[XL_LORA_N_PARTS] = {
    [XL_LORA_UNET] = {"UNet", "unet_modules"},
    [XL_LORA_TEXT] = {"text encoder", "text_encoder_modules"},
    [XL_LORA_TEXT_2] = {"text encoder 2", "text_encoder_2_modules"},
};

/* "8", "4 to 64"; nothing where there are none. */
static void print_span(const char *name, struct xl_lora_span span) {
    char least[XL_REAL_MAX], most[XL_REAL_MAX], text[2 * XL_REAL_MAX + 8];
    xl_real_text(span.least, least);
    xl_real_text(span.most, most);
    snprintf(text, sizeof text, "%s%s%s", least, span.least < span.most ? " to " : "",
             span.least < span.most ? most : "");
    if (span.most > 0) xl_models_print_field(name, text);
}

static void print_modules(const struct xl_lora_facts *facts) {
    enum { SHOWN = 5 };
    struct xl_str line = {0};
    for (int part = 0; part < XL_LORA_N_PARTS; part++)
        if (facts->n_in_part[part])
            xl_str_printf(&line, "%s%s (%d %s)", line.len ? ", " : "", parts[part].name,
                          facts->n_in_part[part],
                          xl_plural(facts->n_in_part[part], "module", "modules"));
    xl_models_print_field("changes", line.text);
    xl_str_deinit(&line);
    if (!facts->n_unmatched) return;
    xl_str_printf(&line, "%d of %d %s: ", facts->n_unmatched, facts->n_modules,
                  xl_plural(facts->n_modules, "module", "modules"));
    for (int i = 0; i < facts->n_unmatched && i < SHOWN; i++)
        xl_str_printf(&line, "%s%s", i ? ", " : "", facts->unmatched[i]);
    if (facts->n_unmatched > SHOWN) xl_str_puts(&line, ", ...");
    xl_models_print_field("unmatched", line.text);
    xl_str_deinit(&line);
}

/* A file as somebody named it. */
struct named {
    const char *said, *path;
    char digest[XL_SHA256_HEX];
};

static void print_facts(const struct named *file, const struct xl_lora_facts *facts,
                        struct xl_arena *arena) {
    char kinds[128];
    xl_print_text(file->said, XL_COLOR_BOLD);
    putchar('\n');
    xl_models_print_field("kind", facts->is.what);
    xl_models_print_field("file", file->path);
    xl_models_print_field("digest", file->digest);
    xl_models_print_field("fits", facts->fits ? facts->fits : "no model of this program");
    xl_models_print_field("why not", facts->why_not);
    xl_models_print_field("written as",
                          xl_lora_kinds_text(facts->is.lora_kinds, kinds, sizeof kinds));
    xl_models_print_field("precision", facts->is.precision);
    print_span("rank", facts->rank);
    print_span("alpha", facts->alpha);
    print_modules(facts);
    xl_file_report_print_metadata(&facts->is, arena);
}

/* null where there are none */
static void put_span(json_t *object, const char *key, struct xl_lora_span span, bool *ok) {
    json_t *pair = span.most > 0 ? json_object() : NULL;
    if (pair) {
        xl_json_put(pair, "least", json_real(span.least), ok);
        xl_json_put(pair, "most", json_real(span.most), ok);
    }
    xl_json_put(object, key, pair ? pair : json_null(), ok);
}

static json_t *describe_facts(const struct named *file, const struct xl_lora_facts *facts,
                              struct xl_arena *arena) {
    json_t *object = json_object(), *unmatched = json_array();
    bool ok = object && unmatched;
    for (int i = 0; ok && i < facts->n_unmatched; i++)
        ok = !json_array_append_new(unmatched, xl_json_text(facts->unmatched[i]));
    xl_json_put(object, "name", xl_json_text(file->said), &ok);
    xl_json_put(object, "path", xl_json_text(file->path), &ok);
    xl_json_put(object, "digest", json_string(file->digest), &ok);
    xl_json_put(object, "fits", xl_json_text(facts->fits), &ok);
    xl_json_put(object, "why_not", xl_json_text(facts->why_not), &ok);
    xl_json_put(object, "modules", json_integer(facts->n_modules), &ok);
    for (int part = 0; part < XL_LORA_N_PARTS; part++)
        xl_json_put(object, parts[part].key, json_integer(facts->n_in_part[part]), &ok);
    xl_json_put(object, "unmatched", unmatched, &ok);
    put_span(object, "ranks", facts->rank, &ok);
    put_span(object, "alphas", facts->alpha, &ok);
    xl_file_class_put(object, &facts->is, arena, &ok);
    return xl_json_finish(object, ok);
}

/* array: NULL: for people */
static enum xl_status show_one(struct xl_loras *loras, const char *said, json_t *array,
                               struct xl_err *err) {
    struct xl_arena arena = {0};
    struct xl_lora_facts facts;
    struct named file = {.said = said};
    enum xl_status status = xl_loras_locate(loras, said, &file.path, err);
    if (!status) status = xl_lora_facts_read(file.path, &arena, &facts, err);
    if (!status) status = xl_hub_file_digest(file.path, file.digest, err);
    if (!status && !array) print_facts(&file, &facts, &arena);
    if (!status && array && json_array_append_new(array, describe_facts(&file, &facts, &arena)))
        status = xl_fail_nomem(err, "the JSON document", 0);
    xl_arena_deinit(&arena);
    return status;
}

static enum xl_status show_loras(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_loras *loras = xl_loras_new();
    json_t *array = settings->json ? json_array() : NULL;
    enum xl_status status = loras ? XL_OK : xl_fail_nomem(err, "LoRAs", 0);
    for (int i = 0; !status && i < settings->n_arguments; i++)
        status = show_one(loras, settings->arguments[i], array, err);
    if (!status && settings->json)
        status = print_document("loras", array, array != NULL, err);
    else
        json_decref(array);
    xl_loras_free(loras);
    return status;
}

const struct xl_command xl_command_loras_list = {
    .name = "loras list",
    .summary = "the LoRAs that have a name here: own folders, other programs', the cache's",
    .usage = "[OPTIONS]",
    .commands = XL_FOR_NAMED,
    .epilogue =
        "A file is told by the names and shapes in its header. Which folders are looked in, "
        "and how to add those of A1111 and ComfyUI: docs/LORA.md.",
    .run = list_loras,
};

const struct xl_command xl_command_loras_show = {
    .name = "loras show",
    .summary = "what a LoRA is: kind, rank, which parts it changes, trigger words, whether it fits",
    .usage = "[OPTIONS]",
    .positional = "NAME|ID|FILE...",
    .words = XL_COMPLETE_LORA_FILE,
    .commands = XL_FOR_NAMED,
    .epilogue = "Exit codes: 5 it is not there, cannot be read, or is no LoRA; else 0, whether it "
                "fits or not.",
    .run = show_loras,
};

const struct xl_command xl_command_embeddings_list = {
    .name = "embeddings list",
    .summary = "the textual inversions that have a name here: own folders, other programs', the "
               "cache's",
    .usage = "[OPTIONS]",
    .commands = XL_FOR_NAMED,
    .epilogue = "Their names are words of a prompt; a file of the cache is meant by embedding:NAME "
                "or --embedding. docs/EMBEDDINGS.md.",
    .run = list_embeddings,
};
