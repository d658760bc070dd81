#!/bin/bash
# test_names.sh BINARY SHIM SOURCE_DIR - where names must be shorter than usual (encrypted folders, some
# network shares), and where a path is too deep: everything that a run writes fits, or it says so before
# it draws. No finished picture is lost. Prints "N passed, N failed".
set -u
bin=$1 shim=$2 repo=$3/tests/data/models/repo
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
unset HF_HOME HF_HUB_CACHE HUGGINGFACE_HUB_CACHE XDG_CACHE_HOME
export HOME=$work INSTANCE_ID=$(printf 'a-host-%.0s' 1 2 3 4 5 6 7 8 9)
. "$(dirname "$0")/../sanitized.sh"
cd "$work" || exit 1
if is_sanitized; then
    echo "skip shim: the sanitizers' own libraries and this shim exclude each other"
    exit 77
fi
ok() { passed=$((passed + 1)); }
bad() {
    failed=$((failed + 1))
    echo "FAIL $1"
    head -3 err | cut -c1-300 | sed 's/^/     /'
}
check() { # NAME COMMAND...
    local name=$1
    shift
    if "$@" >/dev/null 2>&1; then ok; else bad "$name"; fi
}
prompt=$(printf 'word %.0s' $(seq 40))
draw=("$bin" generate --model "$repo" --prompt "$prompt" --width 64 --height 64 --steps 1 --threads 1
    --profile "Pixel Art / Isometric Game + Low-Poly 3D / PS1")
# narrow MAX ARGUMENTS...: draw where names have at most MAX bytes; its exit code in $got
narrow() {
    local max=$1
    shift
    env LD_PRELOAD="$shim" XL_FAULT_NAME_MAX="$max" "${draw[@]}" "$@" >stdout 2>err </dev/null
    got=$?
}
# longest DIR: bytes of the longest name below it
longest() { find "$1" -printf '%f\n' | LC_ALL=C awk '{ if (length($0) > n) n = length($0) } END { print n }'; }

for max in 143 100 80 64; do
    narrow $max --seed 18446744073709551615 --batch 1 --output-dir "one$max"
    check "$max bytes: a picture ($got)" test $got -eq 0
    check "$max bytes: its seed is in its name" sh -c "ls one$max/*_seed18446744073709551615_00.png"
    check "$max bytes: names fit" test "$(longest one$max)" -le $max
    narrow $max --sweep seed=1..2 --sweep steps=1,2 --sweep "model=$repo" --output-dir "sweep$max"
    check "$max bytes: a sweep ($got)" test $got -eq 0
    check "$max bytes: four pictures" test "$(find "sweep$max" -name '*_seed[12]_0[01].png' | wc -l)" -eq 4
    check "$max bytes: a sheet" sh -c "find sweep$max -name 'sheet_01.png' | grep -q ."
    check "$max bytes: names of the sweep fit" test "$(longest sweep$max)" -le $max
    narrow $max --seed 1 --workers 1 --output-dir "worker$max"
    check "$max bytes: drawn by a worker ($got)" test $got -eq 0
done

# A damaged picture is set aside under a longer name.
run=$(echo sweep143/sweep_*)
for file in $(find "$run" -name '*_seed1_*.png'); do printf x >"$file"; done
env LD_PRELOAD="$shim" XL_FAULT_NAME_MAX=143 "$bin" resume "$run" >stdout 2>err
check "damaged pictures are set aside" test "$(find "$run" -name '*.damaged' | wc -l)" -eq 2
check "and drawn again" test "$(find "$run" -name '*_seed1_*.png' | wc -l)" -eq 2

# A file system that says more than it takes: the picture is kept all the same.
env XL_FAULT_NAME_SAYS=255 LD_PRELOAD="$shim" XL_FAULT_NAME_MAX=90 "${draw[@]}" --batch 2 --seed 1 --output-dir lies >stdout 2>err
check "a limit that was not told" sh -c "ls lies/*_seed1_00.png lies/*_seed2_00.png"
check "a limit that was not told: nothing else stays" test "$(find lies -name '.n*' | wc -l)" -eq 0

# Too little for any name, and a path that is too deep: said before drawing, and nothing is made.
narrow 60 --seed 1 --output-dir least
check "60 bytes are too few ($got)" test $got -eq 6
check "60 bytes: says why" grep -q 'a name there may have 60 bytes at most' err
check "60 bytes: no picture" sh -c "! ls least/*.png"
deep=$(printf "/$(printf 'd%.0s' $(seq 200))%.0s" $(seq 20))
"${draw[@]}" --seed 1 --output-dir "$work$deep" >stdout 2>err
check "a path that is too deep ($?)" grep -q "the output directory's path has [0-9]* bytes" err
check "a path that is too deep: one sentence" test "$(wc -l <err)" -eq 1
check "a path that is too deep: nothing is made" test ! -e "$work/$(printf 'd%.0s' $(seq 200))"

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
