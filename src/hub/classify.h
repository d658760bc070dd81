/* classify.h - what a file or a folder of weights is: told by the names and shapes in safetensors
 * headers, never by what a file is called. Nothing of the weights is read, and of files that can
 * run code (pickles) not a byte. What this program cannot use is named, with what would be needed.
 */
#ifndef XL_HUB_CLASSIFY_H
#define XL_HUB_CLASSIFY_H

#include "hub/file_class.h"

/* Tell what a .safetensors file is. In the arena.
 * Errors: XL_EMODEL missing; XL_EFORMAT a pickle (by its name, unread), GGUF, damaged header;
 * XL_ENOMEM */
enum xl_status xl_hub_classify_file(const char *path, struct xl_arena *arena,
                                    struct xl_file_class *out, struct xl_err *err) XL_CHECKED;

/* The sentence for a file that is not what is wanted ("a LoRA for SDXL"): what it is instead, and
 * what would be needed or which option takes it. Returns XL_EFORMAT. */
enum xl_status xl_hub_refuse_file(const char *path, const struct xl_file_class *found,
                                  const char *wanted, struct xl_err *err);

/* Whether a file is what is wanted, a LoRA or a textual inversion (XL_FILE_LORA,
 * XL_FILE_EMBEDDING), and for SDXL. OTHER: it is not, and err says what it is instead. UNSURE: of
 * no kind that is known, or it cannot be read; who reads it says what it lacks, err is untouched.
 */
enum xl_file_fit { XL_FILE_FITS, XL_FILE_OTHER, XL_FILE_UNSURE };
enum xl_file_fit xl_hub_file_fit(const char *path, enum xl_file_kind wanted, struct xl_err *err);

enum xl_hub_folder_kind {
    XL_HUB_FOLDER_SDXL,         /* a diffusers pipeline of the SDXL family that draws from text */
    XL_HUB_FOLDER_PIPELINE,     /* another pipeline: refiner, inpainting, SD1, SD3, Flux, ... */
    XL_HUB_FOLDER_SINGLE_FILES, /* no model_index.json; one or more SDXL checkpoints */
    XL_HUB_FOLDER_LORA,         /* LoRAs for SDXL and no checkpoint */
    XL_HUB_FOLDER_EMBEDDING,    /* textual inversions and neither of those */
    XL_HUB_FOLDER_VAE,          /* a VAE alone, with config.json or without */
    XL_HUB_FOLDER_FILES,        /* safetensors files, none of which this program can use */
    XL_HUB_FOLDER_PICKLES,      /* only files that can run code */
    XL_HUB_FOLDER_GGUF,         /* only GGUF files */
    XL_HUB_FOLDER_UNKNOWN,      /* none of these */
};
/* "pipeline", "other pipeline", "single-file", "lora", ... */
const char *xl_hub_folder_kind_name(enum xl_hub_folder_kind kind);

struct xl_hub_folder_class {
    enum xl_hub_folder_kind kind;
    const char *what;       /* as in xl_file_class */
    const char *need;       /* as in xl_file_class */
    const char *class_name; /* pipeline: _class_name of model_index.json; else NULL */
    struct xl_hub_folder_file {
        const char *name, *path;
        struct xl_file_class is;
        const char *why; /* cannot be classified: the sentence; NULL where `is` holds */
    } * file;            /* the .safetensors files at the root, by the bytes of their names */
    int n_files;
};

/* Tell what a folder or a snapshot of the cache is. A folder with model_index.json is judged by it
 * alone; its root files are listed all the same. In the arena. Errors: XL_EMODEL not there,
 * XL_EFORMAT model_index.json cannot be read; XL_ENOMEM */
enum xl_status xl_hub_classify_folder(const char *dir, struct xl_arena *arena,
                                      struct xl_hub_folder_class *out,
                                      struct xl_err *err) XL_CHECKED;

/* The same, but where model_index.json is there no other file is looked at or listed. */
enum xl_status xl_hub_classify_briefly(const char *dir, struct xl_arena *arena,
                                       struct xl_hub_folder_class *out,
                                       struct xl_err *err) XL_CHECKED;

#endif
