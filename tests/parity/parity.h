/* parity.h - run a plan and compare its taps with those that tools/reference/topics/models.py
 * recorded from diffusers and transformers (tests/data/models/taps; that script says how a tap is
 * stored). Failures end the test.
 */
#ifndef PARITY_H
#define PARITY_H

#include "backend/backend.h"
#include "model/build.h"

#include <criterion/criterion.h>

#define PARITY_DATA XL_SOURCE_DIR "/tests/data/models/"

/* Every model test runs with each of these. */
struct parity_setup {
    const char *name; /* "reference, f32" */
    enum xl_status (*open)(struct xl_backend **out, struct xl_err *err);
    enum xl_dtype act_dtype;
    /* Greatest error of a tap: root mean square of the difference over that of the values.
     * f32: both sides round every operation to 2^-24 and sum in different orders. Through the
     * hundred layers of these models that came to 1.7e-6 at most; 1e-5 leaves room for other CPUs,
     * and each mistake tried (an epsilon, a swapped operand) exceeds it.
     * bf16: the operands and the result of each op are rounded to 2^-9. A hundred such roundings
     * add up like a random walk to 2^-9 * sqrt(100) = 2e-2; measured 3.1e-2 at most, of f32. */
    double tolerance;
};
extern const struct parity_setup parity_setups[];
extern const int parity_n_setups;

struct xl_weights *parity_open(const char *label, const char *file); /* below PARITY_DATA */

/* One run. Zero-initialise; the plan is borrowed. */
struct parity_run {
    struct xl_backend *backend;
    struct xl_exec *exec;
    const struct xl_plan *plan;
};
void parity_start(struct parity_run *run, const struct parity_setup *setup,
                  const struct xl_plan *plan);
/* Write every input of the plan that the file has as "in.NAME". */
void parity_feed(const struct parity_run *run, const struct xl_weights *taps);
/* Run, and compare every tap of the file. label: for messages. */
void parity_check(const struct parity_run *run, const struct parity_setup *setup,
                  const struct xl_weights *taps, const char *label);
void parity_stop(struct parity_run *run);

/* Numbers "in.NAME" of the file, f32. */
const float *parity_input(const struct xl_weights *taps, const char *name, struct xl_shape *shape);

#define parity_ok(call, err) cr_assert_eq((call), XL_OK, "%s", (err).text)

#endif
