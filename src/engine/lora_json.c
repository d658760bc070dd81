/* lora_json.c - see the header. Keeps nothing; any thread. */
#include "engine/lora_json.h"

json_t *xl_lora_json(const struct xl_lora_info *lora) {
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "name", xl_json_text(lora->name), &ok);
    xl_json_put(object, "digest", json_string(lora->digest), &ok);
    xl_json_put(object, "text_scale", json_real(lora->text_scale), &ok);
    xl_json_put(object, "unet_scale", json_real(lora->unet_scale), &ok);
    return xl_json_finish(object, ok);
}
