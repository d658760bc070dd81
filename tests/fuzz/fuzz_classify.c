/* fuzz_classify.c - any bytes under the name of a weight file are refused with a sentence, or the
 * file is told to be something: either an option takes it, or what would be needed is said. Inputs:
 * see safetensors_input.h.
 */
#include "safetensors_input.h"

#include "hub/classify.h"

#include <sys/stat.h>

static void check_lora(const struct xl_file_class *found) {
    char kinds[128];
    bool is_lora = found->kind == XL_FILE_LORA;
    expect(is_lora == (found->lora_kinds != 0) && found->lora_rank >= 0);
    expect(is_lora || (!found->lora_rank && !found->lora_has_text));
    expect(is_lora == (xl_lora_kinds_text(found->lora_kinds, kinds, sizeof kinds)[0] != 0));
}

static void check_metadata(const struct xl_st_metadata *metadata) {
    for (int i = 0; i < metadata->n; i++)
        expect(metadata->text[i].value && xl_st_metadata_find(metadata, metadata->text[i].key));
}

static void check_class(const struct xl_file_class *found, const char *path) {
    struct xl_err err = {0};
    struct stat st;
    expect(found->what && found->what[0] && xl_file_kind_name(found->kind)[0]);
    expect(!found->use != !found->need); /* one of the two */
    expect(xl_family_name(found->base)[0] && found->precision);
    expect(!stat(path, &st) && found->bytes == st.st_size && found->n_tensors >= 0);
    bool is_vae = found->kind == XL_FILE_VAE && found->use;
    expect(is_vae ? found->latent_channels == 4 : found->latent_channels >= 0);
    expect(found->n_vectors >= 0 && (found->kind == XL_FILE_EMBEDDING || !found->n_vectors));
    expect(xl_hub_refuse_file(path, found, "a model", &err) == XL_EFORMAT);
    expect(strstr(err.text, path) && strstr(err.text, found->what));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    int fd = write_input(data, size, path);
    struct xl_arena arena = {0};
    struct xl_file_class found = {0};
    struct xl_err err = {0};
    if (xl_hub_classify_file(path, &arena, &found, &err)) {
        expect(!found.what && strstr(err.text, path));
    } else {
        check_class(&found, path);
        check_lora(&found);
        check_metadata(&found.metadata);
    }
    xl_arena_deinit(&arena);
    close(fd);
    return 0;
}
