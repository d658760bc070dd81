/* room.c - memory of a device: what a request may take, and who goes when it is short. The device's
 * mutex is held while one model makes room for another: on the thread that draws, or on one that
 * makes the next model ready. */
#include "engine/engine.h"

static struct xl_memory memory_of(const struct xl_device *device) {
    struct xl_memory memory;
    xl_backend_memory(device->backend, &memory);
    return memory;
}

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

int64_t xl_device_available(const struct xl_device *device, int64_t held_bytes) {
    struct xl_memory memory = memory_of(device);
    int64_t available = memory.available + memory.work_bytes + memory.weight_bytes - held_bytes;
    int64_t budget = device->params.budget_bytes;
    return budget ? smaller(available, budget - held_bytes) : available;
}

/* Bytes that can be taken without giving anything up. Without a budget a tenth of what is free is
 * left to others. */
static int64_t free_bytes(const struct xl_device *device) {
    struct xl_memory memory = memory_of(device);
    int64_t budget = device->params.budget_bytes;
    if (!budget) return memory.available - memory.available / 10;
    return smaller(memory.available, budget - memory.weight_bytes - memory.work_bytes);
}

/* The same for what is kept of models that are not at work. Without a budget they may take three
 * quarters of the memory: files that are read are to find some, too. */
static int64_t idle_bytes(const struct xl_device *device) {
    struct xl_memory memory = memory_of(device);
    if (device->params.budget_bytes) return free_bytes(device);
    int64_t most = memory.total - memory.total / 4;
    return smaller(free_bytes(device), most - memory.weight_bytes - memory.work_bytes);
}

/* The resident that was used longest ago, of those that no thread has; NULL: there is none. */
static struct xl_resident **oldest(struct xl_device *device) {
    struct xl_resident **found = NULL;
    for (struct xl_resident **at = &device->residents; *at; at = &(*at)->next)
        if (*at != device->at_work && *at != device->ahead &&
            (!found || (*at)->last_used < (*found)->last_used))
            found = at;
    return found;
}

/* Weights that no stage uses, but about so many bytes of those that were used last. */
static void release_idle(struct xl_device *device, int64_t wanted, int64_t but) {
    int64_t idle = memory_of(device).idle_weight_bytes - but;
    if (wanted > 0 && idle > 0) xl_backend_release(device->backend, (size_t)smaller(wanted, idle));
}

/* Have other models go, the one that was used longest ago before the others, until there is room.
 */
static void evict(struct xl_device *device, int64_t bytes, int64_t held_bytes) {
    release_idle(device, bytes - idle_bytes(device), held_bytes);
    for (struct xl_resident **at; idle_bytes(device) < bytes && (at = oldest(device));) {
        struct xl_resident *resident = *at;
        *at = resident->next;
        xl_resident_free(resident);
        release_idle(device, bytes - idle_bytes(device), held_bytes);
    }
}

/* Have the thread end that makes a model ready: what it has so far is then a model like others. */
static void recall(struct xl_device *device) {
    atomic_store(&device->is_recalled, true);
    while (device->ahead) pthread_cond_wait(&device->changed, &device->mutex);
    atomic_store(&device->is_recalled, false);
}

bool xl_device_find_room(struct xl_device *device, bool is_ahead, int64_t bytes,
                         int64_t held_bytes) {
    bool is_there;
    pthread_mutex_lock(&device->mutex);
    if (is_ahead) {
        if (!device->is_tight) evict(device, bytes, held_bytes);
        is_there = !device->is_tight && idle_bytes(device) >= bytes;
    } else {
        evict(device, bytes, held_bytes);
        if (idle_bytes(device) < bytes && device->ahead) {
            recall(device);
            evict(device, bytes, held_bytes);
        }
        is_there = free_bytes(device) >= bytes;
        device->is_tight |= !is_there;
    }
    pthread_mutex_unlock(&device->mutex);
    return is_there;
}

void xl_device_make_room(struct xl_device *device, int64_t bytes, int64_t held_bytes) {
    if (xl_device_find_room(device, false, bytes, held_bytes)) return;
    pthread_mutex_lock(&device->mutex);
    xl_resident_release(device->at_work);
    release_idle(device, bytes - free_bytes(device), held_bytes);
    release_idle(device, bytes - free_bytes(device), 0);
    pthread_mutex_unlock(&device->mutex);
}

void xl_device_release(struct xl_device *device) {
    pthread_mutex_lock(&device->mutex);
    recall(device);
    device->is_tight = true;
    for (struct xl_resident *resident = device->residents; resident; resident = resident->next)
        xl_resident_release(resident);
    pthread_mutex_unlock(&device->mutex);
}
