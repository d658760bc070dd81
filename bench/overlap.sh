#!/bin/sh
# overlap.sh BUILD [N [DEVICE [SIZE [MODEL]]]] - what changing models costs where the next one is made ready
# while one draws: N models x 4 profiles at 20 steps in one process against the sum of their pure image times,
# each of which is the best of three seeds of its profile with a model that is at hand. Models are copies of
# MODEL (BUILD/bench-model, which tools/bench makes) whose weights all count as others; 6.9 GB each beside it,
# in XL_BENCH_DIR (else BUILD), and removed in the end. The page cache is warm from the copying as far as
# memory goes.
set -eu
build=$1 n=${2:-10} device=${3:-cuda} size=${4:-1024} model=${5:-$1/bench-model}
models=$(mktemp -d "${XL_BENCH_DIR:-$build}/bench-overlap-XXXXXX")
trap 'rm -rf "$models"' EXIT
profiles="profile=Cinematic,Watercolor,Pencil Sketch,Photoreal"
list=
for i in $(seq "$n"); do
    cp -rL --reflink=auto "$model" "$models/$i"
    for file in $(find "$models/$i" -name '*.safetensors'); do # the last but 20 numbers differ a little
        printf "\\$(printf %o "$i")" |
            dd bs=1 conv=notrunc seek=$(($(wc -c <"$file") - 40)) of="$file" 2>/dev/null
    done
    list=$list${list:+,}$models/$i
done

# draw DIR OPTIONS...: one process; its job log in $models/DIR.log, its whole time in seconds in $models/DIR.s
draw() {
    dir=$models/out-$1 name=$1
    shift
    start=$(date +%s%N)
    "$build/sdxl-lab" generate --prompt "a lighthouse at dawn" --steps 20 --size "${size}x$size" \
        --device "$device" --sweep "$profiles" --output-dir "$dir" --json --quiet "$@" >"$models/$name.json"
    echo $((($(date +%s%N) - start) / 1000000)) >"$models/$name.ms"
    cat "$dir"/jobs_*.log >"$models/$name.log"
}
draw pure --model "$models/1" --sweep seed=1..3 # and ways that are not known yet are tried here
draw pure2 --model "$models/1" --sweep seed=1..3
draw run --sweep "model=$list" --seed 1

# PROFILE SECONDS MODEL of each job of a log, in order
jobs() {
    sed -E 's/.*"model_key":"([^"]*)".*"profile_style":"([^"]*)".*"total_s":([^,]*),.*/\2\t\3\t\1/' "$models/$1.log"
}
jobs pure2 >"$models/pure"
jobs run >"$models/drawn"
total_ms() { awk -F '[:,]' '/^  "total_s"/ { printf "%.0f", 1000 * $2 }' "$models/$1.json"; }
awk -F '\t' -v wall="$(total_ms run)" -v process="$(cat "$models/run.ms")" -v n="$n" '
    FNR == NR { if (!($1 in best) || $2 < best[$1]) best[$1] = $2; next }
    {
        sum += best[$1]
        if ($3 != model) { n_models++; if (n_models > 1) { first += $2 - best[$1] } else load = $2 - best[$1] }
        else rest += $2 - best[$1]
        drawn += $2; n_jobs++; model = $3
    }
    END {
        later = n_models > 1 ? first / (n_models - 1) : 0
        between = wall / 1000 - drawn
        printf "%d models x 4 profiles, 20 steps: %d pictures\n", n, n_jobs
        printf "  pure image times %8.2f s, %.3f s a picture\n", sum, sum / n_jobs
        printf "  wall of the run  %8.2f s, %.3f x; without the first load (%.2f s) %.3f x; the process %.2f s\n",
               wall / 1000, wall / 1000 / sum, load, (wall / 1000 - load) / sum, process / 1000
        printf "  in drawings      %8.2f s; the first picture of a later model takes %.3f s more, others %.3f s\n",
               drawn, later, rest / (n_jobs - n_models)
        printf "  between them     %8.2f s, %.3f s a picture\n", between, between / n_jobs
    }' "$models/pure" "$models/drawn"
