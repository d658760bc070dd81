#!/bin/bash
# test_spread.sh BINARY FAKES SOURCE_DIR - generate --gpus: a worker for each idle GPU, which sees that one
# alone; GPUs that are busy, get lost or get company; nobody left behind, nothing lost, nothing twice.
# The GPUs are made up (fake_nvml.c); the workers draw on the CPU. Prints "N passed, N failed".
bin=$(realpath "$1")
fakes=$(realpath "$2")
repo=$(realpath "$3")/tests/data/models/repo
. "$(realpath "$3")/tests/e2e/common.sh"
export LD_LIBRARY_PATH=$fakes/new FAKE_NVML=$work/script GPU_LOCK_DIR=$work/locks INSTANCE_ID=t
unset GPUS
gpu() { echo "gpu GPU-0000000$1-0000-0000-0000-000000000000 ${*:2}"; }
script() { printf '%s\n' "$@" >next && mv next script; }
request=(--prompt "a cat" --model "$repo" --width 128 --height 128 --steps 1)
n=$(lasting 40) n_long=$(lasting 120) # pictures
contents() { find "$1" -name '*.png' ! -name 'sheet_*' -exec sha256sum {} + | cut -d' ' -f1 | sort; }
children() {
    local child words
    for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
        mapfile -d '' words 2>/dev/null </proc/"$child"/cmdline || continue
        [ "${words[1]-}" != worker ] || echo "$child"
    done
}
locked() { "$bin" gpu list --json | grep -c '"locked_by": "'; }

# --- Spreading ---
script "$(gpu 1)" "$(gpu 2 procs=1)" "$(gpu 3)" "$(gpu 4 mig=1)" "$(gpu 5)"
"$bin" generate "${request[@]}" --sweep seed=1..$n --output-dir whole >/dev/null 2>err
"$bin" generate "${request[@]}" --sweep seed=1..$n --output-dir drawn --gpus all --steps 2 >out.txt 2>err &
pid=$!
declare -A seen=()
while kill -0 $pid 2>/dev/null; do
    for worker in $(children $pid); do
        visible=$(tr '\0' '\n' 2>/dev/null </proc/"$worker"/environ | sed -n 's/^CUDA_VISIBLE_DEVICES=//p')
        [ -z "$visible" ] || seen[$worker]=$visible
    done
    now=$(locked)
    [ "$now" -le "${most:-0}" ] || most=$now
done
wait $pid && ok "a sweep over the idle ones" || bad "a sweep over the idle ones"
all=$(printf '%s\n' "${seen[@]}" | sort | tr '\n' ' ')
[ "$all" = "$(printf 'GPU-0000000%d-0000-0000-0000-000000000000 ' 1 3 5)" ] &&
    ok "each worker sees one, by its UUID" || bad "workers saw $all"
[ "${most:-0}" -eq 3 ] && [ "$(locked)" -eq 0 ] && ok "locked meanwhile, and not after" || bad "locks: ${most:-0}"
check "$n pictures" [ "$(contents drawn | sort -u | wc -l)" -eq $n ]
expect "as many as asked" 0 "" "$bin" generate "${request[@]}" --sweep seed=1..$n --output-dir two --gpus 2
contents whole >whole.txt
check "the same bytes as on one" eval 'contents two | cmp -s - whole.txt'
expect "one by the beginning of its UUID" 0 "GPU 4: NVIDIA Fake, GPU-00000005-" \
    "$bin" generate "${request[@]}" --seed 1 --output-dir one --gpus GPU-00000005 --verbose
GPUS=auto HEADLESS=1 PROMPT=x "$bin" "${request[@]:2}" --output-dir env --verbose >/dev/null 2>err
check "by its variable, the first idle one" grep -q "GPU 0: NVIDIA Fake" err

# --- None ---
script "$(gpu 1 used=20000)" "$(gpu 2 procs=1)"
expect "none is idle" 4 "no GPU is idle: 0: 19.5 GiB in use; 1: 1 process" \
    "$bin" generate "${request[@]}" --output-dir none --gpus all
check "and there is no folder" [ ! -e none ]
(sleep 1.5; script "$(gpu 1)" "$(gpu 2 procs=1)") &
expect "one is waited for" 0 "" \
    "$bin" generate "${request[@]}" --output-dir none --gpus all --wait 60s --interval 0.2
wait
script "$(gpu 1)"
expect "no such GPU" 4 'a UUID that begins with "GPU-9"' "$bin" generate "${request[@]}" --gpus GPU-9
expect "an index" 2 "not by its index" "$bin" generate "${request[@]}" --gpus 0
expect "mistyped" 2 '"al" is no GPU: expected auto' "$bin" generate "${request[@]}" --gpus al
expect "with a device" 2 "--device is cpu" "$bin" generate "${request[@]}" --gpus all --device cpu
expect "with workers" 2 "--workers says 2" "$bin" generate "${request[@]}" --gpus all --workers 2
touch file
expect "a folder of locks that is none" 6 "--gpu-lock-dir" \
    "$bin" generate "${request[@]}" --gpus all --gpu-lock-dir file
if [ "$(id -u)" -ne 0 ]; then
    mkdir closed && chmod 555 closed
    expect "one that is not ours" 6 "closed" "$bin" generate "${request[@]}" --gpus all --gpu-lock-dir closed
fi

# --- What happens to GPUs ---
# begin ARGUMENTS...: a sweep that lasts, in the background, once it has drawn something
begin() {
    rm -rf drawn
    "$bin" generate "${request[@]}" --sweep seed=1..$n_long --output-dir drawn "$@" >out.txt 2>err &
    pid=$!
    while [ -z "$(find drawn -name '*.png' 2>/dev/null)" ] && kill -0 $pid 2>/dev/null; do sleep 0.01; done
}
drawn() { contents drawn | sort -u | wc -l; }
once() { # every picture in the log once
    grep -oh '"paths":\[[^]]*' drawn/jobs_t.log | grep -o '[^"]*[.]png' | sort >logged.txt
    [ "$(wc -l <logged.txt)" -eq $n_long ] && [ "$(sort -u logged.txt | wc -l)" -eq $n_long ]
}

script "$(gpu 1)" "$(gpu 2)"
begin --gpus all
script "$(gpu 1)" "$(gpu 2 result=15)"
wait $pid && [ "$(drawn)" -eq $n_long ] && once && ok "one is lost: the other draws the rest" || bad "one is lost"
check "and it is said" grep -q "GPU 1 (GPU-00000002-.*) is lost: fell off the bus" err
script "$(gpu 1)" "$(gpu 2)"
begin --gpus all
script "$(gpu 1 result=15)" "$(gpu 2)" "xid GPU-00000002-0000-0000-0000-000000000000 79"
wait $pid
[ $? -eq 4 ] && grep -q 'is lost' err && ok "all are lost: exit 4" || bad "all are lost"
script "$(gpu 1)"
"$bin" resume drawn/sweep_* --gpus all >out.txt 2>err
[ $? -eq 0 ] && [ "$(drawn)" -eq $n_long ] && once && ok "and the run goes on later" || bad "resumed on another GPU"

script "$(gpu 1)" "$(gpu 2)"
begin --gpus all --on-foreign-process yield
script "$(gpu 1 procs=2)" "$(gpu 2)"
while [ "$("$bin" gpu list --json | sed -n 's/.*"locked_by": //p' | head -1)" != null, ] && kill -0 $pid 2>/dev/null
do sleep 0.02; done
kill -0 $pid 2>/dev/null && ok "one that got company is given back at once" || bad "given back"
script "$(gpu 1 procs=2)" "$(gpu 2 procs=2)"
wait $pid
[ $? -eq 75 ] && grep -q 'is left to 1 other process that came to it' err && ok "exit 75 when none is left" ||
    bad "exit 75 when none is left"
script "$(gpu 1)" "$(gpu 2)"
"$bin" resume drawn/sweep_* >out.txt 2>err
[ $? -eq 0 ] && [ "$(drawn)" -eq $n_long ] && once && ok "resume draws the rest, on GPUs again" || bad "resumed after 75"

script "$(gpu 1)"
rm -rf drawn
"$bin" generate "${request[@]}" --sweep seed=1..$n_long --output-dir drawn --gpus all >out.txt 2>err &
pid=$!
while [ -z "$(find drawn -name '*.png' 2>/dev/null)" ] && kill -0 $pid 2>/dev/null; do sleep 0.01; done
script "$(gpu 1 procs=3)"
wait $pid && [ "$(grep -c 'is shared with 2 other processes' err)" -eq 1 ] && [ "$(drawn)" -eq $n_long ] &&
    ok "unless told otherwise it goes on and says so once" || bad "going on"

# --- What happens to processes ---
script "$(gpu 1)" "$(gpu 2)"
begin --gpus all
kill -KILL $(children $pid) 2>/dev/null
wait $pid && [ "$(drawn)" -eq $n_long ] && once && ok "workers killed: drawn again" || bad "workers killed"
begin --gpus all
workers=$(children $pid)
kill -KILL $pid
wait $pid 2>/dev/null
for _ in $(seq 1 100); do [ "$(locked)" -ne 0 ] || break; sleep 0.05; done
[ "$(locked)" -eq 0 ] && ok "the parent killed: its locks are gone with its workers" || bad "locks of a killed parent"
gone=1
for worker in $workers; do ! grep -q '^State:.[^Z]' /proc/"$worker"/status 2>/dev/null || gone=0; done
check "and nobody is left" [ $gone = 1 ]
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
