/* options.c - the option table, and finding an option by its name. */
#include "base/clock.h"
#include "lab/data/embedding_text.h"
#include "lab/data/lora_text.h"
#include "lab/settings/gpus_text.h"
#include "lab/settings/settings.h"

#include <string.h>

static const char *const rngs[] = {"torch-cpu", "torch-cuda", NULL};
static const char *const syntaxes[] = {
    [XL_PROMPT_PLAIN] = "plain", [XL_PROMPT_A1111] = "a1111", [XL_PROMPT_COMPEL] = "compel", NULL};
static const char *const generators[] = {[XL_PROMPTS_AS_THEY_STAND] = "none",
                                         [XL_PROMPTS_DYNAMIC] = "dynamic",
                                         [XL_PROMPTS_COMBINATIONS] = "combinations",
                                         NULL};
static const char *const precisions[] = {"auto", "f32", "bf16", "f16", "f8", NULL};
static const char *const precision_names[] = {"fp32",     "f32",  "float32", "f32",     "fp16",
                                              "f16",      "half", "f16",     "float16", "f16",
                                              "bfloat16", "bf16", "fp8",     "f8",      NULL};
static const char *const modes[] = {"auto", "txt2img", "img2img", NULL};
static const char *const oom_choices[] = {"shrink", "fail", NULL};
static const char *const containers[] = {"none", "docker", "podman", "enroot", NULL};
static const char *const places[] = {"here", "slurm", "kubernetes", NULL};
static const char *const picture_sorts[] = {"newest", "oldest", "best", NULL};
static const char *const foreign_choices[] = {"go-on", "yield", NULL};

#define AT(field) offsetof(struct xl_settings, field)
#define READS_MODEL                                                                                \
    (XL_FOR_GENERATE | XL_FOR_VERIFY | XL_FOR_MODEL | XL_FOR_TOKENS | XL_FOR_SCHEDULE)
#define TAKES_VARIANT (XL_FOR_GENERATE | XL_FOR_VERIFY | XL_FOR_MODEL | XL_FOR_TOKENS)
#define RUNS (XL_FOR_GENERATE | XL_FOR_RESUME)
#define SUBMITS (RUNS | XL_FOR_NIGHT)
#define SEEKS_GPU (RUNS | XL_FOR_RUN | XL_FOR_GPU_PICK)
#define COMPUTES (RUNS | XL_FOR_VERIFY | XL_FOR_WORKER | ASKS_INDEX)
#define FILTERS (XL_FOR_PICTURES | XL_FOR_FAVORITES)
#define ASKS_INDEX (XL_FOR_INDEX | FILTERS)

/* Shorthand for the rows: what most of them leave at its default. */
#define TEXT(name_, argument_, field)                                                              \
    .name = name_, .argument = argument_, .type = XL_OPTION_STRING, .offset = AT(field)
#define INT(name_, argument_, field, min_, max_)                                                   \
    .name = name_, .argument = argument_, .type = XL_OPTION_INT, .offset = AT(field), .min = min_, \
    .max = max_
#define REAL(name_, argument_, field, min_, max_)                                                  \
    .name = name_, .argument = argument_, .type = XL_OPTION_REAL, .offset = AT(field),             \
    .min = min_, .max = max_
#define CHOICE(name_, argument_, field, choices_)                                                  \
    .name = name_, .argument = argument_, .type = XL_OPTION_CHOICE, .offset = AT(field),           \
    .choices = choices_
#define SWITCH(name_, field) .name = name_, .type = XL_OPTION_SWITCH, .offset = AT(field)
#define LIST(name_, argument_, field)                                                              \
    .name = name_, .argument = argument_, .type = XL_OPTION_LIST, .offset = AT(field)

static enum xl_status check_lora(const char *text, struct xl_err *err) {
    struct xl_arena arena = {0};
    struct xl_lora_list list = {.n = 0};
    enum xl_status status = xl_lora_text_read(text, &arena, &list, err);
    xl_arena_deinit(&arena);
    return status;
}

static enum xl_status check_gpus(const char *text, struct xl_err *err) {
    struct xl_gpus_said said;
    return xl_gpus_text_read(text, &said, err);
}

static enum xl_status check_duration(const char *text, struct xl_err *err) {
    double seconds;
    return xl_duration_read(text, &seconds, err);
}

static enum xl_status check_embedding(const char *text, struct xl_err *err) {
    struct xl_arena arena = {0};
    struct xl_embedding_said said;
    enum xl_status status = xl_embedding_text_read(text, &arena, &said, err);
    xl_arena_deinit(&arena);
    return status;
}

static const struct xl_option options[] = {
    {TEXT("model", "KEY|ID|DIR|FILE", model), .commands = READS_MODEL | FILTERS | XL_FOR_API,
     .environment = "MODEL_KEY MODEL", .is_axis = true, .path = XL_PATH_MODEL,
     .completion = XL_COMPLETE_MODEL, .group = "Model",
     .help =
         "name from sdxl-lab models list, repository in the Hugging Face cache (org/name, or one "
         "file of it, org/name:file.safetensors), diffusers folder, or .safetensors file",
     .fallback = "the first of the list that is there"},
    {TEXT("revision", "NAME", revision), .commands = READS_MODEL | XL_FOR_DOWNLOAD | XL_FOR_API,
     .group = "Model", .help = "branch, tag or commit of the repository", .fallback = "main"},
    {LIST("lora", "NAME[:SCALE]", loras), .check = check_lora,
     .commands = TAKES_VARIANT | FILTERS | XL_FOR_API, .environment = "LORA LORAS", .is_axis = true,
     .is_replaced = true, .path = XL_PATH_WEIGHTS, .completion = XL_COMPLETE_LORA, .group = "Model",
     .help = "a LoRA that is added to the model, as often as there are LoRAs: a name, a file or a "
             "repository of the cache (org/name, org/name:FILE); NAME:X:Y scales the text encoders "
             "by X and the UNet by Y; A + B is both, none is no LoRA"},
    {TEXT("vae", "NAME|ID|DIR|FILE", vae), .commands = TAKES_VARIANT | FILTERS | XL_FOR_API,
     .environment = "VAE", .is_axis = true, .path = XL_PATH_WEIGHTS, .completion = XL_COMPLETE_VAE,
     .group = "Model", .help = "another VAE than the model's own, which is none",
     .fallback = "the model's own"},
    {LIST("embedding", "FILE|ID[:WORD]", embeddings), .check = check_embedding,
     .commands = XL_FOR_GENERATE | XL_FOR_VERIFY | XL_FOR_TOKENS | XL_FOR_API,
     .environment = "EMBEDDING EMBEDDINGS", .is_replaced = true, .path = XL_PATH_EMBEDDING,
     .completion = XL_COMPLETE_EMBEDDING, .group = "Model",
     .help =
         "a textual inversion that a word of the prompts stands for, as often as there are any: "
         "a file, a name or a repository of the cache (org/name, org/name:FILE); without WORD "
         "the file's name is the word. Those of the folder of embeddings need no option"},
    {LIST("models-file", "FILE", model_files),
     .commands = READS_MODEL | XL_FOR_MODELS | XL_FOR_SERVE, .path = XL_PATH_KEPT,
     .completion = XL_COMPLETE_FILE, .group = "Model",
     .help = "YAML file of models that add to the list or override it"},
    {SWITCH("all", all), .commands = XL_FOR_MODELS_VERIFY | XL_FOR_DOWNLOAD, .group = "Model",
     .help = "every model instead of those that are named"},
    {SWITCH("deep", deep), .commands = XL_FOR_DOCTOR, .group = "Model",
     .help = "read every file and compare its digest, as models verify does"},

    {TEXT("from", "FILE", from), .commands = XL_FOR_GENERATE, .environment = "FROM_IMAGE_PATH",
     .path = XL_PATH_KEPT, .completion = XL_COMPLETE_FILE, .group = "Picture",
     .help = "a picture whose record says what nothing else does: prompt, seed, size, sampler, "
             "model; of this program, A1111, ComfyUI, InvokeAI, SwarmUI, Fooocus"},
    {TEXT("prompt", "TEXT", prompt), .commands = XL_FOR_GENERATE | XL_FOR_TOKENS | XL_FOR_API,
     .environment = "PROMPT", .is_axis = true, .is_prose = true, .group = "Picture",
     .help = "what to draw"},
    {TEXT("negative", "TEXT", negative), .commands = XL_FOR_GENERATE | XL_FOR_API,
     .environment = "NEGATIVE_PROMPT", .is_axis = true, .is_prose = true, .group = "Picture",
     .help = "what to keep away from; omitted and empty differ as in diffusers",
     .fallback = "omitted"},
    {CHOICE("prompt-syntax", "NAME", prompt_syntax, syntaxes),
     .commands = XL_FOR_GENERATE | XL_FOR_TOKENS | XL_FOR_API, .environment = "PROMPT_SYNTAX",
     .is_axis = true, .group = "Picture",
     .help =
         "how prompts are read: plain as diffusers does, cut at 77 tokens; a1111 (weights:1.2), "
         "[from:to:0.5], BREAK, any length; compel weights++ and (phrases)1.2, any length",
     .fallback = "plain"},
    {CHOICE("prompt-generator", "NAME", prompt_generator, generators),
     .commands = XL_FOR_GENERATE | XL_FOR_API, .environment = "PROMPT_GENERATOR",
     .group = "Picture",
     .help =
         "prompts are templates, {a|b} __wildcard__: dynamic makes a prompt of them by the seed of "
         "each picture, combinations all that there are",
     .fallback = "none"},
    {LIST("wildcards", "DIR", wildcards), .commands = XL_FOR_GENERATE, .environment = "WILDCARDS",
     .is_replaced = true, .path = XL_PATH_KEPT, .completion = XL_COMPLETE_DIR, .group = "Picture",
     .help = "folder of wildcards for --prompt-generator dynamic, as often as there are any; "
             "without one ~/.config/sdxl-lab/wildcards"},
    {INT("clip-skip", "N", clip_skip, 1, 64), .commands = XL_FOR_GENERATE | XL_FOR_API,
     .is_axis = true, .group = "Picture",
     .help = "which layer of the text encoders counts, the last one being 1", .fallback = "2"},
    {TEXT("profile", "NAME", profile), .commands = XL_FOR_GENERATE | FILTERS | XL_FOR_API,
     .environment = "STYLE_PROFILE", .is_axis = true, .completion = XL_COMPLETE_PROFILE,
     .group = "Picture",
     .help = "style profile, or several joined by \" + \"; sdxl-lab profiles list names them",
     .fallback = "None (raw)"},
    {LIST("profiles-file", "FILE", profile_files),
     .commands = XL_FOR_GENERATE | XL_FOR_PROFILES | XL_FOR_SERVE, .path = XL_PATH_KEPT,
     .completion = XL_COMPLETE_FILE, .group = "Picture",
     .help = "YAML file of profiles that add to the list or override it"},
    {TEXT("size", "PRESET|WxH", size), .commands = XL_FOR_GENERATE | FILTERS | XL_FOR_API,
     .environment = "SIZE", .is_axis = true, .completion = XL_COMPLETE_PRESET, .group = "Picture",
     .help = "size by name or as WIDTHxHEIGHT; sdxl-lab presets list names them",
     .fallback = "the model's own, or the init image's"},
    {INT("width", "PIXELS", width, 0, 16384), .commands = XL_FOR_GENERATE | XL_FOR_API,
     .environment = "WIDTH", .is_axis = true, .group = "Picture",
     .help = "width, a multiple of 8; 0 takes that of --size", .fallback = "0"},
    {INT("height", "PIXELS", height, 0, 16384), .commands = XL_FOR_GENERATE | XL_FOR_API,
     .environment = "HEIGHT", .is_axis = true, .group = "Picture", .help = "height, likewise",
     .fallback = "0"},
    {INT("batch", "N", batch, 1, XL_BATCH_MAX), .commands = XL_FOR_GENERATE | XL_FOR_API,
     .environment = "BATCH_SIZE", .group = "Picture",
     .help = "pictures of each kind; picture i has seed + i", .fallback = "1"},
    {.name = "seed",
     .argument = "N",
     .type = XL_OPTION_SEED,
     .offset = AT(seed),
     .commands = XL_FOR_GENERATE | XL_FOR_NOISE | XL_FOR_PROMPTS | XL_FOR_NIGHT_ADD | FILTERS |
                 XL_FOR_API,
     .environment = "SEED",
     .is_axis = true,
     .group = "Picture",
     .help = "seed of the noise, or of a list of prompts; -1 draws one at random",
     .fallback = "-1"},
    {CHOICE("rng", "NAME", rng, rngs), .commands = XL_FOR_GENERATE | XL_FOR_NOISE | XL_FOR_API,
     .is_axis = true, .group = "Picture", .help = "whose random numbers a seed means",
     .fallback = "torch-cpu"},

    {INT("steps", "N", steps, 1, 1000),
     .commands = XL_FOR_GENERATE | XL_FOR_SCHEDULE | XL_FOR_TOKENS | FILTERS | XL_FOR_API,
     .environment = "STEPS", .is_axis = true, .group = "Sampling", .help = "denoising steps",
     .fallback = "30"},
    {REAL("guidance", "X", guidance, 0, 1000), .commands = XL_FOR_GENERATE | FILTERS | XL_FOR_API,
     .environment = "GUIDANCE CFG_SCALE", .is_axis = true, .group = "Sampling",
     .help = "classifier-free guidance scale; 1 and below turn it off", .fallback = "5"},
    {REAL("guidance-rescale", "X", guidance_rescale, 0, 1),
     .commands = XL_FOR_GENERATE | XL_FOR_API, .is_axis = true, .group = "Sampling",
     .help = "rescale the guided output towards its unguided contrast", .fallback = "0"},
    {TEXT("scheduler", "NAME", scheduler),
     .commands = XL_FOR_GENERATE | XL_FOR_SCHEDULE | FILTERS | XL_FOR_API,
     .environment = "SCHEDULER", .is_axis = true, .completion = XL_COMPLETE_SCHEDULER,
     .group = "Sampling", .help = "sampler, see the list below", .fallback = "default"},

    {CHOICE("mode", "NAME", mode, modes), .commands = XL_FOR_GENERATE | XL_FOR_API,
     .environment = "MODE", .group = "Image to image",
     .help = "txt2img ignores an init image, img2img wants one, auto goes by its presence",
     .fallback = "auto"},
    {TEXT("init-image", "FILE", init_image),
     .commands = XL_FOR_GENERATE | XL_FOR_VERIFY | XL_FOR_API, .environment = "INIT_IMAGE_PATH",
     .is_axis = true, .path = XL_PATH_KEPT, .completion = XL_COMPLETE_FILE,
     .group = "Image to image", .help = "PNG, JPEG or WebP to start from"},
    {REAL("strength", "X", strength, 0, 1), .commands = XL_FOR_GENERATE | XL_FOR_API,
     .environment = "IMG2IMG_STRENGTH", .is_axis = true, .group = "Image to image",
     .help = "how far to go from the init image: 0 little, 1 all the way", .fallback = "0.3"},

    {SWITCH("all-profiles", all_profiles), .commands = XL_FOR_GENERATE | XL_FOR_API,
     .environment = "RUN_ALL_PROFILES", .group = "Sweeps",
     .help = "every profile with one model, the raw one first; excludes --all-models"},
    {SWITCH("all-models", all_models), .commands = XL_FOR_GENERATE | XL_FOR_API,
     .environment = "RUN_ALL_MODELS", .group = "Sweeps",
     .help = "every model with every profile; excludes --all-profiles"},
    {LIST("sweep", "KEY=VALUES", sweep), .commands = RUNS | XL_FOR_API,
     .completion = XL_COMPLETE_AXIS, .group = "Sweeps",
     .help = "one axis of a grid: steps=20,30 guidance=5:8:1 seed=1..4 model=all prompt=@FILE"},
    {INT("group", "N", group, 0, 64), .commands = RUNS | XL_FOR_API, .group = "Sweeps",
     .help = "pictures of equal shape that are drawn together; 0: as many as --batch",
     .fallback = "0"},
    {SWITCH("dry-run", dry_run), .commands = RUNS | XL_FOR_DOWNLOAD | XL_FOR_NIGHT,
     .group = "Sweeps",
     .help = "say what would be drawn, in which order, and what time, disk and memory it needs; of "
             "a download, the files and their sizes"},
    {SWITCH("yes", yes), .commands = RUNS, .group = "Sweeps",
     .help = "a sweep of more than 10000 pictures is meant"},
    {TEXT("resume", "DIR", resume), .commands = XL_FOR_GENERATE, .path = XL_PATH_SHOWN,
     .completion = XL_COMPLETE_DIR, .group = "Sweeps",
     .help = "make what is missing in a run directory, and nothing else"},
    {SWITCH("strict", strict), .commands = RUNS, .group = "Sweeps",
     .help =
         "do not resume with another program, device or instruction set than drew what is there"},
    {SWITCH("share", share), .commands = XL_FOR_RESUME, .group = "Sweeps",
     .help = "draw the run together with other processes, of this machine or others, that say so: "
             "each takes pictures that no other has, and those of one that died"},
    {REAL("heartbeat", "SECONDS", heartbeat, 0.05, 3600), .commands = XL_FOR_RESUME,
     .group = "Sweeps",
     .help = "with --share, time between two signs of life; a process that misses six is dead to "
             "the others",
     .fallback = "10"},
    {TEXT("job", "FILE", job_file), .commands = XL_FOR_GENERATE, .path = XL_PATH_SHOWN,
     .completion = XL_COMPLETE_FILE, .group = "Sweeps",
     .help = "YAML or JSON file of these settings; flags come before it"},

    {TEXT("prompts", "FILE", prompts_file), .commands = XL_FOR_COMPARE, .path = XL_PATH_KEPT,
     .completion = XL_COMPLETE_FILE, .group = "Comparing",
     .help = "what to draw, a prompt a line; lines that begin with # are left out",
     .fallback = "--prompt, or six of our own"},
    {REAL("min-psnr", "DB", min_psnr, 0, 200), .commands = XL_FOR_COMPARE, .group = "Comparing",
     .help = "end with exit code 3 where a picture lies further from the reference than this; 0: "
             "do not judge",
     .fallback = "0"},

    {TEXT("device", "NAME", device), .check = xl_device_check_name,
     .commands = XL_FOR_GENERATE | XL_FOR_WORKER | XL_FOR_NIGHT | XL_FOR_SERVE,
     .group = "Computing",
     .help =
         "where to compute: auto (the first GPU, else the CPU), cpu, cuda, cuda:N (GPU number N "
         "of those that CUDA_VISIBLE_DEVICES leaves visible), or reference, the slow plain-C "
         "oracle",
     .fallback = "auto"},
    {CHOICE("dtype", "NAME", precision, precisions),
     .commands = XL_FOR_GENERATE | XL_FOR_WORKER | XL_FOR_API | XL_FOR_SERVE, .is_axis = true,
     .same_as = precision_names, .group = "Computing",
     .help =
         "arithmetic; auto takes f16 on a GPU, and on a CPU bf16 where it has instructions for it; "
         "f8 is f16 with large products in 8 bits, on GPUs from Hopper on",
     .fallback = "auto"},
    {INT("threads", "N", threads, 0, 1024), .commands = COMPUTES | XL_FOR_NIGHT | XL_FOR_SERVE,
     .group = "Computing", .help = "threads; 0 takes every core; the picture does not depend on it",
     .fallback = "0"},
    {INT("vae-tile", "PIXELS", vae_tile, 0, 16384), .commands = XL_FOR_GENERATE | XL_FOR_API,
     .group = "Computing",
     .help = "decode in overlapping tiles of this size to save memory; 0: whole", .fallback = "0"},
    {CHOICE("oom", "NAME", oom, oom_choices), .commands = RUNS | XL_FOR_API, .group = "Computing",
     .help = "when memory is short: shrink (tiles, fewer together, smaller pictures) or fail",
     .fallback = "shrink"},
    {REAL("max-memory", "GB", max_memory, 0, 100000),
     .commands = RUNS | XL_FOR_WORKER | XL_FOR_SERVE, .group = "Computing",
     .help = "memory that models and work may take, in all workers together, or on each GPU with "
             "--gpus; 0: what is free",
     .fallback = "0"},
    {INT("workers", "N", workers, 0, XL_WORKERS_MAX),
     .commands = RUNS | XL_FOR_NIGHT | XL_FOR_SERVE, .group = "Computing",
     .help = "draw in N processes of their own, which share the threads: one that dies costs the "
             "pictures that it had in hand, which are drawn again; 0: in this process",
     .fallback = "0"},

    {TEXT("gpus", "auto|N|all|UUID,...", gpus), .check = check_gpus,
     .commands = RUNS | XL_FOR_RUN | XL_FOR_NIGHT | XL_FOR_SERVE, .environment = "GPUS",
     .group = "GPUs",
     .help = "draw on GPUs that nobody uses, each locked while it is used, by a worker process "
             "each: one (auto), at most N, all that are idle, or those of these UUIDs (a beginning "
             "will do); none: as --device says, and nothing is locked",
     .fallback = "none"},
    {CHOICE("on-foreign-process", "NAME", on_foreign_process, foreign_choices),
     .commands = RUNS | XL_FOR_RUN | XL_FOR_NIGHT | XL_FOR_SERVE, .group = "GPUs",
     .help =
         "when another process comes to a GPU of ours, after the pictures at hand: go on with a "
         "warning, or leave the GPU to it; exit 75 when none is left",
     .fallback = "go-on"},
    {INT("idle-memory", "MIB", idle_memory, 0, 1 << 24),
     .commands = SEEKS_GPU | XL_FOR_GPU_LIST | XL_FOR_SERVE, .group = "GPUs",
     .help = "a GPU with more memory in use is not idle", .fallback = "256"},
    {INT("idle-utilization", "PERCENT", idle_utilization, 0, 100),
     .commands = SEEKS_GPU | XL_FOR_GPU_LIST | XL_FOR_SERVE, .group = "GPUs",
     .help = "nor is one that is busy for more of the time", .fallback = "5"},
    {SWITCH("allow-processes", allow_processes),
     .commands = SEEKS_GPU | XL_FOR_GPU_LIST | XL_FOR_SERVE, .group = "GPUs",
     .help = "a GPU may be idle although a process is on it (a display, a monitor)"},
    {TEXT("wait", "[TIME]", wait), .check = check_duration, .implied = "forever",
     .commands = SEEKS_GPU, .group = "GPUs",
     .help = "wait until a GPU is idle, for at most 90s, 10m, 1h30m; without TIME, forever",
     .fallback = "do not wait"},
    {REAL("interval", "SECONDS", interval, 0.1, 86400), .commands = SEEKS_GPU | XL_FOR_GPU_LIST,
     .group = "GPUs", .help = "between two looks, while waiting or watching", .fallback = "2"},
    {TEXT("gpu-lock-dir", "DIR", gpu_lock_dir),
     .commands = SEEKS_GPU | XL_FOR_GPU_LIST | XL_FOR_NIGHT | XL_FOR_SERVE,
     .environment = "GPU_LOCK_DIR", .is_place = true, .path = XL_PATH_KEPT,
     .completion = XL_COMPLETE_DIR, .group = "GPUs",
     .help = "where GPUs are locked, the same folder for all who share them",
     .fallback = "/tmp/sdxl-lab-gpus"},
    {SWITCH("uuid", only_uuid), .commands = XL_FOR_GPU_PICK, .group = "GPUs",
     .help = "print the UUID instead of the index: CUDA has another order"},

    {INT("repeat", "N", repeat, 0, 1000000), .commands = XL_FOR_RUN, .group = "Jobs",
     .help = "how often the command is run, in all; 0: until it is stopped; without this option, "
             "once for each GPU asked for"},
    {CHOICE("container", "ENGINE", container, containers), .commands = XL_FOR_RUN, .group = "Jobs",
     .help = "run the command in a container that sees one GPU", .fallback = "none"},
    {TEXT("container-image", "NAME", container_image), .commands = XL_FOR_RUN | SUBMITS,
     .is_passing = true, .group = "Jobs", .help = "the container's image, also on Kubernetes",
     .fallback = "sdxl-lab"},

    {CHOICE("on", "PLACE", on, places), .commands = SUBMITS, .is_passing = true, .group = "Cluster",
     .help =
         "who draws: this machine, a job array of Slurm, or a Job of Kubernetes (with --print). "
         "The run is planned here, and its tasks share its folder",
     .fallback = "here"},
    {SWITCH("print", print), .commands = SUBMITS, .is_passing = true, .group = "Cluster",
     .help = "plan the run and print the job script or manifest, but submit nothing"},
    {INT("tasks", "N", tasks, 1, 100000), .commands = SUBMITS, .is_passing = true,
     .group = "Cluster", .help = "tasks of the array; each takes pictures until none is left",
     .fallback = "8"},
    {INT("at-once", "N", at_once, 0, 100000), .commands = SUBMITS, .is_passing = true,
     .group = "Cluster",
     .help = "how many of them may run at a time; 0: as many as there is room for",
     .fallback = "0"},
    {TEXT("gres", "NAME:N", gres), .commands = SUBMITS, .is_passing = true, .group = "Cluster",
     .help = "what a task is given for itself; none: no GPU", .fallback = "gpu:1"},
    {TEXT("partition", "NAME", partition), .commands = SUBMITS, .is_passing = true,
     .group = "Cluster", .help = "Slurm's partition", .fallback = "the cluster's default"},
    {TEXT("account", "NAME", account), .commands = SUBMITS, .is_passing = true, .group = "Cluster",
     .help = "Slurm's account", .fallback = "the user's default"},
    {TEXT("qos", "NAME", qos), .commands = SUBMITS, .is_passing = true, .group = "Cluster",
     .help = "Slurm's quality of service", .fallback = "the user's default"},
    {TEXT("time", "TIME", time_limit), .commands = SUBMITS, .is_passing = true, .group = "Cluster",
     .help = "how long a task may run, as Slurm reads it: 90 (minutes), 8:00:00, 2-0",
     .fallback = "the partition's"},
    {LIST("sbatch", "OPTION", sbatch), .commands = SUBMITS, .is_passing = true, .group = "Cluster",
     .help = "one more option for sbatch, such as constraint=h100, as often as there are any"},
    {LIST("volume", "CLAIM:PATH", volumes), .commands = SUBMITS, .is_passing = true,
     .group = "Cluster",
     .help = "a persistent volume claim of Kubernetes and where it is mounted; one holds the run"},

    {SWITCH("new", is_new), .commands = XL_FOR_NIGHT, .group = "Nights",
     .help = "begin a new night, although one of this configuration can be gone on with"},
    {SWITCH("demo", is_demo), .commands = XL_FOR_NIGHT, .group = "Nights",
     .help = "a night of a dozen small pictures by the model that comes with the program, on the "
             "CPU, in a minute"},
    {SWITCH("now", now), .commands = XL_FOR_NIGHT_ASK, .group = "Nights",
     .help = "of night stop: give up what is being drawn, and do not wait for it"},
    {TEXT("jobs-file", "FILE", jobs_file), .commands = XL_FOR_NIGHT_ADD, .path = XL_PATH_SHOWN,
     .completion = XL_COMPLETE_FILE, .group = "Nights",
     .help = "YAML or JSON file of jobs to add: a map of settings, or a list of maps"},
    {TEXT("night", "DIR|CONFIG", night), .commands = XL_FOR_NIGHT_ADD, .path = XL_PATH_SHOWN,
     .completion = XL_COMPLETE_FILE, .group = "Nights", .help = "the night that is meant",
     .fallback = "the newest"},

    {TEXT("run", "DIR", run), .commands = FILTERS, .path = XL_PATH_SHOWN,
     .completion = XL_COMPLETE_DIR, .group = "Pictures",
     .help = "of this run: its directory, or the name of that"},
    {TEXT("search", "WORDS", text), .commands = FILTERS, .is_prose = true, .group = "Pictures",
     .help = "with all of these words, or beginnings of words, in the prompt, without -those, and "
             "with values: castle -fog steps:20..40 guidance:>5 model:\"two words\""},
    {TEXT("since", "TIME", since), .commands = FILTERS, .group = "Pictures",
     .help = "made then or later: 2026-11-24, 2026-11-24T03:15:00 (UTC), or how long ago: 12h, 7d"},
    {TEXT("until", "TIME", until), .commands = FILTERS, .group = "Pictures",
     .help = "made then or earlier; a day counts to its end"},
    {SWITCH("loved", only_loved), .commands = XL_FOR_PICTURES, .group = "Pictures",
     .help = "favourites only"},
    {INT("min-rating", "N", min_rating, 1, 5), .commands = XL_FOR_PICTURES, .group = "Pictures",
     .help = "rated so or better"},
    {CHOICE("sort", "ORDER", sort, picture_sorts), .commands = XL_FOR_PICTURES, .group = "Pictures",
     .help = "newest first, oldest first, or best first: those that are rated",
     .fallback = "newest"},
    {TEXT("after", "PLACE", after), .commands = XL_FOR_PICTURES, .group = "Pictures",
     .help = "go on behind this place, \"next\" of the page before"},

    {INT("port", "N", port, 0, 65535), .commands = XL_FOR_SERVE, .environment = "GRADIO_PORT",
     .is_place = true, .group = "Server",
     .help = "where the server listens; 0: any port that is free", .fallback = "7860"},
    {TEXT("bind", "ADDRESS", bind), .commands = XL_FOR_SERVE, .environment = "GRADIO_SERVER_NAME",
     .is_place = true, .group = "Server",
     .help =
         "the address that it listens on; one that other machines reach, such as 0.0.0.0, wants "
         "a token",
     .fallback = "127.0.0.1"},
    {TEXT("token-file", "FILE", token_file), .commands = XL_FOR_SERVE, .path = XL_PATH_KEPT,
     .completion = XL_COMPLETE_FILE, .group = "Server",
     .help = "file with the token that everybody has to show who asks, 16 characters or more; else "
             "the variable SDXL_LAB_TOKEN has it"},
    {SWITCH("no-token", no_token), .commands = XL_FOR_SERVE, .group = "Server",
     .help = "ask for no token, whoever reaches the address: everybody there may draw, and see and "
             "remove every picture"},
    {LIST("allow-host", "NAME[:PORT]", allow_hosts), .commands = XL_FOR_SERVE, .group = "Server",
     .help =
         "another name that the server answers to, such as that of a proxy, and whose pages may "
         "call it; as often as there are any"},
    {SWITCH("check", check), .commands = XL_FOR_SERVE, .group = "Server",
     .help = "start none: ask the server that has this port and address whether it is well, within "
             "ten seconds (exit code 0 or 7), for health checks"},
    {TEXT("base-path", "PATH", base_path), .commands = XL_FOR_SERVE, .group = "Server",
     .help = "paths begin so, where a proxy serves it below one: /lab"},

    {TEXT("output-dir", "DIR", output_dir),
     .commands = XL_FOR_GENERATE | XL_FOR_RUN | XL_FOR_NIGHTS | ASKS_INDEX | XL_FOR_PROMPTS |
                 XL_FOR_SERVE,
     .environment = "OUTPUT_DIR", .is_place = true, .path = XL_PATH_SHOWN,
     .completion = XL_COMPLETE_DIR, .group = "Output", .help = "where pictures and the job log go",
     .fallback = "output_images"},
    {TEXT("index-dir", "DIR", index_dir), .commands = ASKS_INDEX | XL_FOR_PROMPTS | XL_FOR_SERVE,
     .path = XL_PATH_KEPT, .completion = XL_COMPLETE_DIR, .group = "Output",
     .help = "where the index of pictures lies: on a disk of this machine where the output is not",
     .fallback = ".index in --output-dir"},
    {TEXT("instance", "NAME", instance),
     .commands = RUNS | XL_FOR_RUN | XL_FOR_NIGHT | XL_FOR_INDEX | XL_FOR_SERVE,
     .environment = "INSTANCE_ID", .is_place = true, .group = "Output",
     .help = "name of the job log: jobs_NAME.log", .fallback = "container or host name"},
#ifdef XL_CELL_TEST_FIELD
    {REAL("test-field", "X", test_field, 0, 1), .commands = XL_FOR_GENERATE, .is_axis = true,
     .group = "Sampling", .help = "for tests", .fallback = "0"},
#endif
    {INT("count", "N", count, 1, 1 << 28),
     .commands = XL_FOR_NOISE | XL_FOR_PROMPTS | XL_FOR_PICTURES, .group = "Output",
     .help = "how many random numbers, prompts or pictures; a preview of prompts shows 6",
     .fallback = "16"},
    {TEXT("learn-from", "FILE|favourites", learn_from), .commands = XL_FOR_PROMPTS,
     .path = XL_PATH_KEPT, .completion = XL_COMPLETE_FILE, .group = "Output",
     .help = "JSON file of factors that the weights of entries are multiplied by; favourites: "
             "factors that "
             "follow from what is loved in --output-dir"},
    {INT("budget", "N", budget, 1, 1000000), .commands = XL_FOR_FAVORITES, .group = "Output",
     .help = "how many pictures the next sweep may have", .fallback = "120"},
    {SWITCH("csv", csv), .commands = XL_FOR_FAVORITES | XL_FOR_MARKS, .group = "Output",
     .help = "every table as CSV on standard output and nothing else there"},
    {TEXT("html", "FILE", html), .commands = XL_FOR_FAVORITES, .path = XL_PATH_SHOWN,
     .completion = XL_COMPLETE_FILE, .group = "Output",
     .help = "write the report as a page with plots and thumbnails, which needs no other file"},
    {TEXT("export", "DIR", export_dir), .commands = XL_FOR_FAVORITES, .path = XL_PATH_SHOWN,
     .completion = XL_COMPLETE_DIR, .group = "Output",
     .help = "write everything into a folder: reports, contact sheets, a job file of each bundle, "
             "the next "
             "sweep"},
    {TEXT("name", "NAME", import_name), .commands = XL_FOR_PROFILES | XL_FOR_MODELS_ADD,
     .group = "Output",
     .help =
         "of profiles import: what to call the file of profiles that is written; of models add: "
         "what to call the model",
     .fallback = "as the file that is read"},
    {SWITCH("force", force), .commands = XL_FOR_PROFILES, .group = "Output",
     .help = "replace a file that is there"},
    {SWITCH("markdown", markdown), .commands = XL_FOR_MANUAL, .group = "Output",
     .help = "as Markdown instead of troff"},
    {SWITCH("json", json),
     .commands = XL_FOR_ALL & ~(XL_FOR_COMPLETION | XL_FOR_MANUAL | XL_FOR_WORKER),
     .group = "Output", .help = "one JSON document on standard output and nothing else there"},
    {SWITCH("quiet", quiet), .commands = XL_FOR_ALL, .group = "Output",
     .help = "no progress, no warnings"},
    {SWITCH("verbose", verbose), .commands = XL_FOR_ALL, .group = "Output",
     .help = "say what is loaded from where, and timings"},
};

enum { N_OPTIONS = sizeof options / sizeof *options };
_Static_assert(N_OPTIONS <= (int)XL_OPTIONS_MAX, "a set of options has a bit for each");
_Static_assert(XL_OPTIONS_MAX <= 8 * sizeof(xl_option_set), "and no more than it has");

const struct xl_option *xl_option_at(int i) {
    return i >= 0 && i < N_OPTIONS ? &options[i] : NULL;
}

int xl_option_index(const struct xl_option *option) {
    return (int)(option - options);
}

xl_option_set xl_option_bit(const struct xl_option *option) {
    return (xl_option_set)1 << xl_option_index(option);
}

static bool same_name(const char *a, const char *b) {
    while (*a && (*a == *b || (*a == '-' && *b == '_') || (*a == '_' && *b == '-'))) a++, b++;
    return !*a && !*b;
}

const struct xl_option *xl_option_find(const char *name) {
    for (int i = 0; i < N_OPTIONS; i++)
        if (same_name(options[i].name, name)) return &options[i];
    return NULL;
}

bool xl_option_environment(const struct xl_option *option, int i,
                           char out[XL_ENVIRONMENT_NAME_MAX]) {
    const char *name = option->environment ? option->environment : "";
    for (; *name; i--) {
        size_t n = strcspn(name, " ");
        if (i == 0 && n < XL_ENVIRONMENT_NAME_MAX) {
            memcpy(out, name, n);
            out[n] = 0;
            return true;
        }
        name += n + strspn(name + n, " ");
    }
    return false;
}
