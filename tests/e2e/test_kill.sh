#!/bin/bash
# test_kill.sh BINARY SOURCE_DIR - a sweep of 2 models x 29 profiles, killed with SIGKILL at random
# moments and resumed until it is whole: no picture lost, none twice, every byte as in a run that
# nobody disturbed, every line of the log readable. XL_KILLS: how many kills (200).
# Prints "N passed, N failed".
set -u
bin=$1
repo=$2/tests/data/models/repo
kills=${XL_KILLS:-200}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work
unset HEADLESS PROMPT HF_HOME HF_HUB_CACHE HUGGINGFACE_HUB_CACHE XDG_CACHE_HOME XDG_CONFIG_HOME
failed=0 passed=0
bad() { failed=$((failed + 1)); echo "FAIL $*"; }
ok() { passed=$((passed + 1)); echo "ok   $*"; }

cp -r "$repo" "$work/first"
cp -r "$repo" "$work/second"
# Another model: some weights are zero. (Two copies of one model would be drawn once.)
unet=$work/second/unet/diffusion_pytorch_model.safetensors
dd if=/dev/zero of="$unet" bs=1 seek=$(($(stat -c %s "$unet") - 200)) count=200 conv=notrunc 2>/dev/null
request=(--prompt "a cat" --width 64 --height 64 --steps 1 --seed 7
    --sweep "model=$work/first,$work/second" --sweep profile=all)
contents() { find "$1" -name '*.png' ! -name 'sheet_*' -exec sha256sum {} + | cut -d' ' -f1 | sort; }

start=$(date +%s%N)
"$bin" generate "${request[@]}" --output-dir "$work/whole" --quiet >/dev/null || bad "undisturbed run"
whole_ms=$((($(date +%s%N) - start) / 1000000))
contents "$work/whole" >"$work/whole.txt"
[ "$(wc -l <"$work/whole.txt")" -eq 58 ] && ok "58 pictures" || bad "$(wc -l <"$work/whole.txt") pictures"
[ "$(sort -u "$work/whole.txt" | wc -l)" -eq 58 ] && ok "all different" || bad "pictures repeat"

# A process and its end: started, killed after a random part of the time of a whole run.
disturb() {
    "$bin" "$@" --quiet >/dev/null 2>>"$work/err" &
    local pid=$! ms=$((RANDOM % (whole_ms + 50)))
    sleep "$(printf '0.%03d' $((ms % 1000)))"
    kill -KILL $pid 2>/dev/null && n_kills=$((n_kills + 1))
    wait $pid 2>/dev/null
}

n_kills=0 n_runs=0
while [ $n_kills -lt "$kills" ] && [ $failed -eq 0 ]; do
    n_runs=$((n_runs + 1))
    out=$work/run$n_runs
    disturb generate "${request[@]}" --output-dir "$out"
    for _ in 1 2 3; do
        run=$(ls -d "$out"/sweep_* 2>/dev/null)
        [ -n "$run" ] && [ -f "$run/run.json" ] || break # killed before there was anything to lose
        disturb resume "$run"
    done
    run=$(ls -d "$out"/sweep_* 2>/dev/null)
    if [ -z "$run" ] || [ ! -f "$run/run.json" ]; then rm -rf "$out"; continue; fi
    "$bin" resume "$run" --quiet >"$work/out" 2>&1 || bad "resume: $(tail -1 "$work/out")"
    contents "$out" | cmp -s - "$work/whole.txt" ||
        bad "run $n_runs differs: $(contents "$out" | wc -l) pictures, $(contents "$out" | sort -u | wc -l) different"
    find "$out" -name '.*.tmp' | grep . && bad "run $n_runs: temporary files are left"
    # Every line is a JSON object that ends where it should; every picture is in the log.
    if grep -vq '^{.*}$' "$out"/jobs*.log; then
        # what a kill cut off stands alone in its line and is allowed; nothing may follow it there
        grep -v '^{.*}$' "$out"/jobs*.log | grep -q '}{' && bad "run $n_runs: two lines in one"
    fi
    find "$out" -name '*.png' ! -name 'sheet_*' -printf '%p\n' | grep -o 'model_[^/]*/.*' |
        sort >"$work/there.txt"
    grep -oh 'model_[^/"]*/[^/"]*[.]png' "$out"/jobs*.log | sort -u | comm -23 "$work/there.txt" - | grep . &&
        bad "run $n_runs: pictures are not in the log"
    rm -rf "$out"
done
[ $failed -eq 0 ] && ok "$n_kills kills in $n_runs runs"

# A damaged picture is set aside and made again; a second process is turned away.
"$bin" generate "${request[@]}" --output-dir "$work/run" --quiet >/dev/null
run=$(ls -d "$work"/run/sweep_*)
victim=$(find "$run" -name '*_photoreal_*.png' | head -1)
truncate -s -200 "$victim"
"$bin" resume "$run" --quiet >/dev/null 2>&1
contents "$work/run" | cmp -s - "$work/whole.txt" && [ -f "$victim.damaged" ] &&
    ok "a damaged picture is made again" || bad "a damaged picture"
"$bin" generate --model "$repo" --prompt "a cat" --width 256 --height 256 --steps 100 --sweep seed=1..100 \
    --output-dir "$work/busy" --quiet >/dev/null 2>&1 &
pid=$!
while [ -z "$(find "$work/busy" -name '2*.png' 2>/dev/null)" ] && kill -0 $pid 2>/dev/null; do sleep 0.05; done
"$bin" resume "$work"/busy/sweep_* >"$work/out" 2>&1
[ $? -eq 6 ] && grep -q "another process" "$work/out" && ok "one process a run" || bad "two processes"
kill -KILL $pid 2>/dev/null
wait $pid 2>/dev/null
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
