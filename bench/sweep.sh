#!/bin/sh
# sweep.sh BUILD - what the lab costs around the engine: a sweep of the miniature model over 28 profiles at
# 30 steps, wall time against the engine's own (text, steps, decoding). The last line of each size is the
# share that is the lab's: planning, records, waiting for the disk, the contact sheet.
set -eu
build=$1
model=$(cd "$(dirname "$0")/.." && pwd)/tests/data/models/repo
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for side in 128 256; do
    rm -rf "$out/run"
    "$build/sdxl-lab" generate --model "$model" --prompt "a cat" --width $side --height $side --steps 30 \
        --seed 1 --all-profiles --output-dir "$out/run" --json --quiet >"$out/json"
    awk -v side=$side -F '[:,]' '
        / "(encode|sample|decode)_s"/ { engine += $2 }
        / "total_s"/ { total = $2 }
        END { printf "sweep of 28 pictures, %d x %d, 30 steps  %6.2f s, engine %6.2f s, lab %4.1f %%\n",
              side, side, total, engine, 100 * (total - engine) / total }' "$out/json"
done
