#!/bin/bash
# test_storage.sh BINARY STORAGE_SHIM SOURCE_DIR - the output folder on network storage: sweeps, resumed
# after SIGKILL, by worker processes, and eight processes at once, under the rules of NFS (with locks and
# without), SMB, Lustre, FUSE and eCryptfs, as storage.c plays them. XL_STORAGE_ON: folders of real mounts
# (separated by blanks) to go through in their place. XL_STORAGE_KILLS: kills for each (6).
# Prints "N passed, N failed".
set -u
bin=$(realpath "$1") shim=$(realpath "$2")
repo=$(realpath "$3")/tests/data/models/repo
kills=${XL_STORAGE_KILLS:-6}
recovery_ms=${XL_STORAGE_MS:-2000} # more for a machine that is slow to begin with
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work
unset HEADLESS PROMPT INSTANCE_ID HF_HOME HF_HUB_CACHE HUGGINGFACE_HUB_CACHE XDG_CACHE_HOME XDG_CONFIG_HOME
passed=0 failed=0
ok() { passed=$((passed + 1)); echo "ok   $where: $1"; }
bad() { failed=$((failed + 1)); echo "FAIL $where: $1"; tail -2 "$work/err" 2>/dev/null | cut -c1-300 | sed 's/^/     /'; }
check() { local name=$1; shift; if "$@"; then ok "$name"; else bad "$name"; fi; }
contents() { find "$1" -name '*.png' ! -name 'sheet_*' -exec sha256sum {} + | cut -d' ' -f1 | sort; }

where=here
. "$(dirname "$0")/../sanitized.sh"
if is_sanitized; then
    echo "skip shim: the sanitizers' own allocator and this shim exclude each other"
    exit 77
fi

request=(--model "$repo" --prompt "a cat" --width 64 --height 64 --steps 1 --quiet)
sweep=("${request[@]}" --sweep seed=1..6 --sweep guidance=1,5)
"$bin" generate "${sweep[@]}" --output-dir "$work/whole" >/dev/null 2>"$work/err" || bad "undisturbed run"
contents "$work/whole" >"$work/whole.txt"
check "twelve pictures" [ "$(sort -u "$work/whole.txt" | wc -l)" -eq 12 ]

# lab ARGUMENTS...: the program, for which $out lies on the storage. $rules: empty on a real mount.
lab() {
    if [ -n "$rules" ]; then
        env LD_PRELOAD="$shim" XL_STORAGE="$rules" XL_STORAGE_DIR="$out" "$bin" "$@"
    else
        "$bin" "$@"
    fi
}

not_in_errors() { ! grep -q "$1" "$work/err"; }
is_whole() { contents "$1" | cmp -s - "$work/whole.txt"; }
leftovers() { find "$1" \( -name '.*.tmp' -o -name '*.owner' -o -name '*.guard' -o -name '.nfs*' \) | grep .; }
no_leftovers() { ! leftovers "$1"; }
whole_lines() { ! cat "$1"/jobs*.log | grep -v '^{.*}$' | grep .; }

# Killed at a random moment, resumed: the pictures of the undisturbed run.
killed_and_resumed() {
    local i run pid
    for i in $(seq 1 "$kills"); do
        rm -rf "$out/k"
        lab generate "${sweep[@]}" --output-dir "$out/k" >/dev/null 2>&1 &
        pid=$!
        sleep "0.$(printf '%03d' $((50 + RANDOM % 400)))"
        pkill -KILL -P $pid 2>/dev/null
        kill -KILL $pid 2>/dev/null
        wait $pid 2>/dev/null
        run=$(ls -d "$out"/k/sweep_* 2>/dev/null)
        [ -n "$run" ] && [ -f "$run/run.json" ] || continue
        lab resume "$run" --quiet >"$work/out" 2>"$work/err" || return 1
        is_whole "$out/k" && no_leftovers "$out/k" || return 1
    done
}

# Eight processes of one instance: each its pictures, its log under a name of its own, whole lines.
eight() {
    local i pids=()
    rm -rf "$out/e"
    for i in 1 2 3 4 5 6 7 8; do
        lab generate "${request[@]}" --seed "$i" --sweep guidance=1,5 --output-dir "$out/e" \
            >/dev/null 2>"$work/err$i" &
        pids+=($!)
    done
    for i in "${!pids[@]}"; do
        wait "${pids[$i]}" || { cp "$work/err$((i + 1))" "$work/err"; return 1; }
    done
    [ "$(find "$out/e" -name '*.png' ! -name 'sheet_*' | wc -l)" -eq 16 ] && whole_lines "$out/e" &&
        [ "$(cat "$out"/e/jobs*.log | grep -o '"paths":\[[^]]*' | grep -o '[^"]*[.]png' | sort -u | wc -l)" -eq 16 ]
}

# A second process is turned away from a run in which one works, and told why; when that one is killed,
# the run is free within two seconds, and the log's name with it.
one_a_run() {
    local pid run start
    rm -rf "$out/b"
    lab generate "${request[@]}" --steps 200 --sweep seed=1..200 --output-dir "$out/b" >/dev/null 2>&1 &
    pid=$!
    for _ in $(seq 1 1200); do
        run=$(ls -d "$out"/b/sweep_* 2>/dev/null)
        [ -n "$run" ] && [ -n "$(find "$run" -name '2*.png')" ] && break
        sleep 0.05
    done
    lab resume "$run" --quiet >/dev/null 2>"$work/err"
    [ $? -eq 6 ] && grep -q 'process' "$work/err" || { kill -KILL $pid; return 1; }
    pkill -KILL -P $pid 2>/dev/null
    kill -KILL $pid 2>/dev/null
    wait $pid 2>/dev/null
    start=$(date +%s%N)
    lab generate "${request[@]}" --seed 9 --output-dir "$out/b" >/dev/null 2>"$work/err" || return 1
    [ $((($(date +%s%N) - start) / 1000000)) -lt "$recovery_ms" ] && ! ls "$out"/b/jobs_2.log 2>/dev/null ||
        return 1
    lab resume "$run" --quiet >/dev/null 2>"$work/err" &
    pid=$!
    sleep 0.5
    pkill -INT -P $pid 2>/dev/null
    wait $pid 2>/dev/null
    ! grep -q process "$work/err"
}

by_workers() {
    rm -rf "$out/w"
    lab generate "${sweep[@]}" --workers 2 --output-dir "$out/w" >/dev/null 2>"$work/err" &&
        is_whole "$out/w" && no_leftovers "$out/w"
}

# Four processes mark pictures at once, one that makes the index anew is killed: all marks count, and where
# the storage is a network's, the index says so and has no write-ahead log there.
indexed() {
    local pid pids=() picture
    for picture in $(find "$out/w" -name '*.png' ! -name 'sheet_*' | sort | head -4); do
        lab favorite add "$picture" --output-dir "$out/w" >/dev/null 2>>"$work/err" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid" || return 1; done
    lab index rebuild --output-dir "$out/w" >/dev/null 2>&1 &
    pid=$!
    sleep "0.0$((RANDOM % 10))"
    pkill -KILL -P $pid 2>/dev/null
    kill -KILL $pid 2>/dev/null
    wait $pid 2>/dev/null
    lab favorite list --csv --output-dir "$out/w" >"$work/out" 2>"$work/err" &&
        [ "$(grep -c ',1,1,' "$work/out")" -eq 4 ] &&
        lab index status --output-dir "$out/w" >"$work/out" 2>"$work/err" && grep -q '^12 pictures' "$work/out" ||
        return 1
    case $rules in nfs* | smb | lustre)
        grep -q "no write-ahead log" "$work/out" && ! ls "$out"/w/.index/*-wal 2>/dev/null ;;
    esac
}

go_through() {
    check "killed and resumed" killed_and_resumed
    check "eight processes of one instance" eight
    check "one process a run, free again when it is killed" one_a_run
    check "worker processes" by_workers
    check "the index and marks" indexed
}

rules=
for out in ${XL_STORAGE_ON:-}; do
    where=$out
    out=$(mktemp -d "$out/lab.XXXXXX")
    go_through
    lab generate "${request[@]/--quiet/--verbose}" --output-dir "$out/f" 2>"$work/err" >/dev/null
    sed "s|^|     says: |" "$work/err" | cut -c1-300
    rm -rf "$out"
done
if [ -z "${XL_STORAGE_ON:-}" ]; then
    for rules in nfs nfs-nolock smb lustre fuse ecryptfs; do
        where=$rules
        out=$work/$rules
        mkdir "$out"
        go_through
        # Where lines of several machines can mix, it is said.
        case $rules in
        nfs*) name=NFS ;; smb) name=SMB ;; lustre) name=Lustre ;; fuse) name=FUSE ;; *) name= ;;
        esac
        lab generate "${request[@]/--quiet/--verbose}" --output-dir "$out/f" >/dev/null 2>"$work/err"
        if [ -n "$name" ]; then
            check "says that it is $name" grep -q "lies on $name, .*INSTANCE_ID" "$work/err"
        else
            check "has nothing to warn of" not_in_errors warning
        fi
    done
fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
