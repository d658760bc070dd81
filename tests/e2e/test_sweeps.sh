#!/bin/bash
# test_sweeps.sh BINARY SOURCE_DIR - sweeps say what they will do: values are checked before anything is
# drawn, the dry run tells pictures apart. Prints a line per check and "N passed, N failed".
set -u
bin=$(realpath "$1")
repo=$(realpath "$2/tests/data/models/repo")
images=$(realpath "$2/tests/data/images")
. "$(dirname "$0")/common.sh"
export CONTAINER_NAME=t
draw=("$bin" generate --model "$repo" --size 64x64 --steps 1)

# The run refuses what the dry run refuses: the same sentence, the same exit code, and no folder.
alike() { # CODE ARGS...
    local code=$1
    shift
    "${draw[@]}" --prompt x --output-dir none --dry-run "$@" >out 2>dry
    local dry=$?
    "${draw[@]}" --prompt x --output-dir none "$@" >out 2>err
    local run=$?
    [ $dry -eq "$code" ] && [ $run -eq "$code" ] && cmp -s dry err && [ ! -e none ]
}
refuse() { # CODE ARGS...
    if alike "$@"; then ok "refused alike: ${*:2}"; else bad "refused alike: ${*:2}"; fi
}
printf 'Watercolor\nWatercolr\n' >profiles.txt
echo "no picture" >text.png
refuse 2 --sweep profile=Watercolor,Watercolr
refuse 2 --sweep profile=@profiles.txt
refuse 2 --sweep scheduler=euler,eulr
refuse 2 --sweep size=64x64,65x65
refuse 2 --sweep width=64,65
refuse 2 --sweep "init-image=$images/rgb-8.png,nowhere.png"
refuse 2 --sweep init-image=text.png
refuse 2 --sweep strength=0.1,0.9
refuse 2 --sweep guidance=1,-1
refuse 2 --sweep rng=torch-cpu,numpy
refuse 2 --sweep seed=1..10:3
refuse 5 --sweep "model=$repo,nobody/nothing"
refuse 5 --sweep "model=$repo,SDXL Turbo"
refuse 2 --sweep "model=$repo,SDXL Trubo"
refuse 2 --all-models
refuse 2 --all-profiles --profile Watercolor
refuse 2 --sweep profile=all --profile Watercolor
refuse 2 --vae-tile 8
refuse 2 --scheduler eulr

# What differs is in the lines, whatever it is, and columns begin where the others begin.
lines() { "${draw[@]}" --dry-run "$@" 2>err | grep -E '^ *[0-9]+  ' | sed 's/^ *[0-9]* *//' >out; }
apart() { # N ARGS...: N lines, all different
    local n=$1
    shift
    lines "$@"
    if [ "$(wc -l <out)" -eq "$n" ] && [ "$(sort -u out | wc -l)" -eq "$n" ]; then ok "apart: $*"
    else bad "apart: $*"; fi
}
long="a long sentence about a fox in the snow that goes on for more than forty columns and then"
apart 2 --sweep 'prompt=a,b'
apart 3 --sweep "prompt=[\"$long one\", \"$long two\", \"another one: $long three\"]"
apart 4 --sweep "prompt=[\"$long one\", \"$long two\", \"b: $long one\", \"b: $long two\"]"
apart 3 --prompt x --sweep 'negative=[null, "", "y"]'
apart 2 --prompt x --sweep guidance-rescale=0,0.7
apart 2 --prompt x --sweep rng=torch-cpu,torch-cuda
apart 4 --prompt x --sweep "init-image=$images/rgb-8.png,$images/rgba-8.png" --sweep strength=0.5,1
apart 4 --prompt x --sweep scheduler=euler,ddim --sweep size=64x64,128x64
apart 3 --prompt x --sweep seed=-1,-1,-1
lines --prompt x --seed 1 --sweep 'prompt=["東京、雨","a cat’s","plain"]' --sweep guidance=1,10
sed 's/東京、雨/xxxxxxxx/; s/’/x/' out | sed 's/64x64.*//' | awk '{ print length($0) }' | sort -u >widths
check "columns of wide characters begin where the others begin" test "$(wc -l <widths)" -eq 1

# A seed that nobody chose is no number yet.
lines --prompt x --sweep steps=1,2 --batch 2
check "a random seed is called so" sh -c "[ \$(grep -c 'seed random ' out) -eq 4 ] && [ \$(grep -c 'random + 1 ' out) -eq 2 ]"
lines --prompt x --sweep seed=-1,7 --seed 3
check "on an axis, too" sh -c "[ \$(grep -c 'seed random ' out) -eq 1 ] && [ \$(grep -c 'seed 7 ' out) -eq 1 ]"
expect "in JSON" 0 '"seed": "random"' "${draw[@]}" --prompt x --dry-run --json
check "without an id that will be another one" grep -q '"id": null' out
expect "random seeds" 0 "3 drawn, of 3" "${draw[@]}" --prompt x --sweep seed=-1,-1,-1 --output-dir r
check "are in run.json" sh -c "for s in \$(ls r/sweep_*/*seed*.png | grep -o 'seed[0-9]*' | tr -d a-z); do grep -q '\"seed=.*\\\\\"'\$s'\\\\\"' r/sweep_*/run.json || exit 1; done"
rm "$(ls r/sweep_*/*seed*.png | head -1)"
ls r/sweep_*/*seed*.png | grep -o 'seed[0-9]*' >seeds
expect "resume draws the same" 0 "1 drawn, 2 were there" "$bin" resume r/sweep_*
check "seeds" sh -c "[ \$(ls r/sweep_*/*seed*.png | grep -o 'seed[0-9]*' | sort -u | wc -l) -eq 3 ]"

# Names say what differs, whoever draws.
for workers in 0 1; do
    "${draw[@]}" --prompt x --sweep 'negative=blurry,"bad, worse"' --sweep guidance=2,3.5 --workers $workers \
        --output-dir n$workers >out 2>err
    check "names say what differs, with $workers workers" sh -c \
        "ls n$workers/sweep_*/*_raw_x_negative-bad-worse-guidance3.5_seed*_00.png n$workers/sweep_*/*_negative-blurry-guidance2_seed*"
    check "each has its own" test "$(ls n$workers/sweep_*/*_00.png | wc -l)" -eq 4
done

# A finished run gets more values: what is there stays, and only the new is drawn.
"${draw[@]}" --prompt x --sweep seed=1..2 --sweep profile=Watercolor,Cinematic --output-dir e >out 2>err
run=$(ls -d e/sweep_*)
pictures() { find "$run" -name '2*.png' | wc -l; }
find "$run" -name '2*.png' -exec sha256sum {} + >first
cp "$run/run.json" before.json
expect "a dry run says what would be added" 0 "pictures 4" "$bin" resume "$run" --sweep seed=2..4 --dry-run
check "the new ones alone" sh -c "[ \$(grep -c 'seed [34] ' out) -eq 4 ] && ! grep -q 'seed [12] ' out"
check "and changes nothing" cmp before.json "$run/run.json"
expect "more seeds" 0 "4 drawn, 4 were there, of 8" "$bin" resume "$run" --sweep seed=2..4
check "what was there is there" sha256sum -c first
check "the request says them" grep -qF '"seed=[\"1\",\"2\",\"3\",\"4\"]"' "$run/run.json"
expect "the same again adds nothing" 0 "nothing is added" "$bin" resume "$run" --sweep seed=2..4
check "nor draws" grep -q "0 drawn, 8 were there, of 8" out
expect "a new axis crosses what is there" 0 "8 drawn, 8 were there, of 16" \
    "$bin" generate --resume "$run" --sweep steps=2
check "beside what counted without it" grep -qF '"steps=[null,\"2\"]"' "$run/run.json"
expect "two axes at once" 0 "14 drawn, 16 were there, of 30" "$bin" resume "$run" --sweep seed=5 --sweep 'profile=None (raw)' \
    --sweep steps=1
check "each picture once" test "$(pictures)" -eq 30
check "what was there is there still" sha256sum -c first
expect "verified" 0 "same 30" "$bin" verify "$run"
check "the page has all" sh -c "[ \$(grep -o '\"state\"[: ]*\"done\"' '$run/cells.js' | wc -l) -ge 30 ]"
check "the log has all" sh -c "[ \$(grep -o 'seed[0-9]*_[0-9]*[.]png' e/jobs_*.log | wc -l) -eq 30 ]"
expect "a value that cannot be" 2 "--sweep profile: profile" "$bin" resume "$run" --sweep profile=Watercolr
cp -r "$repo" other && printf '{"_class_name": "EulerDiscreteScheduler", "beta_end": 0.011}' >other/scheduler/scheduler_config.json
expect "another model" 0 "of 60" "$bin" resume "$run" --sweep model=other
check "in a folder of its own" test "$(ls "$run"/model_other/2*.png | wc -l)" -eq 30
expect "verified with it" 0 "same 60" "$bin" verify "$run"
printf '{"_class_name": "EulerDiscreteScheduler", "beta_end": 0.0115}' >other/scheduler/scheduler_config.json
expect "whose files are those that it began with" 2 "other: its files are others" "$bin" resume "$run" --sweep seed=9
rm -rf other
expect "which must be there when the run is extended" 2 "other: model" "$bin" resume "$run" --sweep seed=9

cp "$images/rgb-8.png" i.png
"${draw[@]}" --prompt x --init-image i.png --strength 1 --sweep seed=1..2 --output-dir i >out 2>err
cp "$images/rgba-8.png" i.png
expect "and so is what it starts from" 2 "i.png is not the picture any more" "$bin" resume i/sweep_* --sweep seed=3

# Killed at any moment, the plan is the old one or the new one, and the run can go on.
"${draw[@]}" --prompt x --sweep seed=1..2 --output-dir k >out 2>err
run=$(ls -d k/sweep_*)
for n in 3 4 5 6 7 8 9 10 11 12; do
    "$bin" resume "$run" --sweep seed=1..$n >/dev/null 2>&1 &
    sleep 0.0$((RANDOM % 10))
    kill -KILL $! 2>/dev/null
    wait $! 2>/dev/null
    cells=$(grep -c '"id": "[0-9a-f]\{32\}"' "$run/run.json")
    [ "$cells" -ge 2 ] && [ "$cells" -le "$n" ] || bad "killed: $cells cells of $n"
done
expect "after ten kills" 0 "of 12" "$bin" resume "$run" --sweep seed=1..12
check "all are there once" test "$(pictures)" -eq 12
expect "and are right" 0 "same 12" "$bin" verify "$run"

# Of many, and of one
expect "more pictures than are likely meant" 2 "say --yes" "${draw[@]}" --prompt x --sweep seed=1..100000 --dry-run
for one in "--sweep seed=1,1" "--sweep steps=1,1.0" "--all-models --max-memory 1"; do
    "${draw[@]}" --prompt x --seed 1 $one --dry-run >>said 2>&1
done
"${draw[@]}" --prompt x --sweep seed=1,2 --output-dir p --verbose >>said 2>&1
rm "$(ls p/sweep_*/*seed1*.png)"
"$bin" resume p/sweep_* --verbose >>said 2>&1
"$bin" inspect schedule --model "$repo" --steps 1 >>said 2>&1
"$bin" verify nowhere.png >>said 2>&1
"$bin" show nowhere.png >>said 2>&1
check "one is no plural" sh -c "! grep -nE '(^|[ (,])1 [a-z]+s( |,|\$)' said | grep -vE '1 (s|was) '"
check "one was there" grep -q "1 was there" said

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
