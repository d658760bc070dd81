/* encoded_case.h - a text run through a model's encoders, against what a reference made of it
 * (tools/reference/topics/prompts.py and embeddings.py write the cases). */
#ifndef XL_TESTS_ENCODED_CASE_H
#define XL_TESTS_ENCODED_CASE_H

#include "base/json.h"
#include "engine/engine.h"
#include "engine_case.h"

#include <math.h>

/* Which numbers of a text's states a case has, and how many of its pooled vector. */
enum { ENCODED_SAMPLES = 256, ENCODED_STRIDE = 7919, ENCODED_POOLED = 32 };

/* The root mean square of what differs, as a part of that of what is expected: n numbers, each
 * `stride` behind the last in found, around its end. found: [count] */
static inline double encoded_error(const float *found, int64_t count, const json_t *expected,
                                   int64_t n, int64_t stride) {
    double error = 0, norm = 0;
    for (int64_t i = 0; i < n; i++) {
        double wanted = json_number_value(json_array_get(expected, (size_t)i));
        double d = (double)found[i * stride % count] - wanted;
        error += d * d;
        norm += wanted * wanted;
    }
    return sqrt(error / norm);
}

/* Encode the prompt of a request's only picture and compare. expected: "chunks", "text", "pooled".
 * 1e-5 as in parity.h */
static inline void encoded_expect(struct engine_case engine, const struct xl_request *request,
                                  const json_t *expected) {
    struct xl_err err = {0};
    struct xl_drawing drawing;
    const struct xl_encoded *encoded;
    const char *prompt = request->pictures[0].prompt;
    const char *syntax = xl_prompt_syntax_name(request->prompt_syntax);
    cr_assert_eq(xl_drawing_init(engine.device, engine.model, request, &drawing, &err), XL_OK, "%s",
                 err.text);
    cr_assert_eq(xl_drawing_encode(&drawing, prompt, &encoded, &err), XL_OK, "%s", err.text);
    cr_assert_eq(encoded->n_chunks, json_integer_value(json_object_get(expected, "chunks")),
                 "%s (%s): %d chunks", prompt, syntax, encoded->n_chunks);
    cr_expect_eq(drawing.n_chunks, encoded->n_chunks);
    int64_t width = engine.model->unet.cross_attention_dim;
    double text = encoded_error(encoded->text, encoded->n_chunks * drawing.n_tokens * width,
                                json_object_get(expected, "text"), ENCODED_SAMPLES, ENCODED_STRIDE);
    double pooled = encoded_error(encoded->pooled, ENCODED_POOLED,
                                  json_object_get(expected, "pooled"), ENCODED_POOLED, 1);
    cr_expect_lt(text, 1e-5, "%s (%s): embeddings differ by %.2e", prompt, syntax, text);
    cr_expect_lt(pooled, 1e-5, "%s (%s): pooled vectors differ by %.2e", prompt, syntax, pooled);
    xl_drawing_deinit(&drawing);
}

#endif
