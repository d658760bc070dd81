/* commands.c - the command table, finding a command by its words, and what exit codes mean. */
#include "cli/cli.h"

#include "base/str.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const struct xl_command *const commands[] = {
    &xl_command_generate,
    &xl_command_resume,
    &xl_command_verify,
    &xl_command_compare,
    &xl_command_show,
    &xl_command_profiles_list,
    &xl_command_profiles_show,
    &xl_command_profiles_import,
    &xl_command_models_list,
    &xl_command_models_add,
    &xl_command_models_doctor,
    &xl_command_models_show,
    &xl_command_models_verify,
    &xl_command_models_download,
    &xl_command_loras_list,
    &xl_command_loras_show,
    &xl_command_embeddings_list,
    &xl_command_presets_list,
    &xl_command_favorite_add,
    &xl_command_favorite_remove,
    &xl_command_favorite_rate,
    &xl_command_favorite_import,
    &xl_command_favorite_list,
    &xl_command_duel,
    &xl_command_favorites,
    &xl_command_pictures_list,
    &xl_command_pictures_count,
    &xl_command_index_update,
    &xl_command_index_rebuild,
    &xl_command_index_status,
    &xl_command_index_check,
    &xl_command_index_add,
    &xl_command_index_remove,
    &xl_command_prompts_generate,
    &xl_command_prompts_preview,
    &xl_command_prompts_check,
    &xl_command_inspect_model,
    &xl_command_inspect_tokens,
    &xl_command_inspect_schedule,
    &xl_command_inspect_noise,
    &xl_command_serve,
    &xl_command_run,
    &xl_command_slurm_status,
    &xl_command_slurm_cancel,
    &xl_command_slurm_collect,
    &xl_command_night_check,
    &xl_command_night_keys,
    &xl_command_night_status,
    &xl_command_night_add,
    &xl_command_night_stop,
    &xl_command_night_resume,
    &xl_command_night_report,
    &xl_command_night,
    &xl_command_gpu_list,
    &xl_command_gpu_pick,
    &xl_command_gpu_watch,
    &xl_command_completion,
    &xl_command_manual,
    &xl_command_complete_words,
    &xl_command_complete_line,
    &xl_command_worker,
    &xl_command_clean_picture,
};
enum { N_COMMANDS = sizeof commands / sizeof(void *) };

const struct xl_command *xl_command_at(int i) {
    return i >= 0 && i < N_COMMANDS ? commands[i] : NULL;
}

bool xl_command_has_word(const struct xl_command *command, const char *word, const char **second) {
    size_t n = strcspn(command->name, " ");
    *second = NULL;
    if (command->also && !strcmp(command->also, word)) return true;
    *second = command->name[n] ? command->name + n + 1 : NULL;
    return strlen(word) == n && !strncmp(word, command->name, n);
}

const struct xl_command *xl_command_of_link(const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    for (int i = 0; i < N_COMMANDS; i++)
        if (commands[i]->link && !strcmp(commands[i]->link, name)) return commands[i];
    return NULL;
}

const struct xl_command *xl_command_of_group(const struct xl_command *linked, const char *word) {
    char group[32];
    const char *second;
    snprintf(group, sizeof group, "%.*s", (int)strcspn(linked->name, " "), linked->name);
    for (int i = 0; linked->link_is_group && i < N_COMMANDS; i++)
        if (xl_command_has_word(commands[i], group, &second) && second && !strcmp(second, word))
            return commands[i];
    return NULL;
}

/* What may follow the first word of a two-word command ("inspect"), or what may be a first word
 * (group NULL): "a, b, c" into out. */
static void list_words(const char *group, char *out, size_t size) {
    const char *second, *last = "";
    int n_last = 0;
    out[0] = 0;
    for (int i = 0; i < N_COMMANDS; i++) {
        const char *name = commands[i]->name;
        int n = (int)strcspn(name, " ");
        size_t used = strlen(out);
        if (commands[i]->is_hidden) continue;
        if (group && (!xl_command_has_word(commands[i], group, &second) || !second)) continue;
        if (!group && n == n_last && !strncmp(last, name, (size_t)n)) continue;
        snprintf(out + used, size - used, "%s%.*s", used ? ", " : "", group ? 100 : n,
                 group ? second : name);
        last = name;
        n_last = n;
    }
}

/* Which command somebody may have meant: other programs' words, then the nearest. "": none */
static const char *nearest_command(const char *word) {
    static const struct {
        const char *command, *words;
    } others[] = {
        {"generate", " gen draw create make txt2img text2img t2i img2img image2image i2i sample "
                     "predict imagine render batch grid "},
        {"resume", " continue restart retry go-on "},
        {"verify", " check validate "},
        {"compare", " diff psnr ssim measure distance "},
        {"models list", " list ls checkpoints model "},
        {"loras list", " lora adapters "},
        {"embeddings list", " embedding ti inversions "},
        {"models download", " download pull fetch get "},
        {"profiles list", " styles style profile "},
        {"presets list", " sizes resolutions preset size "},
        {"profiles import", " import "},
        {"prompts generate", " prompt prompt-generator generator themes theme wildcards "},
        {"inspect model", " info describe "},
        {"inspect tokens", " tokenize tokens "},
        {"gpu list", " gpus cards nvidia-smi smi gpu-status nvidia "},
        {"slurm status", " sbatch srun squeue jobs queue "},
        {"slurm cancel", " scancel cancel "},
        {"slurm collect", " collect gather merge "},
        {"pictures list", " gallery pics images browse search find "},
        {"favorites", " favourites analyze analyse insights taste stats statistics report "},
        {"favorite add", " favourite fav love like mark star "},
        {"index rebuild", " reindex re-index "},
        {"manual", " man docs doc "},
    };
    char wanted[48];
    int best = 3;
    const char *nearest = "";
    if (strlen(word) > 40) return "";
    snprintf(wanted, sizeof wanted, " %s ", word);
    for (char *c = wanted; *c; c++) *c = (char)tolower((unsigned char)*c);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strstr(others[i].words, wanted)) return others[i].command;
    wanted[strlen(wanted) - 1] = 0;
    for (int i = 0; i < N_COMMANDS; i++) {
        char first[32];
        if (commands[i]->is_hidden) continue;
        snprintf(first, sizeof first, "%.*s", (int)strcspn(commands[i]->name, " "),
                 commands[i]->name);
        int distance = xl_edit_distance(wanted + 1, first, best - 1);
        bool begins = strlen(wanted) > 3 && !strncmp(first, wanted + 1, strlen(wanted + 1));
        if (begins) distance = 1;
        if (distance < best) best = distance, nearest = commands[i]->name;
    }
    return nearest;
}

static enum xl_status unknown_command(const char *word, const char *known, struct xl_err *err) {
    const char *near = nearest_command(word);
    if (near[0])
        return xl_fail(err, XL_EINVAL,
                       "\"%.60s\" is no command; did you mean %s? See sdxl-lab --help", word, near);
    return xl_fail(err, XL_EINVAL, "\"%.60s\" is no command; there are %s, see sdxl-lab --help",
                   word, known);
}

enum xl_status xl_command_find(int argc, char **argv, const struct xl_command **out, int *n_words,
                               struct xl_err *err) {
    bool is_group = false;
    char known[256];
    for (int i = 0; i < N_COMMANDS; i++) {
        const char *second;
        if (!xl_command_has_word(commands[i], argv[1], &second)) continue;
        is_group = true;
        if (second && (argc < 3 || strcmp(argv[2], second))) continue;
        *n_words = second ? 2 : 1;
        *out = commands[i];
        return XL_OK;
    }
    list_words(is_group ? argv[1] : NULL, known, sizeof known);
    if (!is_group) return unknown_command(argv[1], known, err);
    if (argc < 3) return xl_fail(err, XL_EINVAL, "%s: say what: %s", argv[1], known);
    return xl_fail(err, XL_EINVAL, "%s: say what: %s; found \"%.40s\"", argv[1], known, argv[2]);
}

int xl_exit_code_of(enum xl_status status) {
    static const int codes[] = {
        [XL_OK] = 0,       [XL_EINVAL] = 2,  [XL_EINPUT] = 2,       [XL_EMODEL] = 5,
        [XL_EFORMAT] = 5,  [XL_EDISK] = 6,   [XL_ENOMEM] = 3,       [XL_ENUMERIC] = 3,
        [XL_EPARTIAL] = 3, [XL_EWORKER] = 3, [XL_ECANCELLED] = 130, [XL_EINTERNAL] = 1,
        [XL_ENETWORK] = 7, [XL_EDEVICE] = 4, [XL_EYIELD] = 75,      [XL_ESCHEDULER] = 8,
    };
    bool is_known = (size_t)status < sizeof codes / sizeof *codes;
    return codes[is_known ? status : XL_EINTERNAL];
}

const struct xl_exit_code *xl_exit_code_at(int i) {
    static const struct xl_exit_code codes[] = {
        {0, "all done"},
        {1, "internal error: please report it"},
        {2, "wrong usage, or an input file that cannot be used"},
        {3, "some pictures failed: out of memory, not a number, or a worker process that died"},
        {4, "no usable GPU: none is there or none is idle, its driver is too old, or it was lost"},
        {5, "the model is missing, incomplete, damaged or unsupported"},
        {6, "cannot write"},
        {7, "a download failed: no network, refused by the hub, damaged on the way, or offline "
            "mode; or no server answers (serve --check)"},
        {8, "the cluster's scheduler (Slurm) is not there, does not answer, or refuses the job"},
        {75, "stopped early to give way (another process on the GPU, SIGUSR1): to be gone on with "
             "later"},
        {129, "the terminal was closed (SIGHUP)"},
        {130, "interrupted by Ctrl-C (SIGINT)"},
        {143, "interrupted by SIGTERM"},
    };
    return i >= 0 && i < (int)(sizeof codes / sizeof *codes) ? &codes[i] : NULL;
}
