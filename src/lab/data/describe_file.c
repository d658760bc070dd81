/* describe_file.c - a file's class as members of an object. Keeps no state. */
#include "lab/data/describe_file.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

struct tag {
    const char *name;
    int64_t count;
};
enum { MAX_TAGS = 8 };

static void note_tag(struct tag *tags, const char *name, int64_t count) {
    int i = MAX_TAGS;
    while (i && count > tags[i - 1].count) i--;
    if (i == MAX_TAGS) return;
    memmove(&tags[i + 1], &tags[i], (size_t)(MAX_TAGS - 1 - i) * sizeof *tags);
    tags[i] = (struct tag){name, count};
}

/* ss_tag_frequency is {"folder": {"word": count}}. */
const char *xl_frequent_words(const struct xl_st_metadata *metadata, struct xl_arena *arena) {
    const char *text = xl_st_metadata_find(metadata, "ss_tag_frequency"), *folder, *name;
    json_t *root = text ? json_loads(text, 0, NULL) : NULL, *words, *count;
    struct tag tags[MAX_TAGS] = {{0}};
    struct xl_str line = {0};
    json_object_foreach(root, folder, words) json_object_foreach(words, name, count)
        note_tag(tags, name, json_integer_value(count));
    for (int i = 0; i < MAX_TAGS && tags[i].name; i++) {
        const char *word = tags[i].name + strspn(tags[i].name, " ");
        xl_str_printf(&line, "%s%.60s", i ? ", " : "", word);
    }
    json_decref(root);
    char *taken = line.len ? xl_str_take(&line) : NULL;
    const char *copy = taken ? xl_arena_strdup(arena, taken) : NULL;
    free(taken);
    xl_str_deinit(&line);
    return copy;
}

void xl_file_class_put(json_t *object, const struct xl_file_class *is, struct xl_arena *arena,
                       bool *ok) {
    char kinds[128];
    json_t *metadata = json_object();
    xl_json_put(object, "kind", json_string(xl_file_kind_name(is->kind)), ok);
    xl_json_put(object, "what", xl_json_text(is->what), ok);
    xl_json_put(object, "needs", xl_json_text(is->need), ok);
    xl_json_put(object, "option", xl_json_text(is->use), ok);
    xl_json_put(object, "base", json_string(xl_family_name(is->base)), ok);
    xl_json_put(object, "precision", json_string(is->precision), ok);
    xl_json_put(object, "bytes", json_integer(is->bytes), ok);
    xl_json_put(object, "tensors", json_integer(is->n_tensors), ok);
    if (is->kind == XL_FILE_LORA) {
        xl_json_put(object, "written_as",
                    json_string(xl_lora_kinds_text(is->lora_kinds, kinds, sizeof kinds)), ok);
        xl_json_put(object, "rank", json_integer(is->lora_rank), ok);
        xl_json_put(object, "frequent_words", xl_json_text(xl_frequent_words(&is->metadata, arena)),
                    ok);
    }
    if (is->n_vectors) xl_json_put(object, "vectors", json_integer(is->n_vectors), ok);
    if (is->latent_channels)
        xl_json_put(object, "latent_channels", json_integer(is->latent_channels), ok);
    for (int i = 0; i < is->metadata.n; i++)
        if (strlen(is->metadata.text[i].value) <= 1000)
            xl_json_put(metadata, is->metadata.text[i].key,
                        xl_json_text(is->metadata.text[i].value), ok);
    xl_json_put(object, "metadata", metadata, ok);
}
