#!/bin/bash
# test_faults.sh BINARY SHIM SOURCE_DIR - sdxl-lab generate while calls of the system fail one by one:
# every allocation, every mmap, everything that touches the picture. It must never crash; it ends with
# the right exit code and one sentence, leaves no torn or stray file (the job log and its lock are
# none), and draws the same picture when all is well again. Kills may leave a temporary file.
#
# Allocations are a few thousand; a sample of them is tried unless XL_FAULT_ALL is set. Allocations of
# oneDNN and of the C++ library below it are left alone: oneDNN 2.6 crashes when its code generator gets
# no memory, which the program avoids by asking only while there is some (onednn.c). So are those of
# OpenSSL, which takes its first lock although it could not make it.
set -u
bin=$1 shim=$2
repo=$3/tests/data/models/repo
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
unset HF_HOME HF_HUB_CACHE HUGGINGFACE_HUB_CACHE XDG_CACHE_HOME
export HOME=$work INSTANCE_ID=t

. "$(dirname "$0")/../sanitized.sh"
if is_sanitized; then
    echo "skip shim: the sanitizers' own allocator and this shim exclude each other"
    exit 77
fi

out=$work/out
draw=("$bin" generate --model "$repo" --prompt cat --width 64 --height 64 --steps 1 --seed 1
    --threads 1 --output-dir "$out")
"${draw[@]}" >/dev/null || exit 1
expected=$work/expected.png
mv "$out"/*.png "$expected"
rm -rf "$out"

ok() { passed=$((passed + 1)); }
bad() {
    failed=$((failed + 1))
    echo "FAIL $1"
    head -3 "$work/err" | cut -c1-300 | sed 's/^/     /'
}

# faulty VARIABLE=VALUE...: one run with the shim; its exit code in $got
faulty() {
    rm -rf "$out"
    # The subshell's own word on a killed process goes nowhere.
    { env LD_PRELOAD="$shim" XL_FAULT_EXCEPT=libdnnl,libstdc++,libgomp,libcrypto "$@" \
        "${draw[@]}" >"$work/stdout" 2>"$work/err" </dev/null; } 2>/dev/null
    got=$?
}

# Whole pictures and other things in the output folder.
survey() {
    pictures=0 strays=0 torn=0
    local file
    for file in "$out"/* "$out"/.[!.]*; do
        [ -e "$file" ] || continue
        case $file in
        *.png) if cmp -s "$file" "$expected"; then pictures=$((pictures + 1)); else torn=$((torn + 1)); fi ;;
        */jobs_t.log | */.jobs_t.lock) ;;
        *) strays=$((strays + 1)) ;;
        esac
    done
}

# judge NAME CODES: the run that was just made. 0 means that the fault did no harm.
judge() {
    survey
    local lines
    lines=$(grep -c 'sdxl-lab: error: ' "$work/err")
    case " $2 " in
    *" $got "*) ;;
    *) bad "$1: exit $got, expected $2"; return ;;
    esac
    if [ $torn -ne 0 ] || [ $strays -ne 0 ]; then bad "$1: $torn torn, $strays stray files"
    elif [ "$got" -eq 0 ] && [ $pictures -ne 1 ]; then bad "$1: exit 0 without the picture"
    elif [ "$got" -ne 0 ] && [ "$lines" -ne 1 ]; then bad "$1: $lines sentences"
    else ok; fi
}

# count VARIABLE=VALUE...: how many calls match, in $n
count() {
    faulty XL_FAULT_COUNT="$work/n" "$@"
    n=$(cat "$work/n")
}

# numbers N MOST: 1..N, or about MOST of them spread over it
numbers() {
    local step=$(($1 / $2 + 1))
    [ -n "${XL_FAULT_ALL:-}" ] && step=1
    seq 1 $step "$1"
}

# each GROUP MOST CODES VARIABLE=VALUE...: let the calls of a group go wrong one at a time
each() {
    local group=$1 most=$2 codes=$3 i
    shift 3
    count XL_FAULT_CALLS="$group" "$@"
    [ "$n" -gt 0 ] || { bad "$group $*: no such call"; return; }
    for i in $(numbers "$n" "$most"); do
        faulty XL_FAULT_CALLS="$group" XL_FAULT_AT="$i" "$@"
        judge "$group $i of $n${*:+ ($*)}" "$codes"
    done
    echo "$group ${*}: $n calls"
}

# Memory. What fails may be dispensable (a line buffer), or there when it is asked for again (when a
# part of the model cannot be compiled, the others are given up for it): then it is drawn.
each alloc 250 "0 3"
each alloc 60 "0 3" XL_FAULT_PERSISTENT=1
each alloc 100 "0 3" XL_FAULT_MIN=4096
each mmap 100 "0 3"

# The picture: its temporary file, its name, its directory. EINVAL makes the program think that the
# file system lacks renameat2 or link.
each open 100 "6" XL_FAULT_PATH=.tmp
each open 100 "6" XL_FAULT_PATH=.tmp XL_FAULT_ERRNO=30
for error in 28 5; do # ENOSPC, EIO
    each write 100 "6" XL_FAULT_PATH=.tmp XL_FAULT_ERRNO=$error
    each fsync 100 "6" XL_FAULT_PATH=.tmp XL_FAULT_ERRNO=$error
    each rename 100 "6" XL_FAULT_PATH=.png XL_FAULT_ERRNO=$error
done
each write 100 "0" XL_FAULT_PATH=.tmp XL_FAULT_ACTION=short
each write 100 "6" XL_FAULT_PATH=.tmp XL_FAULT_PERSISTENT=1
each rename 100 "0" XL_FAULT_PATH=.png XL_FAULT_ERRNO=22
each rename,link 100 "0 6" XL_FAULT_PATH=.png XL_FAULT_ERRNO=22 XL_FAULT_PERSISTENT=1
# Everything else in the folder (the job log): whether it fails the run is the lab's affair.
each open,write,fsync,rename,link 100 "0 3 6" XL_FAULT_PATH="$out"
each open,write,fsync,rename,link 100 "0 3 6" XL_FAULT_PATH="$out" XL_FAULT_PERSISTENT=1
# Files of the model that cannot be opened or mapped: the model's exit code, nothing in the folder.
each open 100 "0 5" XL_FAULT_PATH="$repo" XL_FAULT_ERRNO=5
each mmap 100 "3 5" XL_FAULT_PATH="$repo" XL_FAULT_ERRNO=5

# Killed at each step of writing: a whole picture or none, and the next run is as the first.
files=(XL_FAULT_CALLS=write,fsync,rename,link XL_FAULT_PATH="$out")
for action in kill kill-after; do
    count "${files[@]}"
    for i in $(seq 1 "$n"); do
        faulty "${files[@]}" XL_FAULT_AT="$i" XL_FAULT_ACTION=$action
        survey
        if [ $got -ne 137 ] || [ $torn -ne 0 ] || [ $((pictures + strays)) -gt 1 ]; then
            bad "$action $i: exit $got, $pictures pictures, $torn torn, $strays strays"
        else ok; fi
        "${draw[@]}" >/dev/null 2>"$work/err" </dev/null && survey
        if [ $torn -eq 0 ] && [ $pictures -ge 1 ]; then ok; else bad "$action $i: again"; fi
    done
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
