/* lora.c - the tensors of a LoRA for a repository, as kohya's trainer has them: a product for every
 * linear layer in the attentions and the feed-forwards of UNet and text encoders. */
#include "repo.h"

#include <math.h>
#include <string.h>

static bool is_trained(const struct xl_repo_tensor *tensor) {
    const char *name = tensor->name;
    return tensor->shape.rank == 2 &&
           (strstr(name, ".attentions.") || strstr(name, ".self_attn.") || strstr(name, ".mlp."));
}

/* The name of half a product of a weight: its module's with _ for each dot, and what half. */
static char *half_name(struct xl_arena *arena, const char *prefix, const char *weight,
                       const char *half) {
    int n = (int)(strlen(weight) - strlen(".weight"));
    char *name = xl_arena_printf(arena, "%s_%.*s", prefix, n, weight);
    for (char *at = name; at && *at; at++)
        if (*at == '.') *at = '_';
    return name ? xl_arena_printf(arena, "%s.%s.weight", name, half) : NULL;
}

static void add_half(struct xl_repo_tensors *list, char *name, struct xl_shape shape,
                     double deviation) {
    if (!name) list->failed = true;
    if (name)
        xl_repo_append(list, (struct xl_repo_tensor){.name = name,
                                                     .shape = shape,
                                                     .fill = XL_FILL_NORMAL,
                                                     .deviation = (float)deviation});
}

/* Numbers of up @ down have a hundredth of the weight's deviation. */
static void add_product(struct xl_repo_tensors *list, const char *prefix,
                        const struct xl_repo_tensor *weight, int rank) {
    int64_t out = weight->shape.dim[0], in = weight->shape.dim[1];
    add_half(list, half_name(&list->arena, prefix, weight->name, "lora_down"), XL_SHAPE(rank, in),
             1 / sqrt((double)in));
    add_half(list, half_name(&list->arena, prefix, weight->name, "lora_up"), XL_SHAPE(out, rank),
             0.01 / sqrt((double)rank));
}

void xl_repo_lora_tensors(struct xl_repo_tensors *list, const struct xl_repo_size *size, int rank) {
    static const char *const prefixes[] = {"lora_te1", "lora_te2", "lora_unet"};
    for (int part = 0; part < 3; part++) {
        struct xl_repo_tensors weights = {0};
        if (part == 2)
            xl_repo_unet_tensors(&weights, size);
        else
            xl_repo_text_tensors(&weights, size, part);
        list->failed = list->failed || weights.failed;
        for (int i = 0; i < weights.n; i++)
            if (is_trained(&weights.items[i]))
                add_product(list, prefixes[part], &weights.items[i], rank);
        xl_repo_tensors_deinit(&weights);
    }
}
