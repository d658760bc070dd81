/* other_names.c - what other programs call the settings of this one, and which option is near to a
 * name that is none. Only for suggestions: nothing is set by these names. Keeps no state. */
#include "lab/settings/options.h"

#include "base/str.h"

#include <ctype.h>
#include <string.h>

enum { MAX_NAME = 64 };

/* diffusers, AUTOMATIC1111, ComfyUI, InvokeAI, stable-diffusion.cpp, CompVis' scripts. Names of one
 * letter are those of flags with one dash; there case matters. */
static const struct {
    const char *option, *names; /* blanks between */
} others[] = {
    {"model",
     "m M ckpt checkpoint ckpt-name ckpt-path model-id model-path model-name sd-model base-model "
     "pretrained-model-name-or-path diffusion-model repo"},
    {"lora",
     "l lora-path lora-dir lora-model lora-model-dir lora-weights adapter network network-module "
     "lyco"},
    {"embedding", "textual-inversion embd-dir embeddings-dir embeddings-path ti embeds"},
    {"vae", "vae-path vae-name vae-model sd-vae vae-file"},
    {"prompt", "p text positive positive-prompt pos-prompt txt"},
    {"negative", "n neg negative-prompt neg-prompt uncond unconditional-prompt"},
    {"prompt-syntax", "weighting prompt-weighting emphasis prompt-attention syntax prompt-style"},
    {"clip-skip", "clip-stop-at-last-layers clipskip skip"},
    {"profile", "style styles style-preset style-selections"},
    {"size", "resolution res dimensions aspect aspect-ratio ar"},
    {"width", "W w image-width"},
    {"height", "H image-height"},
    {"batch",
     "b N batch-size batch-count n-iter n-samples num-images num-images-per-prompt num-outputs "
     "n-images images samples number-of-images iterations"},
    {"seed", "S noise-seed manual-seed random-seed rand-seed"},
    {"rng", "rng-type generator randn-source"},
    {"steps",
     "s num-inference-steps inference-steps sample-steps sampling-steps ddim-steps num-steps "
     "n-steps"},
    {"guidance", "C g cfg scale guidance-scale cfgscale classifier-free-guidance-scale"},
    {"guidance-rescale", "cfg-rescale rescale rescale-cfg cfg-rescale-multiplier"},
    {"scheduler", "A sampler sampler-name sampling-method sampler-index sampling schedule-type"},
    {"init-image", "i I image img input input-image init-img source-image image-path"},
    {"strength", "f denoise denoising denoising-strength image-strength img2img-strength"},
    {"all-profiles", "all-styles"},
    {"sweep", "grid matrix xyz xy-plot axis prompts-file prompts-from-file from-file"},
    {"job", "c config config-file settings request workflow"},
    {"dry-run", "simulate plan preview"},
    {"yes", "y assume-yes no-confirm"},
    {"output-dir", "o O out output outdir out-dir outputs output-path output-folder save-dir"},
    {"device", "gpu cuda cpu accelerator"},
    {"gpus", "gpu-ids gpu-id devices device-ids num-gpus n-gpus gpu-devices"},
    {"dtype", "precision torch-dtype type fp16 half bf16 fp32 variant"},
    {"threads", "t num-threads n-threads cpu-threads"},
    {"vae-tile", "tile vae-tiling vae-tile-size tiled-vae tiled-decode enable-vae-tiling"},
    {"max-memory", "lowvram medvram low-vram max-vram vram memory memory-limit"},
    {"workers", "j jobs processes"},
    {"quiet", "q silent"},
    {"verbose", "v debug"},
};

/* Small letters, and '-' for '_', unless it is a letter alone. */
static void normalise(const char *name, char out[MAX_NAME]) {
    size_t n = 0;
    bool is_letter = name[0] && !name[1];
    for (; name[n] && n < MAX_NAME - 1; n++)
        out[n] = name[n] == '_' ? '-' : is_letter ? name[n] : (char)tolower((unsigned char)name[n]);
    out[n] = 0;
}

static bool has_word(const char *words, const char *word) {
    size_t n = strlen(word);
    for (; *words; words += *words == ' ') {
        size_t length = strcspn(words, " ");
        if (length == n && !strncmp(words, word, n)) return true;
        words += length;
    }
    return false;
}

/* By the name of its variable, or that of another program. */
static const struct xl_option *find_other(const char *name) {
    const struct xl_option *option;
    char variable[XL_ENVIRONMENT_NAME_MAX], known[MAX_NAME];
    for (int i = 0; (option = xl_option_at(i)); i++)
        for (int k = 0; xl_option_environment(option, k, variable); k++) {
            normalise(variable, known);
            if (!strcmp(known, name)) return option;
        }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (has_word(others[i].names, name)) return xl_option_find(others[i].option);
    return NULL;
}

static const struct xl_option *find_near(const char *name, xl_command_set commands) {
    const struct xl_option *option, *nearest = NULL;
    size_t n = strlen(name);
    int best = n < 4 ? 2 : 4; /* farther than this is not a slip of the fingers */
    for (int i = 0; n > 1 && (option = xl_option_at(i)); i++) {
        if (!(option->commands & commands)) continue;
        bool begins = n >= 3 && !strncmp(name, option->name, n < 5 ? n : 5);
        int distance = begins ? 1 : xl_edit_distance(name, option->name, best - 1);
        if (distance < best) best = distance, nearest = option;
    }
    return nearest;
}

const struct xl_option *xl_option_nearest(const char *name, xl_command_set commands) {
    char wanted[MAX_NAME];
    normalise(name, wanted);
    const struct xl_option *same = xl_option_find(wanted);
    if (!same || !(same->commands & commands)) same = find_other(wanted);
    return same && same->commands & commands ? same : find_near(wanted, commands);
}

const char *xl_option_other_names(int i, const char **option) {
    if (i < 0 || i >= (int)(sizeof others / sizeof *others)) return NULL;
    *option = others[i].option;
    return others[i].names;
}
