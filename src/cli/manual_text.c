/* manual_text.c - the prose of the manual. What is a setting, a command or an exit code is not
 * here: the manual reads those tables. */
#include "cli/manual.h"

#include <stddef.h>

const char *const xl_manual_description =
    "`sdxl-lab` makes pictures with Stable Diffusion XL from models in diffusers layout that are "
    "in "
    "the Hugging Face cache or in a folder. It works offline. From the same seed it makes the "
    "picture that diffusers makes.\n"
    "A command says what to do. Without one, and with `HEADLESS=1` or `PROMPT` in the environment, "
    "`sdxl-lab` is `sdxl-lab generate` with its settings from the environment; that is how "
    "containers use it. With neither it says how to begin.\n"
    "A setting has one name everywhere: `--output-dir` on the command line is `output_dir` in a "
    "job "
    "file and in `run.json`. What is said in several places counts in this order: the command "
    "line, "
    "the environment, the job file, the model's and the profile's own, the default.\n"
    "Standard output has what was made: a path a line, then a summary, or with `--json` one "
    "document. Everything else is on standard error.\n"
    "Each picture is a PNG with its settings in it, as text that other tools read and as a record "
    "in JSON, from which `sdxl-lab verify` draws it again.";

const char *const xl_manual_sweeps =
    "`--sweep KEY=VALUES` makes KEY an axis. Each further axis multiplies the pictures: three "
    "values "
    "of `steps` and four seeds are twelve pictures for each profile and model. Any setting that is "
    "marked so can be KEY, each once. VALUES are:";

const char *const xl_manual_environment =
    "Each of these sets the option that is named with it. They "
    "count when `sdxl-lab` is started without "
    "a command. An empty variable counts as absent. Where a "
    "setting has two names and both are there, "
    "they must say the same. Upper and lower case are the same in words that are chosen from a "
    "list "
    "(`true`, `txt2img`). Quotes around a value are refused where no text is meant, and drawn and "
    "warned of in a prompt.";

const char *const xl_manual_paths =
    "In every option, variable, key of a job file and axis that is a path, and in the folder of a "
    "model of your own, `~` and `~/x` mean the home folder, `~NAME/x` that of another user, "
    "`$NAME` "
    "and `${NAME}` a variable of the environment, and `$$` is a dollar sign; what is not there is "
    "an "
    "error. A relative path is one of the folder that the program is started in, also in a job "
    "file; runs and records have it from the root.";

const struct xl_manual_entry xl_manual_axes[] = {
    {"20,30", "a list; a value that holds a comma goes in double quotes, and a quote in it is "
              "written twice"},
    {"1..4", "whole numbers from the first to the last, up or down"},
    {"5:8:1", "numbers from the first to the last by a step, both ends included"},
    {"@FILE", "the lines of a file; empty ones and those that begin with `#` are left out"},
    {"all", "of `model` and `profile`: every one that there is"},
    {"[\"a, b\", \"c\"]", "a list in JSON"},
    {NULL, NULL},
};

const struct xl_manual_entry xl_manual_variables[] = {
    {"HEADLESS",
     "`1`, `true`, `yes` or `on`: start without a page, from the environment. A `PROMPT` "
     "does so, too. `0`, `false`, `no` or `off`: do not; another word is refused."},
    {"CONTAINER_NAME", "Name of the job log where `INSTANCE_ID` is not set."},
    {"HOSTNAME", "The same where neither is; after it comes the name of the machine."},
    {"HF_HUB_CACHE", "The cache of the Hugging Face tools, where models are looked for first."},
    {"HUGGINGFACE_HUB_CACHE", "Its earlier name; looked at after `HF_HUB_CACHE`."},
    {"HF_HOME", "The folder whose folder `hub` is the cache, where the others do not have the "
                "model. Default: `huggingface` in `XDG_CACHE_HOME`."},
    {"HF_HUB_OFFLINE",
     "`1`, `on`, `yes` or `true`: `models download` refuses before it opens a socket. Nothing else "
     "ever connects to another machine. Where it is not set, `TRANSFORMERS_OFFLINE` means the "
     "same."},
    {"HF_TOKEN",
     "The token that `models download` shows to the hub; else `HUGGING_FACE_HUB_TOKEN`, else the "
     "file `HF_TOKEN_PATH`."},
    {"HUGGING_FACE_HUB_TOKEN", "Its earlier name."},
    {"HF_TOKEN_PATH", "A file with the token. Default: `token` in `HF_HOME`."},
    {"HF_HUB_DISABLE_IMPLICIT_TOKEN", "`1`: no token is shown."},
    {"HF_ENDPOINT", "The hub to download from. Default: `https://huggingface.co`."},
    {"HF_HUB_DOWNLOAD_TIMEOUT", "Seconds that a download waits for a byte. Default: 10."},
    {"HF_HUB_DISABLE_SYMLINKS", "`1`: a download puts files into snapshots instead of links."},
    {"https_proxy, http_proxy, all_proxy, no_proxy", "The proxy of a download."},
    {"XDG_CACHE_HOME",
     "Where `huggingface` is, and `sdxl-lab` keeps digests of large files. Default: "
     "`~/.cache`."},
    {"XDG_CONFIG_HOME", "Where `sdxl-lab` has own profiles, models, sizes and the list of folders. "
                        "Default: `~/.config`."},
    {"XDG_DATA_HOME", "Where `sdxl-lab/loras`, `embeddings`, `vaes` and `checkpoints` are, files "
                      "that are called by name. Default: `~/.local/share`."},
    {"HOME", "What `~` means in a path."},
    {"SDXL_LAB_SHARE", "The folder of what ships with the program, where it is not beside it."},
    {"SDXL_LAB_TOKEN",
     "The token that `serve` asks everybody for; the file of `--token-file` comes before it."},
    {"NO_COLOR", "Not empty: no colours in lists."},
    {NULL, NULL},
};

const struct xl_manual_entry xl_manual_files[] = {
    {"output_images/", "Where pictures go unless `--output-dir` says otherwise."},
    {"output_images/jobs_INSTANCE.log",
     "The job log: a JSON object a line for whatever was drawn or "
     "failed. `jobs.log` where the instance has no name."},
    {"output_images/run_INSTANCE-gpuN.log", "What the jobs of `sdxl-lab run` on GPU N wrote."},
    {"/tmp/sdxl-lab-gpus/UUID.lock", "The lock of a GPU; `--gpu-lock-dir` names another folder."},
    {"output_images/KIND_TIME/",
     "A sweep's own directory; KIND is `sweep`, `compare`, "
     "`multi_profiles` or `all_models_profiles`. With several models it has a folder "
     "`model_NAME` for each."},
    {"KIND_TIME/run.json", "The request and its pictures: what `sdxl-lab resume` reads."},
    {"KIND_TIME/index.html", "A page that fills in while the pictures come, and works from disk."},
    {"sheet_01.png", "Contact sheets, beside the pictures of a sweep."},
    {"NAME.png.damaged", "A picture that `sdxl-lab resume` found damaged and drew again."},
    {"~/.config/sdxl-lab/profiles.yaml, profiles.d/*.yaml", "Own style profiles."},
    {"~/.config/sdxl-lab/models.yaml, models.d/*.yaml", "Own models by name."},
    {"~/.config/sdxl-lab/presets.yaml, presets.d/*.yaml", "Own sizes by name."},
    {"~/.cache/huggingface/hub/", "Models, as the Hugging Face tools keep them."},
    {NULL, NULL},
};

const struct xl_manual_entry xl_manual_examples[] = {
    {"A picture, and the same again another day:",
     "sdxl-lab generate --seed 42 \\\n"
     "    --prompt \"a lighthouse on a cliff at dusk\" --negative \"blurry\""},
    {"Two styles at once, upright:",
     "sdxl-lab generate --profile \"Watercolor + Tim Burton\" --size portrait \\\n"
     "    --prompt \"an old clock tower\""},
    {"Start from a photograph:",
     "sdxl-lab generate --init-image photo.jpg --strength 0.6 --prompt \"as an etching\""},
    {"Every style, but first what it would take:",
     "sdxl-lab generate --all-profiles --prompt \"a market in the rain\" --dry-run\n"
     "sdxl-lab generate --all-profiles --prompt \"a market in the rain\""},
    {"A grid of steps, guidance and seeds, and what a power cut left of it:",
     "sdxl-lab generate --prompt \"a fox\" --sweep steps=20,30 --sweep guidance=5:8:1 \\\n"
     "    --sweep seed=1..4\n"
     "sdxl-lab resume output_images/sweep_20260102-030405"},
    {"From the environment, as a container does it:",
     "PROMPT=\"a fox\" MODEL_KEY=\"SDXL Turbo\" STEPS=4 GUIDANCE=0 sdxl-lab --json"},
    {"A model, but first what it would take:",
     "sdxl-lab models download \"SDXL Base 1.0\" --dry-run\n"
     "sdxl-lab models download \"SDXL Base 1.0\""},
    {"Is this picture what its record says?", "sdxl-lab verify output_images/*.png"},
    {NULL, NULL},
};
