#!/bin/bash
# test_faults.sh PROGRAM DRIVER SOURCE_DIR FULL_DISK FAKE_GPUS - the queue on a disk that is full for a
# while, on GPUs that a text file makes up, and with many small jobs, whose memory is counted
# (XL_QUEUE_JOBS: how many). Prints "N passed, N failed".
bin=$(realpath "$1")
driver=$(realpath "$2")
source=$(realpath "$3")
disk=$(realpath "$4")
fakes=$(realpath "$5")
. "$source/tests/e2e/common.sh"
unset GPUS CUDA_VISIBLE_DEVICES
mkfifo words
# begin DIR WORKERS [VARIABLE=VALUE...]: a driver that hears what is written to descriptor 3
begin() {
    : >said
    env "${@:3}" "$driver" "$1" "$bin" "$source/tests/data/models/repo" "$2" <words >>said 2>err &
    pid=$!
    exec 3>words
}
end() { exec 3>&-; wait "$pid" 2>/dev/null; }
until_said() { while ! grep -q "$1" said && kill -0 "$pid" 2>/dev/null; do sleep 0.05; done; }
pngs() { find "$1" -name '*.png' ! -name 'sheet_*' 2>/dev/null | wc -l; }

# --- A full disk ---
full_disk() {
begin full 1 LD_PRELOAD="$disk" FULL_DISK="$work/is_full"
echo "jobs 2 1" >&3
echo wait >&3
until_said '^done 2'
touch is_full
echo "jobs 3 11" >&3
until_said '^refused 13'
check "a job is refused with its sentence" grep -q '^refused 11 .*jsonl: cannot write: No space left on device' said
rm is_full
echo "jobs 3 21" >&3
echo wait >&3
until_said '^done 5'
check "and accepted when there is room again" grep -q '^job 23' said
check "the queue goes on" [ "$(grep -c '^done 5 failed 0' said) $(pngs full)" = "1 5" ]
echo "sweep 40 31" >&3
until [ "$(pngs full)" -ge 8 ]; do sleep 0.02; done
touch is_full
echo "jobs 1 91" >&3
until_said '^refused 91'
rm is_full
echo "jobs 1 92" >&3
echo wait >&3
until_said '^done 6'
check "a job that was being drawn fails, the next one is drawn" grep -q '^done 6 failed 1' said
end
echo wait >in
"$driver" full "$bin" "$source/tests/data/models/repo" 1 <in >out 2>err
check "nothing that was accepted is lost" [ "$(grep -c '^done 0 failed 0' out)" -eq 1 ]
python3 - full <<'END' && ok "the journal is whole" || bad "the journal is whole"
import glob, json, sys
lines = [json.loads(l) for l in open(sys.argv[1] + "/.queue/t.jsonl")]
jobs = [l["job"] for l in lines if l["do"] == "job"]
assert lines[0]["do"] == "queue" and len(jobs) == 7, len(jobs)
assert sorted(j["state"] for j in jobs) == ["done"] * 6 + ["failed"]
assert [j["status"] for j in jobs if j["state"] == "failed"] == ["XL_EDISK"]
END
}
if is_sanitized; then echo "skip a full disk: no other preload library goes with a sanitizer"; else full_disk; fi

# --- GPUs ---
gpu() { echo "gpu GPU-0000000$1-0000-0000-0000-000000000000 ${*:2}"; }
script() { printf '%s\n' "$@" >next && mv next script; }
locked() { "$bin" gpu list --json | grep -c '"locked_by": "'; }
export LD_LIBRARY_PATH=$fakes/new FAKE_NVML=$work/script GPU_LOCK_DIR=$work/locks
script "$(gpu 1)" "$(gpu 2 procs=1)"
begin gpus 0 QUEUE_GPUS=all QUEUE_IDLE=2
sleep 1
check "nothing is locked without work" [ "$(locked)" -eq 0 ]
echo "sweep 300 1" >&3
until [ "$(pngs gpus)" -ge 3 ]; do sleep 0.05; done
check "an idle GPU is locked for it" [ "$(locked)" -eq 1 ]
script "$(gpu 1)" "$(gpu 2)"
until [ "$(locked)" -eq 2 ] || ! kill -0 "$pid"; do sleep 0.1; done
check "and another when it is left alone" [ "$(locked)" -eq 2 ]
script "$(gpu 1 result=15)" "$(gpu 2)"
until [ "$(locked)" -eq 1 ] || ! kill -0 "$pid"; do sleep 0.1; done
check "one that is lost is given up" [ "$(locked)" -eq 1 ]
echo wait >&3
until_said '^done 1'
check "all pictures are drawn" [ "$(grep -c '^done 1 failed 0' said) $(pngs gpus)" = "1 300" ]
check "how long it takes is known of their kind" grep -q '"device":"NVIDIA ' gpus/.queue/t.pace.json
check "by both" [ "$(grep -ho '"worker":"GPU-0000000[12]' gpus/jobs_t.log | sort -u | wc -l)" -eq 2 ]
until [ "$(locked)" -eq 0 ] || ! kill -0 "$pid"; do sleep 0.2; done
check "without work they are given back" kill -0 "$pid"
end
unset LD_LIBRARY_PATH FAKE_NVML GPU_LOCK_DIR

# --- Memory ---
n=${XL_QUEUE_JOBS:-300}
begin many 1
{ echo "jobs $((n / 3)) 1"; echo wait; echo "follow 50"; echo memory; } >&3
until_said '^rss'
{ echo "jobs $((n - n / 3)) 100001"; echo wait; echo "follow 50"; echo memory; } >&3
while [ "$(grep -c '^rss' said)" -lt 2 ] && kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
end
grep '^rss' said
read -r before after < <(awk '$1 == "rss" { print $2 }' said | xargs)
check "descriptors are as many as before" [ "$(awk '$1 == "rss" { print $4 }' said | uniq | wc -l)" -eq 1 ]
if is_sanitized; then echo "skip memory: under a sanitizer it is the sanitizer's"
elif [ "$n" -lt 3000 ]; then echo "skip memory a job: until 1,000 jobs have ended it holds what it keeps; XL_QUEUE_JOBS=10000 counts"
else check "less than 1 KiB a job" [ $((after - before)) -lt $((n - n / 3)) ]; fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
