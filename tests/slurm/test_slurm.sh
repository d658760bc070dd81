#!/bin/bash
# test_slurm.sh BINARY SOURCE_DIR - a sweep drawn by a job array of a real Slurm, which the test starts in a
# folder of its own (cluster.sh): tasks requeued, programs and slurmstepd killed, the node lost; no cell
# twice, none missing, and what is collected is the run directory of one process. Then what is refused.
#
# XL_SLURM_CELLS: pictures of the sweep (24; said, Slurm itself has to notice that the node is lost, which
# takes it half a minute); XL_SLURM_STEPS: steps of each, so that there is time to disturb. Needs slurmctld, slurmd and Slurm's commands (Debian: slurm-wlm); no root, no systemd, no munge.
# Prints "N passed, N failed".
bin=$(realpath "$1")
source=$(realpath "$2")
repo=$source/tests/data/models/repo
cells=${XL_SLURM_CELLS:-24} steps=${XL_SLURM_STEPS:-40}
. "$source/tests/e2e/common.sh"
. "$source/tests/slurm/cluster.sh"
request=(--prompt "a cat" --model "$repo" --width 128 --height 128)
sweep=(--sweep "seed=1..$cells" --sweep "steps=$steps" --seed 1)
contents() { find "$1" -name '*.png' ! -name 'sheet_*' -exec sha256sum {} + | cut -d' ' -f1 | sort; }
n_drawn() { find "$1" -name '2*.png' | wc -l; }
states() { squeue --noheader --array --format=%T; }

# --- Without Slurm's commands ---
mkdir empty
expect "no sbatch" 8 "there is no sbatch on this machine" \
    env PATH="$work/empty" "$bin" generate "${request[@]}" --on slurm --output-dir none
check "and no run directory is made" [ ! -e none ]
expect "--print alone" 2 "--print: say for what" "$bin" generate "${request[@]}" --print
expect "with GPUs of this machine" 2 "--gpus says how this machine draws" \
    "$bin" generate "${request[@]}" --on slurm --gpus all
expect "more at once than there are" 2 "--at-once 9: there are only 8 tasks" \
    "$bin" generate "${request[@]}" --on slurm --at-once 9
expect "a run that was never submitted" 2 "no job was submitted for this run" "$bin" slurm status "$work"

# --- Scripts that are only printed ---
env PATH="$work/empty:/usr/bin:/bin" "$bin" generate "${request[@]}" --sweep seed=1..4 --print --on slurm --tasks 9 \
    --at-once 2 --gres gpu:h100:1 --partition night --account lab --qos low --time 8:00:00 --threads 4 \
    --sbatch constraint=h100 --output-dir "a b%c" >script 2>err || bad "--print"
for line in --array=0-3%2 --gres=gpu:h100:1 --partition=night --account=lab --qos=low --time=8:00:00 \
    --cpus-per-task=4 --constraint=h100 --requeue --signal=B:TERM@60 --open-mode=append --ntasks=1; do
    check "the script has $line" grep -qxF "#SBATCH $line" script
done
check "a path with blanks and %" grep -q '^#SBATCH --output=".*/a b%%c/sweep_.*/slurm/%A_%a.log"$' script
check "it is kept" cmp script "a b%c"/sweep_*/slurm/job.sh
check "bash reads it" bash -n script
check "and nothing else is asked for" [ "$(grep -c '^#SBATCH' script)" -eq 14 ]
run=$(ls -d "a b%c"/sweep_*)
sed "s|^run=.*|run=/nowhere/at/all|" script >lost
expect "on a node that does not see the run" 2 "has to lie on storage that all nodes see" bash lost
expect "on a node without the program" 2 "install sdxl-lab on the nodes" env SDXL_LAB=/nowhere/sdxl-lab bash script
check "run by hand it draws" bash script
check "all of it" [ "$(n_drawn "$run")" -eq 4 ]

# --- Nights: what one on this machine would draw ---
printf '%s\n' 'templates: ["a {x}"]' 'lists: {x: [cat, dog, owl, fox, hare]}' >words.yaml
night() { printf '%s\n' "prompts: words.yaml" "seed: 7" "model: $repo" "size: 128x128" "steps: 1" "output_dir: $2" "${@:3}" >"$1"; }
night night.yaml nights "until_jobs: 3"
env PATH="$work/empty:/usr/bin:/bin" "$bin" night night.yaml --on slurm --print >script 2>err || bad "a night"
check "an array for its pictures" grep -qxF "#SBATCH --array=0-2" script
check "its script draws it" bash script
"$bin" night night.yaml --device cpu --output-dir here >/dev/null 2>err || bad "the same night on this machine"
names() { (cd "$1"/night_*/model_* && ls 2*.png | sed 's/^[0-9]*-[0-9]*_//'); }
check "the same pictures" [ "$(names nights)" = "$(names here)" ]
check "three" [ "$(names nights | wc -l)" -eq 3 ]
night endless.yaml nights "time_limit: 8h"
expect "a night without end" 2 "until_jobs: is missing" "$bin" night endless.yaml --on slurm --print
night watched.yaml nights "until_jobs: 1" "quiet_hours: 12:00-13:00"
expect "what tasks do not keep to" 0 "do not keep to quiet_hours" "$bin" night watched.yaml --on slurm --print

# --- Slurm ---
for command in slurmctld slurmd sbatch; do
    command -v $command >/dev/null 2>&1 && continue
    echo "skip slurm: there is no $command here"
    echo "$passed passed, $failed failed"
    exit $((failed > 0))
done
trap 'cluster_stop; rm -rf "$work"' EXIT
if ! cluster_start "$work/cluster" 8; then
    bad "Slurm does not start: $why"
    echo "$passed passed, $failed failed"
    exit 1
fi
expect "no such partition" 2 'Slurm has no "nigth"; there are: lab' \
    "$bin" generate "${request[@]}" --on slurm --partition nigth --output-dir none
check "nothing is made" [ ! -e none ]
expect "what Slurm refuses is told" 8 "Slurm refuses the job" \
    "$bin" generate "${request[@]}" --on slurm --gres gpu:99 --output-dir refused --sweep seed=1,2
expect "a run whose job was refused is submitted anew" 0 "2 tasks, for 2 pictures" \
    "$bin" resume --on slurm --gres none refused/sweep_*
expect "and cancelled" 0 "" "$bin" slurm cancel refused/sweep_*

"$bin" generate "${request[@]}" "${sweep[@]}" --output-dir whole --quiet >/dev/null 2>err || bad "the local sweep"
contents whole >whole.txt
check "$cells pictures" [ "$(wc -l <whole.txt)" -eq "$cells" ]

# Time passes faster: whatever waits for its time to begin begins.
release() {
    local id
    for id in $(squeue --noheader --array --states=PENDING --format=%i); do
        scontrol update JobId="$id" StartTime=now 2>/dev/null
    done
}
# What Slurm believes to run without a process begins anew, as a person would have it: a task whose slurmstepd
# was killed, or that was sent to a node which was just lost, may stay so for ever.
revive() {
    local id
    [ -z "$(programs)" ] || return 0
    for id in $(squeue --noheader --array --states=RUNNING --format=%i); do scontrol requeue "$id" 2>/dev/null; done
}
# Wait until a command succeeds, and push what is pending.
until_true() {
    local i
    for ((i = 0; i < 1200; i++)); do
        "$@" >/dev/null 2>&1 && return 0
        release
        [ $((i % 50)) -lt 49 ] || revive
        sleep 0.1
    done
    return 1
}
drawn_at_least() { [ "$(n_drawn far)" -ge "$1" ]; }
node_is() { sinfo --noheader --format=%T | grep -q "$1"; }
programs() { pgrep -f "resume --share --instance slurm_[0-9_]* $work/far/"; }
# With few pictures the last tasks may be the ones that were killed: then the rest is submitted anew.
all_drawn() {
    drawn_at_least "$cells" && return 0
    [ -n "$(squeue --noheader)" ] || "$bin" resume --on slurm "$run" >/dev/null 2>&1
    return 1
}

SECONDS=0
"$bin" generate "${request[@]}" "${sweep[@]}" --output-dir far --on slurm --json >submitted 2>err || bad "submitting"
run=$(ls -d far/sweep_*)
job=$(sed -n 's/.*"job": "\([0-9]*\)".*/\1/p' submitted)
until_true drawn_at_least 2
kill -STOP $(programs) 2>/dev/null # while we look: else a slow look would find all of it drawn
"$bin" slurm status "$run" --json >status.json 2>err
check "status tells of workers" grep -q '"instance": "slurm_' status.json
check "each has a GPU" eval 'for pid in $(programs); do tr "\0" "\n" </proc/$pid/environ 2>/dev/null |
    sed -n s/^CUDA_VISIBLE_DEVICES=//p; done | sort | uniq -d | wc -l | grep -qx 0'
"$bin" slurm collect "$run" >out 2>err
[ $? -eq 75 ] && grep -q "pictures are there" err && ok "collecting meanwhile: 75, and the page shows what there is" ||
    bad "collecting meanwhile"
kill -CONT $(programs) 2>/dev/null

# A task is requeued; another's program is killed; then its slurmstepd; then the whole node.
running=($(squeue --noheader --array --states=RUNNING --format=%i))
scontrol requeue "${running[0]}" 2>err && ok "a task is requeued" || bad "requeue ${running[0]}"
kill -KILL "$(programs | tail -1)" 2>/dev/null
pgrep -f "slurmstepd: \[$job" | head -1 | xargs -r kill -KILL
until_true drawn_at_least $((cells / 4))
kill -KILL "$(cluster_pid slurmd)"
for pid in $(pgrep -f "slurmstepd: \[") $(programs); do
    tr '\0' '\n' 2>/dev/null <"/proc/$pid/environ" | grep -qF "$work" && kill -KILL "$pid" 2>/dev/null
done
[ -n "${XL_SLURM_CELLS-}" ] || scontrol update NodeName="$(hostname -s)" State=DOWN Reason="lost" 2>err
until_true node_is down && ok "the node is lost with $(n_drawn far) drawn" || bad "the node is $(sinfo -h -o %T)"
[ "$(n_drawn far)" -lt "$cells" ] || bad "all was drawn before the node was lost: more XL_SLURM_STEPS"
cluster_node || bad "$why"
until_true all_drawn && ok "it comes back, and all is drawn" ||
    bad "$(n_drawn far) of $cells drawn; $(states | sort | uniq -c | tr '\n' ' ')"
everybody_left() { [ -z "$(programs)" ]; }
until_true everybody_left && ok "everybody leaves" || bad "still there: $(programs | tr '\n' ' ')"
"$bin" slurm cancel "$run" >out 2>err || bad "cancel"
expect "collect" 0 "of $cells" "$bin" slurm collect "$run"
echo "     $SECONDS s for $cells pictures"

# --- The run directory that one process makes ---
local_run=$(ls -d whole/sweep_*)
check "every byte of every picture" eval 'contents far | cmp -s - whole.txt'
names() { (cd "$1" && find . -path ./slurm -prune -o -type f -print | sed 's/[0-9]\{8\}-[0-9]\{6\}/STAMP/g' | sort); }
diff <(names "$local_run") <(names "$run") >out && ok "the same files" || bad "the files differ"
plain() { sed 's/[0-9]\{8\}-[0-9]\{6\}/STAMP/g; /"output_dir": /d; /"quiet": /d; /"json": /d' "$1/run.json"; }
diff <(plain "$local_run") <(plain "$run") >out && ok "the same plan" || bad "run.json differs"
done_cells() { python3 - "$1/cells.js" <<'END'
import json, re, sys
state = {}
for line in open(sys.argv[1]):
    found = re.match(r"cell\((.*)\)", line)
    if found:
        cell = json.loads(found[1])
        state.setdefault(cell["id"], {}).update(cell)
print(sum(c["state"] == "done" and bool(c["path"]) for c in state.values()), len(state))
END
}
[ "$(done_cells "$run")" = "$cells $cells" ] && ok "the page has all of them" || bad "the page: $(done_cells "$run")"
same "$(ls "$local_run"/sheet_*.png | head -1)" "$(ls "$run"/sheet_*.png | head -1)" && ok "the same sheet" ||
    bad "the sheets differ"
cat far/jobs_*.log | grep -o '"paths":\[[^]]*' | grep -o '[^"]*[.]png' | sort >logged.txt
[ "$(wc -l <logged.txt)" -eq "$cells" ] && [ "$(sort -u logged.txt | wc -l)" -eq "$cells" ] &&
    ok "every picture in the logs, once" || bad "in the logs: $(wc -l <logged.txt), $(sort -u logged.txt | wc -l) different"
check "nothing left to tidy" eval '[ ! -e "$run/.claims" ] && ! find far -name ".*.tmp" | grep -q .'
check "logs were appended to" grep -qs "loading repo" "$run"/slurm/*.log
expect "submitting it again" 2 "every picture is there" "$bin" resume --on slurm "$run"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
