/* folders.h - files that people keep for themselves and call by name: LoRAs, embeddings, VAEs,
 * checkpoints. Of each kind, in this order:
 *
 *   ${XDG_DATA_HOME:-~/.local/share}/sdxl-lab/KIND     their own folder
 *   the folders of KIND in CONFIG/folders.yaml         those of A1111, ComfyUI, ...
 *   what ships with the program
 *
 * CONFIG is ${XDG_CONFIG_HOME:-~/.config}/sdxl-lab. A name is that of the file without its ending,
 * or with the folders above it ("styles/glass"). Only .safetensors files are looked at; what is in
 * them is not.
 *
 *   # folders.yaml
 *   loras: [~/stable-diffusion-webui/models/Lora, ~/ComfyUI/models/loras]
 *   embeddings: ~/stable-diffusion-webui/embeddings
 */
#ifndef XL_LAB_FOLDERS_H
#define XL_LAB_FOLDERS_H

#include "base/arena.h"

enum xl_named_kind {
    XL_NAMED_LORAS,
    XL_NAMED_EMBEDDINGS,
    XL_NAMED_VAES,
    XL_NAMED_CHECKPOINTS,
    XL_N_NAMED_KINDS,
};
/* "loras", "embeddings", "vaes", "checkpoints": the name of the folder, and the key in folders.yaml
 */
const char *xl_named_kind_name(enum xl_named_kind kind);

struct xl_named_file {
    const char *name;  /* of the file, without its ending */
    const char *below; /* the same with the folders between it and `folder` */
    const char *path;  /* from the root */
    const char *folder;
};

struct xl_named_files {
    const struct xl_named_file *list; /* folders in the order above, in each by their names */
    int n;
    const char *const *folders; /* [n_folders]: all that were looked in, there or not */
    int n_folders;
    const char *wrong; /* with folders.yaml, "FILE:LINE:COLUMN: ...": its folders are left out;
                          NULL: nothing. Who looks a name up says so instead of not finding it */
};

/* Everything of a kind, in the arena. A folder that is not there has nothing. Errors: XL_ENOMEM */
enum xl_status xl_named_files_list(enum xl_named_kind kind, struct xl_arena *arena,
                                   struct xl_named_files *out, struct xl_err *err) XL_CHECKED;

/* By name, with or without ".safetensors": as written, else whatever the case, blanks and
 * punctuation; the first of the list. NULL: there is none. */
const struct xl_named_file *xl_named_files_find(const struct xl_named_files *files,
                                                const char *name);

/* Names like `name` for a sentence ("\"a\" or \"b\""); "" when none is near. Returns out. */
char *xl_named_files_nearest(const struct xl_named_files *files, const char *name, char *out,
                             size_t size);

#endif
