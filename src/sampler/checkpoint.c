/* checkpoint.c - the scheduler of a model that comes as one file: there is none in it, so it is the
 * one of the model that it was made from. Source: diffusers'
 * StableDiffusionXLPipeline.from_single_file (configurations of SDXL base 1.0 and Playground v2.5);
 * for CosXL, its model card; for rescaled betas, Lin et al., "Common Diffusion Noise Schedules and
 * Sample Steps are Flawed" (arXiv:2305.08891): steps begin at the last beta. */
#include "base/json.h"
#include "sampler/sampler.h"

static json_t *of_sdxl(struct xl_checkpoint_marks marks) {
    return json_pack(
        "{s:s, s:f, s:f, s:s, s:s, s:i, s:s, s:b, s:i, s:s, s:b, s:b}", "_class_name",
        "EulerDiscreteScheduler", "beta_start", 0.00085, "beta_end", 0.012, "beta_schedule",
        "scaled_linear", "interpolation_type", "linear", "num_train_timesteps", 1000,
        "prediction_type", marks.is_v_prediction ? "v_prediction" : "epsilon", "set_alpha_to_one",
        0, "steps_offset", 1, "timestep_spacing", marks.is_zero_snr ? "trailing" : "leading",
        "use_karras_sigmas", 0, "rescale_betas_zero_snr", marks.is_zero_snr);
}

static json_t *of_playground(void) {
    return json_pack("{s:s, s:s, s:b, s:s, s:b, s:i, s:s, s:f, s:f, s:f, s:f, s:i, s:s}",
                     "_class_name", "EDMDPMSolverMultistepScheduler", "algorithm_type",
                     "dpmsolver++", "euler_at_final", 0, "final_sigmas_type", "zero",
                     "lower_order_final", 1, "num_train_timesteps", 1000, "prediction_type",
                     "epsilon", "rho", 7.0, "sigma_data", 0.5, "sigma_max", 80.0, "sigma_min",
                     0.002, "solver_order", 2, "solver_type", "midpoint");
}

static json_t *of_cosxl(struct xl_checkpoint_marks marks) {
    double sigma_min = marks.sigma_min > 0 ? marks.sigma_min : 0.002;
    double sigma_max = marks.sigma_max > 0 ? marks.sigma_max : 120.0;
    return json_pack("{s:s, s:i, s:s, s:f, s:f, s:f, s:f}", "_class_name", "EDMEulerScheduler",
                     "num_train_timesteps", 1000, "prediction_type", "v_prediction", "rho", 7.0,
                     "sigma_data", 1.0, "sigma_max", sigma_max, "sigma_min", sigma_min);
}

json_t *xl_scheduler_of_checkpoint(struct xl_checkpoint_marks marks) {
    xl_json_watch();
    json_t *config = !marks.is_edm           ? of_sdxl(marks)
                     : marks.is_v_prediction ? of_cosxl(marks)
                                             : of_playground();
    return xl_json_finish(config, config != NULL);
}
