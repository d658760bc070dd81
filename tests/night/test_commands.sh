#!/bin/bash
# test_commands.sh BINARY FAKES SOURCE_DIR - nights as a person uses them: begun, stopped, gone on with,
# added to, asked for. Prints "N passed, N failed".
bin=$(realpath "$1")
fakes=$(realpath "$2")
source=$(realpath "$3")
. "$source/tests/e2e/common.sh"
. "$source/tests/night/common.sh"
printf '%s\n' 'templates: ["a {x} {y}"]' 'lists: {x: [cat, dog, owl, fox], y: [asleep, awake, at home, far away]}' \
    'negative: blurry' >words.yaml
# Slow enough to be met at work, on a fast machine, too.
slow=60
if is_sanitized; then slow=12; fi
many() { config many.yaml "prompts: words.yaml" "seed: 1" "until_jobs: ${1:-2000}" "output_dir: many" "device: cpu" "workers: 1" "min_free: 0"; sed -i "s/^steps: 1/steps: ${2:-$slow}/" many.yaml; }
begin() { # FILE: in the background, once something is drawn
    "$bin" night "$@" >out.txt 2>err.txt &
    pid=$!
    until_true has_drawn many "$((${has:-0} + 1))"
}

# --- Through ---
config few.yaml "prompts: words.yaml" "seed: 1" "until_jobs: 4" "output_dir: few" "device: cpu" "min_free: 0" \
    "jobs: [{prompt: mine, sweep: {guidance: [2, 3]}}]"
expect "a night" 0 "all of its jobs are done" "$bin" night few.yaml
once few 5 && ok "its own job with an axis, then those of the grammar" || bad "$(pictures few) pictures"
check "the log has prompt, template and seed" grep -qE '"prompt":"a (cat|dog|owl|fox) .*"prompt_template":"a \{x\} \{y\}".*"seeds":\["' few/jobs_t.log
check "and who drew it" grep -q '"worker":"worker 1"' few/jobs_t.log
expect "it is done: another one begins" 0 "" "$bin" night few.yaml
check "in a folder of its own" [ "$(ls -d few/night_* | wc -l)" -eq 2 ]
expect "done is done" 2 "this night is done" "$bin" night resume few
config alone.yaml "prompt: a cat" "seed: 2" "until_jobs: 3" "output_dir: alone" "device: cpu" "min_free: 0"
expect "a prompt alone, with seeds that differ" 0 "" "$bin" night alone.yaml
[ "$(contents alone | sort -u | wc -l)" -eq 3 ] && ok "three pictures of it" || bad "three pictures of it"
expect "by another name" 0 "" bash -c "ln -s '$bin' auto_night_runner && ./auto_night_runner status few"
config timed.yaml "prompt: a cat" "time_limit: 1s" "output_dir: timed" "device: cpu" "min_free: 0"
expect "a limit of time" 0 "its time of 1 s is over" "$bin" night timed.yaml
config budget.yaml "prompt: a cat" "disk_budget: 1kB" "output_dir: budget" "device: cpu" "min_free: 0"
expect "a budget" 0 "its pictures take the 1.0 kB that it may fill" "$bin" night budget.yaml

# --- Stopped, gone on with ---
many 50
begin many.yaml
expect "status while it runs" 0 "drawing" "$bin" night status many.yaml --output-dir many
expect "twice at once" 6 "is working on this run" "$bin" night many.yaml
expect "stop" 0 "ends after the pictures at hand" "$bin" night stop --output-dir many
wait $pid && grep -q "it was stopped" err.txt && ok "it stopped" || bad "it stopped"
expect "stopped is not done" 0 "stopped" "$bin" night status --output-dir many
expect "nobody to stop" 2 "nobody works on this night" "$bin" night stop --output-dir many
has=$(pictures many)
begin many.yaml
night=$(echo many/night_*)
kill -TERM $pid
wait $pid
[ $? -eq 143 ] && ok "SIGTERM: it ends with what it has in hand" || bad "SIGTERM"
once many "$(pictures many)" && ok "nothing is half" || bad "nothing is half"
[ "$(member "$night" state)" = stopped ] && ok "and may go on" || bad "and may go on"
expect "add to it meanwhile" 0 "2 jobs for" "$bin" night add "a red boat" "a blue boat" --output-dir many --seed 5
printf '%s\n' '- {prompt: an axis, sweep: {seed: [1, 2]}}' >more.yaml
expect "a file of jobs" 0 "1 job for" "$bin" night add --jobs-file more.yaml --output-dir many
printf '%s\n' '- {prompt: x, stesp: 2}' >wrong.yaml
expect "one that is wrong" 2 "wrong.yaml:1:15" "$bin" night add --jobs-file wrong.yaml --output-dir many
expect "nothing to add" 2 "expected a prompt, or --jobs-file" "$bin" night add --output-dir many
echo "no list" >"$night/inbox/1.json"
expect "resume" 0 "all of its jobs are done" "$bin" night resume --output-dir many
once many 54 && ok "each job once, the added ones too" || bad "$(pictures many) of 54"
check "what could not be read is put aside" [ -e "$night/inbox/1.json.refused" ]
check "all in one night" [ "$(ls -d many/night_* | wc -l)" -eq 1 ]
rm -rf many && has=0 && many 500 1
begin many.yaml
kill -KILL $pid
wait $pid 2>/dev/null
until_true bash -c "'$bin' night status --output-dir many | grep -q killed"
expect "killed" 0 "killed" "$bin" night status --output-dir many
echo 'templates: ["a {x}"]
lists: {x: [cat, dog]}' >words.yaml
expect "other jobs than before" 2 "it decides other jobs than when" "$bin" night many.yaml
expect "no night here" 2 "there is no night" "$bin" night status --output-dir nowhere
expect "no night's folder" 2 "expected the folder of a night" "$bin" night status "$source"
echo '{"format": 1' >"$(echo many/night_*)/night.json"
expect "a damaged state" 2 "night.json" "$bin" night status "$(echo many/night_*)"

# --- Failures ---
config bad.yaml "prompt: a cat" "until_jobs: 3" "output_dir: bad" "device: cpu" "retries: 1" "max_memory: 0.0001" "oom: fail" "min_free: 0" \
    "breaker_failures: 2" "breaker_pause: 0.2s" "breaker_rounds: 1"
expect "what fails again and again" 3 "without a picture it gives up" "$bin" night bad.yaml
check "with its sentence" grep -q "more memory than there is" err out
expect "a report of it" 0 "" "$bin" night report --output-dir bad

# --- Guards ---
script "$(gpu 1 temp=30)" "$(gpu 2 temp=95)" "$(gpu 3 procs=1)"
config hot.yaml "prompt: a cat" "seed: 1" "until_jobs: 6" "output_dir: hot" "gpus: all" "max_temperature: 80" "min_free: 0"
expect "a hot GPU pauses, a busy one is left alone" 0 "GPU 1 has 95 degrees and pauses" "$bin" night hot.yaml
[ "$(grep -o '"worker":"GPU-0000000[0-9]' hot/jobs_t.log | sort -u)" = '"worker":"GPU-00000001' ] && ok "one draws" || bad "who drew"
touch shut
expect "a folder of locks that is none" 6 "shut: cannot create the directory" env GPU_LOCK_DIR="$work/shut" "$bin" night hot.yaml --new
"$bin" night hot.yaml --new --gpu-lock-dir "$work/elsewhere" --output-dir placed --quiet >/dev/null 2>err
has_drawn placed 1 && ls "$work/elsewhere" | grep -q GPU-00000001 && ok "locked where --gpu-lock-dir says" || bad "locked elsewhere"
config cpu.yaml "prompt: a cat" "seed: 1" "until_jobs: 2" "output_dir: flag" "device: cpu" "workers: 2" "min_free: 0"
expect "--gpus comes before device and workers" 0 "on 1 GPU" "$bin" night cpu.yaml --gpus 1
check "a GPU drew" grep -q '"worker":"GPU-00000001' flag/jobs_t.log
expect "--workers comes before gpus" 0 "on 1 worker on the CPU" "$bin" night hot.yaml --workers 1 --output-dir back
begin_hour=$(date -d '-1 hour' +%H:%M) end_hour=$(date -d '+1 hour' +%H:%M)
config quiet.yaml "prompt: a cat" "seed: 1" "until_jobs: 3" "output_dir: quiet" "device: cpu" "min_free: 0" "quiet_hours: \"$begin_hour-$end_hour\""
"$bin" night quiet.yaml >out.txt 2>err.txt &
pid=$!
until_true grep -q "it pauses: quiet hours" err.txt && ok "quiet hours" || bad "quiet hours"
check "nothing is drawn in them" [ "$(pictures quiet)" -eq 0 ]
expect "stop --now" 0 "at once" "$bin" night stop --now --output-dir quiet
wait $pid && ok "it stopped" || bad "it stopped"
script "$(gpu 1)" "$(gpu 2 procs=1)"
config grow.yaml "prompt: a cat" "seed: 1" "until_jobs: 400" "output_dir: many" "gpus: all" "min_free: 0"
has=$(pictures many)
begin grow.yaml
script "$(gpu 1)" "$(gpu 2)"
until_true grep -q '"worker":"GPU-00000002' many/jobs_t.log && ok "it grows when a GPU becomes idle" || bad "it grows"
script "$(gpu 1 procs=2)" "$(gpu 2)"
until_true grep -q 'is left to 1 other process' err.txt && ok "and leaves one that somebody else wants" || bad "it shrinks"
kill -INT $pid
wait $pid
[ $? -eq 130 ] && ok "SIGINT" || bad "SIGINT"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
