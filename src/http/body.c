/* body.c - members of a JSON body, each refused by name. Keeps no state. */
#include "http/body.h"

#include "base/str.h"

#include <string.h>

enum xl_status xl_body_check(const struct xl_call *call, struct xl_reply *reply,
                             const char *const *known, struct xl_err *err) {
    const char *key;
    json_t *value;
    json_object_foreach(call->json, key, value) {
        bool is_known = false;
        struct xl_str list = {0};
        for (int i = 0; known[i]; i++) {
            is_known |= !strcmp(known[i], key);
            xl_str_printf(&list, "%s%s", i ? ", " : "", known[i]);
        }
        enum xl_status status = is_known ? XL_OK
                                         : xl_fail(err, XL_EINVAL,
                                                   "there is no \"%.60s\" here; expected %s", key,
                                                   list.text ? list.text : "nothing");
        xl_str_deinit(&list);
        if (status) return xl_reply_about(reply, key, status);
    }
    return XL_OK;
}

enum xl_status xl_body_switch(const struct xl_call *call, struct xl_reply *reply, const char *key,
                              bool *out, struct xl_err *err) {
    const json_t *value = json_object_get(call->json, key);
    if (value && !json_is_boolean(value))
        return xl_reply_about(reply, key,
                              xl_fail(err, XL_EINVAL, "%s: expected true or false", key));
    if (value) *out = json_is_true(value);
    return XL_OK;
}
