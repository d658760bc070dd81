/* alphas.c - the noise levels that a model was trained on: betas, alphas_cumprod, sigmas. */
#include "sampler/draft.h"

#include <math.h>
#include <stdlib.h>

/* Both halves count from their own end, and each value is one fused multiply-add: the form of
 * torch's vectorised kernel. */
float xl_linspace_f32(float start, float end, int n, int i) {
    if (n == 1) return start;
    float step = (end - start) / (float)(n - 1);
    return i < n / 2 ? fmaf(step, (float)i, start) : fmaf(-step, (float)(n - 1 - i), end);
}

/* Nichol and Dhariwal, "Improved Denoising Diffusion Probabilistic Models", section 3.2. */
static double cosine_alpha_bar(double t) {
    double c = cos((t + 0.008) / 1.008 * M_PI / 2);
    return c * c;
}

static float beta_at(const struct xl_scheduler_config *config, int i) {
    int n = config->n_train;
    double start = config->beta_start, end = config->beta_end;
    if (config->beta_schedule == XL_BETA_LINEAR)
        return xl_linspace_f32((float)start, (float)end, n, i);
    if (config->beta_schedule == XL_BETA_SCALED_LINEAR) {
        float root = xl_linspace_f32((float)sqrt(start), (float)sqrt(end), n, i);
        return root * root;
    }
    double t = (double)i / n, t_next = (double)(i + 1) / n;
    return (float)fmin(1 - cosine_alpha_bar(t_next) / cosine_alpha_bar(t), 0.999);
}

/* torch.cumprod on float32 keeps its running product in float64. */
static void cumulate(const float *betas, int n, float *alphas_cumprod) {
    double product = 1;
    for (int i = 0; i < n; i++) {
        product *= (double)(1.0f - betas[i]);
        alphas_cumprod[i] = (float)product;
    }
}

/* Zero terminal signal-to-noise ratio: Lin et al., "Common Diffusion Noise Schedules and Sample
 * Steps Are Flawed", algorithm 1. scratch: [n] */
static void rescale_zero_snr(float *betas, int n, float *scratch) {
    float *root = scratch;
    cumulate(betas, n, root);
    for (int i = 0; i < n; i++) root[i] = sqrtf(root[i]);
    float first = root[0], last = root[n - 1];
    float scale = first / (first - last);
    float previous = 1;
    for (int i = 0; i < n; i++) {
        float shifted = (root[i] - last) * scale;
        float alpha_bar = shifted * shifted;
        betas[i] = 1.0f - alpha_bar / previous;
        previous = alpha_bar;
    }
}

enum xl_status xl_alphas_fill(const struct xl_scheduler_config *config, float floor,
                              float *alphas_cumprod, float *train_sigmas, struct xl_err *err) {
    int n = config->n_train;
    float *betas = malloc((size_t)n * sizeof *betas);
    if (!betas) return xl_fail_nomem(err, "betas", (size_t)n * sizeof *betas);
    for (int i = 0; i < n; i++) betas[i] = beta_at(config, i);
    if (config->rescale_zero_snr) rescale_zero_snr(betas, n, alphas_cumprod);
    cumulate(betas, n, alphas_cumprod);
    /* An infinite sigma could not be divided by: diffusers puts one of about 4096 in its place. */
    if (config->rescale_zero_snr && floor > 0) alphas_cumprod[n - 1] = floor;
    for (int i = 0; i < n; i++)
        train_sigmas[i] = sqrtf((1.0f - alphas_cumprod[i]) / alphas_cumprod[i]);
    free(betas);
    return XL_OK;
}
