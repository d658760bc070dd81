#!/bin/bash
# test_dynamic_prompts.sh BINARY SOURCE_DIR - templates of sd-dynamic-prompts as --prompt, --negative and
# axes: the same seed makes the same prompt, records and logs have the template, runs are resumed and
# extended. Prints "N passed, N failed".
set -u
bin=$(realpath "$1") source=$(realpath "$2")
. "$source/tests/e2e/common.sh"
repo=$source/tests/data/models/repo
export INSTANCE_ID=dynamic
mkdir -p w/sub
printf 'red\nblue\ngreen\n' >w/color.txt
printf '%s\n' cat dog owl >w/sub/animal.txt
draw() { # OUTPUT_DIR OPTION...
    local dir=$1
    shift
    "$bin" generate --model "$repo" --size 64x64 --steps 1 --seed 5 --dtype f32 --output-dir "$dir" \
        --prompt-generator dynamic --wildcards w "$@"
}
prompts_of() { grep -ho '"prompt": *"[^"]*"' "$1"/jobs_dynamic.log | sed 's/^"prompt": *//'; }
template='a {tiny|huge} __sub/animal__ in a __color__ hat'

expect "four pictures" 0 "" draw four --prompt "$template" --negative "{blurry|dark}" --batch 4
check "have four lines in the log" sh -c "[ \$(grep -c '\"prompt_template\"' four/jobs_dynamic.log) -eq 4 ]"
check "with prompts that have no braces" sh -c "! grep -o '\"prompt\": *\"[^\"]*\"' four/jobs_dynamic.log | grep -q '[{_]'"
check "that are not all the same" sh -c "[ \$(grep -o '\"prompt\": *\"[^\"]*\"' four/jobs_dynamic.log | sort -u | wc -l) -gt 1 ]"
check "beside the template" grep -qF '"prompt_template":"a {tiny|huge} __sub/animal__ in a __color__ hat"' <(sed 's/": "/":"/g' four/jobs_dynamic.log)
check "and that of the negative" grep -qF '"negative_template":"{blurry|dark}"' <(sed 's/": "/":"/g' four/jobs_dynamic.log)
check "a record has both" grep -aqF 'prompt_template":"a {tiny|huge}' "$(one four)"
expect "again" 0 "" draw again --prompt "$template" --negative "{blurry|dark}" --batch 4
check "the same prompts" cmp -s <(prompts_of four) <(prompts_of again)
expect "one of them alone" 0 "" draw alone --prompt "$template" --negative "{blurry|dark}" --seed 7
check "is the same prompt" sh -c "[ '$(prompts_of alone)' = '$(prompts_of four | sed -n 3p)' ]"
expect "what was made, as it stands" 0 "" draw plain --prompt "$(prompts_of alone | tr -d '"')" \
    --negative "$(grep -ho '"negative_prompt": *"[^"]*"' alone/jobs_dynamic.log | sed 's/.*: *"//; s/"$//')" --seed 7 \
    --prompt-generator none
if command -v python3 >/dev/null; then
    check "is the same picture" same "$(one alone)" "$(one plain)"
fi
cell() { grep -ao '"cell":"[0-9a-f]*"' "$(one "$1")" | head -1; }
check "of the same name" sh -c "[ '$(cell alone)' = '$(cell plain)' ]"
check "and has no template" sh -c "! grep -aq prompt_template '$(one plain)'"
expect "from its record" 0 "" "$bin" generate --from "$(one alone)" --dtype f32 --output-dir from
check "comes the same prompt" sh -c "[ '$(prompts_of from)' = '$(prompts_of alone)' ]"

# Axes
printf '%s\n' '{a|b} __color__' 'plain' >prompts.txt
expect "templates on an axis" 0 "" draw axis --sweep prompt=@prompts.txt --sweep seed=1..3
run=$(ls -d axis/sweep_*)
check "six pictures" sh -c "[ \$(ls $run/2*.png | wc -l) -eq 6 ]"
check "the request has the templates" grep -qF '{a|b} __color__' "$run/run.json"
ids() { sed -n 's/^ *"id": *"\([0-9a-f]*\)".*/\1/p' "$1/run.json" | sort; }
ids "$run" >before
rm "$(ls "$run"/2*.png | head -1)"
rm -r w
expect "resumed without the wildcards" 0 "" "$bin" resume "$run"
ids "$run" >after
check "the same six" sh -c "[ \$(ls $run/2*.png | wc -l) -eq 6 ] && [ -s before ] && cmp -s before after"
mkdir w && printf 'red\nblue\ngreen\n' >w/color.txt
expect "extended" 0 "" "$bin" resume "$run" --sweep steps=2
check "by as many" sh -c "[ \$(ls $run/2*.png | wc -l) -eq 12 ]"
check "of the same prompts" sh -c "[ \$(ls $run/2*.png | sed 's/.*_raw_//; s/_.*//' | sort | uniq -c | awk '{ print \$1 % 2 }' | sort -u) = 0 ]"
expect "a job file" 0 "" sh -c "printf '%s\n' 'model: $repo' 'prompt: \"{x|y}\"' 'prompt_generator: dynamic' 'size: 64x64' \
    'steps: 1' 'seed: 1' 'dtype: f32' 'output_dir: job' >job.yaml && '$bin' generate --job job.yaml"
expect "by the environment" 0 "" env PROMPT='{x|y}' PROMPT_GENERATOR=dynamic OUTPUT_DIR=env SIZE=64x64 STEPS=1 SEED=1 \
    MODEL="$repo" "$bin" --dtype f32
check "the same prompt" sh -c "[ '$(prompts_of env)' = '$(prompts_of job)' ]"
expect "a person's own folder" 0 "" sh -c "mkdir -p .config/sdxl-lab/wildcards && echo mine >.config/sdxl-lab/wildcards/own.txt &&
    '$bin' generate --model '$repo' --size 64x64 --steps 1 --prompt 'a __own__' --dtype f32 --prompt-generator dynamic --output-dir own"
check "is looked in" sh -c "[ '$(prompts_of own)' = '\"a mine\"' ]"

# All that there are
expect "combinations" 0 "6 drawn, of 6" draw all --prompt "a {tiny|huge} __color__ hat" --prompt-generator combinations
run=$(ls -d all/sweep_*)
check "each once" sh -c "[ \$(ls $run/2*.png | sed 's/.*_raw_//; s/_seed.*//' | sort -u | wc -l) -eq 6 ]"
check "beside the template" grep -qF '"prompt_template": "a {tiny|huge} __color__ hat"' "$run/run.json"
expect "on an axis, with others" 0 "pictures 12" draw all --sweep 'prompt=["{a|b}","c"]' --sweep steps=1,2 --batch 2 \
    --prompt-generator combinations --dry-run
expect "extended" 0 "" "$bin" resume "$run" --sweep 'prompt=["a {mid|huge} __color__ hat"]'
check "by those that it had not" sh -c "[ \$(ls $run/2*.png | wc -l) -eq 9 ]"
expect "too many" 2 'it makes more than 10000 prompts; if that is meant, say --yes' draw bad \
    --prompt '{5$$a|b|c|d|e|f|g|h|i|j|k|l}' --prompt-generator combinations

# Words of warning, and mistakes
expect "without it" 0 "--prompt-generator dynamic chooses from {a|b} and __name__" draw none --prompt "{a|b}" --prompt-generator none
expect "a wildcard that is not there" 0 "there is no wildcard __nix__; it stays as it is written" draw nix --prompt "{a|b} __nix__" --dry-run
expect "a template that is wrong" 2 '--prompt "a {b|c": character 3, "{b|c": a { that is not closed' draw bad --prompt "a {b|c"
expect "on an axis" 2 'a { that is not closed' draw bad --sweep 'prompt=["a", "{b"]'
expect "in the negative" 2 '--negative "${x}": the variable x is not set' draw bad --prompt a --negative '${x}'
expect "no such folder" 2 "nowhere: no such folder of wildcards" draw bad --prompt "{a|b}" --wildcards nowhere
expect "no such generator" 2 "is not one of: none, dynamic, combinations" draw bad --prompt "{a|b}" --prompt-generator jinja
check "nothing was drawn" sh -c "[ ! -e bad ]"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
