#!/bin/sh
# sweep.sh BUILD - what the lab costs around the engine in a sweep at 30 steps: wall time against the
# engine's own (text, steps, decoding). The rest is the lab's: planning, opening models, records, waiting for
# the disk, the last contact sheet. Two miniature models of random weights over 28 profiles, and the embedded
# model at its own size.
set -eu
build=$1
source=$(cd "$(dirname "$0")/.." && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
model=$source/tests/data/models/repo
cp -r "$model" "$out/other" # the same with some weights zero: another model
unet=$out/other/unet/diffusion_pytorch_model.safetensors
dd if=/dev/zero of="$unet" bs=1 seek=$(($(stat -c %s "$unet") - 200)) count=200 conv=notrunc 2>/dev/null

# sweep NAME OPTIONS...
sweep() {
    name=$1
    shift
    rm -rf "$out/run"
    "$build/sdxl-lab" generate --prompt "a cat" --steps 30 --seed 1 --output-dir "$out/run" --json --quiet "$@" \
        >"$out/json"
    awk -v name="$name" -F '[:,]' '
        / "(encode|sample|decode)_s"/ { engine += $2 }
        / "total_s"/ { total = $2 }
        / "path"/ { n++ }
        END { printf "%-28s %3d pictures  %6.2f s, engine %6.2f s, lab %4.1f %%\n", name, n, total, engine,
              100 * (total - engine) / total }' "$out/json"
}
both="--sweep model=$model,$out/other --sweep profile=all"
sweep "two miniatures, 128 x 128" $both --size 128x128
sweep "two miniatures, 256 x 256" $both --size 256x256
sweep "embedded model, 256 x 256" --model "$source/models/lab-tiny-xl" --all-profiles
