#!/bin/bash
# test_kill.sh PROGRAM DRIVER SOURCE_DIR - the queue's process is killed at random times, again and again:
# every job that was accepted is drawn, every picture once, each with one line of the job log. Then its
# workers are killed. XL_QUEUE_KILLS: how often. Prints "N passed, N failed".
bin=$(realpath "$1")
driver=$(realpath "$2")
source=$(realpath "$3")
. "$source/tests/e2e/common.sh"
unset GPUS CUDA_VISIBLE_DEVICES
kills=${XL_QUEUE_KILLS:-15}
drive() { exec "$driver" "$1" "$bin" "$source/tests/data/models/repo" "${2:-1}"; }
pngs() { find "$1" -name '*.png' ! -name 'sheet_*' 2>/dev/null; }
seeds() { pngs "$1" | sed 's/.*_seed\([0-9]*\)_.*/\1/' | sort -n; }

# begin DIR WORKERS: a driver that hears what is written to descriptor 3, as process $pid
mkfifo words
begin() {
    drive "$1" "$2" <words >>said 2>>err &
    pid=$!
    exec 3>words
}
end() { kill -KILL "$pid"; exec 3>&-; wait "$pid" 2>/dev/null; }

# Lives that end by SIGKILL, the last one by itself. Each submits some more; what was accepted says so.
RANDOM=${XL_SEED:-$$}
: >said
for ((life = 0; life < kills; life++)); do
    base=$((1 + life * 100))
    begin killed $((1 + life % 2))
    printf 'jobs 3 %d\nsweep 4 %d\nbatch 2 %d\n' $base $((base + 10)) $((base + 20)) >&3
    sleep "$((RANDOM % 2)).$(printf %03d $((RANDOM % 1000)))"
    end
done
echo wait | (drive killed 2) >end 2>>err
check "the last life ends" grep -q '^done ' end
awk '$1 == "job" { print $2 } $1 == "sweep" { for (i = 0; i < 4; i++) print $2 + i }
    $1 == "batch" { for (i = 0; i < 2; i++) print $2 + i }' said | sort -n >accepted
seeds killed >drawn
check "something was accepted" [ -s accepted ]
check "every accepted picture is there" [ -z "$(comm -23 <(sort -u accepted) <(sort -u drawn))" ]
check "every picture is there once" [ -z "$(uniq -d drawn)" ]
# One that was killed between its line and its answer may be there, too: at most three for each life.
check "and no others" [ "$(comm -13 <(sort -u accepted) <(sort -u drawn) | wc -l)" -le $((kills * 4)) ]
grep -h '"paths":\["' killed/jobs_t*.log | grep -o '"cells":\[[^]]*\]' | grep -o '[0-9a-f]\{32\}' | sort >logged
check "every picture has a line of the job log" [ "$(sort -u logged | wc -l)" -eq "$(wc -l <drawn)" ]
check "and one only" [ -z "$(uniq -d logged)" ]
check "no temporary file is left in run directories" [ -z "$(find killed/sweep_* -name ".*.tmp")" ]
# One that dies between a folder and the journal's line of it leaves the folder, which is empty.
check "and no run that nobody goes on with" [ -z "$(find killed/sweep_* -prune ! -empty ! -exec test -e {}/run.json \; -print)" ]

# A worker that is killed costs nothing that can be seen.
: >said
begin workers 1
printf 'sweep 30 1\nwait\n' >&3
until [ "$(pngs workers | wc -l)" -ge 3 ]; do sleep 0.05; done
kill -KILL $(pgrep -P "$pid")
until grep -q '^done ' said; do sleep 0.05; done
end
check "a worker that is killed" grep -q '^done 1 failed 0' said
check "was seen to be" grep -q 'killed by signal 9' err
check "all pictures are there once" [ "$(seeds workers | uniq | wc -l) $(pngs workers | wc -l)" = "30 30" ]

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
