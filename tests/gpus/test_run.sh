#!/bin/bash
# test_run.sh BINARY FAKES SOURCE_DIR - sdxl-lab run and packaging/run_dgx_job.sh: jobs wait for idle GPUs,
# have one alone each, as processes and in containers of engines that are made up here; signals, GPUs that
# get company or get lost, and a runner that is killed. The GPUs are made up, too (fake_nvml.c). Prints
# "N passed, N failed".
bin=$(realpath "$1")
fakes=$(realpath "$2")
source=$(realpath "$3")
. "$source/tests/e2e/common.sh"
export LD_LIBRARY_PATH=$fakes/new FAKE_NVML=$work/script GPU_LOCK_DIR=$work/locks INSTANCE_ID=t
unset GPUS CUDA_VISIBLE_DEVICES
gpu() { echo "gpu GPU-0000000$1-0000-0000-0000-000000000000 ${*:2}"; }
script() { printf '%s\n' "$@" >next && mv next script; }
job=(generate --prompt "a cat" --model "$source/tests/data/models/repo" --width 128 --height 128 --steps 1)
n_long=$(lasting 80)
long=("${job[@]}" --sweep seed=1..$n_long)
pngs() { find "$1" -name '*.png' ! -name 'sheet_*' 2>/dev/null | wc -l; }
until_drawn() { while ! grep -qs '[.]png$' "$1"/run_*.log && kill -0 "$2" 2>/dev/null; do sleep 0.02; done; }
locked() { "$bin" gpu list --json | grep -c '"locked_by": "'; }

# --- Jobs ---
script "$(gpu 1)" "$(gpu 2 procs=1)" "$(gpu 3)"
expect "once" 0 "1 job done" "$bin" run --output-dir a -- "${job[@]}"
check "a picture" [ "$(pngs a)" -eq 1 ]
check "a job log by instance and GPU" [ -s a/jobs_t-gpu0.log ]
check "a log" grep -q "^=== .* job 1 on GPU 0 (GPU-00000001-.*): sdxl-lab generate --prompt 'a cat'" a/run_t-gpu0.log
expect "five times on two" 0 "5 jobs done" "$bin" run --gpus 2 --repeat 5 --interval 0.2 --output-dir b -- "${job[@]}"
check "five pictures, by both" [ "$(pngs b) $(ls b/run_*.log | tr '\n' ' ')" = "5 b/run_t-gpu0.log b/run_t-gpu2.log " ]
check "all of one run's pictures are in one folder" [ "$(cat b/jobs_t-gpu*.log | wc -l)" -eq 5 ]
expect "all, as JSON" 0 '"done": 3' "$bin" run --gpus all --interval 0.2 --json --output-dir c -- "${job[@]}"
python3 - out <<'END' && ok "the document" || bad "the document"
import json, sys
d = json.load(open(sys.argv[1]))
assert sorted(j["job"] for j in d["jobs"]) == [1, 2, 3] and {j["gpu"] for j in d["jobs"]} == {0, 2}
assert all(j["exit_code"] == 0 and j["error"] is None and j["log"].endswith(".log") for j in d["jobs"])
END
expect "by UUID" 0 "GPU 2  done" "$bin" run --gpus GPU-00000003 --output-dir d -- "${job[@]}"
PROMPT="a dog" MODEL_KEY=$source/tests/data/models/repo WIDTH=128 HEIGHT=128 STEPS=1 GPUS=7 \
    "$bin" run --output-dir e >out 2>err && [ "$(pngs e)" -eq 1 ] && ok "from the environment" || bad "from the environment"
check "no lock is left" [ "$(locked)" -eq 0 ]

# --- Before anything waits ---
expect "a slip" 2 "did you mean --prompt?" "$bin" run -- generate --promt x
expect "nothing to run" 2 "run: say what" "$bin" run
expect "what draws nothing" 2 '"models list" draws nothing' "$bin" run -- models list
expect "GPUs on the wrong side" 2 "--gpus stands before the --" "$bin" run -- "${job[@]}" --gpus all
expect "no GPUs" 2 "--gpus none" "$bin" run --gpus none -- "${job[@]}"
expect "an image without an engine" 2 "say --container, too" "$bin" run --container-image x -- "${job[@]}"
expect "no such engine" 2 "there is no program enroot here" env PATH=/nowhere "$bin" run --container enroot -- "${job[@]}"
expect "what cannot be drawn ends the rest" 2 "neither a folder nor a repository" \
    "$bin" run --repeat 50 --output-dir f -- generate --prompt x --model /nowhere
check "after one" [ "$(grep -c '^=== .* ended' f/run_t-gpu0.log)" -eq 1 ]
script "$(gpu 1 procs=1)"
expect "none becomes idle" 4 "no GPU is idle: 0: 1 process" "$bin" run --wait 1s --interval 0.2 -- "${job[@]}"
(sleep 1.5; script "$(gpu 1)") &
expect "one is waited for" 0 "waiting for an idle GPU" "$bin" run --interval 0.2 --output-dir g -- "${job[@]}"
wait

# --- Containers ---
mkdir bin
cat >bin/docker <<'END'
#!/bin/bash
# Runs the command with the environment and the folders that the engine was told, and notes its words.
printf '%s\n' "${0##*/}" "$@" >>"$CALLS"
while [ $# -gt 0 ]; do
    case $1 in
    --volume | --mount) shift; [[ $1 != *:/pictures* ]] || pictures=${1%%:/pictures*} ;;
    --env) shift; [[ $1 != *=* ]] || declare -x "$1" ;;
    --name | --gpus | --user | --workdir | --device) shift ;;
    --* | run | start) ;;
    *) break ;;
    esac
    shift
done
[ "$1" != broken ] || { echo "Unable to find image 'broken:latest' locally"; exit 125; }
shift
export OUTPUT_DIR=$pictures
exec "$BIN" "${@//\/pictures/$pictures}"
END
chmod +x bin/docker && cp bin/docker bin/podman && cp bin/docker bin/enroot
export PATH=$work/bin:$PATH CALLS=$work/calls BIN=$bin HF_HOME=$work/hf
mkdir hf
script "$(gpu 1)"
uuid=GPU-00000001-0000-0000-0000-000000000000
for engine in docker podman enroot; do
    rm -rf calls
    expect "$engine" 0 "1 job done" "$bin" run --container $engine --container-image lab:1 --output-dir $engine -- "${job[@]}"
    check "$engine: a picture, and the instance's log" [ "$(pngs $engine) $(ls $engine/jobs_*)" = "1 $engine/jobs_t-gpu0.log" ]
done
"$bin" run --container docker --container-image lab:1 --output-dir docker -- "${job[@]}" >/dev/null 2>&1
grep -A1 -e '--gpus' calls >out; check "docker gets the GPU by UUID" grep -qx "device=$uuid" out
grep -A1 -e '--volume' calls >out
check "the cache and the pictures are mounted" eval 'grep -qx "$work/hf:/cache:ro" out && grep -qx "$work/docker:/pictures" out'
check "and the instance is named" grep -qx "INSTANCE_ID=t-gpu0" calls
rm calls; "$bin" run --container podman --output-dir podman -- "${job[@]}" >/dev/null 2>&1
check "podman by its device" grep -qx "nvidia.com/gpu=$uuid" calls
rm calls; "$bin" run --container enroot --output-dir enroot -- "${job[@]}" >/dev/null 2>&1
check "enroot by its variable" grep -qx "NVIDIA_VISIBLE_DEVICES=$uuid" calls
rm calls; PROMPT=x GPUS=2 "$bin" run --container docker --output-dir docker >/dev/null 2>&1
check "settings of the environment are handed on" grep -qx PROMPT calls
check "but not which GPUs" eval '! grep -qx GPUS calls'
expect "an image that is not there" 3 "exit code 125: Unable to find image" \
    "$bin" run --container docker --container-image broken --repeat 9 -- "${job[@]}"

# --- The script of the package ---
rm -rf calls
RUNS=2 GPUS=auto ENGINE=docker IMAGE=lab:2 OUTPUT_DIR=$work/dgx SDXL_LAB=$bin \
    "$source/packaging/run_dgx_job.sh" "${job[@]}" >out 2>err && [ "$(pngs dgx)" -eq 2 ] && grep -qx lab:2 calls &&
    ok "run_dgx_job.sh in containers" || bad "run_dgx_job.sh in containers"
PROMPT=x MODEL_KEY=$source/tests/data/models/repo WIDTH=128 HEIGHT=128 STEPS=1 OUTPUT_DIR=$work/dgx2 SDXL_LAB=$bin \
    "$source/packaging/run_dgx_job.sh" >out 2>err && [ "$(pngs dgx2)" -eq 1 ] &&
    ok "run_dgx_job.sh as a process, from the environment" || bad "run_dgx_job.sh as a process"
SDXL_LAB=/nowhere/lab "$source/packaging/run_dgx_job.sh" >out 2>err
[ $? -eq 2 ] && grep -q "there is no /nowhere/lab" err && ok "run_dgx_job.sh without sdxl-lab" || bad "run_dgx_job.sh without sdxl-lab"

# --- What happens meanwhile ---
# begin DIR OPTIONS...: a long job in the background, once it has drawn something
begin() {
    local dir=$1
    shift
    rm -rf "$dir"
    env --default-signal=INT "$bin" run --interval 0.2 --output-dir "$dir" "$@" -- "${long[@]}" >out 2>err &
    pid=$!
    until_drawn "$dir" $pid
}
whole() { # DIR: each picture once, and logged once
    [ "$(pngs "$1")" -eq $n_long ] && [ "$(grep -oh '"paths":\[[^]]*' "$1"/jobs_*.log | grep -o '[^"]*[.]png' | sort -u | wc -l)" -eq $n_long ]
}
for signal in INT TERM HUP; do
    begin h
    kill -$signal $pid
    wait $pid
    got=$?
    [ $got -eq $((128 + $(kill -l $signal))) ] && grep -q "1 stopped before the end" out && [ "$(locked)" -eq 0 ] &&
        grep -q "^go on    sdxl-lab resume" h/run_t-gpu0.log && ok "SIG$signal is passed on: exit $got" || bad "SIG$signal: exit $got"
done
"$bin" resume h/sweep_* >/dev/null 2>err && whole h && ok "and what it stopped can be gone on with" || bad "resumed by hand"
begin i
kill -USR1 $pid
wait $pid
[ $? -eq 75 ] && grep -q "stopped after the pictures at hand" err && ok "SIGUSR1 ends it with the picture at hand: exit 75" || bad "SIGUSR1"

script "$(gpu 1)" "$(gpu 2 procs=1)"
begin j --on-foreign-process yield
script "$(gpu 1 procs=2)" "$(gpu 2)"
wait $pid && whole j && ls j/run_t-gpu1.log >/dev/null && grep -q "to be gone on with" out &&
    ok "a job that gets company is gone on with on another GPU" || bad "company"
script "$(gpu 1)" "$(gpu 2)"
begin k
script "$(gpu 1 result=15)" "$(gpu 2)"
wait $pid && whole k && ls k/run_t-gpu1.log >/dev/null && grep -q "is lost: fell off the bus" err &&
    ok "and so is one that loses its GPU" || bad "a lost GPU"
script "$(gpu 1)"
begin l
child=$(tr -d ' ' </proc/$pid/task/$pid/children)
kill -KILL $child
wait $pid && whole l && ok "a job that is killed is gone on with" || bad "a killed job"
begin m
child=$(tr -d ' ' </proc/$pid/task/$pid/children)
kill -KILL $pid
wait $pid 2>/dev/null
for _ in $(seq 1 200); do grep -q '^State:.[^Z]' /proc/"$child"/status 2>/dev/null || break; sleep 0.05; done
grep -q '^State:.[^Z]' /proc/"$child"/status 2>/dev/null && bad "the runner killed: its job goes on" ||
    ok "the runner killed: its job ends"
[ "$(locked)" -eq 0 ] && "$bin" resume m/sweep_* >/dev/null 2>err && whole m && ok "with nothing locked and nothing lost" || bad "after a killed runner"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
