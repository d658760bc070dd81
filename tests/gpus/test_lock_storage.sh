#!/bin/bash
# test_lock_storage.sh BINARY FAKES SOURCE_DIR STORAGE_SHIM - the folder of GPU locks on network storage,
# as tests/fault/storage.c plays it: one owner at a time, told to others, and none after a kill. Prints
# "N passed, N failed".
bin=$(realpath "$1")
fakes=$(realpath "$2")
source=$(realpath "$3")
shim=$(realpath "$4")
. "$source/tests/e2e/common.sh"
if is_sanitized; then
    echo "skip shim: the sanitizers' own allocator and this shim exclude each other"
    exit 77
fi
export LD_LIBRARY_PATH=$fakes/new FAKE_NVML=$work/script INSTANCE_ID=t
echo "gpu GPU-00000001-0000-0000-0000-000000000000" >script
request=(--prompt "a cat" --model "$source/tests/data/models/repo" --width 64 --height 64 --steps 1 --gpus auto --quiet)
for rules in nfs nfs-nolock smb lustre fuse ecryptfs; do
    export GPU_LOCK_DIR=$work/$rules
    mkdir "$rules"
    lab() { env LD_PRELOAD="$shim" XL_STORAGE=$rules XL_STORAGE_DIR="$GPU_LOCK_DIR" "$bin" "$@"; }
    expect "$rules: taken" 0 "" lab generate "${request[@]}" --output-dir "a-$rules"
    env LD_PRELOAD="$shim" XL_STORAGE=$rules XL_STORAGE_DIR="$GPU_LOCK_DIR" \
        "$bin" generate "${request[@]}" --sweep seed=1..500 --output-dir "b-$rules" >/dev/null 2>&1 &
    pid=$!
    while [ -z "$(find "b-$rules" -name '*.png' 2>/dev/null)" ] && kill -0 $pid 2>/dev/null; do sleep 0.02; done
    expect "$rules: seen by others" 0 "locked by" lab gpu list
    expect "$rules: not taken twice" 4 "locked by" lab generate "${request[@]}" --output-dir "c-$rules"
    kill -KILL $pid
    wait $pid 2>/dev/null
    expect "$rules: free after a kill" 0 "" lab generate "${request[@]}" --output-dir "c-$rules" --wait 20s --interval 0.2
    check "$rules: nothing is left but the file" [ "$(ls "$rules")" = GPU-00000001-0000-0000-0000-000000000000.lock ]
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
