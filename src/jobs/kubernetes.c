/* kubernetes.c - the manifest of an Indexed Job. Texts stand in it as JSON strings, which YAML
 * reads. */
#include "jobs/batch.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void put_text(struct xl_str *out, const char *text) {
    json_t *value = json_string(text);
    char *quoted = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;
    if (quoted)
        xl_str_puts(out, quoted);
    else
        out->failed = true;
    free(quoted);
    json_decref(value);
}

/* A line "KEY: "TEXT"" behind its indentation. */
static void put_member(struct xl_str *out, const char *key, const char *text) {
    xl_str_puts(out, key);
    put_text(out, text);
    xl_str_puts(out, "\n");
}

/* Names of objects are DNS labels: letters, digits and hyphens, at most 63. */
static void put_name(struct xl_str *out, const char *name) {
    enum { MOST = 63 };
    char label[MOST + 1];
    int n = 0;
    for (; *name && n < MOST; name++) {
        bool is_plain = isalnum((unsigned char)*name) && !((unsigned char)*name & 0x80);
        if (is_plain || n) label[n++] = is_plain ? (char)tolower((unsigned char)*name) : '-';
    }
    while (n && label[n - 1] == '-') n--;
    label[n] = 0;
    put_text(out, n ? label : "sdxl-lab");
}

/* The end of "gpu:1", "gpu:h100:2"; 0: there is none. */
static int count_gpus(const char *gres) {
    const char *colon = gres ? strrchr(gres, ':') : NULL;
    int n = colon ? atoi(colon + 1) : 0;
    return !gres ? 0 : n > 0 ? n : 1;
}

static bool is_below(const char *path, const char *folder) {
    size_t n = strlen(folder);
    while (n > 1 && folder[n - 1] == '/') n--;
    return !strncmp(path, folder, n) && (n == 1 || path[n] == '/' || !path[n]);
}

static enum xl_status check_volumes(const struct xl_batch *batch, struct xl_err *err) {
    bool is_held = false;
    for (int i = 0; i < batch->volumes->n; i++) {
        const char *text = batch->volumes->item[i], *colon = strchr(text, ':');
        if (!colon || colon == text || colon[1] != '/')
            return xl_fail(
                err, XL_EINVAL,
                "--volume: \"%.80s\" is not CLAIM:PATH, a claim and where it is mounted, "
                "from the root",
                text);
        if (is_below(batch->run_dir, colon + 1)) is_held = true;
    }
    if (is_held) return XL_OK;
    return xl_fail(err, XL_EINVAL,
                   "say which volume holds %s, and under which path: --volume "
                   "CLAIM:PATH",
                   batch->run_dir);
}

static void put_volumes(const struct xl_batch *batch, struct xl_str *out) {
    xl_str_puts(out, "          volumeMounts:\n");
    for (int i = 0; i < batch->volumes->n; i++) {
        xl_str_printf(out, "            - name: volume-%d\n", i);
        put_member(out, "              mountPath: ", strchr(batch->volumes->item[i], ':') + 1);
    }
    xl_str_puts(out, "            - name: scratch\n              mountPath: \"/tmp\"\n"
                     "      volumes:\n");
    for (int i = 0; i < batch->volumes->n; i++) {
        const char *text = batch->volumes->item[i];
        char *claim = strndup(text, strcspn(text, ":"));
        xl_str_printf(out, "        - name: volume-%d\n          persistentVolumeClaim:\n", i);
        put_member(out, "            claimName: ", claim ? claim : "");
        if (!claim) out->failed = true;
        free(claim);
    }
    xl_str_puts(out, "        - name: scratch\n          emptyDir: {}\n");
}

/* A task that was evicted does not count as failed; one that says that its input is wrong ends the
 * job.
 */
static const char POLICY[] = "  podFailurePolicy:\n"
                             "    rules:\n"
                             "      - action: Ignore\n"
                             "        onPodConditions:\n"
                             "          - type: DisruptionTarget\n"
                             "      - action: FailJob\n"
                             "        onExitCodes:\n"
                             "          operator: In\n"
                             "          values: [2, 5]\n";

static const char SECURITY[] = "          securityContext:\n"
                               "            allowPrivilegeEscalation: false\n"
                               "            readOnlyRootFilesystem: true\n"
                               "            runAsNonRoot: true\n"
                               "            capabilities:\n"
                               "              drop: [\"ALL\"]\n";

static void put_container(const struct xl_batch *batch, struct xl_str *out) {
    int n_gpus = count_gpus(batch->gres);
    xl_str_puts(out, "        - name: sdxl-lab\n");
    put_member(out, "          image: ", batch->image);
    xl_str_puts(out, "          args:\n            - \"resume\"\n            - \"--share\"\n"
                     "            - \"--instance\"\n            - \"$(POD_NAME)\"\n");
    put_member(out, "            - ", batch->run_dir);
    xl_str_puts(out, "          env:\n            - name: POD_NAME\n              valueFrom:\n"
                     "                fieldRef:\n                  fieldPath: metadata.name\n"
                     "            - name: HOME\n              value: \"/tmp\"\n");
    const char *cache = getenv("HF_HOME");
    if (cache && *cache) {
        xl_str_puts(out, "            - name: HF_HOME\n");
        put_member(out, "              value: ", cache);
    }
    if (n_gpus)
        xl_str_printf(out,
                      "          resources:\n            limits:\n              nvidia.com/gpu: "
                      "%d\n",
                      n_gpus);
    xl_str_puts(out, SECURITY);
    put_volumes(batch, out);
}

enum xl_status xl_kubernetes_manifest(const struct xl_batch *batch, struct xl_str *out,
                                      struct xl_err *err) {
    enum { TRIES = 4 }; /* of each index */
    enum xl_status status = check_volumes(batch, err);
    if (status) return status;
    xl_str_puts(out,
                "# Pods that draw one run together: each takes pictures that no other has. Written "
                "by sdxl-lab.\napiVersion: batch/v1\nkind: Job\nmetadata:\n  name: ");
    put_name(out, batch->name);
    xl_str_printf(out,
                  "\nspec:\n  completionMode: Indexed\n  completions: %d\n  parallelism: %d\n"
                  "  backoffLimit: %d\n",
                  batch->n_tasks, batch->n_at_once ? batch->n_at_once : batch->n_tasks,
                  TRIES * batch->n_tasks);
    xl_str_puts(out, POLICY);
    xl_str_puts(out, "  template:\n    spec:\n      restartPolicy: Never\n"
                     "      terminationGracePeriodSeconds: 60\n      containers:\n");
    put_container(batch, out);
    return out->failed ? xl_fail_nomem(err, "a manifest", 0) : XL_OK;
}
