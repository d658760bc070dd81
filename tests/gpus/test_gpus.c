/* test_gpus.c - readings of GPUs by both generations of NVML and from what drivers of several years
 * let nvidia-smi write, when one is idle, and who has it.
 */
#include "../unit/scratch.h"
#include "gpu/card.h"
#include "gpu/source.h"
#include "gpu/xid.h"
#include "lab/settings/gpus_text.h"

#include <dlfcn.h>
#include <sys/wait.h>

#define GPU_A "GPU-aaaaaaaa-0000-0000-0000-000000000001"
#define GPU_B "GPU-bbbbbbbb-0000-0000-0000-000000000002"
#define GPU_C "GPU-cccccccc-0000-0000-0000-000000000003"

static void script(const char *text) {
    char next[SCRATCH_PATH];
    snprintf(next, sizeof next, "%s", scratch("next"));
    FILE *file = fopen(next, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
    cr_assert_eq(rename(next, scratch("script")), 0);
    setenv("FAKE_NVML", scratch("script"), 1);
}

/* A library that is there by its name is found by it. */
static void load(const char *generation) {
    char path[SCRATCH_PATH];
    snprintf(path, sizeof path, "%s/%s/libnvidia-ml.so.1", XL_FAKE_NVML, generation);
    cr_assert_not_null(dlopen(path, RTLD_NOW | RTLD_GLOBAL), "%s", dlerror());
}

static void setup(void) {
    scratch_open();
    load("new");
}
static void teardown(void) {
    scratch_close();
}
TestSuite(gpus, .init = setup, .fini = teardown);
TestSuite(old_gpus, .init = scratch_open, .fini = teardown);
TestSuite(smi);

static struct xl_gpu_list list;

static void read_list(struct xl_gpus *gpus) {
    struct xl_err err = {0};
    cr_assert_eq(xl_gpus_read(gpus, &list, &err), XL_OK, "%s", err.text);
}
static struct xl_gpus *open_gpus(bool listens) {
    struct xl_gpus *gpus = NULL;
    struct xl_err err = {0};
    cr_assert_eq(xl_gpus_open(listens, &gpus, &err), XL_OK, "%s", err.text);
    return gpus;
}

/* --- Readings --------------------------------------------------------------------------------- */

Test(gpus, all_that_is_told) {
    script("driver 570.86.10\n"
           "gpu " GPU_A " name=NVIDIA_H200 total=143771 used=30000 util=87 procs=2 draws=1 temp=61 "
           "power=512345 mig=0 errors=4 pending=1\n"
           "gpu " GPU_B " power=-1 ecc=-1 mig=-1 util=-1 used=-1\n");
    struct xl_gpus *gpus = open_gpus(false);
    read_list(gpus);
    cr_assert_eq(list.n, 2);
    const struct xl_gpu *a = &list.item[0], *b = &list.item[1];
    cr_expect_str_eq(xl_gpus_source(gpus), "NVML 570.86.10");
    cr_expect_str_eq(a->uuid, GPU_A);
    cr_expect_str_eq(a->name, "NVIDIA H200");
    cr_expect_str_eq(a->bus, "00000000:01:00.0");
    cr_expect_eq(a->memory_bytes, (int64_t)143771 << 20);
    cr_expect_eq(a->used_bytes, (int64_t)30000 << 20, "what the driver reserves is no use");
    cr_expect_eq(a->utilization, 87);
    cr_expect_eq(a->n_processes, 2, "one that is in two lists is one, found %d", a->n_processes);
    cr_expect_eq(a->temperature, 61);
    cr_expect_float_eq(a->power_w, 512.345, 1e-9);
    cr_expect_float_eq(a->power_limit_w, 700, 1e-9);
    cr_expect(a->mig == 0 && a->ecc == 1 && a->ecc_errors == 4 && a->pending_repair == 1);
    cr_expect(a->recovery_action == 0 && a->compute_mode == 0 && !a->fault[0]);
    cr_expect_eq(a->xid, -1, "nobody listens");
    cr_expect(b->power_w < 0 && b->ecc == -1 && b->ecc_errors == -1 && b->mig == -1);
    cr_expect(b->utilization == -1 && b->used_bytes == -1 && !b->fault[0]);
    xl_gpus_close(gpus);
}

Test(old_gpus, by_symbols_of_2012) {
    load("old");
    script("driver 304.137\ngpu " GPU_A " used=1000 reserved=0 util=3 procs=5 draws=2 temp=44\n");
    struct xl_gpus *gpus = open_gpus(true);
    read_list(gpus);
    cr_assert_eq(list.n, 1);
    const struct xl_gpu *a = &list.item[0];
    cr_expect_str_eq(a->uuid, GPU_A);
    cr_expect_str_eq(a->bus, "0000:01:00.0");
    cr_expect_eq(a->used_bytes, (int64_t)1000 << 20);
    cr_expect_eq(a->n_processes, 5, "found %d", a->n_processes);
    cr_expect_eq(a->temperature, 44);
    cr_expect(a->mig == -1 && a->pending_repair == -1 && a->recovery_action == -1);
    cr_expect_eq(a->xid, -1, "a library without events hears none");
    xl_gpus_close(gpus);
}

Test(gpus, a_driver_that_does_not_answer) {
    static const struct {
        int result;
        const char *says;
    } cases[] = {
        {9, "module is not loaded"}, {18, "was updated"}, {4, "/dev/nvidiactl"}, {999, "999"}};
    for (int i = 0; i < 4; i++) {
        struct xl_gpus *gpus = NULL;
        struct xl_err err = {0};
        char text[32];
        snprintf(text, sizeof text, "init %d\n", cases[i].result);
        script(text);
        cr_expect_eq(xl_gpus_open(false, &gpus, &err), XL_EDEVICE);
        cr_expect_not_null(strstr(err.text, cases[i].says), "%s", err.text);
    }
}

Test(gpus, lost_hidden_and_broken) {
    script("gpu " GPU_A "\ngpu " GPU_B "\ngpu " GPU_C " action=2\n");
    struct xl_gpus *gpus = open_gpus(false);
    read_list(gpus);
    cr_expect(!list.item[0].fault[0] && strstr(list.item[2].fault, "asks for a reboot"));
    script("gpu " GPU_A " handle=4\ngpu " GPU_B " handle=15\ngpu " GPU_C " result=16\n");
    read_list(gpus);
    cr_assert_eq(list.n, 2, "one that is not ours to see is no GPU of ours");
    cr_expect_str_eq(list.item[0].uuid, GPU_B, "it was seen before: %s", list.item[0].uuid);
    cr_expect(strstr(list.item[0].fault, "fell off the bus"), "%s", list.item[0].fault);
    cr_expect(strstr(list.item[1].fault, "has to be reset"), "%s", list.item[1].fault);
    xl_gpus_close(gpus);
}

Test(gpus, xids_are_heard_from_the_moment_of_listening_on) {
    char text[400];
    script("gpu " GPU_A "\ngpu " GPU_B "\nxid " GPU_A " 79\n");
    struct xl_gpus *gpus = open_gpus(true);
    read_list(gpus);
    cr_expect(list.item[0].xid == 0 && list.item[1].xid == 0);
    snprintf(text, sizeof text, "gpu %s\ngpu %s\nxid %s 79\nxid %s 31\nxid %s 95\nxid %s 13\n",
             GPU_A, GPU_B, GPU_A, GPU_A, GPU_B, GPU_B);
    script(text);
    read_list(gpus);
    cr_expect(list.item[0].xid == 31 && !list.item[0].fault[0], "a program's error is no fault");
    cr_expect_eq(list.item[1].xid, 95, "and hides none: %d", list.item[1].xid);
    cr_expect(strstr(list.item[1].fault, "Xid 95"), "%s", list.item[1].fault);
    xl_gpus_close(gpus);
}

Test(gpus, the_two_questions_of_the_public_header) {
    struct xl_gpu two[2];
    int n = 0, indices[4];
    struct xl_err err = {0};
    script("gpu " GPU_A " util=50\ngpu " GPU_B "\ngpu " GPU_C " used=400\n");
    cr_assert_eq(xl_gpu_list(two, 2, &n, &err), XL_OK, "%s", err.text);
    cr_expect(n == 3 && !strcmp(two[1].uuid, GPU_B));
    cr_assert_eq(xl_gpu_find_idle(256, 5, indices, 4, &n, &err), XL_OK, "%s", err.text);
    cr_expect(n == 1 && indices[0] == 1);
    cr_assert_eq(xl_gpu_find_idle(400, 50, indices, 2, &n, &err), XL_OK, "%s", err.text);
    cr_expect(n == 3 && indices[0] == 0 && indices[1] == 1);
}

/* --- Idle ------------------------------------------------------------------------------------- */

Test(gpus, when_one_is_idle) {
    static const struct {
        const char *keys, *busy;
    } cases[] = {
        {"", ""},
        {"used=256 util=5", ""},
        {"used=257", "257 MiB in use"},
        {"used=30822", "30.1 GiB in use"}, /* of a container whose processes are invisible */
        {"util=6", "6 % busy"},
        {"procs=1", "1 process"},
        {"procs=3 used=2048 util=99", "3 processes, 2.0 GiB in use, 99 % busy"},
        {"mig=1", "divided into instances (MIG mode)"},
        {"mode=2", "closed to programs (compute mode prohibited)"},
        {"mode=3", ""},
        {"action=1", "the driver asks for a reset"},
        {"used=-1", ""}, /* shares the host's memory */
        {"used=-1 util=-1", "does not tell what it does"},
        {"util=-1", ""},
    };
    struct xl_idle_rule rule = xl_idle_rule_default();
    struct xl_gpus *gpus = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[200], busy[XL_BUSY_MAX];
        snprintf(text, sizeof text, "gpu %s %s\n", GPU_A, cases[i].keys);
        script(text);
        if (!gpus) gpus = open_gpus(false);
        read_list(gpus);
        bool is_idle = xl_gpu_is_idle(&list.item[0], &rule, busy);
        cr_expect_str_eq(busy, cases[i].busy, "%s: %s", cases[i].keys, busy);
        cr_expect_eq(is_idle, !cases[i].busy[0]);
    }
    rule.allows_processes = true;
    script("gpu " GPU_A " procs=2 util=5\n");
    read_list(gpus);
    char busy[XL_BUSY_MAX];
    cr_expect(xl_gpu_is_idle(&list.item[0], &rule, busy), "%s", busy);
    xl_gpus_close(gpus);
}

/* Changes the script between samples. */
static int n_asked;
static bool works_at_times(void *user) {
    const char *const *scripts = user;
    if (scripts[n_asked]) script(scripts[n_asked++]);
    return true;
}

Test(gpus, all_samples_have_to_agree) {
    const char *const scripts[] = {"gpu " GPU_A " util=90\ngpu " GPU_B "\n", "gpu " GPU_A "\n",
                                   "gpu " GPU_A "\ngpu " GPU_B "\n", NULL};
    struct xl_idle_rule rule = xl_idle_rule_default();
    struct xl_idle *idle = NULL;
    struct xl_err err = {0};
    rule.interval_s = 0;
    rule.n_samples = 4;
    rule.goes_on = works_at_times;
    rule.user = (void *)scripts;
    script("gpu " GPU_A "\ngpu " GPU_B "\n");
    struct xl_gpus *gpus = open_gpus(false);
    cr_assert_eq(xl_idle_watch(gpus, &rule, &idle, &err), XL_OK, "%s", err.text);
    cr_expect_str_eq(idle->busy[0], "90 % busy", "%s", idle->busy[0]);
    cr_expect_str_eq(idle->busy[1], "has just come", "%s", idle->busy[1]);
    free(idle);
    xl_gpus_close(gpus);
}

/* --- Cards ------------------------------------------------------------------------------------ */

static char lock_dir[4096]; /* of the last wish */

static struct xl_card_wish wish(void) {
    struct xl_card_wish wish = {.rule = xl_idle_rule_default(), .most = 8};
    wish.rule.interval_s = 0;
    snprintf(lock_dir, sizeof lock_dir, "%s", scratch("locks"));
    wish.lock_dir = lock_dir;
    return wish;
}

static int take(struct xl_gpus *gpus, const struct xl_card_wish *wish, struct xl_card *cards,
                struct xl_str *why) {
    int n = -1;
    struct xl_err err = {0};
    cr_assert_eq(xl_cards_take(gpus, wish, cards, &n, why, &err), XL_OK, "%s", err.text);
    return n;
}

Test(gpus, a_card_is_locked_by_one) {
    struct xl_card first[8], second[8];
    struct xl_str why = {0};
    char owner[XL_LOCK_OWNER];
    struct xl_card_wish wanted = wish();
    script("gpu " GPU_A "\ngpu " GPU_B " procs=1\ngpu " GPU_C "\n");
    struct xl_gpus *gpus = open_gpus(false);
    wanted.most = 1;
    cr_assert_eq(take(gpus, &wanted, first, &why), 1);
    cr_expect_str_eq(first[0].gpu.uuid, GPU_A);
    wanted.most = 8;
    cr_assert_eq(take(gpus, &wanted, second, &why), 1);
    cr_expect_str_eq(second[0].gpu.uuid, GPU_C);
    cr_expect(strstr(why.text, "0: locked by process ") && strstr(why.text, "1: 1 process\n"), "%s",
              why.text);
    cr_assert_eq(xl_card_look(wanted.lock_dir, GPU_A, owner, NULL), XL_OK);
    cr_expect(!strncmp(owner, "process ", 8), "%s", owner);
    xl_card_release(&first[0]);
    cr_assert_eq(xl_card_look(wanted.lock_dir, GPU_A, owner, NULL), XL_OK);
    cr_expect_str_eq(owner, "");
    cr_assert_eq(take(gpus, &wanted, first, &why), 1);
    xl_card_release(&first[0]);
    xl_card_release(&second[0]);
    xl_str_deinit(&why);
    xl_gpus_close(gpus);
}

Test(gpus, the_lock_of_a_dead_process_is_no_lock) {
    struct xl_card card[8];
    struct xl_str why = {0};
    struct xl_card_wish wanted = wish();
    script("gpu " GPU_A "\n");
    int said[2], status;
    cr_assert_eq(pipe(said), 0);
    pid_t pid = fork();
    if (!pid) {
        struct xl_gpus *gpus = open_gpus(false);
        int n = take(gpus, &wanted, card, &why);
        (void)!write(said[1], n == 1 ? "y" : "n", 1);
        pause();
        _exit(1);
    }
    char byte = 0;
    cr_assert(read(said[0], &byte, 1) == 1 && byte == 'y');
    struct xl_gpus *gpus = open_gpus(false);
    cr_expect_eq(take(gpus, &wanted, card, &why), 0);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    cr_expect_eq(take(gpus, &wanted, card, &why), 1);
    xl_card_release(&card[0]);
    xl_str_deinit(&why);
    xl_gpus_close(gpus);
}

Test(gpus, one_that_vanishes_or_gets_busy_under_the_lock_is_given_back) {
    static const char *const turns[] = {"gpu " GPU_B " used=9000\ngpu " GPU_C "\n", NULL};
    struct xl_card cards[8];
    struct xl_str why = {0};
    char owner[XL_LOCK_OWNER];
    struct xl_card_wish wanted = wish();
    wanted.rule.goes_on = works_at_times;
    wanted.rule.user = (void *)turns;
    script("gpu " GPU_A "\ngpu " GPU_B "\ngpu " GPU_C "\n");
    struct xl_gpus *gpus = open_gpus(false);
    cr_assert_eq(take(gpus, &wanted, cards, &why), 1);
    cr_expect_str_eq(cards[0].gpu.uuid, GPU_C);
    cr_expect_eq(cards[0].gpu.index, 1, "indices change when one is gone");
    cr_expect(strstr(why.text, "0: is gone\n") && strstr(why.text, "8.8 GiB in use"), "%s",
              why.text);
    cr_assert_eq(xl_card_look(wanted.lock_dir, GPU_A, owner, NULL), XL_OK);
    cr_expect_str_eq(owner, "");
    xl_card_release(&cards[0]);
    xl_str_deinit(&why);
    xl_gpus_close(gpus);
}

Test(gpus, by_uuid_or_its_beginning) {
    struct xl_card cards[8];
    struct xl_str why = {0};
    struct xl_err err = {0};
    const char *uuids[] = {"GPU-cc"};
    int n;
    struct xl_card_wish wanted = wish();
    script("gpu " GPU_A "\ngpu " GPU_B "\ngpu " GPU_C "\n");
    struct xl_gpus *gpus = open_gpus(false);
    wanted.uuids = uuids;
    wanted.n_uuids = 1;
    cr_assert_eq(take(gpus, &wanted, cards, &why), 1);
    cr_expect_str_eq(cards[0].gpu.uuid, GPU_C);
    xl_card_release(&cards[0]);
    uuids[0] = "GPU-";
    cr_expect_eq(xl_cards_take(gpus, &wanted, cards, &n, &why, &err), XL_EDEVICE);
    uuids[0] = "GPU-dd";
    cr_expect_eq(xl_cards_take(gpus, &wanted, cards, &n, &why, &err), XL_EDEVICE);
    cr_expect(strstr(err.text, "\"GPU-dd\""), "%s", err.text);
    xl_str_deinit(&why);
    xl_gpus_close(gpus);
}

Test(gpus, what_becomes_of_a_card) {
    struct xl_card card[8];
    struct xl_str why = {0};
    struct xl_card_wish wanted = wish();
    enum xl_card_state state;
    char text[XL_BUSY_MAX];
    wanted.rule.allows_processes = true;
    script("gpu " GPU_A " procs=1\n");
    struct xl_gpus *gpus = open_gpus(true);
    cr_assert_eq(take(gpus, &wanted, card, &why), 1);
    static const struct {
        const char *script, *text;
        enum xl_card_state state;
    } cases[] = {
        {"gpu " GPU_A " procs=2 used=9000 util=99\n", "", XL_CARD_OURS},
        {"gpu " GPU_A " procs=3\n", "1 other process", XL_CARD_SHARED},
        {"gpu " GPU_B "\ngpu " GPU_A " procs=4\n", "2 other processes", XL_CARD_SHARED},
        {"gpu " GPU_A " procs=0\n", "", XL_CARD_OURS},
        {"gpu " GPU_B "\n", "is gone", XL_CARD_LOST},
        {"gpu " GPU_A "\n", "", XL_CARD_OURS},
        {"gpu " GPU_A " result=15\n", "fell off the bus; the host has to be rebooted",
         XL_CARD_LOST},
        {"gpu " GPU_A "\nxid " GPU_A " 79\n", "Xid 79: fell off the bus", XL_CARD_LOST},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        script(cases[i].script);
        cr_assert_eq(xl_card_check(gpus, &card[0], 1, &state, text, NULL), XL_OK);
        cr_expect_eq(state, cases[i].state, "%s", cases[i].script);
        cr_expect_str_eq(text, cases[i].text, "%s", text);
    }
    xl_card_release(&card[0]);
    xl_str_deinit(&why);
    xl_gpus_close(gpus);
}

Test(gpus, a_folder_of_locks_that_cannot_be_made) {
    struct xl_card cards[8];
    struct xl_str why = {0};
    struct xl_err err = {0};
    struct xl_card_wish wanted = wish();
    int n = -1;
    scratch_write(scratch("file"), "x", 1);
    snprintf(lock_dir, sizeof lock_dir, "%s", scratch("file/locks"));
    script("gpu " GPU_A "\n");
    struct xl_gpus *gpus = open_gpus(false);
    cr_expect_eq(xl_cards_take(gpus, &wanted, cards, &n, &why, &err), XL_EDISK);
    cr_expect(strstr(err.text, "--gpu-lock-dir") && strstr(err.text, "file"), "%s", err.text);
    cr_expect_eq(n, 0);
    xl_gpus_close(gpus);
}

/* --- Which ones ------------------------------------------------------------------------------- */

Test(said, which_gpus_are_wanted) {
    static const char *const bad[] = {
        "", "0", "65", "-1", "2x", "some", "GPU-x", "GPU-1,,GPU-2", "GPU-1 GPU-2", "MIG-1", "1,2"};
    struct xl_gpus_said said;
    struct xl_err err;
    cr_expect(!xl_gpus_text_read("none", &said, &err) && said.most == 0);
    cr_expect(!xl_gpus_text_read("Auto", &said, &err) && said.most == 1 && !said.n_uuids);
    cr_expect(!xl_gpus_text_read("all", &said, &err) && said.most == 64 && said.is_all);
    cr_expect(!xl_gpus_text_read("3", &said, &err) && said.most == 3 && !said.is_all);
    cr_expect(!xl_gpus_text_read(GPU_A ",GPU-bb", &said, &err) && said.most == 2);
    cr_expect(said.n_uuids == 2 && !strcmp(said.uuids[0], GPU_A) &&
              !strcmp(said.uuids[1], "GPU-bb"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_eq(xl_gpus_text_read(bad[i], &said, &err), XL_EINVAL, "%s", bad[i]);
}

/* --- nvidia-smi ------------------------------------------------------------------------------- */

static void parse(const char *table) {
    struct xl_err err = {0};
    cr_assert_eq(xl_smi_parse(table, &list, &err), XL_OK, "%s", err.text);
}

Test(smi, driver_550_with_mig) {
    parse("index, uuid, name, pci.bus_id, memory.total [MiB], memory.used [MiB], utilization.gpu "
          "[%], "
          "temperature.gpu, power.draw [W], power.limit [W], ecc.mode.current, "
          "ecc.errors.uncorrected.volatile.total, compute_mode, mig.mode.current\n"
          "0, " GPU_A ", NVIDIA H100 80GB HBM3, 00000000:1B:00.0, 81559, 4, 0, 29, 69.33, 700.00, "
          "Enabled, 0, Default, Disabled\n"
          "1, " GPU_B
          ", NVIDIA H100 80GB HBM3, 00000000:43:00.0, 81559, 87, [N/A], 31, 71.90, 700.00, "
          "Enabled, 2, Exclusive_Process, Enabled\n");
    cr_assert_eq(list.n, 2);
    const struct xl_gpu *a = &list.item[0], *b = &list.item[1];
    cr_expect(a->index == 0 && !strcmp(a->uuid, GPU_A) && !strcmp(a->bus, "00000000:1B:00.0"));
    cr_expect(a->memory_bytes == (int64_t)81559 << 20 && a->used_bytes == 4 << 20);
    cr_expect(a->utilization == 0 && a->temperature == 29 && a->mig == 0 && a->ecc == 1);
    cr_expect_float_eq(a->power_w, 69.33, 1e-9);
    cr_expect(b->utilization == -1 && b->mig == 1 && b->ecc_errors == 2 && b->compute_mode == 3);
    cr_expect(!a->fault[0] && !b->fault[0] && a->n_processes == -1);
    xl_smi_parse_processes(
        "gpu_uuid, pid\n" GPU_B ", 31337\n" GPU_B ", [Insufficient Permissions]\n", &list);
    cr_expect(a->n_processes == 0 && b->n_processes == 2);
}

Test(smi, driver_390_with_units_and_windows_line_ends) {
    parse("index, uuid, name, pci.bus_id, memory.total [MiB], memory.used [MiB], utilization.gpu "
          "[%], "
          "temperature.gpu, power.draw [W], power.limit [W], ecc.mode.current, "
          "ecc.errors.uncorrected.volatile.total, compute_mode\r\n"
          "0, " GPU_A ", GeForce GTX 1080 Ti, 00000000:03:00.0, 11178 MiB, 10 MiB, 0 %, 25, "
          "[Not Supported], [Not Supported], N/A, N/A, Default\r\n");
    cr_assert_eq(list.n, 1);
    const struct xl_gpu *a = &list.item[0];
    cr_expect(a->memory_bytes == (int64_t)11178 << 20 && a->used_bytes == 10 << 20);
    cr_expect(a->power_w < 0 && a->ecc == -1 && a->ecc_errors == -1 && a->mig == -1);
    cr_expect(a->compute_mode == 0 && !a->fault[0]);
}

Test(smi, driver_580_of_a_gb10_and_a_card_that_is_lost) {
    parse("index, uuid, name, memory.total [MiB], memory.used [MiB], utilization.gpu [%], "
          "power.draw [W]\n"
          "0, " GPU_A ", NVIDIA GB10, [N/A], [N/A], 0, 4.61\n"
          "1, " GPU_B
          ", [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost]\n"
          "2, " GPU_C
          ", NVIDIA A100-SXM4-40GB, 40960, [GPU requires reset], [Unknown Error], 50.1\n");
    cr_assert_eq(list.n, 3);
    cr_expect(list.item[0].memory_bytes == -1 && !list.item[0].fault[0]);
    cr_expect(strstr(list.item[1].fault, "fell off the bus") && !list.item[1].name[0]);
    cr_expect(strstr(list.item[2].fault, "reset"), "%s", list.item[2].fault);
}

Test(smi, what_is_no_table) {
    static const char *const says[] = {
        ("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure "
         "that the latest NVIDIA driver is installed and running.\n"),
        "No devices were found\n",
        "Field \"mig.mode.current\" is not a valid field to query.\n",
        "",
        "index\n",
    };
    for (int i = 0; i < 4; i++) {
        struct xl_err err = {0};
        cr_expect_eq(xl_smi_parse(says[i], &list, &err), XL_EDEVICE);
        cr_expect(strstr(err.text, "nvidia-smi lists no GPUs"), "%s", err.text);
    }
    parse("Warning: infoROM is corrupted at gpu 0000:3B:00.0\nindex, uuid\n0, " GPU_A "\n"
          "WARNING: infoROM is corrupted\n");
    cr_expect(list.n == 1 && !strcmp(list.item[0].uuid, GPU_A));
}
