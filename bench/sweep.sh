#!/bin/sh
# sweep.sh BUILD - what the lab costs around the engine: two miniature models over 28 profiles at 30 steps,
# wall time against the engine's own (text, steps, decoding). The rest is the lab's: planning, opening
# models, records, waiting for the disk, the last contact sheet.
set -eu
build=$1
model=$(cd "$(dirname "$0")/.." && pwd)/tests/data/models/repo
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cp -r "$model" "$out/other" # the same with some weights zero: another model
unet=$out/other/unet/diffusion_pytorch_model.safetensors
dd if=/dev/zero of="$unet" bs=1 seek=$(($(stat -c %s "$unet") - 200)) count=200 conv=notrunc 2>/dev/null
for side in 128 256; do
    rm -rf "$out/run"
    "$build/sdxl-lab" generate --sweep "model=$model,$out/other" --sweep profile=all --prompt "a cat" \
        --width $side --height $side --steps 30 --seed 1 --output-dir "$out/run" --json --quiet >"$out/json"
    awk -v side=$side -F '[:,]' '
        / "(encode|sample|decode)_s"/ { engine += $2 }
        / "total_s"/ { total = $2 }
        END { printf "sweep of 56 pictures, %d x %d, 30 steps  %6.2f s, engine %6.2f s, lab %4.1f %%\n",
              side, side, total, engine, 100 * (total - engine) / total }' "$out/json"
done
