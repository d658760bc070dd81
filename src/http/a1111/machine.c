/* machine.c - what clients ask when they connect and this program has little to say of: memory,
 * flags, scripts, and lists that are empty. Keeps no state. */
#include "http/a1111/parts.h"

#include "base/json.h"
#include "base/memory.h"

static json_t *bytes(int64_t n) {
    return json_integer(n >= XL_MEMORY_UNKNOWN ? 0 : n);
}

/* Of the machine alone: what a GPU has is looked at by the workers that draw with it. */
enum xl_status xl_a1111_memory(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    int64_t total = xl_memory_total(), free_bytes = xl_memory_available();
    json_t *object = json_object(), *ram = json_object(), *cuda = json_object();
    bool ok = object && ram && cuda;
    (void)call;
    xl_json_put(ram, "free", bytes(free_bytes), &ok);
    xl_json_put(ram, "used", bytes(total > free_bytes ? total - free_bytes : 0), &ok);
    xl_json_put(ram, "total", bytes(total), &ok);
    xl_json_put(cuda, "error", json_string("unavailable"), &ok);
    xl_json_put(object, "ram", ram, &ok);
    xl_json_put(object, "cuda", cuda, &ok);
    return xl_reply_json(reply, 200, xl_json_finish(object, ok), err);
}

/* Those of that program's flags that clients look at. */
enum xl_status xl_a1111_flags(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    json_t *object = json_object();
    bool ok = object != NULL;
    (void)call;
    xl_json_put(object, "api", json_true(), &ok);
    xl_json_put(object, "nowebui", json_false(), &ok);
    xl_json_put(object, "api_auth", json_null(), &ok);
    xl_json_put(object, "api_server_stop", json_false(), &ok);
    xl_json_put(object, "lowvram", json_false(), &ok);
    xl_json_put(object, "medvram", json_false(), &ok);
    return xl_reply_json(reply, 200, xl_json_finish(object, ok), err);
}

enum xl_status xl_a1111_scripts(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    json_t *object = json_object();
    bool ok = object != NULL;
    (void)call;
    xl_json_put(object, "txt2img", json_array(), &ok);
    xl_json_put(object, "img2img", json_array(), &ok);
    return xl_reply_json(reply, 200, xl_json_finish(object, ok), err);
}

enum xl_status xl_a1111_nothing(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    (void)call;
    return xl_reply_json(reply, 200, json_array(), err);
}

enum xl_status xl_a1111_done(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    (void)call;
    return xl_reply_json(reply, 200, json_null(), err);
}

enum xl_status xl_a1111_done_empty(struct xl_call *call, struct xl_reply *reply,
                                   struct xl_err *err) {
    (void)call;
    return xl_reply_json(reply, 200, json_object(), err);
}
