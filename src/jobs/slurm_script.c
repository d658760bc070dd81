/* slurm_script.c - the script of a job array. */
#include "jobs/batch.h"

#include <string.h>

/* #SBATCH lines are read by sbatch as a shell would: a value with anything else than plain
 * characters stands in double quotes. In names of files '%' begins a placeholder. */
static void put_value(struct xl_str *out, const char *text, bool is_path) {
    static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./:,=+@%[]";
    bool is_plain = text[0] && strspn(text, PLAIN) == strlen(text);
    if (!is_plain) xl_str_puts(out, "\"");
    for (; *text; text++) {
        if (strchr("\"\\", *text)) xl_str_puts(out, "\\");
        if (is_path && *text == '%') xl_str_puts(out, "%");
        xl_str_append(out, text, 1);
    }
    if (!is_plain) xl_str_puts(out, "\"");
}

static void put_option(struct xl_str *out, const char *name, const char *value) {
    if (!value) return;
    xl_str_printf(out, "#SBATCH --%s=", name);
    put_value(out, value, false);
    xl_str_puts(out, "\n");
}

static void put_options(const struct xl_batch *batch, struct xl_str *out) {
    put_option(out, "job-name", batch->name);
    xl_str_printf(out, "#SBATCH --array=0-%d", batch->n_tasks - 1);
    if (batch->n_at_once) xl_str_printf(out, "%%%d", batch->n_at_once);
    xl_str_puts(out, "\n#SBATCH --ntasks=1\n");
    put_option(out, "gres", batch->gres);
    if (batch->n_cpus) xl_str_printf(out, "#SBATCH --cpus-per-task=%d\n", batch->n_cpus);
    put_option(out, "partition", batch->partition);
    put_option(out, "account", batch->account);
    put_option(out, "qos", batch->qos);
    put_option(out, "time", batch->time);
    xl_str_puts(out, "#SBATCH --requeue\n#SBATCH --signal=B:TERM@60\n#SBATCH --open-mode=append\n"
                     "#SBATCH --output=");
    struct xl_str log = {0};
    put_value(&log, batch->run_dir, true);
    bool is_quoted = log.text && log.text[0] == '"';
    if (is_quoted) log.text[--log.len] = 0;
    xl_str_printf(out, "%s/slurm/%%A_%%a.log%s\n", log.text ? log.text : "", is_quoted ? "\"" : "");
    xl_str_deinit(&log);
    for (int i = 0; batch->options && i < batch->options->n; i++)
        xl_str_printf(out, "#SBATCH %s%s\n", batch->options->item[i][0] == '-' ? "" : "--",
                      batch->options->item[i]);
}

static const char BODY[] =
    "if [ ! -f \"$run/run.json\" ]; then\n"
    "    echo \"$(hostname): $run/run.json is not there; the run directory has to lie on storage "
    "that all"
    " nodes see\" >&2\n"
    "    exit 2\n"
    "fi\n"
    "if ! command -v \"$program\" >/dev/null; then\n"
    "    echo \"$(hostname): $program is not there; install sdxl-lab on the nodes, or set "
    "SDXL_LAB\" >&2\n"
    "    exit 2\n"
    "fi\n"
    "\n"
    "# SIGTERM comes a minute before the time is over, and before the task is cancelled or "
    "requeued: the\n"
    "# pictures at hand are finished, the rest is left to other tasks (exit code 75).\n"
    "\"$program\" resume --share \\\n"
    "    --instance \"slurm_${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}\" \"$run\" &\n"
    "task=$!\n"
    "trap 'kill -USR1 $task 2>/dev/null' TERM\n"
    "while wait $task; code=$?; kill -0 $task 2>/dev/null; do :; done\n"
    "if [ $code -gt 128 ]; then # the trap's: ask again\n"
    "    wait $task\n"
    "    code=$?\n"
    "fi\n"
    "exit $code\n";

static enum xl_status check_lines(const struct xl_batch *batch, struct xl_err *err) {
    const char *const texts[] = {batch->run_dir, batch->program,   batch->name, batch->gres,
                                 batch->account, batch->partition, batch->qos,  batch->time};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i] && strchr(texts[i], '\n'))
            return xl_fail(err, XL_EINVAL, "\"%.80s\": a job script cannot hold the end of a line",
                           texts[i]);
    for (int i = 0; batch->options && i < batch->options->n; i++)
        if (strchr(batch->options->item[i], '\n'))
            return xl_fail(err, XL_EINVAL, "--sbatch: an option is one line");
    return XL_OK;
}

enum xl_status xl_slurm_script(const struct xl_batch *batch, struct xl_str *out,
                               struct xl_err *err) {
    enum xl_status status = check_lines(batch, err);
    if (status) return status;
    xl_str_puts(
        out, "#!/bin/bash\n# Tasks that draw one run together: each takes pictures that no other "
             "has. Written by sdxl-lab.\n");
    put_options(batch, out);
    xl_str_puts(out, "\nrun=");
    xl_str_put_shell_word(out, batch->run_dir);
    xl_str_puts(out, "\nprogram=${SDXL_LAB:-");
    xl_str_put_shell_word(out, batch->program);
    xl_str_puts(out, "}\n");
    xl_str_puts(out, BODY);
    return out->failed ? xl_fail_nomem(err, "a job script", 0) : XL_OK;
}
