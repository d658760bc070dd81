#!/bin/bash
# test_lab.sh BINARY SOURCE_DIR - the lab as a person and a container use it: headless by environment,
# job files, sweeps, run directories, exit codes, verification, image to image in every mode. Prints
# a line per check and "N passed, N failed".
set -u
bin=$(realpath "$1")
repo=$(realpath "$2/tests/data/models/repo")
init=$(realpath "$2/tests/data/models/pipeline/init.png")
. "$(dirname "$0")/common.sh"
pictures() { find "$@" -name '*.png' ! -name 'sheet_*' 2>/dev/null; }
count() { pictures "$1" | wc -l; }
small=(WIDTH=64 HEIGHT=64 STEPS=1 SEED=5 MODEL_KEY="$repo")
draw=("$bin" generate --model "$repo" --prompt cat --width 64 --height 64 --steps 1 --seed 5)

# Headless by environment
expect "nothing asked for: the page, until it is told to end" 124 "http://127.0.0.1:" \
    timeout 8 env GRADIO_PORT=0 OUTPUT_DIR=served "$bin"
expect "help: how to start" 0 "usage" "$bin" --help
expect "PROMPT alone is headless" 0 "1 drawn" env "${small[@]}" PROMPT=cat OUTPUT_DIR=a "$bin"
check "one picture" test "$(count a)" -eq 1
check "listed on standard output" grep -q '^a/.*_raw_cat_seed5_00.png$' out
expect "HEADLESS=1 without a prompt" 2 "PROMPT" env "${small[@]}" HEADLESS=1 "$bin"
expect "HEADLESS=true, the earlier spellings" 0 "2 drawn" env HEADLESS=true PROMPT=cat MODEL="$repo" \
    CFG_SCALE=7.5 SCHEDULER="DPM++ 2M" WIDTH=64 HEIGHT=64 STEPS=2 BATCH_SIZE=2 SEED=-1 \
    STYLE_PROFILE="Tim Burton" OUTPUT_DIR=b "$bin"
for name in Default Euler "DPM++ 2M" UniPC; do
    expect "the earlier app's sampler $name" 0 "1 drawn" env "${small[@]}" PROMPT=cat SCHEDULER="$name" \
        OUTPUT_DIR=samplers "$bin"
done
check "the profile is in the name" sh -c "ls b | grep -q '_tim-burton_cat_seed'"
check "and in the record" sh -c "grep -aq 'Style profile: Tim Burton' b/*.png"
check "and its words in the prompt" sh -c "grep -aq 'gothic fairytale, elongated silhouettes' b/*.png"
check "and its negative" sh -c "grep -aq 'Negative prompt: bright saturated colors' b/*.png"
expect "both spellings that differ" 2 "CFG_SCALE" env "${small[@]}" PROMPT=cat GUIDANCE=5 CFG_SCALE=6 "$bin"
expect "flags come before the environment" 0 "1 drawn" env "${small[@]}" PROMPT=cat OUTPUT_DIR=c "$bin" --seed 9
check "the flag's seed" sh -c "ls c | grep -q seed9_"
expect "all models and all profiles at once" 2 "exclude each other" env "${small[@]}" PROMPT=cat \
    RUN_ALL_MODELS=true RUN_ALL_PROFILES=1 "$bin"
expect "the same on the command line" 2 "exclude each other" "${draw[@]}" --all-models --all-profiles
expect "img2img headless" 0 "1 drawn" env "${small[@]}" STEPS=4 PROMPT=cat MODE=img2img \
    INIT_IMAGE_PATH="$init" IMG2IMG_STRENGTH=0.5 OUTPUT_DIR=d "$bin"
check "logged as img2img" grep -q '"mode": *"img2img"' d/jobs*.log
expect "img2img without a picture" 2 "INIT_IMAGE_PATH" env "${small[@]}" PROMPT=cat MODE=img2img "$bin"
expect "txt2img ignores the picture" 0 "" env "${small[@]}" PROMPT=cat MODE=txt2img INIT_IMAGE_PATH="$init" \
    OUTPUT_DIR=e "$bin"
check "logged as txt2img" grep -q '"mode": *"txt2img"' e/jobs*.log
expect "a profile that is not there" 2 "Watercolo" env "${small[@]}" PROMPT=cat STYLE_PROFILE=Watercolr "$bin"
expect "a model that is not there" 5 "not" env "${small[@]}" PROMPT=cat MODEL_KEY="SDXL Turbo" "$bin"
check "which is logged" sh -c "grep -q '\"model_key\": *\"SDXL Turbo\".*\"error\": *\".*not in the Hugging' output_images/jobs_*.log"
expect "no model at all is cached" 5 "none of the" env SDXL_LAB_SHARE="$work" "$bin" generate --prompt cat --all-models

# The job log
expect "an instance of its own" 0 "jobs_night.log" env "${small[@]}" PROMPT=cat INSTANCE_ID=night OUTPUT_DIR=f "$bin"
check "its log" test -s f/jobs_night.log
expect "a hostile instance" 0 "" env "${small[@]}" PROMPT=cat INSTANCE_ID=../../x/y OUTPUT_DIR=g "$bin"
check "stays in the folder" sh -c "ls g | grep -q '^jobs_' && ! ls -d x ../x"
expect "a failure is logged, too" 2 "" env "${small[@]}" PROMPT=cat SCHEDULER=warp INSTANCE_ID=i OUTPUT_DIR=h "$bin"
check "with its sentence" grep -q '"error": *"scheduler .*warp' h/jobs_i.log

# Sweeps
expect "all profiles" 0 "29 drawn, of 29" "${draw[@]}" --all-profiles --output-dir s
run=$(ls -d s/multi_profiles_*)
check "29 pictures, the raw one among them" sh -c "[ $(count "$run") -eq 29 ] && ls $run/*_raw_*.png"
check "a contact sheet" test -s "$run/sheet_01.png"
check "a page" test -s "$run/index.html"
check "run.json" test -s "$run/run.json"
check "the log is beside the run and names it" sh -c "[ \$(grep -c '\"run_dir\": *\"$work/$run\"' s/jobs_*.log) -eq 29 ]"
expect "resuming a whole run draws nothing" 0 "0 drawn, 29 were there" "$bin" resume "$run"
rm "$(pictures "$run" | head -1)"
expect "resuming makes what is missing" 0 "1 drawn, 28 were there" "$bin" resume "$run"
expect "a resumed run keeps its settings" 2 "--steps would change them" "$bin" generate --resume "$run" --steps 3
expect "--resume" 0 "0 drawn, 29 were there" "$bin" generate --resume "$run" --threads 1
expect "resuming something else" 2 "run.json" "$bin" resume "$work"
expect "a grid by axes" 0 "12 drawn, of 12" "${draw[@]}" --sweep steps=1,2 --sweep guidance=1:5:2 \
    --sweep seed=1..2 --output-dir t
expect "equal cells are drawn once" 0 "1 drawn, of 1" "${draw[@]}" --sweep guidance=3,3.0 --output-dir u
expect "a dry run draws nothing" 0 "pictures 6" "${draw[@]}" --sweep steps=1..3 --batch 2 --output-dir v --dry-run
check "and makes no folder" test ! -e v
expect "two models, one missing" 5 "--sweep model: model nobody/nothing: not in" "${draw[@]}" \
    --sweep model="$repo,nobody/nothing" --output-dir w0
check "before there is a folder" test ! -e w0
expect "the dry run says the same" 5 "--sweep model: model nobody/nothing: not in" "${draw[@]}" \
    --sweep model="$repo,nobody/nothing" --output-dir w0 --dry-run
expect "two models" 0 "2 drawn, of 2" "${draw[@]}" --sweep model="$repo,$repo" --seed 1 --sweep seed=1,2 \
    --output-dir w
check "a folder for each model" sh -c "ls -d w/sweep_*/model_repo"
expect "an axis with a value that cannot be" 2 '--sweep scheduler: scheduler "eulr" is unknown; did you mean "euler"' \
    "${draw[@]}" --sweep scheduler=euler,eulr --output-dir x0
check "makes no folder either" test ! -e x0
expect "a sweep with a cell that cannot be drawn" 3 "1 of 2 pictures failed" "${draw[@]}" \
    --sweep size=64x64,320x320 --max-memory 0.008 --oom fail --output-dir x
check "the other one is there" test "$(count x)" -eq 1
expect "ten equal failures in a row end it" 3 "10 equal failures" "${draw[@]}" --max-memory 0.001 \
    --oom fail --sweep seed=1..20 --output-dir y
check "ten lines, no more" test "$(grep -c '"status": *"XL_ENOMEM"' y/jobs_*.log)" -eq 10
cat >job.yaml <<EOF
# what the night is for
prompt: a cat
model: $repo
size: 64x64
steps: 1
seed: 3
output_dir: z
sweep:
  profile: [Watercolor, "Tim Burton + 35mm Film"]
  guidance: "2:4:2"
EOF
expect "a job file" 0 "4 drawn, of 4" "$bin" generate --job job.yaml
expect "flags come before a job file" 0 "8 drawn, of 8" "$bin" generate --job job.yaml --batch 2 --output-dir z2
sed -i 's/^steps/stepz/' job.yaml
expect "a slip in a job file" 2 'job.yaml:5:1: "stepz" is no setting; did you mean "steps"?' \
    "$bin" generate --job job.yaml
sed -i 's/^stepz: 1/steps: many/' job.yaml
expect "a wrong value in a job file" 2 'job.yaml:5:8: steps: "many" is not a whole number from 1 to 1000' \
    "$bin" generate --job job.yaml
sed -i 's/^steps: many/steps: 1/; s/guidance: "2:4:2"/guidance: [2, x]/' job.yaml
expect "a wrong value of an axis" 2 'job.yaml:10:17: --sweep guidance=[2,"x"]: "x" is not a number' \
    "$bin" generate --job job.yaml
expect "json of a sweep" 0 "" "${draw[@]}" --sweep steps=1,2 --output-dir z3 --json
check "is one document" sh -c "[ \$(grep -c '^{' out) -eq 1 ] && [ \$(grep -c '\"path\": \"$work/z3/' out) -eq 2 ]"

# Models with limits: kept to them among others, warned of alone; profiles do not move them
cat >models.yaml <<EOF
Tiny Turbo:
  folder: $repo
  licence: none
  width: 64
  height: 64
  steps: 2
  guidance: 0
  steps_min: 1
  steps_max: 4
  guidance_min: 0
  guidance_max: 0
  ignores_profile: true
Tiny Base:
  folder: $work/changed
  licence: none
  width: 64
  height: 64
  steps: 6
  guidance: 4
EOF
cp -r "$repo" changed
unet=changed/unet/diffusion_pytorch_model.safetensors
dd if=/dev/zero of=$unet bs=1 seek=$(($(stat -c %s $unet) - 200)) count=200 conv=notrunc 2>/dev/null
tiny=("$bin" generate --models-file models.yaml --prompt cat --seed 5)
expect "the catalogue's advice" 0 "" "${tiny[@]}" --model "tiny turbo" --profile Photoreal --output-dir l1
check "steps and guidance of the model, not of the profile" grep -q '"steps": *2,.*"guidance_scale": *0[,.]' l1/jobs_*.log
expect "a person may ask for more, and is warned" 0 "is made for 4 steps and guidance 0" "${tiny[@]}" \
    --model "Tiny Turbo" --steps 9 --guidance 3 --output-dir l2
check "and gets it" grep -q '"steps": *9,' l2/jobs_*.log
expect "among others the limits hold" 0 "kept to that" "${tiny[@]}" --steps 9 \
    --sweep 'model=Tiny Turbo,Tiny Base' --sweep guidance=2,5 --output-dir l3
check "one picture of the first, two of the second" sh -c "[ \$(ls l3/*/model_tiny-turbo/2*.png | wc -l) -eq 1 ] && [ \$(ls l3/*/model_tiny-base/2*.png | wc -l) -eq 2 ]"
expect "all models with all profiles" 0 "116 drawn, of 116" "${tiny[@]}" --all-models --steps 2 \
    --sweep seed=1..2 --output-dir l4
check "the embedded model is not among them" sh -c "! ls -d l4/*/model_lab-tiny-xl"
check "models that are not cached are named, in one line" sh -c "[ \$(grep -c ^skipped out) -eq 1 ] && grep -q '^skipped .*SDXL Base 1.0, ' out"
check "on the page, too" sh -c "grep -q '\"skipped\":\[.*\"model\":\"SDXL Base 1.0\"' l4/*/cells.js"
check "a run directory as the earlier app had it" test -d l4/all_models_profiles_*/model_tiny-turbo
expect "an unknown model is told from a slip" 2 "did you mean" "$bin" generate --model "SDXL Trubo" --prompt cat

# Short of memory: down the ladder, on record; nothing is drawn that cannot be
expect "less memory: smaller" 0 "256x256 instead of 320x320" "${draw[@]}" --width 320 --height 320 --batch 3 \
    --max-memory 0.008 --output-dir o1
if command -v python3 >/dev/null; then
    python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])' "${draw[@]}" --size 64x64 --sweep seed=1,2 \
        --output-dir "$HOME/home-pictures" >out 2>err </dev/null
    check "on a terminal the home folder is ~" grep -q "^page     ~/home-pictures/" out
fi
expect "a run says it" 0 "smaller  for want of memory:" "${draw[@]}" --width 320 --height 320 --sweep seed=1,2 \
    --max-memory 0.008 --output-dir o1s
check "before the path" grep -qE "^ +256x256 instead of 320x320: o1s/" out
check "requested and actual size in the record" sh -c "grep -aq '\"width\":256' o1/*.png && grep -aq '\"requested_width\":320' o1/*.png"
check "and in the log" grep -q '"width": *256,.*"requested_width": *320' o1/jobs_*.log
check "all three" test "$(count o1)" -eq 3
expect "verified at the size that it has" 0 "same" "$bin" verify $(pictures o1)
expect "nothing is given up where that is asked" 3 "more memory than there is" "${draw[@]}" --width 320 \
    --height 320 --max-memory 0.008 --oom fail --output-dir o2
expect "the ladder ends" 3 "the least there is" "${draw[@]}" --max-memory 0.001 --output-dir o3

# Together or alone, resumed or not: the same bytes. Verified from their records.
"${draw[@]}" --sweep profile=all --group 5 --output-dir g5 >/dev/null 2>&1
check "five together give the bytes of one at a time" sh -c "[ '$(pictures g5 | xargs sha256sum | cut -c1-64 | sort | sha256sum)' = '$(pictures "$run" | xargs sha256sum | cut -c1-64 | sort | sha256sum)' ]"
replayed=$(pictures s t d b z z2 | wc -l)
check "fifty pictures or more to replay ($replayed)" test "$replayed" -ge 50
expect "verify" 0 "same" "$bin" verify $(pictures s t d b z z2)
rm -rf changed && cp -r "$repo" changed
"$bin" generate --model changed --prompt cat --width 64 --height 64 --steps 1 --output-dir ch >/dev/null 2>&1
unet=changed/unet/diffusion_pytorch_model.safetensors
dd if=/dev/zero of=$unet bs=1 seek=$(($(stat -c %s $unet) - 200)) count=200 conv=notrunc 2>/dev/null
expect "a picture that its model does not draw" 3 "DIFFERENT" "$bin" verify $(pictures ch)
expect "verify a picture without a record" 2 "record" "$bin" verify "$init"

# Image to image and back again in one run: one model, loaded once, as when drawn apart
expect "both modes in one sweep" 0 "8 drawn, of 8" "${draw[@]}" --steps 3 --strength 0.7 \
    --sweep "init-image=[\"\", \"$init\"]" --sweep seed=1..4 --output-dir both
expect "verified" 0 "same" "$bin" verify $(pictures both)

# A full disk: exit 6, and on when there is room again
if mkdir small && mount -t tmpfs -o size=200k none small 2>/dev/null; then
    expect "the disk fills up" 6 "" "${draw[@]}" --all-profiles --output-dir small
    check "no torn picture" "$bin" verify $(pictures small)
    mount -o remount,size=20m small
    expect "resumed with room" 0 "of 29" "$bin" resume small/multi_profiles_*
    check "all are there" test "$(count small)" -eq 29
    umount small
fi

# SIGTERM: out in time, nothing torn, resumable
"${draw[@]}" --steps 30 --width 256 --height 256 --sweep seed=1..200 --output-dir term >out 2>err &
pid=$!
while [ "$(count term)" -lt 2 ] && kill -0 $pid 2>/dev/null; do sleep 0.05; done
start=$(date +%s%N)
kill -TERM $pid
wait $pid
code=$?
ms=$((($(date +%s%N) - start) / 1000000))
check "SIGTERM: exit 143" test $code -eq 143
check "within ten seconds ($ms ms)" test $ms -lt 10000
check "says how to go on" grep -q "sdxl-lab resume term/sweep_" out
check "no torn file" sh -c "! find term -name '*.tmp' | grep ."

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
