#!/bin/bash
# test_config.sh BINARY FAKES SOURCE_DIR - configurations of nights: what is wrong is told in a sentence
# with its place, what is right is told before anything is drawn. Prints "N passed, N failed".
bin=$(realpath "$1")
fakes=$(realpath "$2")
source=$(realpath "$3")
. "$source/tests/e2e/common.sh"
. "$source/tests/night/common.sh"
# refused NAME TEXT LINE...: a configuration that is wrong
refused() {
    local name=$1 text=$2
    shift 2
    printf '%s\n' "$@" >c.yaml
    expect "$name" 2 "$text" "$bin" night check c.yaml
    [ "$(wc -l <err)" -eq 1 ] || bad "$name: one sentence"
}
end="until_jobs: 3"
refused "no end" "c.yaml: nothing says when the night ends" "prompts: lab-tiny"
refused "nothing to draw" "c.yaml: nothing says what to draw" "$end"
refused "a key that is none" 'c.yaml:2:1: untill_jobs: is no key of a night; did you mean until_jobs?' "prompts: lab-tiny" "untill_jobs: 3"
refused "a setting that is none" 'c.yaml:3:1: "stesp" is no setting; did you mean "steps"?' "prompts: lab-tiny" "$end" "stesp: 3"
refused "a value that is none" 'c.yaml:2:13: until_jobs: found "some", expected a whole number' "prompts: lab-tiny" "until_jobs: some"
refused "a value that is too large" "c.yaml:3:10: retries: found 101, expected 0 to 100" "prompts: lab-tiny" "$end" "retries: 101"
refused "a wrong setting" "c.yaml:3:8: steps" "prompts: lab-tiny" "$end" "steps: 0"
refused "a time that is none" 'c.yaml:2:8: until: "25:00" is no time; expected one of the day' "prompts: lab-tiny" 'until: "25:00"'
refused "a day that is none" 'until: "2031-02-30 07:00" is no time' "prompts: lab-tiny" 'until: "2031-02-30 07:00"'
refused "a time that is over" "c.yaml:2:8: until: that is over" "prompts: lab-tiny" 'until: "2020-01-01 07:00"'
refused "a length that is none" 'c.yaml:2:13: time_limit: "soon" is no length of time' "prompts: lab-tiny" "time_limit: soon"
refused "a size that is none" 'c.yaml:2:14: disk_budget: "20 XB" is no size' "prompts: lab-tiny" "disk_budget: 20 XB"
refused "stopped and more" "c.yaml:3:8: until: stopped means that nothing else ends the night" "prompts: lab-tiny" "$end" "until: stopped"
refused "quiet all day" "quiet_hours: they take the whole day" "prompts: lab-tiny" "$end" 'quiet_hours: ["06:00-18:00", "18:00-06:00"]'
refused "quiet hours that are none" 'c.yaml:3:14: quiet_hours: "at night" are no hours of a day' "prompts: lab-tiny" "$end" "quiet_hours: at night"
refused "hours without length" 'begins when it ends' "prompts: lab-tiny" "$end" 'quiet_hours: "06:00-06:00"'
now=$(date +%s)
begin=$(date -d "@$((now - 3600))" +%H:%M) soon=$(date -d "@$((now + 3600))" +%H:%M) later=$(date -d "@$((now + 7200))" +%H:%M)
refused "quiet until its end" "all is quiet_hours until then" "prompts: lab-tiny" "until: \"$soon\"" "quiet_hours: \"$begin-$later\""
refused "one and several" "c.yaml:3:8: model: says one, and models several" "prompts: lab-tiny" "$end" "model: Lab Tiny XL" "models: [a, b]"
refused "a model that is not allowed" 'decides the model "Lab Tiny XL", which is not among models' "prompts: lab-tiny" "$end" "models: [SDXL Base 1.0]"
refused "a job of a model that is not allowed" 'c.yaml:2:31: model: "X" is not among models' "$end" "jobs: [{prompt: a cat, model: X}]" "models: [Lab Tiny XL]"
refused "a profile that is none" 'c.yaml:3:12: profiles:' "prompts: lab-tiny" "$end" "profiles: [Nobody]"
refused "a size of pictures that is none" 'c.yaml:3:9: sizes:' "prompts: lab-tiny" "$end" "sizes: [huge-ish]"
refused "a theme that is none" 'c.yaml:1:10: prompts:' "prompts: nowhere" "$end"
refused "GPUs and a CPU" "c.yaml:3:7: gpus: takes GPUs, and device says cpu" "prompts: lab-tiny" "$end" "gpus: all" "device: cpu"
refused "GPUs and workers" "workers: gpus makes a worker for each GPU" "prompts: lab-tiny" "$end" "gpus: all" "workers: 2"
refused "a temperature of a CPU" "max_temperature: is that of a GPU" "prompts: lab-tiny" "$end" "max_temperature: 80" "device: cpu"
refused "nothing for a night" "c.yaml:3:9: resume: is nothing for a night" "prompts: lab-tiny" "$end" "resume: x"
refused "jobs that are no maps" "jobs: expected a list of maps" "$end" "jobs: a cat"
refused "a job that is wrong" 'c.yaml:2:29: steps' "$end" "jobs: [{prompt: cat, steps: x}]"
refused "a list in a list" "profiles: found a map or a list in a list" "prompts: lab-tiny" "$end" "profiles: [[a]]"
refused "no map" "expected a map of keys" "- a"
refused "twice" "is there already as until_jobs" "prompts: lab-tiny" "$end" "until-jobs: 4"
printf '%s\n' 'templates: ["a {nothing}"]' >broken.yaml
refused "a grammar that is wrong" "broken.yaml:1:" "prompts: broken.yaml" "$end"
expect "no file" 2 "no-such.yaml" "$bin" night check no-such.yaml
printf '%s\n' "prompt: x" "$end" "model: org/no-such-model" >c.yaml
expect "no model" 5 "no-such-model" "$bin" night check c.yaml
expect "no configuration" 2 "expected the file of a configuration, or --demo" "$bin" night
expect "the demonstration and another" 2 "has a configuration of its own" "$bin" night c.yaml --demo
printf '%s\n' "prompt: x" "$end" "gpus: all" "model: $repo" >c.yaml
script "init 9"
expect "GPUs where there are none" 4 "" "$bin" night c.yaml

# --- What is right ---
config c.yaml "prompts: [lab-tiny.yaml, other.yaml]" "until_jobs: 10" "time_limit: 90m" 'until: "07:00"' "disk_budget: 2GB" "quiet_hours: [\"12:00-12:30\"]" "seed: 3"
printf '%s\n' 'templates: ["a {x}"]' 'lists: {x: [cat, dog]}' | tee other.yaml >lab-tiny.yaml
expect "check" 0 "10 jobs, 1 h 30 min, " "$bin" night check c.yaml
grep -q "whatever comes first" out && grep -q "makes 2 different prompts" out && ok "what it says" || bad "what it says"
"$bin" night c.yaml --dry-run >dry 2>err
cmp -s out dry && ok "a dry run says the same" || bad "a dry run says the same"
check "and makes nothing" [ ! -e output_images ]
"$bin" night check c.yaml --json >one.json 2>err && "$bin" night check c.yaml --json | cmp -s - one.json &&
    ok "one seed, one list" || bad "one seed, one list"
check "its first jobs" grep -q '"prompt": "a \(cat\|dog\)"' one.json
"$bin" night keys >keys.md
check "docs/NIGHT.md has the table of keys" python3 - "$source/docs/NIGHT.md" keys.md <<'END'
import sys
assert open(sys.argv[2]).read() in open(sys.argv[1]).read()
END
for file in "$source"/examples/night-demo.yaml; do expect "$(basename "$file")" 0 "" "$bin" night check "$file"; done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
