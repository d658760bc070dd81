/* machine.c - what clients ask when they connect and this program has little to say of: memory,
 * flags, scripts, and lists that are empty. */
#include "http/a1111/parts.h"

#include "base/json.h"
#include "base/memory.h"

static json_t *bytes(int64_t n) {
    return json_integer(n >= XL_MEMORY_UNKNOWN ? 0 : n);
}

/* {"current", "peak"} */
static json_t *level(int64_t current, int64_t peak) {
    return json_pack("{s:I, s:I}", "current", (json_int_t)current, "peak", (json_int_t)peak);
}

/* What torch tells apart (active, allocated, reserved) is one here: what is in use. */
static json_t *describe_gpu(struct xl_a1111 *a1111) {
    struct xl_gpu gpu;
    json_t *object = json_object();
    bool ok = object != NULL;
    if (!xl_system_gpu_memory(a1111->params.system, &gpu)) {
        xl_json_put(object, "error", json_string("unavailable"), &ok);
        return xl_json_finish(object, ok);
    }
    pthread_mutex_lock(&a1111->mutex);
    if (gpu.used_bytes > a1111->most_used_bytes) a1111->most_used_bytes = gpu.used_bytes;
    int64_t peak = a1111->most_used_bytes;
    pthread_mutex_unlock(&a1111->mutex);
    int64_t left = gpu.memory_bytes > gpu.used_bytes ? gpu.memory_bytes - gpu.used_bytes : 0;
    xl_json_put(object, "system",
                json_pack("{s:I, s:I, s:I}", "free", (json_int_t)left, "used",
                          (json_int_t)gpu.used_bytes, "total", (json_int_t)gpu.memory_bytes),
                &ok);
    static const char *const used[] = {"active", "allocated", "reserved"};
    for (size_t i = 0; i < sizeof used / sizeof *used; i++)
        xl_json_put(object, used[i], level(gpu.used_bytes, peak), &ok);
    xl_json_put(object, "inactive", level(0, 0), &ok);
    xl_json_put(object, "events", json_pack("{s:i, s:i}", "retries", 0, "oom", 0), &ok);
    return xl_json_finish(object, ok);
}

enum xl_status xl_a1111_memory(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    int64_t total = xl_memory_total(), free_bytes = xl_memory_available();
    json_t *object = json_object(), *ram = json_object();
    bool ok = object && ram;
    xl_json_put(ram, "free", bytes(free_bytes), &ok);
    xl_json_put(ram, "used", bytes(total > free_bytes ? total - free_bytes : 0), &ok);
    xl_json_put(ram, "total", bytes(total), &ok);
    xl_json_put(object, "ram", ram, &ok);
    xl_json_put(object, "cuda", describe_gpu(call->user), &ok);
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
