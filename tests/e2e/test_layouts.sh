#!/bin/bash
# test_layouts.sh BINARY RANDOM_REPO - every model of the list in miniature, laid out as its repository is:
# each draws by its key what the same weights draw as a plain folder, from the files that should be read and no
# others; what is missing, dangling or cut is told with the command that mends it. Prints a line per check and
# "N passed, N failed".
set -u
bin=$(realpath "$1")
random_repo=$(realpath "$2")
tests=$(realpath "$(dirname "$0")")
. "$tests/common.sh"
export HF_HUB_CACHE=$work/cache/hub
"$tests/make_layouts.py" "$random_repo" cache >out 2>err || { bad "the repositories"; exit 1; }
tracer=() # what to run it in
draw() { # DIR MODEL [OPTION...]
    local dir=$1 model=$2
    shift 2
    "${tracer[@]}" "$bin" generate --model "$model" --prompt "a fox" --negative "a dog" --width 64 --height 64 --steps 2 --seed 3 \
        --guidance 5 --scheduler default --dtype f32 --output-dir "$dir" "$@"
}

# --- Each by its key ------------------------------------------------------------------------------------
expect "all are in the list" 0 "" "$bin" models list
check "ten are ready" test "$(head -11 out | grep -c ' ready, ')" = 10
exec 3<cache/list
while IFS=$'\t' read -r key id name lora <&3; do
    expect "$key draws" 0 "" draw "drawn/$name" "$key"
    if [ "$lora" = - ]; then draw "same/$name" "./cache/plain/$name" >out 2>err
    else draw "same/$name" ./cache/plain/stable-diffusion-xl-base-1.0 --lora "cache/plain/$name/$lora:1.2" >out 2>err; fi
    check "$key: what its weights draw as a plain folder" same "$(one "drawn/$name")" "$(one "same/$name")"
    "$bin" show --json "$(one "drawn/$name")" >out 2>err
    check "$key: its record has the key" grep -qF "\"model_key\": \"$key\"" out
    check "$key: and the repository" grep -qF "${id/#nerijs*/stabilityai/stable-diffusion-xl-base-1.0}" out
    check "$key: and each file that was read" test "$(grep -oFf "cache/chosen/$name" out | sort -u | wc -l)" = "$(wc -l <"cache/chosen/$name")"
    check "$key: and no other" sh -c "! grep -qFf 'cache/others/$name' out || [ ! -s 'cache/others/$name' ]"
done
pictures=(drawn/*/*.png)
check "no two draw the same" test "$(pixels "${pictures[@]}" | sort -u | wc -l)" = 10
# The scheduler is the repository's own: class and spacing.
scheduler() { "$bin" show --json "$(one "drawn/$1")" | grep -qF "\"_class_name\": \"$2\""; }
for pair in stable-diffusion-xl-base-1.0:EulerDiscreteScheduler sdxl-turbo:EulerAncestralDiscreteScheduler \
    RealVisXL_V5.0:DDIMScheduler cyberrealistic-xl-v58-sdxl:DDPMScheduler dreamshaper-xl-1-0:DEISMultistepScheduler \
    epicrealismXL-vx1Finalkiss_Checkpoint_SDXL:EulerDiscreteScheduler; do
    check "${pair%:*}: ${pair#*:}" scheduler "${pair%:*}" "${pair#*:}"
done
"$bin" show --json "$(one drawn/sdxl-turbo)" >out
check "Turbo's steps are spaced as its file says" grep -q '"timestep_spacing": "trailing"' out
expect "the list's recommendations, where nothing is asked for" 0 "" "$bin" generate --model "RealVis XL V5.0" \
    --prompt "a fox" --size 64x64 --steps 2 --seed 3 --output-dir asked
"$bin" show --json "$(one asked)" >out
check "its sampler" grep -q '"scheduler": "dpmpp-2m-karras"' out

# --- The same repository, other files of it -------------------------------------------------------------
expect "a choice is told" 0 "unet, vae, text_encoder, text_encoder_2: took the plain files (fp16 is complete too)" \
    draw told "SDXL Turbo"
check "in one line" test "$(cat out err | grep -c 'complete too')" = 1
expect "shards before a whole file, as in diffusers" 0 "unet: took diffusion_pytorch_model.safetensors.index.json (diffusion_pytorch_model.safetensors is complete too)" \
    draw told "Juggernaut XL"
base=$HF_HUB_CACHE/models--stabilityai--stable-diffusion-xl-base-1.0
half=$HF_HUB_CACHE/models--org--half # the base model as a download leaves it: one variant of each part
mkdir -p "$half" && cp -rP "$base/refs" "$base/snapshots" "$half/" && ln -s "../${base##*/}/blobs" "$half/blobs"
find "$half/snapshots" -name 'model.safetensors' -delete -o -name 'diffusion_pytorch_model.safetensors' -delete
expect "a variant alone" 0 "" draw drawn/half org/half
"$random_repo" --size tiny --seed 1 half-plain >out
expect "the same in f16" 0 "" draw same/half ./half-plain
check "the same pixels" same "$(one drawn/half)" "$(one same/half)"
check "and other ones than f32" differ "$(one drawn/half)" "$(one drawn/stable-diffusion-xl-base-1.0)"
animagine=cagliostrolab/animagine-xl-4.0
expect "a single file of a repository with folders" 0 "" draw drawn/opt $animagine:animagine-xl-4.0-opt.safetensors
"$random_repo" --size words --seed 5 opt-plain >out
expect "as a folder" 0 "" draw same/opt ./opt-plain
check "the same pixels" same "$(one drawn/opt)" "$(one same/opt)"
check "which is another model than its folders" differ "$(one drawn/opt)" "$(one drawn/animagine-xl-4.0)"

# --- Offline no socket is opened, and nothing is run: a trace of the system calls -----------------------
. "$tests/cache.sh"
if ! is_sanitized && strace -f -o trace true 2>/dev/null; then
    quiet() { # NAME COMMAND...: it draws, and talks to nobody
        local name=$1
        shift
        tracer=(env HF_HUB_OFFLINE=1 strace -f -o trace -e trace=network,execve,execveat)
        expect "$name draws offline" 0 "" "$@"
        tracer=()
        check "$name: no socket" sh -c "! grep -qE '(socket|connect|send|bind)[a-z]*\\(' trace"
        check "$name: no other program" test "$(grep -c execve trace)" = 1
    }
    mkdir glow && cp "$tests/../data/embeddings/glow.safetensors" glow/
    cache_repository "$HF_HUB_CACHE" me/glow glow
    mkdir soft && cp cache/made/tiny-3-f16/vae/* soft/
    cache_repository "$HF_HUB_CACHE" me/soft soft
    quiet "a folder of the cache" draw traced "SDXL Base 1.0"
    quiet "a single file" draw traced "EpicRealism XL"
    quiet "a LoRA of the list" draw traced "Pixel Art XL"
    quiet "a LoRA of the cache" draw traced "SDXL Base 1.0" --lora nerijs/pixel-art-xl:0.5
    quiet "a VAE of the cache" draw traced "SDXL Base 1.0" --vae me/soft
    quiet "an embedding of the cache" draw traced "$tests/../data/models/repo" --prompt "a glow fox" --embedding me/glow
    check "which counts" grep -aq '"embedding":"glow"' traced/*.png
else
    echo "skip strace: not here, may not trace, or may not trace a sanitizer"
fi

# --- The list, however wide the terminal is -------------------------------------------------------------
hub=$HF_HUB_CACHE
other() { # ID FOLDER
    cp -rL "$2" new && cache_repository "$hub" "$1" new
}
other somebody-with-a-long-name/a-pipeline-with-a-really-very-long-name-v12.3-fp16 cache/plain/anime_illust_diffusion_xl
other broken/dangling cache/plain/animagine-xl-4.0
rm "$(readlink -f "$(cache_dir "$hub" broken/dangling)"/snapshots/*/vae/*.safetensors)"
other broken/cut cache/plain/animagine-xl-4.0
truncate -s 1000 "$(readlink -f "$(cache_dir "$hub" broken/cut)"/snapshots/*/unet/*.safetensors)"
mkdir two && cp cache/made/words-8-f16.safetensors two/a.safetensors && cp cache/made/words-5-f16.safetensors two/b.safetensors
other org/two two
other org/lora cache/plain/pixel-art-xl
{ cut -f1 cache/list; printf '%s\n' "Lab Tiny XL" "Lab Tiny XL Turbo" org/half org/two org/lora broken/cut broken/dangling; } >names
# A line is as wide as the terminal at most, but for a path of its own, which is not cut.
fits() { LC_ALL=C.UTF-8 awk -v columns="$1" '{ line = $0; sub(/^ +/, "", line) } length($0) > columns && line ~ / / { exit 1 }'; }
listed() { # whether each name begins a line, those of the list first
    local name at last=0
    while read -r name; do
        at=$(grep -nF "$name  " seen | grep -m1 -E "^[0-9]+:$name  " | cut -d: -f1)
        [ -n "$at" ] || return 1
        [ "$name" != "Lab Tiny XL Turbo" ] || last=$at
        case $name in */*) [ "$at" -gt "$last" ] || return 1 ;; esac
    done <names
}
for columns in 40 60 80 120 200; do
    COLUMNS=$columns "$bin" models list >seen
    check "$columns columns: no line is wider" fits "$columns" <seen
    check "$columns columns: every name is whole, the list's first" listed
    COLUMNS=$columns "$bin" models doctor >out 2>err
    grep -v '^  sdxl-lab models download' out >seen
    check "$columns columns: the doctor's lines fit" fits "$columns" <seen
done
COLUMNS=40 "$bin" models list >seen
check "40 columns: names and states" grep -qE '^SDXL Turbo +ready, ' seen
check "what is broken says why" grep -qE '^model broken/dangling is incomplete:' seen
if command -v script >/dev/null; then
    script -qec "stty cols 60; '$bin' models list" /dev/null </dev/null | tr -d '\r' | sed 's/\x1b\[[0-9]*m//g' >seen
    check "a terminal of 60 columns" fits 60 <seen
    check "has every name" listed
fi

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
