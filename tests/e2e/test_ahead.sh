#!/bin/bash
# test_ahead.sh BINARY SOURCE_DIR - runs over several models, where the next one is made ready while this one
# draws (the reference backend does that as a GPU does; a CPU only reads ahead): pictures are those of each
# model alone, what is wrong with a model is said when its turn comes, an interruption does not wait.
# Prints a line per check and "N passed, N failed".
set -u
bin=$(realpath "$1")
repo=$(realpath "$2/tests/data/models/repo")
. "$(dirname "$0")/common.sh"
export CONTAINER_NAME=t CUDA_VISIBLE_DEVICES=

# Models that differ a little.
spoil() { # DIR NUMBER: other numbers at the end of the UNet
    local unet=$1/unet/diffusion_pytorch_model.safetensors
    printf "\\$(printf %o "$2")" |
        dd status=none bs=1 conv=notrunc seek=$(($(wc -c <"$unet") - 40)) of="$unet"
}
for m in 0 1 2; do cp -r "$repo" m$m && spoil m$m $((16 * m + 1)); done
draw() { "$bin" generate --prompt "a cat" --steps 8 --size 64x64 --dtype f32 "$@"; }
run_all() { # DEVICE DIR ARGS...
    draw --device "$1" --sweep "model=$work/m0,$work/m1,$work/m2" --sweep seed=1,2 --output-dir "$2" "${@:3}"
}
picture() { find "$1" -path "*model_m$2/*seed$3_*.png"; } # DIR MODEL SEED
n_pictures() { find "$1" -name '*_seed*.png' | wc -l; }

for device in reference cpu; do
    expect "$device: a run over three models" 0 "" run_all $device $device --verbose
    n_ready=$(grep -c ': ready on the device' err)
    # On a busy machine a model's turn may come before it is ready.
    if [ $device = cpu ]; then n=0; else n=[12]; fi
    [[ $n_ready = $n ]] && ok "$device: models are ready when their turn comes" || bad "$device: $n_ready were ready"
    for m in 0 1 2; do
        for seed in 1 2; do
            rm -rf alone && draw --device $device --model "$work/m$m" --seed $seed --output-dir alone >out 2>err
            same "$(picture $device $m $seed)" "$(one alone)" || { bad "$device: model $m, seed $seed"; continue 2; }
        done
        ok "$device: model $m draws what it draws alone"
    done
    differ "$(picture $device 0 1)" "$(picture $device 1 1)" && ok "$device: models differ" || bad "$device: models differ"
done

# Workers make the next model ready, too.
expect "a worker process" 0 "" run_all reference worker --workers 1
same "$(picture worker 2 2)" "$(picture reference 2 2)" && ok "it draws the same" || bad "it draws the same"

# What is wrong with the second model is found while the first one draws, and said after that.
find reference -name '*_seed*.png' -delete
cp -r m1 kept && spoil m1 3
dir=$(echo reference/sweep_*)
expect "a model that has changed" 3 "m1: its files differ from those that the run was planned with" \
    "$bin" resume "$dir"
[ "$(n_pictures reference)" -eq 4 ] && ok "the others are drawn" || bad "the others are drawn"
grep -c 'its files differ' err | grep -qx '[12]' && ok "it is said once, and in the end" || bad "it is said once"
find reference -name "*_seed*.png" -delete && rm -rf m1
expect "a model that is gone" 3 "neither a folder nor a repository" "$bin" resume "$dir"
mv kept m1
expect "the model is back" 0 "" "$bin" resume "$dir"
[ "$(n_pictures reference)" -eq 6 ] && ok "nothing is missing" || bad "nothing is missing"

# Without --default-signal, what a script starts in the background ignores SIGINT.
for m in 0 1; do
    env --default-signal=INT "$bin" generate --prompt "a cat" --steps 500 --size 128x128 --device reference \
        --sweep "model=$work/m0,$work/m1" --output-dir long --verbose >out 2>err &
    pid=$!
    if [ $m -eq 0 ]; then until=drawing; else until=ready; fi
    said=
    for _ in $(seq 1200); do grep -q "$until" err && said=1 && break; sleep 0.05; done
    start=$(date +%s%N)
    kill -INT $pid
    wait $pid
    code=$? took=$((($(date +%s%N) - start) / 1000000))
    [ $code -eq 130 ] && [ $took -lt 5000 ] && [ -n "$said" ] && ok "interrupted when it said \"$until\"" || bad "exit $code after $took ms"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
