/* threads_prepare.c - models made ready on one thread while another one draws: the pictures are
 * those that each model draws alone, memory is counted right, and whoever is in the way goes. On a
 * CPU and on the reference backend, or on the devices that are named: threads_prepare cuda. Prints
 * "N passed, N failed". */
#include "engine/engine.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { N_MODELS = 3, SIDE = 64, BYTES = SIDE * SIDE * 3 };

static int passed, failed;
static const char *where = "";
static int stride; /* between the moments of cancelling that are tried; they are the engine's on any
                      device */
static char root[32] = "/tmp/xl-test-prepare-XXXXXX";
static struct xl_model *models[N_MODELS];
static uint8_t alone[N_MODELS][BYTES];

static void expect(bool holds, const char *what) {
    passed += holds;
    failed += !holds;
    if (!holds) printf("FAIL on %s: %s\n", where, what);
}

static void must(enum xl_status status, const struct xl_err *err) {
    if (!status) return;
    printf("FAIL on %s: %s\n", where, err->text);
    exit(1);
}

/* --- Models and drawings ---------------------------------------------------------------------- */

/* A copy of the repository of which the last numbers of the UNet differ a little. */
static void open_model(int m) {
    char dir[64], command[512];
    struct xl_model_params params = {.model = dir};
    struct xl_err err = {0};
    snprintf(dir, sizeof dir, "%s/%d", root, m);
    snprintf(
        command, sizeof command,
        "cp -r " XL_SOURCE_DIR "/tests/data/models/repo %s && printf '\\%o' | dd status=none "
        "bs=1 conv=notrunc seek=$(($(wc -c <%s/unet/diffusion_pytorch_model.safetensors) - 40)) "
        "of=%s/unet/diffusion_pytorch_model.safetensors",
        dir, 16 * m + 1, dir, dir);
    if (system(command) != 0) exit(1);
    must(xl_model_open(&params, &models[m], &err), &err);
}

static struct xl_device *open_device(int64_t budget_bytes) {
    struct xl_device_params params;
    struct xl_device *device;
    struct xl_err err = {0};
    xl_device_params_default(&params);
    params.name = where;
    params.n_threads = 2;
    params.budget_bytes = budget_bytes;
    must(xl_device_open(&params, &device, &err), &err);
    device->prepares = true;
    return device;
}

static struct xl_picture picture = {.prompt = "a cat", .seed = 11};

static struct xl_request request_of(int side) {
    struct xl_request request;
    xl_request_default(&request);
    request.pictures = &picture;
    request.width = request.height = side;
    request.steps = 2;
    request.precision = XL_PRECISION_F32;
    return request;
}

/* out: NULL where the picture does not matter */
static void draw_sized(struct xl_device *device, int m, int side, uint8_t *out) {
    struct xl_request request = request_of(side);
    struct xl_result result;
    struct xl_err err = {0};
    must(xl_generate(device, models[m], &request, &result, &err), &err);
    if (out) memcpy(out, result.pictures[0].image.pixels, (size_t)side * (size_t)side * 3);
    xl_result_free(&result);
}

static void draw(struct xl_device *device, int m, uint8_t out[BYTES]) {
    draw_sized(device, m, SIDE, out);
}

static struct xl_memory memory_of(const struct xl_device *device) {
    struct xl_memory memory;
    xl_backend_memory(device->backend, &memory);
    return memory;
}

static int64_t held(const struct xl_device *device) {
    struct xl_memory memory = memory_of(device);
    return memory.weight_bytes + memory.work_bytes;
}

/* Everything that the device has taken can be given back. */
static void close_device(struct xl_device *device) {
    xl_device_release(device);
    xl_backend_release(device->backend, SIZE_MAX);
    expect(held(device) == 0, "all memory comes back");
    xl_device_close(device);
}

/* --- The other thread ------------------------------------------------------------------------- */

struct preparation {
    struct xl_device *device;
    int m, side;
    int cancel_at; /* the call of progress that says no; 0: none */
    bool is_slow; /* with its first weights it waits until somebody wants the memory, or a second */
    atomic_bool has_begun;
    atomic_int n_asked;
    atomic_bool may_go_on;
    pthread_t thread;
    enum xl_status status;
    struct xl_err err;
    bool is_ready;
};

static void pause_ms(long ms) {
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static bool goes_on(void *user, enum xl_phase phase, int64_t done, int64_t total) {
    struct preparation *p = user;
    (void)phase, (void)total;
    int n = atomic_fetch_add(&p->n_asked, 1) + 1;
    bool waits = p->is_slow && done > 0 && !atomic_exchange(&p->has_begun, true);
    for (int i = 0; waits && !atomic_load(&p->may_go_on) && i < 500; i++) {
        if (atomic_load(&p->device->is_recalled)) break;
        pause_ms(2);
    }
    return n != p->cancel_at;
}

static void *run(void *user) {
    struct preparation *p = user;
    struct xl_request request = request_of(p->side);
    request.progress = goes_on;
    request.progress_user = p;
    p->status = xl_model_prepare(p->device, models[p->m], &request, &p->is_ready, &p->err);
    return NULL;
}

static void begin(struct preparation *p) {
    if (!p->side) p->side = SIDE;
    if (pthread_create(&p->thread, NULL, run, p)) exit(1);
}

static void end(struct preparation *p) {
    pthread_join(p->thread, NULL);
}

/* Until it has brought in weights. */
static void wait_for(struct preparation *p) {
    while (!atomic_load(&p->has_begun)) pause_ms(1);
}

/* --- Cases ------------------------------------------------------------------------------------ */

/* What each model draws alone, and what all take together. */
static int64_t draw_alone(void) {
    struct xl_device *device = open_device(0);
    for (int m = 0; m < N_MODELS; m++) draw(device, m, alone[m]);
    int64_t bytes = held(device);
    expect(memcmp(alone[0], alone[1], BYTES) != 0 && memcmp(alone[1], alone[2], BYTES) != 0,
           "models differ");
    close_device(device);
    return bytes;
}

/* Each model is made ready while the one before draws. */
static void try_in_turn(int64_t bytes) {
    struct xl_device *device = open_device(0);
    static uint8_t drawn[BYTES];
    for (int m = 0; m < N_MODELS; m++) {
        struct preparation next = {.device = device, .m = m + 1};
        if (m + 1 < N_MODELS) begin(&next);
        draw(device, m, drawn);
        expect(!memcmp(drawn, alone[m], BYTES),
               "the picture is the one that the model draws alone");
        if (m + 1 == N_MODELS) break;
        end(&next);
        expect(!next.status && next.is_ready, "the next model is ready");
    }
    expect(held(device) == bytes, "models take what they take without preparation");
    struct preparation same = {.device = device, .m = N_MODELS - 1};
    begin(&same);
    end(&same);
    expect(!same.status && same.n_asked == 0, "the model at work is left alone");
    close_device(device);
}

/* UNet and decoder are compiled beside the texts: the picture is the same, and whoever is cancelled
 * meanwhile leaves nothing under way. */
struct limit {
    int n_asked, most;
};

static bool is_within(void *user, enum xl_phase phase, int64_t done, int64_t total) {
    struct limit *limit = user;
    (void)phase, (void)done, (void)total;
    return ++limit->n_asked <= limit->most;
}

static void try_parts_aside(void) {
    static uint8_t drawn[BYTES];
    struct xl_device *device = open_device(0);
    device->prepares = false;
    draw(device, 0, drawn);
    expect(!memcmp(drawn, alone[0], BYTES), "one part after the other draws the same");
    close_device(device);
    for (int most = 0; most < 40; most += stride) {
        struct limit limit = {.most = most};
        struct xl_request request = request_of(SIDE);
        struct xl_result result = {0};
        struct xl_err err = {0};
        request.progress = is_within;
        request.progress_user = &limit;
        device = open_device(0);
        enum xl_status status = xl_generate(device, models[0], &request, &result, &err);
        expect(status == (limit.n_asked > most ? XL_ECANCELLED : XL_OK), "a drawing is cancelled");
        if (!status) xl_result_free(&result);
        draw(device, 0, drawn);
        expect(!memcmp(drawn, alone[0], BYTES), "and the next one draws");
        close_device(device);
    }
}

static void try_cancelling(void) {
    static uint8_t drawn[BYTES];
    for (int at = 1; at < 20; at += stride + 1) {
        struct xl_device *device = open_device(0);
        struct preparation next = {.device = device, .m = 1, .cancel_at = at};
        draw(device, 0, drawn);
        int64_t before = held(device);
        begin(&next);
        draw(device, 0, drawn);
        end(&next);
        bool is_cancelled = next.n_asked >= at; /* else it was through before */
        expect(next.status == (is_cancelled ? XL_ECANCELLED : XL_OK), "it is cancelled");
        expect(next.is_ready == !is_cancelled, "and not ready");
        expect(at > 1 || held(device) == before, "it leaves nothing behind");
        draw(device, 1, drawn);
        expect(!memcmp(drawn, alone[1], BYTES), "what is there of it does no harm");
        close_device(device);
    }
}

/* A drawing waits for its model, and the waiting can be cancelled. */
static bool says_no(void *user, enum xl_phase phase, int64_t done, int64_t total) {
    (void)phase, (void)done, (void)total;
    return atomic_fetch_add((atomic_int *)user, 1) < 2;
}

static void try_waiting(void) {
    struct xl_device *device = open_device(0);
    struct preparation next = {.device = device, .m = 1, .is_slow = true};
    static uint8_t drawn[BYTES];
    struct xl_request request = request_of(SIDE);
    struct xl_result result;
    struct xl_err err = {0};
    atomic_int n_asked = 0;
    draw(device, 0, drawn);
    begin(&next);
    wait_for(&next);
    request.progress = says_no;
    request.progress_user = &n_asked;
    expect(xl_generate(device, models[1], &request, &result, &err) == XL_ECANCELLED,
           "waiting can be cancelled");
    draw(device, 2, drawn);
    expect(!memcmp(drawn, alone[2], BYTES), "another model does not wait");
    atomic_store(&next.may_go_on, true);
    draw(device, 1, drawn);
    expect(!memcmp(drawn, alone[1], BYTES), "the model that was waited for draws");
    end(&next);
    expect(!next.status && next.is_ready, "it was ready");
    close_device(device);
}

/* Where there is no room, the model at work loses nothing. */
static void try_short_memory(void) {
    struct xl_device *device = open_device(0);
    static uint8_t drawn[BYTES];
    draw(device, 0, drawn);
    int64_t one = held(device);
    close_device(device);
    device = open_device(one + one / 8);
    draw(device, 0, drawn);
    int64_t before = held(device);
    struct preparation next = {.device = device, .m = 1};
    begin(&next);
    end(&next);
    expect(!next.status && !next.is_ready, "no room is no failure");
    for (const struct xl_resident *r = device->residents; r; r = r->next)
        expect(r->model != models[0] || r->stages, "the one at work stays");
    expect(held(device) >= before && held(device) <= one + one / 8, "within the budget");
    draw(device, 1, drawn);
    expect(!memcmp(drawn, alone[1], BYTES), "it draws when it is its turn");
    close_device(device);
}

/* A larger picture of the model at work wants the memory that the next one has begun to take. */
static void try_recalling(void) {
    struct xl_device *device = open_device(0);
    static uint8_t drawn[BYTES];
    draw_sized(device, 0, SIDE, NULL);
    draw_sized(device, 0, 2 * SIDE, NULL);
    int64_t enough = held(device);
    close_device(device);
    device = open_device(enough);
    struct preparation next = {.device = device, .m = 1, .is_slow = true};
    draw_sized(device, 0, SIDE, NULL);
    begin(&next);
    wait_for(&next);
    draw_sized(device, 0, 2 * SIDE, NULL);
    end(&next);
    expect(next.status == XL_ECANCELLED, "the next model makes way");
    expect(held(device) <= enough, "within the budget");
    draw(device, 1, drawn);
    expect(!memcmp(drawn, alone[1], BYTES), "and draws when it is its turn");
    close_device(device);
}

/* The next model is ready for the samplers that this one was drawn with, not only for its first. */
static const struct xl_stage *unet_of(const struct xl_device *device, int m) {
    const struct xl_resident *r = device->residents;
    while (r->model != models[m]) r = r->next;
    const struct xl_stage *stage = r->stages;
    while (stage && stage->key.part != XL_PART_UNET) stage = stage->next;
    return stage;
}

static void draw_sampled(struct xl_device *device, int m, const char *scheduler) {
    struct xl_request request = request_of(SIDE);
    struct xl_result result;
    struct xl_err err = {0};
    request.scheduler = scheduler;
    must(xl_generate(device, models[m], &request, &result, &err), &err);
    xl_result_free(&result);
}

static void try_samplers(void) {
    static const char *const schedulers[] = {"euler-a", "dpmpp-2m"};
    struct xl_device *device = open_device(0);
    struct preparation next = {.device = device, .m = 1}, last = {.device = device, .m = 2};
    static uint8_t drawn[BYTES];
    draw(device, 0, drawn);
    for (int i = 0; i < 2; i++) draw_sampled(device, 0, schedulers[i]);
    begin(&next);
    end(&next);
    draw(device, 1, drawn);
    const struct xl_stage *unet = unet_of(device, 1);
    expect(!memcmp(drawn, alone[1], BYTES), "a wider plan draws the same");
    for (int i = 0; i < 2; i++) draw_sampled(device, 1, schedulers[i]);
    expect(unet_of(device, 1) == unet && unet->key.noise && unet->key.history,
           "samplers find the plan that was made ready");
    draw(device, 0, drawn);
    draw(device, 1, drawn);
    begin(&last);
    end(&last);
    expect(!unet_of(device, 2)->key.noise, "a sampler that is out of use takes no memory");
    close_device(device);
}

/* What is wrong is told by the drawing as if nobody had looked before. */
static void try_failing(void) {
    struct xl_device *device = open_device(0);
    struct xl_request request = request_of(SIDE);
    struct xl_result result;
    struct xl_err ahead = {0}, err = {0};
    bool is_ready = true;
    request.steps = 0;
    expect(xl_model_prepare(device, models[0], &request, &is_ready, &ahead) == XL_EINVAL &&
               !is_ready,
           "a request that cannot be drawn");
    expect(xl_generate(device, models[0], &request, &result, &err) == XL_EINVAL &&
               !strcmp(err.text, ahead.text),
           "has the same sentence");
    close_device(device);
}

int main(int argc, char **argv) {
    static const char *const usual[] = {"cpu", "reference"};
    const char *const *devices = argc > 1 ? (const char *const *)argv + 1 : usual;
    int n_devices = argc > 1 ? argc - 1 : 2;
    char command[64];
    if (!mkdtemp(root)) return 1;
    for (int m = 0; m < N_MODELS; m++) open_model(m);
    for (int d = 0; d < n_devices; d++) {
        where = devices[d];
        stride = strcmp(where, "reference") ? 3 : 9; /* which is slow */
        int64_t bytes = draw_alone();
        try_in_turn(bytes);
        try_parts_aside();
        try_cancelling();
        try_waiting();
        try_short_memory();
        try_recalling();
        try_samplers();
        try_failing();
    }
    for (int m = 0; m < N_MODELS; m++) xl_model_close(models[m]);
    snprintf(command, sizeof command, "rm -rf %s", root);
    if (system(command) != 0) failed++;
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
