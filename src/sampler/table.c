/* table.c - a schedule's steps as rows of numbers, which backends apply. */
#include "sampler/sampler.h"

#include <string.h>

int xl_schedule_n_history(const struct xl_schedule *schedule) {
    int n = 0;
    for (int i = 0; i < schedule->n_steps; i++)
        if (schedule->steps[i].store_slot >= n) n = schedule->steps[i].store_slot + 1;
    return n;
}

int xl_schedule_n_noise(const struct xl_schedule *schedule) {
    int n = 0;
    for (int i = 0; i < schedule->n_steps; i++) n += schedule->steps[i].uses_noise;
    return n;
}

static void fill_row(const struct xl_step *step, int noise_row, float *row) {
    row[XL_STEP_TIMESTEP] = step->timestep;
    row[XL_STEP_INPUT_SCALE] = step->input_scale;
    row[XL_STEP_CONVERT_X] = step->convert_x;
    row[XL_STEP_CONVERT_OUT] = step->convert_out;
    row[XL_STEP_CLIP] = step->clip;
    row[XL_STEP_STORE_SLOT] = (float)step->store_slot;
    row[XL_STEP_NOISE_ROW] = (float)noise_row;
    memcpy(row + XL_STEP_BASE_COEF, step->base_coef, sizeof step->base_coef);
    memcpy(row + XL_STEP_COEF, step->coef, sizeof step->coef);
}

void xl_schedule_table(const struct xl_schedule *schedule, float *table) {
    int n_drawn = 0;
    for (int i = 0; i < schedule->n_steps; i++) {
        bool draws = schedule->steps[i].uses_noise;
        fill_row(&schedule->steps[i], draws ? n_drawn++ : -1, table + i * XL_N_STEP_COLUMNS);
    }
}
