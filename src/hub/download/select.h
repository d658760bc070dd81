/* select.h - which files of a repository the lab needs: some seven gigabytes where there are
 * forty-six. Decides by names and sizes alone, and by what is there already.
 *
 *   pipeline       model_index.json, the scheduler's and the components' configurations, the
 *                  tokenizers, and of each component one set of safetensors files: one that is
 * there already, else the fp16 variant (half the bytes), else the plain names, else another
 * variant; of a file and shards the one that xl_hub_pipeline would take component      a repository
 * that is one: config.json and the weights at its root single file    a checkpoint, a LoRA, an
 * embedding: the one .safetensors file
 */
#ifndef XL_HUB_DOWNLOAD_SELECT_H
#define XL_HUB_DOWNLOAD_SELECT_H

#include "hub/download/listing.h"

enum xl_repo_kind { XL_REPO_PIPELINE, XL_REPO_COMPONENT, XL_REPO_FILE };

struct xl_selection {
    enum xl_repo_kind kind;
    bool *wanted; /* [listing->n] */
};

/* id: for sentences. file: one file of the repository that was asked for, or NULL. is_there:
 * [listing->n] or NULL: files that need not be downloaded. In the arena.
 * Errors: XL_EMODEL there is no such file; XL_EINVAL several files and nothing says which;
 * XL_EFORMAT no model of the SDXL family, nothing but pickles, or a pipeline that lacks a file;
 * XL_ENOMEM */
enum xl_status xl_hub_select(const struct xl_repo_listing *listing, const char *id,
                             const char *file, const bool *is_there, struct xl_arena *arena,
                             struct xl_selection *out, struct xl_err *err) XL_CHECKED;

#endif
