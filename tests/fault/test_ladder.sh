#!/bin/bash
# test_ladder.sh BINARY SHIM SOURCE_DIR - every allocation of device memory fails in turn, once or from
# then on, while three pictures of 320x320 are drawn. The run ends; what was drawn is what its record
# says, and what was given up stands in record and log. Prints "N passed, N failed".
set -u
bin=$(realpath "$1") shim=$(realpath "$2")
repo=$3/tests/data/models/repo
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
unset HEADLESS PROMPT HF_HOME HF_HUB_CACHE HUGGINGFACE_HUB_CACHE XDG_CACHE_HOME XDG_CONFIG_HOME
export HOME=$work INSTANCE_ID=t
. "$(dirname "$0")/../sanitized.sh"
cd "$work" || exit 1
if is_sanitized; then
    echo "skip shim: the sanitizers' own allocator and this shim exclude each other"
    exit 77
fi
ok() { passed=$((passed + 1)); }
bad() { failed=$((failed + 1)); echo "FAIL $1"; head -3 err | cut -c1-200 | sed 's/^/     /'; }

draw=("$bin" generate --model "$repo" --prompt cat --width 320 --height 320 --batch 3 --group 3 --steps 1
    --seed 1 --threads 1 --output-dir out)
# Device memory of the CPU backend: what is mapped, and large blocks.
shim() { env LD_PRELOAD="$shim" XL_FAULT_EXCEPT=libdnnl,libstdc++,libgomp "$@"; }
most=${XL_FAULT_MOST:-40}

# judge NAME: the run that was just made
judge() {
    local n
    n=$(ls out/*.png 2>/dev/null | wc -l)
    if [ $got -ne 0 ] && [ $got -ne 3 ]; then bad "$1: exit $got"; return; fi
    if [ $got -eq 0 ] && [ $n -ne 3 ]; then bad "$1: exit 0 with $n pictures"; return; fi
    if ! grep -q 'sdxl-lab: error: ' err && [ $got -ne 0 ]; then bad "$1: no sentence"; return; fi
    # Before the first cell is known there is no folder and no log.
    [ -e out/jobs_t.log ] || { ok; return; }
    if [ $got -eq 3 ] && ! grep -q '"error": *"' out/jobs_t.log; then bad "$1: no error in the log"; return; fi
    if [ $n -gt 0 ]; then
        "$bin" verify out/*.png >verdict 2>&1 || { bad "$1: $(grep -v '^same' verdict | head -1)"; return; }
    fi
    # What was given up is in the log if and only if it is in a picture.
    local in_pictures in_log
    in_pictures=$(cat out/*.png 2>/dev/null | grep -ac '"fallback":"')
    in_log=$(grep -c '"fallback": *"' out/jobs_t.log)
    if [ "$in_pictures" -gt 0 ] && [ "$in_log" -eq 0 ]; then bad "$1: not in the log"; return; fi
    [ "$in_log" -gt 0 ] && n_fallbacks=$((n_fallbacks + 1))
    ok
}

n_fallbacks=0
for where in "mmap" "alloc XL_FAULT_MIN=65536"; do
    set -- $where
    rm -rf out
    shim XL_FAULT_CALLS=$1 XL_FAULT_COUNT=n ${2:-} "${draw[@]}" >/dev/null 2>err
    n=$(cat n)
    echo "$where: $n allocations"
    for persistent in 0 1; do
        for i in $(seq 1 $((n / most + 1)) "$n"); do
            rm -rf out
            extra=${2:-}
            [ $persistent = 1 ] && extra="$extra XL_FAULT_PERSISTENT=1"
            shim XL_FAULT_CALLS=$1 XL_FAULT_AT=$i $extra "${draw[@]}" >/dev/null 2>err
            got=$?
            judge "$where $i of $n, persistent $persistent"
        done
    done
done
echo "$n_fallbacks runs went down the ladder"
if [ $n_fallbacks -gt 0 ]; then ok; else bad "no run went down the ladder: this tests nothing"; fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
