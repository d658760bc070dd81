/* request.c - a request of txt2img or img2img as settings of a job. Keeps no state. */
#include "http/a1111/parts.h"

#include "base/json.h"
#include "base/str.h"
#include "sampler/a1111.h"

#include <math.h>
#include <string.h>
#include <sys/random.h>

/* --- The fields ------------------------------------------------------------------------------- */

#define TEXT(name, use, otherwise)                                                                 \
    { name, XL_FIELD_TEXT, XL_FIELD_##use, otherwise, NULL }
#define INT(name, use, otherwise)                                                                  \
    { name, XL_FIELD_INT, XL_FIELD_##use, otherwise, NULL }
#define REAL(name, use, otherwise)                                                                 \
    { name, XL_FIELD_REAL, XL_FIELD_##use, otherwise, NULL }
#define SWITCH(name, use, otherwise)                                                               \
    { name, XL_FIELD_SWITCH, XL_FIELD_##use, otherwise, NULL }

/* Source: AUTOMATIC1111 stable-diffusion-webui, modules/api/models.py and modules/processing.py.
 * What comes with the second pass (hr_...) and with masks is left where these are off. */
#define COMMON                                                                                     \
    TEXT("prompt", TAKEN, "\"\""), TEXT("negative_prompt", TAKEN, "\"\""),                         \
        {"styles", XL_FIELD_LIST, XL_FIELD_TAKEN, "[]", NULL}, INT("seed", TAKEN, "-1"),           \
        INT("subseed", LEFT, "-1"), REAL("subseed_strength", LACKS, "0"),                          \
        INT("seed_resize_from_h", LACKS, "-1"), INT("seed_resize_from_w", LACKS, "-1"),            \
        TEXT("sampler_name", TAKEN, "null"), TEXT("scheduler", TAKEN, "null"),                     \
        INT("batch_size", TAKEN, "1"), INT("n_iter", TAKEN, "1"), INT("steps", TAKEN, "50"),       \
        REAL("cfg_scale", TAKEN, "7.0"), INT("width", TAKEN, "512"), INT("height", TAKEN, "512"),  \
        SWITCH("restore_faces", LACKS, "null"), SWITCH("tiling", LACKS, "null"),                   \
        SWITCH("do_not_save_samples", LEFT, "false"), SWITCH("do_not_save_grid", LEFT, "false"),   \
        REAL("eta", TAKEN, "null"), REAL("s_min_uncond", LACKS, "null"),                           \
        REAL("s_churn", LACKS, "null"), REAL("s_tmax", LEFT, "null"),                              \
        REAL("s_tmin", LEFT, "null"), {"s_noise", XL_FIELD_REAL, XL_FIELD_LACKS, "null", "1.0"},   \
        {"override_settings", XL_FIELD_OBJECT, XL_FIELD_TAKEN, "{}", NULL},                        \
        SWITCH("override_settings_restore_afterwards", TAKEN, "true"),                             \
        TEXT("refiner_checkpoint", LACKS, "null"), REAL("refiner_switch_at", LEFT, "null"),        \
        SWITCH("disable_extra_networks", LACKS, "false"),                                          \
        {"comments", XL_FIELD_OBJECT, XL_FIELD_LEFT, "{}", NULL},                                  \
        TEXT("force_task_id", LEFT, "null"), TEXT("sampler_index", TAKEN, "\"Euler\""),            \
        TEXT("script_name", TAKEN, "null"),                                                        \
        {"script_args", XL_FIELD_LIST, XL_FIELD_LEFT, "[]", NULL},                                 \
        {"alwayson_scripts", XL_FIELD_OBJECT, XL_FIELD_TAKEN, "{}", NULL},                         \
        SWITCH("send_images", TAKEN, "true"), SWITCH("save_images", LEFT, "false"),                \
        TEXT("infotext", TAKEN, "null")

static const struct xl_field txt2img_rows[] = {
    COMMON,
    REAL("denoising_strength", LEFT, "null"),
    SWITCH("enable_hr", LACKS, "false"),
    INT("firstphase_width", LACKS, "0"),
    INT("firstphase_height", LACKS, "0"),
    REAL("hr_scale", LEFT, "2.0"),
    TEXT("hr_upscaler", LEFT, "null"),
    INT("hr_second_pass_steps", LEFT, "0"),
    INT("hr_resize_x", LEFT, "0"),
    INT("hr_resize_y", LEFT, "0"),
    TEXT("hr_checkpoint_name", LEFT, "null"),
    TEXT("hr_sampler_name", LEFT, "null"),
    TEXT("hr_scheduler", LEFT, "null"),
    TEXT("hr_prompt", LEFT, "\"\""),
    TEXT("hr_negative_prompt", LEFT, "\"\""),
};
static const struct xl_field img2img_rows[] = {
    COMMON,
    {"init_images", XL_FIELD_LIST, XL_FIELD_TAKEN, "null", NULL},
    REAL("denoising_strength", TAKEN, "0.75"),
    INT("resize_mode", TAKEN, "0"),
    REAL("image_cfg_scale", LEFT, "null"), /* of models that edit by instruction */
    TEXT("mask", LACKS, "null"),
    TEXT("latent_mask", LACKS, "null"),
    INT("mask_blur", LEFT, "null"),
    INT("mask_blur_x", LEFT, "4"),
    INT("mask_blur_y", LEFT, "4"),
    SWITCH("mask_round", LEFT, "true"),
    INT("inpainting_fill", LEFT, "0"),
    SWITCH("inpaint_full_res", LEFT, "true"),
    INT("inpaint_full_res_padding", LEFT, "0"),
    INT("inpainting_mask_invert", LEFT, "0"),
    {"initial_noise_multiplier", XL_FIELD_REAL, XL_FIELD_LACKS, "null", "1.0"},
    SWITCH("include_init_images", TAKEN, "false"),
};

static const struct xl_field_table tables[] = {
    {txt2img_rows, sizeof txt2img_rows / sizeof *txt2img_rows, false},
    {img2img_rows, sizeof img2img_rows / sizeof *img2img_rows, false},
};

json_t *xl_a1111_txt2img_schema(void) {
    return xl_fields_schema(&tables[false]);
}

json_t *xl_a1111_img2img_schema(void) {
    return xl_fields_schema(&tables[true]);
}

const char *xl_a1111_field_of(const char *setting) {
    static const struct {
        const char *setting, *field;
    } rows[] = {
        {"prompt", "prompt"},
        {"negative", "negative_prompt"},
        {"profile", "styles"},
        {"seed", "seed"},
        {"scheduler", "sampler_name"},
        {"steps", "steps"},
        {"guidance", "cfg_scale"},
        {"width", "width"},
        {"height", "height"},
        {"size", "width"},
        {"batch", "n_iter"},
        {"group", "batch_size"},
        {"vae", "sd_vae"},
        {"init-image", "init_images"},
        {"model", "sd_model_checkpoint"},
        {"strength", "denoising_strength"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].setting, setting)) return rows[i].field;
    return NULL;
}

/* --- Parts of it ------------------------------------------------------------------------------ */

/* As that program answers where it has no such script: it has none. */
static enum xl_status check_scripts(const json_t *fields, struct xl_reply *reply,
                                    struct xl_err *err) {
    const char *name = xl_field_text(fields, "script_name");
    const char *always =
        json_object_iter_key(json_object_iter(json_object_get(fields, "alwayson_scripts")));
    if (name[0])
        return xl_a1111_refuse(reply, 422, err, "Script '%.100s' not found: there are none here",
                               name);
    if (always)
        return xl_a1111_refuse(reply, 422, err,
                               "always on script %.100s not found: there are none here", always);
    return XL_OK;
}

static enum xl_status put_sampler(struct xl_a1111_asked *asked, struct xl_reply *reply,
                                  struct xl_err *err) {
    const json_t *fields = asked->fields;
    struct xl_a1111_choice choice;
    bool ok = true;
    const char *name = xl_field_text(fields, "sampler_name");
    const json_t *eta = json_object_get(fields, "eta");
    if (!name[0]) name = xl_field_text(fields, "sampler_index");
    enum xl_status status = xl_a1111_choose(name, xl_field_text(fields, "scheduler"), &choice, err);
    if (status) {
        reply->name = XL_A1111_EXCEPTION;
        reply->code = choice.is_schedule ? 422 : 404;
        return status;
    }
    bool has_eta = !isnan(choice.sampler.eta) && json_is_number(eta);
    if (has_eta && json_number_value(eta) != choice.sampler.eta)
        return xl_field_refuse(reply, "eta", err,
                               "eta is %g; %s is drawn with %g here: leave it out, or at that",
                               json_number_value(eta), choice.sampler.name, choice.sampler.eta);
    asked->sampler = choice.sampler.name;
    xl_json_put(asked->settings, "scheduler", json_string(choice.name), &ok);
    return ok ? XL_OK : xl_fail_nomem(err, "settings", 0);
}

/* Styles are profiles, in the order in which they are said. */
static enum xl_status put_styles(const json_t *fields, struct xl_reply *reply, json_t *settings,
                                 struct xl_err *err) {
    struct xl_str text = {0};
    size_t i;
    json_t *style;
    bool ok = true;
    json_array_foreach(json_object_get(fields, "styles"), i, style) {
        if (!json_is_string(style)) {
            xl_str_deinit(&text);
            reply->name = "type_error.str";
            return xl_field_refuse(reply, "styles", err, "str type expected: styles has names");
        }
        xl_str_printf(&text, "%s%s", text.len ? " + " : "", json_string_value(style));
    }
    ok = !text.failed;
    if (text.len) xl_json_put(settings, "profile", json_string(text.text), &ok);
    xl_str_deinit(&text);
    return ok ? XL_OK : xl_fail_nomem(err, "settings", 0);
}

/* -1 is one at random, within the range in which that program draws it. */
static enum xl_status put_seed(json_t *fields, struct xl_reply *reply, json_t *settings,
                               struct xl_err *err) {
    enum { RANGE_BITS = 32 };
    int64_t seed = xl_field_int(fields, "seed");
    bool ok = true;
    if (seed < -1)
        return xl_field_refuse(reply, "seed", err,
                               "seed is %lld, expected -1 or a whole number from 0",
                               (long long)seed);
    if (seed == -1) {
        uint64_t bits;
        if (getrandom(&bits, sizeof bits, 0) != sizeof bits)
            return xl_fail(err, XL_EINTERNAL, "no random numbers");
        seed = (int64_t)(bits >> RANGE_BITS);
    }
    xl_json_put(settings, "seed", json_integer(seed), &ok);
    return ok ? XL_OK : xl_fail_nomem(err, "settings", 0);
}

static enum xl_status put_batch(const json_t *fields, struct xl_reply *reply, json_t *settings,
                                struct xl_err *err) {
    enum { MOST = 64 };
    int64_t size = xl_field_int(fields, "batch_size"), n = xl_field_int(fields, "n_iter");
    const char *wrong = size < 1 || size > MOST ? "batch_size"
                        : n < 1 || n > MOST     ? "n_iter"
                                                : NULL;
    bool ok = true;
    if (wrong)
        return xl_field_refuse(reply, wrong, err, "%s is %lld, expected 1 to %d", wrong,
                               (long long)xl_field_int(fields, wrong), MOST);
    if (size * n > MOST)
        return xl_field_refuse(reply, "n_iter", err,
                               "n_iter times batch_size is %lld; one call draws at most %d "
                               "pictures",
                               (long long)(size * n), MOST);
    xl_json_put(settings, "batch", json_integer(size * n), &ok);
    xl_json_put(settings, "group", json_integer(size), &ok);
    return ok ? XL_OK : xl_fail_nomem(err, "settings", 0);
}

/* --- The whole -------------------------------------------------------------------------------- */

/* Members that are not there are taken over; of those that are objects in both, theirs. */
static bool fill_in(json_t *object, json_t *more) {
    const char *key;
    json_t *value;
    bool ok = object && more;
    json_object_foreach(more, key, value) {
        json_t *there = json_object_get(object, key);
        if (there && (!json_is_object(there) || !json_is_object(value))) continue;
        json_t *filled = there ? json_copy(there) : json_incref(value);
        ok = ok && filled && (!there || !json_object_update_missing(filled, value)) &&
             !json_object_set(object, key, filled);
        json_decref(filled);
    }
    return ok;
}

/* What the call says, then what its infotext does. */
static enum xl_status read_fields(struct xl_call *call, struct xl_reply *reply,
                                  const struct xl_field_table *table, json_t **out,
                                  struct xl_err *err) {
    const char *infotext = json_string_value(json_object_get(call->json, "infotext"));
    json_t *said = json_copy(call->json);
    json_t *more = infotext ? xl_a1111_infotext_fields(infotext) : json_object();
    enum xl_status status = fill_in(said, more) ? xl_fields_read(table, said, call, reply, out, err)
                                                : xl_fail_nomem(err, "a request", 0);
    json_decref(more);
    json_decref(said);
    return status;
}

static enum xl_status put_options(struct xl_call *call, const json_t *fields,
                                  struct xl_reply *reply, json_t *settings, struct xl_err *err) {
    const json_t *instead = json_object_get(fields, "override_settings");
    bool stays = !xl_field_switch(fields, "override_settings_restore_afterwards");
    json_t *options = NULL;
    enum xl_status status = xl_a1111_options_read(call, reply, instead, &options, err);
    if (!status) status = xl_a1111_options_apply(call, reply, options, settings, err);
    if (!status && stays) status = xl_a1111_options_keep(call->user, instead, err);
    json_decref(options);
    return status;
}

static enum xl_status put_plain(const json_t *fields, json_t *settings, struct xl_err *err) {
    const char *negative = xl_field_text(fields, "negative_prompt");
    bool ok = true;
    xl_json_put(settings, "prompt", json_string(xl_field_text(fields, "prompt")), &ok);
    /* Of an empty one that program makes zeros, as this one does where it is omitted. */
    if (negative[0]) xl_json_put(settings, "negative", json_string(negative), &ok);
    xl_json_put(settings, "prompt_syntax", json_string("a1111"), &ok);
    xl_json_put(settings, "steps", json_integer(xl_field_int(fields, "steps")), &ok);
    xl_json_put(settings, "guidance", json_real(xl_field_real(fields, "cfg_scale")), &ok);
    xl_json_put(settings, "width", json_integer(xl_field_int(fields, "width")), &ok);
    xl_json_put(settings, "height", json_integer(xl_field_int(fields, "height")), &ok);
    return ok ? XL_OK : xl_fail_nomem(err, "settings", 0);
}

static enum xl_status check_sides(const json_t *fields, struct xl_reply *reply,
                                  struct xl_err *err) {
    static const char *const sides[] = {"width", "height"};
    for (int i = 0; i < 2; i++) {
        int64_t side = xl_field_int(fields, sides[i]);
        if (side < 1 || side % 8)
            return xl_field_refuse(reply, sides[i], err, "%s is %lld, expected a multiple of 8",
                                   sides[i], (long long)side);
    }
    return XL_OK;
}

enum xl_status xl_a1111_request_read(struct xl_call *call, struct xl_reply *reply, bool is_img2img,
                                     struct xl_a1111_asked *out, struct xl_err *err) {
    *out = (struct xl_a1111_asked){.is_img2img = is_img2img};
    enum xl_status status = read_fields(call, reply, &tables[is_img2img], &out->fields, err);
    if (!status) out->settings = json_object();
    if (!status && !out->settings) status = xl_fail_nomem(err, "settings", 0);
    if (!status) status = check_scripts(out->fields, reply, err);
    if (!status) status = check_sides(out->fields, reply, err);
    if (!status) status = put_plain(out->fields, out->settings, err);
    if (!status) status = put_sampler(out, reply, err);
    if (!status) status = put_styles(out->fields, reply, out->settings, err);
    if (!status) status = put_seed(out->fields, reply, out->settings, err);
    if (!status) status = put_batch(out->fields, reply, out->settings, err);
    if (!status) status = put_options(call, out->fields, reply, out->settings, err);
    if (!status && is_img2img)
        status = xl_a1111_init_image_put(call, reply, out->fields, out->settings, err);
    if (status) xl_a1111_request_deinit(out);
    return status;
}

void xl_a1111_request_deinit(struct xl_a1111_asked *asked) {
    json_decref(asked->fields);
    json_decref(asked->settings);
    *asked = (struct xl_a1111_asked){.fields = NULL};
}
